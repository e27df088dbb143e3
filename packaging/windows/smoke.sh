#!/usr/bin/env bash
# smoke.sh SETUP: what Windows' installer installs, under Wine: installed without
# a question, a till backed up, wrecked and brought back, the window drawn, and
# all of it removed again. Wine is not Windows: what passes here can still fail
# there, and packaging/README.md says what was tried where.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) setup=$(realpath "$1")
started=$SECONDS
stage() { echo "wine: $1 ($((SECONDS - started)) s)"; }
reg() { timeout 30 wine reg query "$1" /v "$2" 2>/dev/null | tr -d '\r' | sed -n "s/^ *$2 *REG_[A-Z]* *//p"; }

source "$here/wine.sh"
local_data=$(echo "$c"/users/*/AppData/Local | tr ' ' '\n' | grep -v /Public/)
menu=${local_data%/Local}/Roaming/Microsoft/Windows/"Start Menu"/Programs
installed=$local_data/Programs/Kvart
login=$(find "$menu" -maxdepth 1 -iname startup)/Kvart.lnk
stage "Wine is ready"

# --- install
timeout 120 wine "$setup" /S || fail "the installer ended with $?"
for file in kvart.exe kvart-agent.exe kvart-agent.com licences.txt uninstall.exe; do
	[ -s "$installed/$file" ] || fail "$file is not installed"
done
[ -s "$menu/Kvart.lnk" ] || fail "not in the Start menu"
[ -s "$login" ] || fail "does not start at login"
[ -n "$(reg 'HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\Kvart' QuietUninstallString)" ] || fail "not among the installed programs"
stage "installed"

# --- the guard, and a shop
export KVART_SECRETS=file
agent() { timeout 90 wine "$installed/kvart-agent.com" "$@"; }
shop="$c/Min butik åäö" till="$c/Min butik åäö/kassa.db"
mkdir -p "$shop" "$c/usb"
sqlite3 "$till" "CREATE TABLE sale (id INTEGER PRIMARY KEY, what TEXT, price REAL);
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO sale SELECT i, 'Kaffe å ä ö ' || i, i * 1.5 FROM n;"
rows() { sqlite3 "$till" "SELECT count(*), sum(price), max(what) FROM sale"; }
before=$(rows)
printf 'en lång fras som ingen kan gissa 77\n' >"$c/passphrase"
wine "$installed/kvart-agent.exe" run --no-tray >"$work/guard.log" 2>&1 &
wait_for 30 grep -q 'Kvart is guarding' "$work/guard.log"
agent vault create --storage folder --set 'path=C:\usb\kvart' --passphrase-file 'C:\passphrase' --shop "Åsas kaffe" >"$work/verb.log" 2>&1 || fail "no vault"
agent source add sqlite --name Kassan --set 'path=C:\Min butik åäö\kassa.db' >"$work/verb.log" 2>&1 || fail "no source"
agent backup --json >"$work/verb.log" 2>&1 || fail "not backed up"
sqlite3 "$till" "DELETE FROM sale WHERE id > 10; UPDATE sale SET price = 0"
[ "$(rows)" != "$before" ] || fail "nothing was wrecked"
wrecked=$(rows)
agent restore --source Kassan --yes --json >"$work/verb.log" 2>&1 || fail "not brought back"
[ "$(rows)" = "$before" ] || fail "brought back: $(rows), want $before"
agent undo --json >"$work/verb.log" 2>&1 || fail "not undone"
[ "$(rows)" = "$wrecked" ] || fail "undone: $(rows), want $wrecked"
agent restore --source Kassan --yes --json >"$work/verb.log" 2>&1 || fail "not brought back again"
code=0
wine "$installed/kvart-agent.exe" uninstall --yes --forget-secrets >/dev/null 2>&1 || code=$?
[ $code = 3 ] || fail "without a kit, forgetting ends with $code, want 3"
agent kit --text 'C:\kit.txt' >"$work/verb.log" 2>&1 || fail "no kit"
agent kit confirm "$(grep -oE '\b[0-9A-Z]{4}-[0-9A-Z]{4}\b' "$c/kit.txt" | tail -1)" >"$work/verb.log" 2>&1 || fail "the kit's code was not taken"
agent drill --json >"$work/verb.log" 2>&1 || fail "the drill did not pass"
agent status --json >"$work/verb.log" 2>&1 || fail "no status"
code=0
agent nonsense >/dev/null 2>&1 || code=$?
[ $code = 2 ] || fail "a wrong verb ends with $code on the command line, want 2"
stage "backed up, wrecked, brought back"

# --- the window
timeout 300 wine "$installed/kvart.exe" --report --start-guard=false --screenshots 'C:\shots' >"$work/window.out" 2>"$work/window.log" || fail "the window ended with $?"
grep -q drawn "$work/window.out" || fail "the window drew nothing"
[ "$(find "$c/shots" -name '*.png' -size +4k | wc -l)" -ge 5 ] || fail "pictures of the window are missing"
[ -z "${KVART_SHOTS:-}" ] || cp "$c"/shots/*.png "$KVART_SHOTS"
stage "the window drew $(find "$c/shots" -name '*.png' | wc -l) screens"

# --- an update over it: what runs is ended, and what was turned off stays so
rm "$login"
timeout 120 wine "$setup" /S || fail "the update ended with $?"
[ ! -e "$login" ] || fail "the update turned start at login on again"
agent status >"$work/verb.log" 2>&1 || fail "no status after the update"
stage "updated"

# --- remove, while the guard runs
wine "$installed/kvart-agent.exe" run --no-tray >"$work/guard.log" 2>&1 &
wait_for 30 grep -q 'Kvart is guarding' "$work/guard.log"
timeout 120 wine "$installed/uninstall.exe" /S || fail "the uninstaller ended with $?"
wait_for 60 test ! -e "$installed"
[ ! -e "$menu/Kvart.lnk" ] || fail "the Start menu has it still"
[ -z "$(reg 'HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\Kvart' DisplayName)" ] || fail "it is still among the installed programs"
[ -n "$(ls "$local_data/Kvart")" ] || fail "the settings were not kept"

# once more, with the settings: what is the owner's stays
timeout 120 wine "$setup" /S || fail "the installer ended with $?"
mkdir "$local_data/Kvart/egna"
printf 'kaffe\n' >"$local_data/Kvart/egna/lista.txt"
timeout 120 wine "$installed/uninstall.exe" /S /PURGE || fail "the uninstaller ended with $?"
wait_for 60 test ! -e "$installed"
wait_for 10 test ! -e "${local_data%/Local}/Roaming/fyne/se.kvart.Kvart"
[ "$(cd "$local_data/Kvart" && find . -type f)" = ./egna/lista.txt ] || fail "not only the owner's file is left: $(find "$local_data/Kvart")"
rm -r "$local_data/Kvart"
left=$(find "$c" -iname '*kvart*' -not -path "$c/usb/*" | grep -v -E '/(Prefetch)/' || true)
[ -z "$left" ] || fail "left behind: $left"
[ "$(rows)" = "$before" ] || fail "the till was touched"
[ -n "$(ls "$c/usb/kvart")" ] || fail "the backups are gone"
stage "removed"
