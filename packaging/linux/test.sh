#!/usr/bin/env bash
# test.sh BIN: every test, with the race detector, against real servers on
# loopback. A test that is listed in packaging/ci/must-run.txt may not skip.
set -euo pipefail
bin=$(realpath "$1")
work=$(mktemp -d)
gateway=
trap '[ -z "$gateway" ] || kill "$gateway" 2>/dev/null || true; rm -rf "$work"' EXIT

# an S3 server, with a bucket of its own
port=$((20000 + RANDOM % 20000))
mkdir -p "$work/s3/kvart-test" "$work/versions"
(cd "$work" && exec "$bin/versitygw" --access kvarttest --secret kvarttestsecret --port "127.0.0.1:$port" \
	posix --versioning-dir "$work/versions" "$work/s3" >"$work/s3.log" 2>&1) &
gateway=$!
for _ in $(seq 100); do
	(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
	kill -0 "$gateway" 2>/dev/null || { cat "$work/s3.log"; exit 1; }
	sleep 0.1
done
export KVART_TEST_S3="127.0.0.1:$port,kvart-test,kvarttest,kvarttestsecret"
export KVART_TEST_KOPIA=$bin/kopia KVART_TEST_AGENT=$bin/kvart-agent

# The race detector looks at everything but the key derivation, which has no
# goroutines and is meant to be slow: with it the vault's tests take 8 minutes
# instead of one.
go run gotest.tools/gotestsum@v1.13.0 --format pkgname --jsonfile "$work/tests.json" -- \
	-race -gcflags=golang.org/x/crypto/scrypt=-race=false -timeout 20m ./...

failed=0
while read -r package name; do
	case $package in '' | '#'*) continue ;; esac
	if ! grep -F "\"Package\":\"$package\",\"Test\":\"$name\"" "$work/tests.json" | grep -q '"Action":"pass"'; then
		echo "MUST NOT SKIP: $package $name did not run to its end" >&2
		failed=1
	fi
done <packaging/ci/must-run.txt
exit $failed
