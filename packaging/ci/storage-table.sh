#!/usr/bin/env bash
# storage-table.sh TESTS.json: prints docs/storage.md, made of what became of
# the tests in storage-tests.txt.
set -euo pipefail
json=$1
list=$(dirname "$0")/storage-tests.txt

# passed, FAILED or not run
became() {
	local line
	line=$(grep -F "\"Package\":\"$1\",\"Test\":\"$2\"" "$json" | grep -oE '"Action":"(pass|fail|skip)"' | tail -1 || true)
	case $line in *pass*) echo passed ;; *fail*) echo FAILED ;; *) echo "not run" ;; esac
}

cell() {
	local package test against
	IFS=$'\t' read -r _ _ package test against < <(grep -P "^$1\t$2\t" "$list")
	if [ "$test" = - ]; then echo "$against"; else echo "$(became "$package" "$test"): $against"; fi
}

cat <<'HEAD'
# Storages, and what was tried

Made by `make test` from the tests themselves (packaging/ci/storage-tests.txt says which test stands behind a cell); do not edit.
"Use" is the whole conformance suite: make a vault, back up, restore, expire, check, several computers, a changed passphrase.
"Answers as documented" is a server of the test's own that says what the provider's documentation says. No storage has met its
real provider in a test.

| kind | use | lock proof | wrong key | connection cut in mid-run | storage full |
|---|---|---|---|---|---|
HEAD
for kind in folder s3 sftp webdav rclone azure gcs b2; do
	printf '| `%s` |' "$kind"
	for column in use lock key cut full; do printf ' %s |' "$(cell "$kind" "$column")"; done
	printf '\n'
done
