#!/usr/bin/env bash
# package.sh DIST: builds all that this machine can into DIST, and says what it
# can't, with the reason.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) root=$(cd "$(dirname "$0")/.." && pwd)
source "$here/release.sh"
rm -rf "$1"
mkdir -p "$1"
dist=$(realpath "$1")
cd "$root"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cant=()
took=()
# stage NAME COMMAND...: a function has to join its commands with &&
stage() {
	local name=$1 since=$SECONDS
	shift
	echo "== $name"
	"$@" || return
	took+=("$(printf '%5d s  %s' $((SECONDS - since)) "$name")")
}
# trial NAME COMMAND...: 3 says that it could not be tried here
trial() {
	local name=$1 code=0
	stage "$@" || code=$?
	case $code in
	0) ;;
	3) cant+=("$name: not tried here, see above") ;;
	*) exit $code ;;
	esac
}

# No path of this machine, no time and no state of the repository is in them.
linux_programs() {
	local flags=(-trimpath -buildvcs=false -tags "$TAGS" -ldflags "-s -w")
	nice -n 10 go build "${flags[@]}" -o "$work/linux/kvart-agent" ./cmd/kvart-agent &&
		nice -n 10 go build "${flags[@]}" -o "$work/linux/kvart" ./cmd/kvart
}
# what they are made of, by their own word
parts() { go run ./packaging/tools/sbom "$dist/kvart-$VERSION-$1.cdx.json" "${@:2}"; }

if [ "$(uname -s)" = Linux ]; then
	stage "Linux: programs" linux_programs
	parts linux "$work/linux/kvart" "$work/linux/kvart-agent"
	stage "Linux: .tar.xz" packaging/linux/tar.sh "$work/linux" "$dist"
	if command -v dpkg-deb >/dev/null; then
		stage "Linux: .deb" packaging/linux/deb.sh "$work/linux" "$dist"
		trial "Linux: .deb on a bare Debian" packaging/linux/deb-test.sh "$dist"/kvart_*.deb
	else
		cant+=("Linux .deb: dpkg-deb is not here; it takes Debian or Ubuntu")
	fi
	cant+=("Linux for other processors than $(go env GOARCH): GTK and OpenGL of that processor are not here; run make package there")
else
	cant+=("Linux: takes a Linux machine, for GTK and OpenGL")
fi

if command -v x86_64-w64-mingw32-gcc >/dev/null && command -v makensis >/dev/null; then
	stage "Windows: programs" packaging/windows/build.sh "$work/windows"
	parts windows "$work/windows/kvart.exe" "$work/windows/kvart-agent.exe"
	stage "Windows: installer" packaging/windows/installer.sh "$work/windows" "$dist"
	[ -n "${KVART_SIGN_PFX:-}" ] || cant+=("Windows: a signed installer: KVART_SIGN_PFX is not set (packaging/README.md)")
	if command -v wine >/dev/null && command -v Xvfb >/dev/null; then
		stage "Windows: installer, signed for a test" env KVART_SIGN_TEST=1 FAST=1 packaging/windows/installer.sh "$work/windows" "$work/signed"
		stage "Windows: installer under Wine" packaging/windows/smoke.sh "$work"/signed/kvart-*-setup.exe
	else
		cant+=("Windows: trying the installer: Wine or Xvfb is not here")
	fi
else
	cant+=("Windows: mingw or NSIS is not here")
fi
cant+=("Windows on ARM: mingw for it is not in Debian; Windows 11 on ARM runs the one for x86-64")

stage "macOS: what can be checked" packaging/macos/check.sh
if [ "$(uname -s)" = Darwin ]; then
	mac_programs() {
		local flags=(-trimpath -buildvcs=false -tags "$TAGS" -ldflags "-s -w")
		go build "${flags[@]}" -o "$work/mac/kvart-agent" ./cmd/kvart-agent &&
			go build "${flags[@]}" -o "$work/mac/kvart" ./cmd/kvart
	}
	stage "macOS: programs" mac_programs
	parts macos "$work/mac/kvart" "$work/mac/kvart-agent"
	stage "macOS: disk image" packaging/macos/dmg.sh "$work/mac" "$dist"
else
	cant+=("macOS: Apple's SDK, codesign and notarytool are on a Mac only; run make package there")
fi

(cd "$dist" && sha256sum -- * >"$work/SHA256SUMS" && mv "$work/SHA256SUMS" .)
echo
echo "Made, in $1:"
(cd "$dist" && ls -l | awk 'NR > 1 { printf "%12d  %s\n", $5, $NF }')
echo "Took:"
printf '%s\n' "${took[@]}"
echo "Not made or not tried here:"
printf '  - %s\n' "${cant[@]}"
