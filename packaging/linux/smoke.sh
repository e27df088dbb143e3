#!/usr/bin/env bash
# smoke.sh BIN: the demo from end to end, and the real window on it under Xvfb,
# built without the tag that switches Fyne's own thread check off.
set -euo pipefail
bin=$(realpath "$1")
work=$(mktemp -d)
xvfb= guard=
trap 'kill $guard $xvfb 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
export KVART_SECRETS=file
"$bin/kvart-demo" --dir "$work/demo" --pause 1s
Xvfb -displayfd 3 -screen 0 1280x900x24 -nolisten tcp 3>"$work/display" 2>/dev/null &
xvfb=$!
for _ in $(seq 100); do [ -s "$work/display" ] && break; sleep 0.1; done
export DISPLAY=:$(cat "$work/display") LIBGL_ALWAYS_SOFTWARE=1
"$bin/kvart-agent" run --no-tray --data "$work/demo/data" >/dev/null 2>&1 &
guard=$!
timeout -k 5 300 "$bin/kvart-checked" --data "$work/demo/data" --screenshots "$work/shots" --start-guard=false 2>"$work/window.log"
if grep -A3 "Error in Fyne call thread" "$work/window.log"; then
	echo "The window was touched from outside its thread." >&2
	exit 1
fi
[ "$(ls "$work/shots" | wc -l)" -ge 5 ] || { cat "$work/window.log"; echo "Pictures are missing." >&2; exit 1; }
echo "smoke: the demo brought every row back; the window drew $(ls "$work/shots" | wc -l) screens on its own thread"
