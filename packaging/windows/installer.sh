#!/usr/bin/env bash
# installer.sh PROGRAMS OUT: makes OUT/kvart-VERSION-setup.exe of what build.sh
# made, signed where sign.sh has something to sign with. FAST=1 makes a large one
# in little time, for trials.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) root=$(cd "$(dirname "$0")/../.." && pwd)
programs=$(realpath "$1")
mkdir -p "$2"
out=$(realpath "$2")
source "$root/packaging/release.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$programs"/kvart.exe "$programs"/kvart-agent.exe "$programs"/kvart-agent.com "$work"
(cd "$root" && go run ./packaging/tools/icons "$work/icons")
mv "$work/icons/kvart.ico" "$work"
zcat "$root/assets/licences.txt.gz" | sed 's/$/\r/' >"$work/licences.txt"
"$here/sign.sh" "$work"/kvart.exe "$work"/kvart-agent.exe "$work"/kvart-agent.com
settle "$work"
setup=$out/kvart-$VERSION-setup.exe
makensis -V2 -WX -DVERSION="$VERSION" -DVERSION4="$VERSION.0" -DFROM="$work" -DOUT="$setup" -DSIGN="$here/sign.sh" ${FAST:+-DFAST} "$here/kvart.nsi"
"$here/sign.sh" "$setup"
