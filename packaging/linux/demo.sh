#!/usr/bin/env bash
# demo.sh BIN: a shop's bad day, from the first sale to the last row back. With
# a display the window opens on it; without one, pictures of the window's
# screens go to docs/screenshots.
set -euo pipefail
bin=$(realpath "$1")
dir=${TMPDIR:-/tmp}/kvart-demo
rm -rf "$dir"
export KVART_SECRETS=file # the demo leaves nothing in the owner's keychain
"$bin/kvart-demo" --dir "$dir"
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
	exec "$bin/kvart" --data "$dir/data"
fi
if ! command -v Xvfb >/dev/null; then
	echo "No display, and no Xvfb to draw the window on: no screenshots."
	exit 0
fi
echo "No display: drawing the window's screens into docs/screenshots."
display=$(mktemp)
Xvfb -displayfd 3 -screen 0 1280x900x24 -nolisten tcp 3>"$display" 2>/dev/null &
xvfb=$!
guard=
trap 'kill $guard $xvfb 2>/dev/null || true; rm -f "$display"' EXIT
for _ in $(seq 100); do [ -s "$display" ] && break; sleep 0.1; done
export DISPLAY=:$(cat "$display") LIBGL_ALWAYS_SOFTWARE=1
"$bin/kvart-agent" run --no-tray --data "$dir/data" >/dev/null 2>&1 &
guard=$!
"$bin/kvart-agent" drill --data "$dir/data" >/dev/null
for lang in sv en; do
	for theme in light dark; do
		LC_ALL=$([ $lang = sv ] && echo sv_SE.UTF-8 || echo en_GB.UTF-8) FYNE_THEME=$theme timeout -k 5 90 \
			"$bin/kvart" --data "$dir/data" --screenshots "$PWD/docs/screenshots/$lang-$theme"
	done
done
ls docs/screenshots/*
