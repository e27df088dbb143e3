#!/usr/bin/env bash
# deb.sh BIN OUT: makes OUT/kvart_VERSION_ARCH.deb of the programs in BIN.
# XZ=1 … 9 is how hard it is compressed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) bin=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
source "$here/../release.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/kvart
"$here/stage.sh" "$bin" "$root/usr" /usr
arch=$(dpkg --print-architecture)

# What the programs are linked with, by their own word; and what GLFW looks
# for only when it starts. TLS needs somebody to trust.
mkdir -p "$work/debian" "$root/DEBIAN"
echo "Source: kvart" >"$work/debian/control"
linked=$(cd "$work" && dpkg-shlibdeps -O -e"$root/usr/bin/kvart" -e"$root/usr/bin/kvart-agent" 2>"$work/shlibdeps.log") ||
	{ cat "$work/shlibdeps.log" >&2; exit 1; }
loaded=$("$here/loaded.sh" "$root/usr/bin/kvart")
# A panel has to show icons of programs. GNOME's own does not; the others do.
panels="gnome-shell-extension-appindicator | plasma-workspace | xfce4-panel | cinnamon | mate-panel | lxqt-panel | budgie-core"
cat >"$root/DEBIAN/control" <<CONTROL
Package: kvart
Version: $VERSION
Architecture: $arch
Maintainer: Kvart <kvart@localhost>
Installed-Size: $(find "$root/usr" -type f -printf '%s\n' | awk '{ n += int(($1 + 1023) / 1024) } END { print n }')
Section: utils
Priority: optional
Depends: ${linked#shlibs:Depends=}, $loaded, ca-certificates
Recommends: $panels
Suggests: rclone, default-mysql-client | mysql-client, postgresql-client
Description: backs a small shop up every quarter of an hour
 Kvart backs up the till, databases, online shop and files of a small shop
 every quarter of an hour, encrypted, to a place its owner chooses. On a bad
 day it puts everything back, checks what came back and can undo it.
 .
 On a server without a screen, install it with --no-install-recommends.
CONTROL
install -m 755 "$here/prerm" "$root/DEBIAN/prerm"
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum >DEBIAN/md5sums)
chmod 644 "$root/DEBIAN/control" "$root/DEBIAN/md5sums"
settle "$root"
# one thread: how many there are shows in the bytes
dpkg-deb --root-owner-group --threads-max=1 -Zxz -z"${XZ:-6}" --build "$root" "$out/kvart_${VERSION}_$arch.deb"
