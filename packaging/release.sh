# shellcheck shell=bash
# Sourced: which release is packed, of which parts, and from when. The time of the commit is
# the time of everything in the packages: the same commit, the same bytes.
_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
VERSION=$(sed -n 's/^const Version = "\(.*\)"$/\1/p' "$_root/app/doc.go")
[ -n "$VERSION" ] || { echo "no version in app/doc.go" >&2; exit 1; }
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
	SOURCE_DATE_EPOCH=$(git -C "$_root" log -1 --format=%ct 2>/dev/null) ||
		{ echo "not in a git repository: set SOURCE_DATE_EPOCH to the seconds of the release" >&2; exit 1; }
fi
TAGS=$(<"$_root/packaging/tags.txt")
export TAGS VERSION SOURCE_DATE_EPOCH LC_ALL=C.UTF-8 TZ=UTC
umask 022

# settle DIR: gives all in DIR the time of the release.
settle() { find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +; }
