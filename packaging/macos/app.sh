#!/usr/bin/env bash
# app.sh PROGRAMS OUT: lays OUT/Kvart.app out with the programs in PROGRAMS: the
# window, and inside it the guard as an application that shows in no Dock.
# Works on any system; the programs themselves are built on a Mac (README.md).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) root=$(cd "$(dirname "$0")/../.." && pwd)
programs=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
source "$root/packaging/release.sh"
icons=$(mktemp -d)
trap 'rm -rf "$icons"' EXIT
(cd "$root" && go run ./packaging/tools/icons "$icons")

app=$out/Kvart.app
rm -rf "$app"
# bundle DIR PLIST PROGRAM
bundle() {
	mkdir -p "$1/Contents/MacOS" "$1/Contents/Resources/en.lproj" "$1/Contents/Resources/sv.lproj"
	sed "s/@VERSION@/$VERSION/" "$here/$2" >"$1/Contents/Info.plist"
	printf 'APPL????' >"$1/Contents/PkgInfo"
	cp "$icons/Kvart.icns" "$1/Contents/Resources/"
	cp "$here/InfoPlist.sv.strings" "$1/Contents/Resources/sv.lproj/InfoPlist.strings"
	: >"$1/Contents/Resources/en.lproj/InfoPlist.strings" # as in Info.plist
	cp "$programs/$3" "$1/Contents/MacOS/"
	chmod 755 "$1/Contents/MacOS/$3"
}
bundle "$app" Info.plist kvart
bundle "$app/Contents/Helpers/KvartAgent.app" agent-Info.plist kvart-agent
gzip -dc "$root/assets/licences.txt.gz" >"$app/Contents/Resources/licences.txt"
