#!/usr/bin/env bash
# deb-test.sh DEB: installs the package on a bare Debian or Ubuntu in a folder,
# starts the guard without a screen, backs a till up, wrecks it, brings it back,
# removes the package, and looks for what was left behind. Needs root, and the
# mirror that apt on this computer uses.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) deb=$(realpath "$1")
cant() {
	echo "############ THE PACKAGE WAS NOT TRIED: $1 ############" >&2
	exit 3
}
[ "$(id -u)" = 0 ] || cant "a Debian in a folder takes root"
command -v debootstrap >/dev/null || cant "debootstrap is not installed"
unshare --mount --pid --fork true 2>/dev/null || cant "no namespaces here"

root=$(mktemp -d "${TMPDIR:-/tmp}/kvart-debian.XXXXXX")
trap 'rm -rf --one-file-system "$root"' EXIT
chmod 755 "$root" # apt fetches as somebody else
started=$SECONDS
stage() { echo "deb-test: $1 ($((SECONDS - started)) s)"; }

# the release this computer runs, from where it gets its own
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' 'Component: main' |
	awk -v want="$codename" '$1 == want { print $2; exit }')
[ -n "$mirror" ] || cant "apt knows no mirror of $codename"
debootstrap --variant=minbase --include=ca-certificates "$codename" "$root" "$mirror" >"$root.log" 2>&1 || {
	tail -20 "$root.log" >&2
	rm -f "$root.log"
	cant "debootstrap of $codename from apt's own mirror did not work"
}
rm -f "$root.log"
stage "a bare $codename"

cp "$deb" "$root/kvart.deb"
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/thrown-away" # no need to outlive a power cut
install -m 755 "$here/deb-inside.sh" "$root/inside.sh"
for file in /etc/resolv.conf /etc/hosts; do
	if [ -e $file ]; then cat $file >"$root$file"; fi
done
# how apt reaches its mirror: a proxy, a certificate
for file in $(grep -lsi -E '^[[:space:]]*Acquire::' /etc/apt/apt.conf /etc/apt/apt.conf.d/* || true); do
	cp "$file" "$root/etc/apt/apt.conf.d/"
done
# a process tree of its own: what is started inside ends with it, and its
# packages see no process of this computer
env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
	http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" \
	unshare --mount --pid --fork --kill-child \
	sh -c 'mount -t proc proc "$1/proc" && exec chroot "$1" /inside.sh' sh "$root"
stage "installed, backed up, brought back, removed"
