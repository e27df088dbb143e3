# Kvart. What a target needs it installs itself, on Debian and Ubuntu; one list
# of packages: packaging/linux/apt-build.txt, and apt-test.txt for tests.

SHELL := /bin/bash
GO ?= go
BIN := bin
# One set of tags everywhere, so that what is tested is what is shipped:
# migrated_fynedo says that the window keeps to Fyne's rule for goroutines, and
# disable_grpc_modules leaves out Google's second way to its storage, which the
# vault doesn't take: a fifth of the guard's file and up to 30 MB of its memory.
TAGS := $(shell cat packaging/tags.txt)
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.7.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.1.4
GOFUMPT := mvdan.cc/gofumpt@v0.9.2

.PHONY: run demo build test lint vuln bench bench-databases bench-recovery bench-shops bench-window screenshots package test-package licences setup setup-demo setup-test setup-deb setup-package clean

run: build ## build and start the product
	@packaging/linux/run.sh $(BIN)

demo: setup-demo build $(BIN)/kvart-demo ## a small shop: sell, back up, wreck, bring back
	@packaging/linux/demo.sh $(BIN)

build: setup $(BIN)/kvart-agent $(BIN)/kvart

# Go knows best what is up to date.
.PHONY: $(BIN)/kvart-agent $(BIN)/kvart $(BIN)/kvart-demo $(BIN)/kvart-bench peers
$(BIN)/kvart-agent:
	$(GO) build -tags $(TAGS) -o $@ ./cmd/kvart-agent
$(BIN)/kvart:
	$(GO) build -tags $(TAGS) -o $@ ./cmd/kvart
$(BIN)/kvart-demo:
	$(GO) build -o $@ ./cmd/kvart-demo
$(BIN)/kvart-bench:
	$(GO) build -tags $(TAGS) -o $@ ./cmd/kvart-bench
peers: # what tests hold Kvart against: stock Kopia, restic, an S3 server
	cd packaging/ci/peers && $(GO) build -o $(CURDIR)/$(BIN)/ github.com/kopia/kopia github.com/restic/restic/cmd/restic github.com/versity/versitygw/cmd/versitygw

setup:
	@packaging/linux/apt.sh "$(SUDO)" packaging/linux/apt-build.txt

setup-demo: setup
	@packaging/linux/apt.sh "$(SUDO)" packaging/linux/apt-demo.txt

setup-test: setup
	@packaging/linux/apt.sh "$(SUDO)" packaging/linux/apt-test.txt
	@command -v npm >/dev/null || packaging/linux/apt.sh "$(SUDO)" packaging/linux/apt-npm.txt

setup-deb: setup
	@packaging/linux/apt.sh "$(SUDO)" packaging/linux/apt-deb.txt

setup-package: setup-deb
	@packaging/linux/apt.sh "$(SUDO)" packaging/linux/apt-package.txt

test: setup-test build $(BIN)/kvart-demo peers ## everything, against real servers where that counts
	packaging/linux/test.sh $(BIN)
	$(GO) build -tags $(TAGS),kvart_observe -o $(BIN)/kvart-checked ./cmd/kvart
	$(GO) build -o $(BIN)/kvart-otherguard ./packaging/tools/otherguard
	packaging/linux/smoke.sh $(BIN)
	packaging/linux/e2e.sh $(BIN)

lint: setup ## formatting, and by golangci-lint: vet, staticcheck, import directions and more
	@out=$$($(GO) run $(GOFUMPT) -l .); [ -z "$$out" ] || { echo "not formatted (gofumpt): $$out"; exit 1; }
	$(GO) run $(GOLANGCI) run ./...

vuln: ## known holes in what we use; needs the vulnerability database
	$(GO) run $(GOVULNCHECK) ./...

bench: ## timings, as ratios against a peer measured in the same run
	$(GO) test -tags $(TAGS) -run '^$$' -bench . -benchtime 3x ./backup ./connectors/sqlite

bench-window: setup-test build ## the window: first frame, a watch update, idle, an hour of updates
	@packaging/linux/bench-window.sh $(BIN)

SCALE ?= 1
bench-databases: setup-test $(BIN)/kvart-agent $(BIN)/kvart-bench peers ## a till of 1 GB and shops of 500 MB against kopia, restic and the servers' own tools; SCALE=0.1 is quick
	$(BIN)/kvart-bench --bin $(BIN) --scale $(SCALE)

bench-shops: setup $(BIN)/kvart-agent $(BIN)/kvart-bench ## online shops of 10,000 products, 30,000 orders, 20,000 customers, against what the platforms' limits force; half an hour, SCALE=0.1 is quick
	$(BIN)/kvart-bench --bin $(BIN) --scale $(SCALE) --only shopify,woocommerce

bench-recovery: setup-test $(BIN)/kvart-agent $(BIN)/kvart-bench ## a whole shop destroyed and back, against 15 minutes; SCALE=0.1 is quick
	$(BIN)/kvart-bench --bin $(BIN) --only recovery --scale $(SCALE)

screenshots: setup-demo build $(BIN)/kvart-demo ## pictures of the real window's pages into docs/screenshots; needs no display
	@DISPLAY= WAYLAND_DISPLAY= LANGUAGES="$${LANGUAGES:-sv en}" THEMES="$${THEMES:-light dark}" packaging/linux/demo.sh $(BIN)

package: setup-package ## all that this machine can make for Linux, Windows and macOS, into dist; says what it can't
	@packaging/package.sh dist

test-package: setup-deb build ## the .deb of the programs as they are now, on a bare Debian; macOS's lists
	@rm -rf $(BIN)/package && XZ=0 packaging/linux/deb.sh $(BIN) $(BIN)/package
	@packaging/macos/check.sh --lists
	@packaging/linux/deb-test.sh $(BIN)/package/kvart_*.deb || [ $$? = 3 ]

licences: ## collect the licences of what Kvart is made of anew, after a change of go.mod
	$(GO) run ./packaging/tools/licences assets/licences.txt.gz

clean:
	rm -rf $(BIN) dist
