#!/usr/bin/env bash
# tar.sh BIN OUT: makes OUT/kvart-VERSION-linux-ARCH.tar.xz of the programs in
# BIN, for systems without .deb. Its install.sh puts them below ~/.local.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) bin=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
source "$here/../release.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
name=kvart-$VERSION-linux-$(go env GOARCH)
# the unit finds the programs in the home it is started from
"$here/stage.sh" "$bin" "$work/$name" %h/.local
# where a home keeps them
mv "$work/$name/lib/systemd" "$work/$name/share/systemd"
rmdir "$work/$name/lib"
install -m 755 "$here/install.sh" "$work/$name/install.sh"
install -m 644 "$here/../../LICENSE" "$work/$name/LICENSE"
settle "$work/$name"
# one thread: how many there are shows in the bytes
tar -C "$work" --sort=name --format=gnu --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -c "$name" |
	xz -T1 -"${XZ:-6}" >"$out/$name.tar.xz"
echo "made $name.tar.xz"
