#!/usr/bin/env bash
# stage.sh BIN OUT PREFIX: lays Kvart out below OUT as it is installed at PREFIX:
# programs, desktop entry, icons, description, unit, licences.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) root=$(cd "$(dirname "$0")/../.." && pwd)
bin=$1 out=$2 prefix=$3
source "$root/packaging/release.sh"
share=$out/share
install -D -m 755 -t "$out/bin" "$bin/kvart" "$bin/kvart-agent"
strip --strip-all "$out/bin/kvart" "$out/bin/kvart-agent"
install -D -m 644 -t "$share/applications" "$here/se.kvart.Kvart.desktop"
install -d "$share/metainfo" "$out/lib/systemd/user" "$share/icons" "$share/doc/kvart"
sed "s/@VERSION@/$VERSION/; s/@DATE@/$(date -u -d "@$SOURCE_DATE_EPOCH" +%F)/" "$here/se.kvart.Kvart.metainfo.xml" >"$share/metainfo/se.kvart.Kvart.metainfo.xml"
sed "s|@BIN@|$prefix/bin|" "$here/kvart-agent.service" >"$out/lib/systemd/user/kvart-agent.service"
(cd "$root" && go run ./packaging/tools/icons "$share/icons")
rm "$share/icons/kvart.ico" "$share/icons/Kvart.icns"
install -D -m 644 "$root/assets/icon.svg" "$share/icons/hicolor/scalable/apps/se.kvart.Kvart.svg"
install -m 644 -t "$share/doc/kvart" "$root/assets/licences.txt.gz" "$here/copyright"
find "$share" "$out/lib" -type d -exec chmod 755 {} + -o -type f -exec chmod 644 {} +

desktop-file-validate "$share/applications/se.kvart.Kvart.desktop"
appstreamcli validate --no-net "$share/metainfo/se.kvart.Kvart.metainfo.xml"
