#!/usr/bin/env bash
# build.sh OUT: makes Windows' programs on Linux: kvart.exe (the window),
# kvart-agent.exe (the guard), kvart-agent.com (the guard on a command line).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
out=$(realpath "$1")
source "$root/packaging/release.sh"
cc=x86_64-w64-mingw32-gcc windres=x86_64-w64-mingw32-windres
work=$(mktemp -d)
# Go takes a resource that lies beside the source; it stays only for the build
syso=(cmd/kvart/rsrc_windows_amd64.syso cmd/kvart-agent/rsrc_windows_amd64.syso)
cd "$root"
trap 'rm -rf "$work" "${syso[@]}"' EXIT
go run ./packaging/tools/icons "$work"

# resource OBJECT FILENAME ENGLISH SWEDISH MANIFEST
resource() {
	cat >"$work/kvart.h" <<-H
		#define FILENAME "$2"
		#define DESCRIPTION "$3"
		#define DESCRIPTION_SV "$4"
		#define MANIFEST "kvart.manifest"
		#define VERSION_TEXT "$VERSION"
		#define VERSION_COMMAS ${VERSION//./,},0
	H
	cat "$work/kvart.h" "$here/kvart.rc" >"$work/kvart.rc"
	$windres -c 65001 -I "$work" -I "$here" -O coff -i "$work/kvart.rc" -o "$1"
}
resource "${syso[0]}" kvart.exe "Kvart" "Kvart"
resource "${syso[1]}" kvart-agent.exe "Kvart, the guard" "Kvart, vakten"
resource "$work/console.o" kvart-agent.com "Kvart on the command line" "Kvart på kommandoraden"

export GOOS=windows GOARCH=amd64 CGO_ENABLED=1 CC=$cc CXX=x86_64-w64-mingw32-g++
flags=(-trimpath -buildvcs=false -tags "$TAGS")
# programs without a console: otherwise a black window opens with them
nice -n 10 go build "${flags[@]}" -ldflags "-s -w -H windowsgui" -o "$out/kvart-agent.exe" ./cmd/kvart-agent
nice -n 10 go build "${flags[@]}" -ldflags "-s -w -H windowsgui" -o "$out/kvart.exe" ./cmd/kvart
$cc -Wall -Os -s -municode -Wl,--no-insert-timestamp -o "$out/kvart-agent.com" "$here/console.c" "$work/console.o"

# only what every Windows has
for program in "$out"/kvart*.exe "$out/kvart-agent.com"; do
	foreign=$(x86_64-w64-mingw32-objdump -p "$program" | sed -n 's/.*DLL Name: //p' |
		grep -v -i -x -E '(kernel32|user32|gdi32|shell32|ole32|oleaut32|opengl32|advapi32|msvcrt|ws2_32|uuid|shlwapi)\.dll' || true)
	[ -z "$foreign" ] || { echo "$program needs $foreign" >&2; exit 1; }
done
