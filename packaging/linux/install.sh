#!/bin/sh
# install.sh            puts Kvart into this account: below ~/.local, or $PREFIX
# install.sh --remove   takes it away again; settings and backups stay
set -eu
here=$(cd "$(dirname "$0")" && pwd)
prefix=${PREFIX:-$HOME/.local}
files=$(cd "$here" && find bin share -type f)
if [ "${1:-}" = --remove ]; then
	# it brings to a safe end what it does
	[ ! -x "$prefix/bin/kvart-agent" ] || "$prefix/bin/kvart-agent" quit
	echo "$files" | while read -r file; do
		rm -f "$prefix/$file"
	done
	rmdir "$prefix/share/doc/kvart" 2>/dev/null || true
	rm -f "${XDG_CONFIG_HOME:-$HOME/.config}/autostart/se.kvart.Kvart.desktop"
	echo "Kvart is removed. Settings and backups are where they were."
	exit 0
fi
missing=$(for program in kvart kvart-agent; do ldd "$here/bin/$program" | sed -n 's/^\t*\(.*\) => not found$/\1/p'; done | sort -u)
if [ -n "$missing" ]; then
	echo "Kvart needs libraries that are not here: $missing" >&2
	exit 1
fi
[ ! -x "$prefix/bin/kvart-agent" ] || "$prefix/bin/kvart-agent" quit
echo "$files" | while read -r file; do
	mkdir -p "$prefix/$(dirname "$file")"
	cp "$here/$file" "$prefix/$file.new"
	mv "$prefix/$file.new" "$prefix/$file"
done
# desktops don't look for programs below ~/.local on their own
desktop=$prefix/share/applications/se.kvart.Kvart.desktop
sed "s|^Exec=.*|Exec=\"$prefix/bin/kvart\"|" "$desktop" >"$desktop.new"
mv "$desktop.new" "$desktop"
echo "Kvart is installed. It is among your programs, and here: $prefix/bin/kvart"
echo "No guard runs until you open Kvart; on a server: systemctl --user start kvart-agent"
