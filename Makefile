# The only entry point. Every target does its own set-up: a fresh Debian 12 with Rust, Go and root is enough. What is costly
# to make (Kubernetes, images, Rust dependencies) is kept in the user's cache and is there for the next clone.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

cache := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/highwater
export CARGO_TARGET_DIR ?= $(cache)/target
export CARGO_TERM_COLOR ?= auto

programs := $(CARGO_TARGET_DIR)/debug
cluster := $(programs)/cluster
# Tests that need a node, or an API server, are in packages of their own; all others need nothing but cargo and root. Whatever
# is built, it is chosen out of the whole workspace: a package by itself would ask its dependencies for other features, and have
# them built again.
tiered := apiserver-tests e2e
all := --workspace
# Tests on an API server or a node wait more than they compute: lanes of about the same length, side by side. The last lane
# takes what is in no other.
api_first := executor provisioner
api_second := petset decider
api_third := $(filter-out $(api_first) $(api_second),$(notdir $(basename $(wildcard tests/apiserver/tests/*))))
# Those that judge times, or take Highwater away from the others, have the node for themselves.
node_alone := agent_stuck all_full availability doctor failover install interruptions
node_first := keeping lifecycle offline replicas scaling
node_second := $(filter-out cluster_lifecycle $(node_alone) $(node_first),$(notdir $(basename $(wildcard tests/e2e/tests/*))))

node_tests := $(foreach test,$(node_alone) $(node_first) $(node_second),--test $(test))

.PHONY: help
help:
	@echo 'make demo          see a volume fill and grow on a real node'
	@echo 'make test          every test: lint, pure, API server, node'
	@echo 'make test-long     the node tests again and again, and every growth measured'
	@echo 'make cluster       a Kubernetes with Highwater in it; then: . target/cluster/env'
	@echo 'make cluster-down  remove it and everything it made'
	@echo 'make bench         seconds from crossing to request and to usable space, beside a bare client'
	@echo 'make bench-race    the highest fill rate that no volume is full at, beside what others would have made of it'
	@echo 'make bench-agent   what the agent costs a node, beside prometheus-node-exporter; no cluster'
	@echo 'make bench-decider the decider at 5,000 agents and 150,000 volumes, without Kubernetes'
	@echo 'make lint          format, clippy, documentation, generated files, dependencies, chart'
	@echo 'make generate      write the generated files: CRDs, rendered chart, tables'

.PHONY: demo
demo: cluster
	cargo run --quiet --bin demo

.PHONY: test
test:
	tests/cluster/setup/tiers.sh

# Five rounds of what clients notice when a primary goes (docs/benchmarks.md), three of all the rest, and a request that nobody
# carries out for a quarter of an hour.
.PHONY: test-long
test-long: cluster
	cargo build --quiet $(all) --bin highwater-agent --bin highwater-decider
	for round in 1 2 3 4 5; do cargo test $(all) --test availability --test failover -- --nocapture; done
	for round in 1 2 3; do cargo test $(all) --no-fail-fast $(node_tests); done
	cargo test $(all) --test doctor -- --ignored --nocapture
	cargo run --quiet --bin bench -- --growths 100

# Beside a bare patch at kubelet's own pace: make cluster-down; make bench up='--kubelet-sync 1m' flags='--unaided 10'.
.PHONY: bench
bench: cluster
	cargo run --quiet --bin bench -- $(flags)

# One delay and some rates: make bench-race flags='--delays 10 --rates 20,40'.
.PHONY: bench-race
bench-race: cluster
	cargo run --quiet --bin race -- $(flags)

# Other times: make bench-agent flags='--idle 20m'.
.PHONY: bench-agent
bench-agent:
	tests/bench-agent/run.sh $(flags)

# The decider as it is shipped, between simulated agents and an API server that is none. `percent` of the whole size; without
# it 1, 10 and 100, one after the other.
.PHONY: bench-decider
bench-decider:
	cargo build --quiet --release $(all) --bin highwater-decider --bin bench-decider
	$(CARGO_TARGET_DIR)/release/bench-decider $(percent:%=--percent %)

# A running cluster is kept; Highwater in it is brought up to date. Flags of a new one: make cluster up='--kubelet-sync 1m'.
.PHONY: cluster
cluster: programs images cli
	$(cluster) up --keep $(up)
	ln -sfn "$$(realpath $(programs)/kubectl-highwater)" target/cluster/bin/kubectl-highwater
	. target/cluster/env && deploy/install.sh
	@echo 'Highwater runs in the cluster; to use it: . target/cluster/env'

.PHONY: cluster-down
cluster-down: programs
	$(cluster) down

.PHONY: programs
programs:
	cargo build --quiet $(all) --bin cluster --bin csi-loop

.PHONY: cli
cli:
	cargo build --quiet $(all) --bin kubectl-highwater

.PHONY: images
images:
	deploy/images.sh

.PHONY: install
install: images
	. target/cluster/env && deploy/install.sh

.PHONY: generate
generate: programs
	cargo run --quiet --bin crdgen -- deploy/crds
	PATH="$$(dirname "$$($(cluster) set-up --helm)"):$$PATH" deploy/render.sh

.PHONY: lint
lint: programs
	cargo fmt --all --check
	cargo clippy $(all) --all-targets --quiet -- --deny warnings
	cargo clippy $(all) --test cluster_lifecycle --test driver --quiet -- --deny warnings
	RUSTDOCFLAGS='--deny warnings' cargo doc --workspace --no-deps --quiet
	tests/cluster/setup/boundaries.sh
	tests/cluster/setup/generated.sh
	tests/cluster/setup/deny.sh
	PATH="$$(dirname "$$($(cluster) set-up --helm)"):$$PATH" tests/cluster/setup/alerts.sh
	gofmt -l tests/cluster/kubernetes | (! grep .)

# The tiers of `make test`; tests/cluster/setup/tiers.sh gives each its time.

# Tests and images are built here, so that a tier's time is that of its tests, on a machine of any speed. Beside them
# Kubernetes, where it is not there yet: that waits for disk and network most of its time.
.PHONY: tier-set-up
tier-set-up: programs
	failed=0; \
	$(cluster) set-up --api-server & server=$$!; \
	cargo test --quiet --no-run $(all) || failed=1; \
	$(MAKE) images cli || failed=1; \
	wait $$server || failed=1; [ $$failed = 0 ]
	$(cluster) set-up --helm
	cargo build --quiet $(all) --bin highwater-agent --bin highwater-decider

.PHONY: tier-lint
tier-lint: lint

.PHONY: tier-pure
tier-pure:
	cargo test $(all) $(tiered:%=--exclude %) --no-fail-fast

.PHONY: tier-apiserver
tier-apiserver: programs
	lane() { cargo test $(all) --no-fail-fast "$$@"; }; failed=0; \
	lane $(api_first:%=--test %) & first=$$!; \
	lane $(api_second:%=--test %) & second=$$!; \
	lane $(api_third:%=--test %) || failed=1; \
	wait $$first || failed=1; wait $$second || failed=1; [ $$failed = 0 ]

# The first test starts and removes clusters itself, so that it has the machine for itself.
.PHONY: tier-node
tier-node: programs
	cargo test $(all) --test driver
	cargo test $(all) --test cluster_lifecycle
	$(MAKE) cluster
	lane() { cargo test $(all) --no-fail-fast "$$@"; }; failed=0; \
	lane --bin demo $(node_alone:%=--test %) || failed=1; \
	lane $(node_first:%=--test %) & first=$$!; \
	lane $(node_second:%=--test %) || failed=1; \
	wait $$first || failed=1; [ $$failed = 0 ]
	cargo run --quiet --bin bench -- --smoke
