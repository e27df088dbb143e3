#!/usr/bin/env bash
# check.sh: what of macOS's packaging can be tried without a Mac: the lists
# parse and agree, the layout is one that the programs find each other in, the
# icon is one, and, without --lists, the packages without C are sound for it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd) root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin"
printf '#!/bin/sh\n' | tee "$work/bin/kvart" >"$work/bin/kvart-agent"
"$here/app.sh" "$work/bin" "$work"
python3 - "$work/Kvart.app" "$here/entitlements.plist" "$root" <<'PY'
import os, plistlib, re, sys
app, entitlements, root = sys.argv[1:]
version = re.search(r'const Version = "(.*)"', open(root + "/app/doc.go").read()).group(1)
guard = app + "/Contents/Helpers/KvartAgent.app"
for bundle, program in ((app, "kvart"), (guard, "kvart-agent")):
    with open(bundle + "/Contents/Info.plist", "rb") as f:
        info = plistlib.load(f)
    assert info["CFBundleExecutable"] == program, info
    assert info["CFBundleShortVersionString"] == info["CFBundleVersion"] == version, info
    assert os.access(f"{bundle}/Contents/MacOS/{program}", os.X_OK), program
    icon = open(f"{bundle}/Contents/Resources/{info['CFBundleIconFile']}.icns", "rb").read()
    assert icon[:4] == b"icns" and int.from_bytes(icon[4:8], "big") == len(icon)
    assert info.get("LSUIElement", False) == (bundle == guard), "only the guard stays out of the Dock"
    for language in info["CFBundleLocalizations"]:
        assert os.path.exists(f"{bundle}/Contents/Resources/{language}.lproj/InfoPlist.strings"), language
    asked = {k for k in info if k.endswith("UsageDescription")}
    swedish = open(bundle + "/Contents/Resources/sv.lproj/InfoPlist.strings", encoding="utf-8").read()
    lines = re.findall(r'^"(\w+)" = "[^"]+";$', swedish, re.M)
    assert len(lines) == len(swedish.strip().splitlines()), "a line that is no translation"
    assert bundle == app or asked == set(lines), asked ^ set(lines)
with open(entitlements, "rb") as f:
    assert plistlib.load(f)["com.apple.security.app-sandbox"] is False
print("macos: lists, layout and icon are as they should be")
PY
[ "${1:-}" != --lists ] || exit 0
cd "$root"
export GOOS=darwin GOARCH=arm64 CGO_ENABLED=0
# what needs C can't be looked at here: SQLite's driver, the tray, the window
pure=$(go list -f '{{.ImportPath}} {{join .Deps " "}}' ./app/... ./assets/... ./backup/... ./connectors/... |
	grep -v -E 'mattn/go-sqlite3|getlantern/systray' | cut -d' ' -f1)
# shellcheck disable=SC2086
nice -n 10 go vet $pure
echo "macos: $(wc -w <<<"$pure") packages without C are sound for it; what needs C is compiled on a Mac only"
