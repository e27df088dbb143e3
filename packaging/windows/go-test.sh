#!/usr/bin/env bash
# go-test.sh PACKAGE...: runs packages' own tests under Wine, from the root of
# the repository: go-test.sh ./app/ipc ./connectors/sqlite
set -euo pipefail
source "$(dirname "$0")/wine.sh"
export GOOS=windows GOARCH=amd64 CGO_ENABLED=1 CC=x86_64-w64-mingw32-gcc CXX=x86_64-w64-mingw32-g++
failed=0
for package; do
	# the flags of build.sh, so that nothing is compiled twice
	nice -n 10 go test -trimpath -buildvcs=false -tags "$(<packaging/tags.txt)" -c -o "$work/test.exe" "$package"
	echo "== $package"
	(cd "$package" && timeout 300 wine "$work/test.exe" -test.timeout 280s) || failed=1
done
exit $failed
