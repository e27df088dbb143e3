#!/usr/bin/env bash
# dmg.sh PROGRAMS OUT: signs Kvart.app and makes OUT/kvart-VERSION.dmg of it. On
# a Mac only.
#
#	KVART_MAC_IDENTITY  "Developer ID Application: …"; without it the programs
#	                    are signed for this Mac alone
#	KVART_MAC_PROFILE   the name of what `notarytool store-credentials` keeps;
#	                    without it Apple is not asked
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ "$(uname)" = Darwin ] || { echo "A disk image for macOS is made on a Mac: codesign, hdiutil and notarytool are there only." >&2; exit 3; }
source "$here/../release.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$here/app.sh" "$1" "$work"
mkdir -p "$2"
out=$(cd "$2" && pwd)
app=$work/Kvart.app
identity=${KVART_MAC_IDENTITY:--}
stamp=(--timestamp)
[ "$identity" != - ] || stamp=(--timestamp=none)
# from the inside out: a signature covers what lies within
for part in "$app/Contents/Helpers/KvartAgent.app" "$app"; do
	codesign --force --options runtime "${stamp[@]}" --entitlements "$here/entitlements.plist" --sign "$identity" "$part"
done
codesign --verify --deep --strict --verbose=2 "$app"

ln -s /Applications "$work/Applications"
image=$out/kvart-$VERSION.dmg
rm -f "$image"
mkdir "$work/image"
mv "$app" "$work/Applications" "$work/image"
hdiutil create -volname Kvart -srcfolder "$work/image" -fs HFS+ -format UDZO "$image"
if [ "$identity" != - ]; then codesign --sign "$identity" --timestamp "$image"; fi
if [ -n "${KVART_MAC_PROFILE:-}" ]; then
	xcrun notarytool submit "$image" --keychain-profile "$KVART_MAC_PROFILE" --wait
	xcrun stapler staple "$image"
	spctl --assess --type open --context context:primary-signature --verbose "$image"
fi
