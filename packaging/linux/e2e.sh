#!/usr/bin/env bash
# e2e.sh BIN: a person with a mouse and a keyboard, and the real window and guard
# under Xvfb: sets up, makes and types back the kit, backs up, wrecks the till,
# restores, undoes, and looks into the till's database after each; then loses the
# guard, and meets one of another version. The window that is built for tests
# says where its buttons are; nothing but xdotool presses them.
set -euo pipefail
bin=$(realpath "$1")
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
export HOME=$work/home XDG_DATA_HOME=$work/xdg XDG_CONFIG_HOME=$work/xdg XDG_CACHE_HOME=$work/cache
export KVART_SECRETS=file KVART_OBJECTS=$work/objects LC_ALL=C.UTF-8 LANGUAGE=en LIBGL_ALWAYS_SOFTWARE=1
unset DBUS_SESSION_BUS_ADDRESS WAYLAND_DISPLAY
data=$work/data till=$HOME/Documents/Kassa/kassa.db
mkdir -p "$HOME/Documents/Kassa" "$work/vault"
xvfb= window= other=
cleanup() {
	local guard
	guard=$(guards)
	# shellcheck disable=SC2086 # several, or none
	kill $window $guard $other $xvfb 2>/dev/null || true
	wait 2>/dev/null || true
	rm -rf "$work"
}
trap cleanup EXIT

# guards prints the process of the guard that keeps this test's data.
guards() { pgrep -f -- "run --data $data\$" || true; }

# t KEY: the English words of a key
t() {
	local words
	words=$(sed -n "s/^ *\"$1\": \"\(.*\)\",\{0,1\}\$/\1/p" assets/lang/*.en.json | head -1)
	[ -n "$words" ] || fail "no words for $1"
	echo "$words"
}

fail() {
	trap - ERR
	echo "e2e: $*" >&2
	echo "The window shows:" >&2
	cut -f1,4,5 "$KVART_OBJECTS" >&2 || true
	[ -z "${KVART_SHOTS:-}" ] || import -window root "$KVART_SHOTS/e2e-failed.png" || true
	tail -20 "$work/window.log" >&2 || true
	exit 1
}
trap 'fail "line $LINENO"' ERR

# await SECONDS WHAT COMMAND...: until a command succeeds
await() {
	local until=$((SECONDS + $1 * ${KVART_E2E_PATIENCE:-1})) what=$2
	shift 2
	until "$@"; do
		[ "$SECONDS" -lt "$until" ] || fail "waited in vain for $what"
		sleep 0.1
	done
}

shows() { cut -f5 "$KVART_OBJECTS" 2>/dev/null | grep -qF -- "$1"; }
see() { await "${2:-20}" "$1" shows "$(t "$1")"; }
there() { cut -f1,4,5 "$KVART_OBJECTS" 2>/dev/null | grep -qP "^(press|primary|field|choice)\t(on|out)\t\Q$1\E"; }

# at PATTERN NTH: where the nth thing is, as "x y state"
at() { grep -P "$1" "$KVART_OBJECTS" | sed -n "$2p" | cut -f2-4; }

# click PATTERN NTH: with the mouse, after turning its wheel where need be
click() {
	local x y state
	for _ in $(seq 60); do
		read -r x y state < <(at "$1" "${2:-1}") || true
		case ${state:-} in
		on)
			xdotool mousemove "$((left + x))" "$((top + y))" click 1
			sleep 0.3
			return
			;;
		out) xdotool mousemove "$((left + 700))" "$((top + 450))" click "$([ "$y" -lt 0 ] && echo 4 || echo 5)" ;;
		esac
		sleep 0.25
	done
	fail "cannot press $1"
}
press() { click "^(press|primary)\t-?\d+\t-?\d+\t(on|out)\t\Q$(t "$1")\E\$" "${2:-1}"; }
named() { click "^(press|primary)\t-?\d+\t-?\d+\t(on|out)\t\Q$1\E\$"; }

# write NTH TEXT: into the nth field
write() {
	click "^field\t" "$1"
	xdotool key --clearmodifiers ctrl+a
	xdotool type --delay 12 -- "$2"
	await 10 "$2 in a field" bash -c 'cut -f1,5 "$0" | grep -qF -- "$1"' "$KVART_OBJECTS" "$(printf 'field\tfield ')$2"
}

# window ARGS...: opens the window and finds where it is
window() {
	rm -f "$KVART_OBJECTS"
	"$bin/kvart-checked" --data "$data" "$@" >/dev/null 2>>"$work/window.log" &
	window=$!
	await 30 "the window" test -s "$KVART_OBJECTS"
	id=$(xdotool search --sync --name '^Kvart$' | tail -1)
	xdotool windowfocus --sync "$id"
	eval "$(xdotool getwindowgeometry --shell "$id" | sed -n 's/^X=/left=/p; s/^Y=/top=/p')"
}
shut() {
	kill "$window"
	wait "$window" || true
	window=
}

# rows NUMBER: the till is sound and holds so many receipts
rows() {
	local n
	n=$(sqlite3 -readonly "$till" 'PRAGMA integrity_check; SELECT count(*) FROM kvitto;' | tr '\n' ' ')
	[ "$n" = "ok $1 " ] || fail "the till holds \"$n\", not $1 receipts"
}

sqlite3 "$till" 'PRAGMA journal_mode=WAL; CREATE TABLE kvitto (id INTEGER PRIMARY KEY, summa INTEGER NOT NULL);
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < 500) INSERT INTO kvitto SELECT i, i*7 FROM n;' >/dev/null
Xvfb -displayfd 3 -screen 0 1280x900x24 -nolisten tcp 3>"$work/display" 2>/dev/null &
xvfb=$!
await 10 "a display" test -s "$work/display"
export DISPLAY=:$(cat "$work/display")

# the window without the guard: says so, and starts it
window --start-guard=false
see offline.title
press offline.start
see home.button.empty 30

# set up
press home.button.empty
see setup.what.title
await 20 "the till to be found" shows kassa.db
press setup.continue
end=$((SECONDS + 120))
until shows "$(t setup.where.title)"; do # other programs of this computer may have been found
	[ "$SECONDS" -lt "$end" ] || fail "waited in vain for setup.where.title"
	! there "$(t setup.ask.skip)" || press setup.ask.skip
	sleep 0.2
done
press storage.folder
write 1 "$work/vault"
press setup.test
press setup.continue
see setup.pass.title
press setup.pass.own
write 1 "correct horse battery"
write 2 "correct horse battery"
write 3 "Kafferosteriet"
press setup.start

# the kit, typed back
see setup.kit.title 40
press makekit.save.button
await 15 "the dialog" there Save
named Save
await 30 "the kit" shows "$HOME/"
kit=$(find "$HOME" -name '*.pdf')
code=$(pdftotext -layout "$kit" - | { grep -oP '(?<!\S)[0-9A-Z]{4}-[0-9A-Z]{4}(?!\S)' || true; } | tail -1)
[ -n "$code" ] || fail "no code in the kit"
write 1 "$code"
press makekit.code.button
see makekit.done
press setup.continue
see setup.first.done.title 60
press setup.first.done.button
see verdict.safe
rows 500
find "$work/vault" -type f | grep -q . || fail "nothing lies in the vault"

# wreck the till, and restore
sqlite3 "$till" 'DELETE FROM kvitto WHERE id > 20;'
rows 20
press nav.recover
see recover.start.title
press recover.button.all
see recover.done.restore.good 60
rows 500

# undo it
press recover.undo
press recover.undo.yes
see recover.done.undo.good 60
rows 20

# the guard dies while the window is open, and returns
# shellcheck disable=SC2046
kill -9 $(guards)
see offline.title
press offline.start
await 30 "the window to go on" bash -c '! cut -f5 "$0" | grep -qF -- "$1"' "$KVART_OBJECTS" "$(t offline.title)"
rows 20
shut

# a guard of another version: is asked to end, and replaced
# shellcheck disable=SC2046
kill $(guards)
await 20 "the guard to end" bash -c '! pgrep -f -- "run --data $0\$" >/dev/null' "$data"
"$bin/kvart-otherguard" "$data" &
other=$!
window --start-guard=false
see error.guard_version.title
press offline.restart
see verdict.safe 40
shut
if grep -A3 "Error in Fyne call thread" "$work/window.log"; then
	fail "the window was touched from outside its thread"
fi
echo "e2e: set up, backed up, wrecked, restored and undone with mouse and keyboard, in $SECONDS s"
