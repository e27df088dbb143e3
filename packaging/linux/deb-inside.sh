#!/usr/bin/env bash
# Runs as root in a bare Debian: see deb-test.sh. /kvart.deb is the package.
set -euo pipefail
fail() {
	echo "deb-test: $1" >&2
	[ ! -s /tmp/guard.log ] || tail -20 /tmp/guard.log >&2
	exit 1
}
trap 'fail "line $LINENO: $BASH_COMMAND"' ERR
apt-get update -qq >/dev/null
# with what it recommends: only that it could be installed
apt-get install -qq --simulate /kvart.deb >/dev/null || fail "can't be installed with what it recommends"
apt-get install -qq --no-install-recommends sqlite3 >/dev/null 2>&1
apt-get install -qq --no-install-recommends /kvart.deb >/tmp/install.log 2>&1 || { cat /tmp/install.log; fail "can't be installed"; }
echo "deb-test: installed with $(grep -c '^Setting up' /tmp/install.log) packages"

for program in kvart kvart-agent; do
	if ldd /usr/bin/$program | grep 'not found'; then fail "$program lacks a library"; fi
done
# what the window loads by name while it runs
for library in $(grep -ao 'libX[A-Za-z0-9]*\.so\.[0-9]' /usr/bin/kvart | sort -u) libGL.so.1; do
	[ "$library" = libX11-xcb.so.1 ] || ldconfig -p | grep -q -F "$library " || fail "the window lacks $library"
done
[ "$(kvart-agent --version)" = "kvart-agent $(dpkg-query -W -f '${Version}' kvart)" ] || fail "the package and the program are of different versions"
{ kvart 2>&1 || true; } | grep 'no display' >/dev/null || fail "without a screen the window does not say so"

# a shop, of somebody whose home has blanks and letters that are not English
home="/home/Åsa Öst"
useradd --create-home --home-dir "$home" asa
mkdir /mnt/usb && chown asa: /mnt/usb
cat >/tmp/shop.sh <<'SHOP'
set -euo pipefail
cd "$HOME"
fail() { echo "deb-test: $1" >&2; exit 1; }
wait_for() { for _ in $(seq 200); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; fail "waited in vain for: $*"; }
umask 077
till="$HOME/Min kassa/kassa.db"
mkdir -p "Min kassa"
sqlite3 "$till" "CREATE TABLE sale (id INTEGER PRIMARY KEY, what TEXT, price REAL);
	WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO sale SELECT i, 'Kaffe å ä ö ' || i, i * 1.5 FROM n;"
rows() { sqlite3 "$till" "SELECT count(*), sum(price), max(what) FROM sale"; }
before=$(rows)
printf 'en lång fras som ingen kan gissa 77\n' >passphrase
kvart-agent run --no-tray >/tmp/guard.log 2>&1 &
guard=$!
wait_for test -S "$HOME/.local/share/kvart/run/guard.sock"
kvart-agent vault create --storage folder --set path=/mnt/usb/kvart --passphrase-file passphrase --shop "Åsas kaffe" >/dev/null
kvart-agent source add sqlite --name Kassan --set "path=$till" >/dev/null
kvart-agent backup --json | grep '"state":"done"' >/dev/null || fail "not backed up"
sqlite3 "$till" "DELETE FROM sale WHERE id > 10; UPDATE sale SET price = 0"
[ "$(rows)" != "$before" ] || fail "nothing was wrecked"
kvart-agent restore --source Kassan --yes --json | grep '"state":"done"' >/dev/null || fail "not brought back"
[ "$(rows)" = "$before" ] || fail "brought back: $(rows), want $before"
kvart-agent drill >/dev/null || fail "the drill did not pass"
kill -0 $guard || fail "the guard is gone"
SHOP
runuser -u asa -- env HOME="$home" LC_ALL=C.UTF-8 bash /tmp/shop.sh || fail "the shop's day went wrong"
echo "deb-test: backed up, wrecked, brought back"

tree() { (cd "$1" && find . -type f -not -path '*/log/*' -printf '%p %s\n' | sort); }
tree /mnt/usb >/tmp/vault.before
guards() { find /proc -maxdepth 2 -name exe -lname '/usr/bin/kvart*' 2>/dev/null; }
[ -n "$(guards)" ] || fail "no guard runs before the package is removed"
dpkg-query -L kvart >/tmp/files
apt-get remove -qq kvart >/tmp/remove.log 2>&1 || { cat /tmp/remove.log; fail "can't be removed"; }
[ -z "$(guards)" ] || fail "the guard runs on without its package"
! dpkg-query -W kvart >/dev/null 2>&1 || fail "the package is known still"
tree /mnt/usb | cmp - /tmp/vault.before || fail "removing the package changed the backups"
[ -s "$home/.local/share/kvart/settings.json" ] || [ -n "$(ls "$home/.local/share/kvart")" ] || fail "the owner's settings are gone"
[ -s "$home/Min kassa/kassa.db" ] || fail "the till is gone"
while read -r file; do
	[ -d "$file" ] || [ ! -e "$file" ] || fail "left behind: $file"
done </tmp/files
left=$(find / -xdev -ipath '*kvart*' -not -path '/proc/*' | grep -v -E '^/(kvart\.deb$|home/Åsa Öst/|mnt/usb/|tmp/)' || true)
[ -z "$left" ] || fail "left behind: $left"
