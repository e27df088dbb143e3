#!/usr/bin/env bash
# run.sh BIN: starts the guard and opens the window; without a display the
# guard runs alone.
set -euo pipefail
bin=$1
if [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
	echo "No display here: the guard runs without a window. Ctrl-C ends it."
	exec "$bin/kvart-agent" run --no-tray
fi
exec "$bin/kvart"
