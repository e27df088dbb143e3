#!/usr/bin/env bash
# bench-window.sh BIN: how quick the window is and how little it does while
# nothing happens, on software rendering, over a small shop that is guarded.
set -euo pipefail
bin=$(realpath "$1")
work=$(mktemp -d)
xvfb= guard= window=
# shellcheck disable=SC2086 # some may not run yet
trap 'kill $window $guard $xvfb 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
export HOME=$work KVART_SECRETS=file LIBGL_ALWAYS_SOFTWARE=1
unset DBUS_SESSION_BUS_ADDRESS WAYLAND_DISPLAY
Xvfb -displayfd 3 -screen 0 1280x900x24 -nolisten tcp 3>"$work/display" 2>/dev/null &
xvfb=$!
for _ in $(seq 100); do [ -s "$work/display" ] && break; sleep 0.1; done
export DISPLAY=:$(cat "$work/display")
"$bin/kvart-agent" run --no-tray --data "$work/data" >/dev/null 2>&1 &
guard=$!
for _ in $(seq 100); do [ -S "$work/data/run/guard.sock" ] && break; sleep 0.1; done

# start prints the milliseconds to the first frame
start() {
	local began ended
	mkfifo "$work/said.$1"
	began=$(date +%s%N)
	"$bin/kvart" --data "$work/data" --start-guard=false --report >"$work/said.$1" 2>/dev/null &
	window=$!
	read -r _ <"$work/said.$1"
	ended=$(date +%s%N)
	echo "first frame, start $1: $(((ended - began) / 1000000)) ms"
}
for n in 1 2 3; do
	start $n
	[ $n = 3 ] || { kill $window; wait $window 2>/dev/null || true; }
done
sleep 3
ticks() { awk '{print $14 + $15}' "/proc/$window/stat"; }
before=$(ticks)
sleep "${IDLE:-60}"
after=$(ticks)
awk -v t=$((after - before)) -v hz="$(getconf CLK_TCK)" -v s="${IDLE:-60}" 'BEGIN { printf "idle: %.2f %% of one core over %d s\n", 100 * t / hz / s, s }'
awk '/VmRSS/ { printf "memory: %.0f MB\n", $2 / 1024 }' "/proc/$window/status"
go test -run '^$' -bench Window_update -benchtime 200x ./ui
go test -run '^$' -bench Window_growth -benchtime 10000x -timeout 30m ./ui
