# Everything a developer runs. Plain `make` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test chaos golden check check-decoders build protos bench system-packages test-servers

# `make bench` runs all programs under Benchmarks/; `make bench BENCH=Redis` one of them.
BENCH ?= $(notdir $(wildcard Benchmarks/*))
# `make demo KEEP=1` leaves everything running.
KEEP ?=

help: ## Lists these targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

system-packages:
	@scripts/install-system-packages.sh

test-servers: system-packages
	@scripts/install-test-servers.sh

demo: system-packages ## Does a job of each kind with everything running on this machine
	@KEEP=$(KEEP) scripts/demo.sh

# Tests run at once as far as they can. Those that compute, those that talk to servers in their own
# process and those that run programs take turns: together on few processors, they would run into limits
# that are meant for a hung server.
COMPUTING = ^(Arrays|ImageAlgorithms|ImageFiles|ModelServer|Previews|Samples)Tests\.
TALKING = ^(Buckets|Callbacks|CurlClient|Redaction|RedisClient|Retrying|Serving)Tests\.

test: test-servers ## Builds and runs every test
	swift build --build-tests
	swift test --skip-build --filter '$(COMPUTING)'
	swift test --skip-build --filter '$(TALKING)'
	swift test --skip-build --skip '$(COMPUTING)|$(TALKING)'
	@scripts/test-example.sh

# `make chaos JOBS=500 SEED=7`: fewer jobs, and the same chance again.
JOBS ?= 2000
SEED ?=

chaos: system-packages ## Kills, freezes and cuts off everything while jobs run
	swift build --product Chaos
	swift run --skip-build Chaos --jobs $(JOBS) $(if $(SEED),--seed $(SEED))

golden: system-packages ## Runs the golden cases, from GOLDEN_ALGORITHMS if set
	swift build --build-tests
	swift test --skip-build --filter Golden

check: system-packages ## Checks format, generated code and documents
	@scripts/check.sh

check-decoders: system-packages ## Feeds corrupted files to the decoders, with a sanitizer
	@scripts/check-decoders.sh

build: system-packages ## Builds the executables, optimised
	swift build -c release

protos: ## Generates the protobuf code anew (needs protoc 3.21.12)
	@scripts/protos.sh

bench: test-servers ## Runs the benchmarks, which print ratios
	@for name in $(BENCH); do \
	  swift run -c release "$${name}Benchmark" || exit 1; \
	done
