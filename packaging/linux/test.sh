#!/usr/bin/env bash
# test.sh BIN: every test, with the race detector, against real servers on
# loopback. A test that is listed in packaging/ci/must-run.txt may not skip.
set -euo pipefail
bin=$(realpath "$1")
work=$(mktemp -d) tags=$(<packaging/tags.txt)
servers=()
trap 'for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null || true; done; wait 2>/dev/null || true; rm -rf "$work"' EXIT

# Peers that only tests need; Go knows best what is up to date.
(cd packaging/ci/peers && go build -o "$bin/minio" github.com/minio/minio &&
	go build -o "$bin/toxiproxy-server" github.com/Shopify/toxiproxy/v2/cmd/server &&
	go build -o "$bin/fake-gcs-server" github.com/fsouza/fake-gcs-server)
for peer in azurite vendure; do
	(cd "packaging/ci/$peer" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
done
export KVART_TEST_VENDURE=$PWD/packaging/ci/vendure

# serve NAME PORT COMMAND...: start a server of the tests' own and wait for it
serve() {
	local name=$1 port=$2
	shift 2
	(cd "$work" && exec "$@" >"$work/$name.log" 2>&1) &
	servers+=($!)
	for _ in $(seq 300); do
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return
		kill -0 "${servers[-1]}" 2>/dev/null || break
		sleep 0.1
	done
	cat "$work/$name.log"
	exit 1
}

# an S3 server, with a bucket; tests make those with object lock themselves
port=$((20000 + RANDOM % 10000))
mkdir -p "$work/s3/kvart-test" "$work/versions" "$work/minio"
serve s3 "$port" "$bin/versitygw" --access kvarttest --secret kvarttestsecret --port "127.0.0.1:$port" \
	posix --versioning-dir "$work/versions" "$work/s3"
export KVART_TEST_S3="127.0.0.1:$port,kvart-test,kvarttest,kvarttestsecret"

# another, which keeps the times of versions as S3 does
serve minio $((port + 1)) env MINIO_ROOT_USER=kvarttest MINIO_ROOT_PASSWORD=kvarttestsecret MINIO_BROWSER=off MINIO_UPDATE=off \
	"$bin/minio" server --quiet --address "127.0.0.1:$((port + 1))" "$work/minio"
export KVART_TEST_MINIO="127.0.0.1:$((port + 1)),kvarttest,kvarttestsecret"

# a bad line to them
serve toxiproxy $((port + 2)) "$bin/toxiproxy-server" -host 127.0.0.1 -port $((port + 2))
export KVART_TEST_TOXIPROXY="http://127.0.0.1:$((port + 2))"

# servers that answer as Azure's and Google's storage do
serve azurite $((port + 3)) env AZURITE_ACCOUNTS=127:a3ZhcnQga3ZhcnQga3ZhcnQ= \
	"$PWD/packaging/ci/azurite/node_modules/.bin/azurite-blob" --silent --skipApiVersionCheck \
	--inMemoryPersistence --blobHost 127.0.0.1 --blobPort $((port + 3))
export KVART_TEST_AZURE="127.0.0.1:$((port + 3))"
serve gcs $((port + 4)) "$bin/fake-gcs-server" -backend memory -scheme http \
	-host 127.0.0.1 -port $((port + 4)) -public-host "127.0.0.1:$((port + 4))"
export KVART_TEST_GCS="127.0.0.1:$((port + 4))"

export KVART_TEST_KOPIA=$bin/kopia KVART_TEST_AGENT=$bin/kvart-agent

# The race detector looks at everything but the key derivation, which is meant to
# be slow, and the shaping of text: neither has goroutines. With it the vault's
# tests take 8 minutes instead of one, and the window's twice as long. `make lint`
# vets. What takes longest begins first, or it would
# be alone with one processor in the end.
go run gotest.tools/gotestsum@v1.13.0 --format pkgname --jsonfile "$work/tests.json" -- \
	-tags "$tags" -race -vet=off -gcflags=golang.org/x/crypto/scrypt=-race=false \
	-gcflags=github.com/go-text/typesetting/...=-race=false -gcflags=golang.org/x/image/...=-race=false -timeout 40m ./ui ./backup ./cmd/kvart-agent ./...

# These walk through every page and draw the window a thousand times, which under
# the race detector takes minutes and shows nothing that the other tests don't.
go test -tags "$tags" -v -vet=off -run '^TestWalk|^TestWindow_growsNotWithUpdates' -timeout 10m ./ui >"$work/walk.log" || {
	cat "$work/walk.log"
	exit 1
}
for name in TestWalk_nothingMissingOrCut TestWalk_keyboard TestWindow_growsNotWithUpdates; do
	grep -q -e "^--- PASS: $name " "$work/walk.log" || {
		echo "MUST NOT SKIP: kvart/ui $name did not run to its end" >&2
		exit 1
	}
done

# what was tried with which storage
packaging/ci/storage-table.sh "$work/tests.json" >"$work/storage.md"
cp "$work/storage.md" docs/storage.md

failed=0
while read -r package name; do
	case $package in '' | '#'*) continue ;; esac
	if ! grep -F "\"Package\":\"$package\",\"Test\":\"$name\"" "$work/tests.json" | grep -q '"Action":"pass"'; then
		echo "MUST NOT SKIP: $package $name did not run to its end" >&2
		failed=1
	fi
done <packaging/ci/must-run.txt
if [ "${CI:-}" = true ] && ! git diff --exit-code docs/storage.md; then
	echo "docs/storage.md does not say what the tests showed" >&2
	failed=1
fi
exit $failed
