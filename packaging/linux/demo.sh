#!/usr/bin/env bash
# demo.sh BIN: a shop's bad day, from the first sale to the last row back. With
# a display the window opens on it; without one, pictures of the window go to
# docs/screenshots, in English and light where nothing else is asked for.
set -euo pipefail
bin=$(realpath "$1")
dir=${TMPDIR:-/tmp}/kvart-demo
rm -rf "$dir"
export KVART_SECRETS=file # the demo leaves nothing in the owner's keychain
"$bin/kvart-demo" --dir "$dir"
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
	exec "$bin/kvart" --data "$dir/data"
fi
LANGUAGES=${LANGUAGES:-en} THEMES=${THEMES:-light} exec "$(dirname "$0")/screenshots.sh" "$bin" "$dir"
