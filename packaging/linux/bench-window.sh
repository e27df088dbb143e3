#!/usr/bin/env bash
# bench-window.sh BIN: how quick the window is and how little it does while
# nothing happens, on software rendering, over a small shop that is guarded. What
# Fyne itself costs is measured in the same run, with a window that holds one
# line. IDLE, UPDATES: seconds, and updates, to measure for.
set -euo pipefail
bin=$(realpath "$1") home=$HOME idle=${IDLE:-60}
work=$(mktemp -d) tags=$(<packaging/tags.txt)
xvfb= guard= window=
# shellcheck disable=SC2086 # some may not run yet
trap 'kill $window $guard $xvfb 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT
go test -c -tags "$tags" -o "$work/bare" ./cmd/kvart # before HOME, where Go keeps what it built, is another
export HOME=$work KVART_SECRETS=file LIBGL_ALWAYS_SOFTWARE=1
unset DBUS_SESSION_BUS_ADDRESS WAYLAND_DISPLAY
Xvfb -displayfd 3 -screen 0 1280x900x24 -nolisten tcp 3>"$work/display" 2>/dev/null &
xvfb=$!
for _ in $(seq 100); do [ -s "$work/display" ] && break; sleep 0.1; done
export DISPLAY=:$(cat "$work/display")

# a till with 100,000 sales, backed up
data=$work/data
sqlite3 "$work/kassa.db" 'CREATE TABLE kvitto (id INTEGER PRIMARY KEY, kund TEXT NOT NULL, summa INTEGER NOT NULL);
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 100000)
	INSERT INTO kvitto SELECT i, printf("Kund %06d", i * 7919 % 100000), i * 7 FROM n;' >/dev/null
echo "correct horse battery staple" >"$work/pass"
kvart() { "$bin/kvart-agent" "$@" --data "$data"; }
mkdir -p -m 700 "$data" "$work/vault"
kvart vault create --storage folder --set "path=$work/vault" --passphrase-file "$work/pass" >/dev/null
kvart source add sqlite --name Kassan --set "path=$work/kassa.db" >/dev/null
kvart run --no-tray >/dev/null 2>&1 &
guard=$!
for _ in $(seq 100); do [ -S "$data/run/guard.sock" ] && break; sleep 0.1; done
kvart backup >/dev/null

# took COMMAND...: the milliseconds of the middle one of five runs
took() {
	local began
	for _ in 1 2 3 4 5; do
		began=$(date +%s%N)
		"$@" >/dev/null
		echo $((($(date +%s%N) - began) / 100000))
	done | sort -n | sed -n 3p | sed 's/\(.\)$/.\1/;s/^\./0./'
}
# Of all of these a new process asks the guard: what that alone costs is told first.
echo "asking the guard anything:        $(took kvart status) ms"
echo "100,000 records, the first page:  $(took kvart browse --source Kassan kvitto) ms"
echo "100,000 records, the last page:   $(took kvart browse --source Kassan kvitto --from 99900) ms"
echo "100,000 records, one looked for:  $(took kvart browse --source Kassan kvitto '099999') ms"

# start NAME COMMAND...: the milliseconds to the first frame, into the variable first
start() {
	local began
	rm -f "$work/said"
	mkfifo "$work/said"
	began=$(date +%s%N)
	"${@:2}" >"$work/said" 2>/dev/null &
	window=$!
	read -r _ <"$work/said"
	first=$((($(date +%s%N) - began) / 1000000))
	echo "first frame of $1: $first ms"
}
stop() {
	kill "$window"
	wait "$window" 2>/dev/null || true
	window=
}
ticks() { awk '{print $14 + $15}' "/proc/$window/stat"; }

# rest NAME AFTER: what a window does while nothing happens, in percent of one
# core, into the variable share; measured when it has been open for AFTER seconds
rest() {
	local before
	sleep "$2"
	before=$(ticks)
	sleep "$idle"
	share=$(awk -v t=$(($(ticks) - before)) -v hz="$(getconf CLK_TCK)" -v s="$idle" 'BEGIN { printf "%.2f", 100 * t / hz / s }')
	echo "$1 while nothing happens: $share % of one core over $idle s, $(awk '/VmRSS/ { printf "%.0f MB", $2 / 1024 }' "/proc/$window/status")"
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", b ? a / b : 0 }'; }

bare() { KVART_BARE_WINDOW=1 exec "$work/bare"; }
for _ in 1 2; do start "a bare window" bare; stop; done
start "a bare window" bare
bare_first=$first
rest "a bare window" 3
bare_share=$share
stop
ours() { exec "$bin/kvart" --data "$data" --start-guard=false --report; }
for _ in 1 2; do start "Kvart's window" ours; stop; done
kvart backup >/dev/null
start "Kvart's window" ours
rest "Kvart's window, the first minute after a backup," 3
rest "Kvart's window" 60 # from then on no text counts seconds
echo "Kvart's window against a bare one: first frame × $(ratio "$first" "$bare_first"), at rest × $(ratio "$share" "$bare_share")"
stop
export HOME=$home
go test -tags "$tags" -run '^$' -bench Window_update -benchtime 200x ./ui
go test -tags "$tags" -run '^$' -bench Window_growth -benchtime "${UPDATES:-3600}x" -timeout 30m ./ui
