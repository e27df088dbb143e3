# shellcheck shell=bash
# Sourced: a Wine of its own with a screen, in $work, that ends with the script.
# $c is its disk C:. finish may be called earlier.
work=$(mktemp -d "${TMPDIR:-/tmp}/kvart-wine.XXXXXX")
export WINEPREFIX=$work/wine WINEDEBUG=-all WINEDLLOVERRIDES='mscoree,mshtml=' LC_ALL=C.UTF-8 LIBGL_ALWAYS_SOFTWARE=1
unset WAYLAND_DISPLAY
xvfb=
finish() {
	timeout 20 wineserver -k 2>/dev/null || true
	[ -z "$xvfb" ] || kill "$xvfb" 2>/dev/null || true
	wait 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT
fail() {
	echo "wine: $1" >&2
	tail -n 20 "$work"/*.log >&2 2>/dev/null || true
	exit 1
}
# wait_for SECONDS COMMAND...
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || fail "waited in vain for: $*"
		sleep 0.2
	done
}
# before Wine is: what it starts first decides whether there is a screen
Xvfb -displayfd 3 -screen 0 1280x900x24 -nolisten tcp 3>"$work/display" 2>/dev/null &
xvfb=$!
wait_for 20 test -s "$work/display"
export DISPLAY=:$(cat "$work/display")
timeout 120 wineboot -i >/dev/null 2>&1 || fail "Wine does not start"
c=$WINEPREFIX/drive_c
x86_64-w64-mingw32-gcc -Wall -shared -O2 -o "$c/windows/system32/bcryptprimitives.dll" "$(dirname "${BASH_SOURCE[0]}")/wineshim.c" -ladvapi32
