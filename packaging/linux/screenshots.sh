#!/usr/bin/env bash
# screenshots.sh BIN DIR: pictures of the window's pages into docs/screenshots, in
# both languages and both themes, from a running guard over the shop that
# kvart-demo left in DIR. One tour through the window for each way that the shop
# can stand. LANGUAGES and THEMES draw fewer, OUT elsewhere.
set -euo pipefail
bin=$(realpath "$1") dir=$2 out=${OUT:-$PWD/docs/screenshots}
if ! command -v Xvfb >/dev/null; then
	echo "No display, and no Xvfb to draw the window on: no screenshots."
	exit 0
fi
echo "Drawing the window's pages into $out."
export KVART_SECRETS=file LIBGL_ALWAYS_SOFTWARE=1
unset WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS
display=$(mktemp)
Xvfb -displayfd 3 -screen 0 1280x900x24 -nolisten tcp 3>"$display" 2>/dev/null &
xvfb=$! guard=
# shellcheck disable=SC2086 # none may run yet
trap 'kill $guard $xvfb 2>/dev/null || true; rm -rf "$display" "$dir.first"' EXIT
for _ in $(seq 100); do [ -s "$display" ] && break; sleep 0.1; done
export DISPLAY=:$(cat "$display")

kvart() { "$bin/kvart-agent" "$@" --data "$data" >/dev/null; }

# guard DATA: starts the guard of a folder, and waits until it answers
guard() {
	data=$1
	HOME=$dir/home LC_ALL=$locale "$bin/kvart-agent" run --no-tray --data "$data" >/dev/null 2>&1 &
	guard=$!
	for _ in $(seq 100); do [ -S "$data/run/guard.sock" ] && break; sleep 0.1; done
}
leave() {
	kill "$guard"
	wait "$guard" || true
	guard=
}

# tour NAME: the pages of a tour, in all themes
tour() {
	local theme
	for theme in ${THEMES:-light dark}; do
		LC_ALL=$locale FYNE_THEME=$theme timeout -k 5 300 "$bin/kvart" --data "$data" --start-guard=false --tour "$1" --screenshots "$out/$lang-$theme"
	done
}

# all: every tour, in one language, from the shop as the demo left it
all() {
	mkdir -p "$dir/home/Documents"
	cp -r "$shop" "$dir/home/Documents"
	local theme
	for theme in ${THEMES:-light dark}; do # what is begun here is gone on with the next time
		rm -rf "$dir/empty"
		guard "$dir/empty"
		THEMES=$theme tour empty
		leave
	done
	guard "$dir/data"
	kvart backup
	tour begun
	kvart kit --out "$dir/kit.pdf" --text "$dir/kit.txt" --overwrite
	kvart kit confirm "$(sed -n 's/^\(Check code\|Kontrollkod\): //p' "$dir/kit.txt" | head -1)"
	kvart drill
	timeout 2 "$bin/kvart-demo" --dir "$dir" sell || true # what no backup has yet
	tour safe
	kvart pause 60
	tour paused
	kvart pause off
	kvart incident start hacked --no-wait
	sleep 3
	tour going
	kvart incident close
	kvart incident start crashed
	kvart incident tick stop-till
	kvart incident tick confirm
	tour back
	kvart incident close
	kvart backup
	find "$shop/Bilder" -name '*.jpg' -exec sh -c 'head -c 100000 /dev/urandom >"$1.lockbit"; rm "$1"' - {} \;
	kvart backup || true # what it found is what the picture shows
	tour unusual
	leave
	tour alone
}

cp -a "$dir" "$dir.first"
shop="$dir/Kafferosteriet Björnbär"
for lang in ${LANGUAGES:-sv en}; do
	rm -rf "$dir"
	cp -a "$dir.first" "$dir"
	locale=$([ "$lang" = sv ] && echo sv_SE.UTF-8 || echo en_GB.UTF-8)
	all
done
du -sh "$out"
