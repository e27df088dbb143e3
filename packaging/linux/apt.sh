#!/usr/bin/env bash
# apt.sh SUDO LIST: installs the packages of LIST that are missing.
set -euo pipefail
sudo=$1 list=$2
if ! command -v apt-get >/dev/null; then
	echo "Not Debian or Ubuntu: install what corresponds to $list yourself." >&2
	exit 0
fi
missing=()
while read -r package _; do
	case $package in '' | '#'*) continue ;; esac
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done <"$list"
[ ${#missing[@]} -eq 0 ] && exit 0
echo "Installing: ${missing[*]}"
$sudo apt-get update -qq
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
