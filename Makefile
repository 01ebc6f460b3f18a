# The two commands to know are "make run" and "make test".

DATABASE_URL ?= sqlite://kurultai.db
export DATABASE_URL
# where cargo puts what it builds
target := $(or $(CARGO_TARGET_DIR),target)

.PHONY: help run test check audit web schema bench clean

help: ## What there is to make
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: web ## Build, load the sample dataset, serve, and print where GraphiQL is
	cargo build
	$(target)/debug/kurultai migrate
	$(target)/debug/kurultai import data/ --message "Sample dataset"
	$(target)/debug/kurultai serve

test: ## Everything that must hold before a change lands
	tests/setup.sh
	$(MAKE) --no-print-directory fmt-check
	$(MAKE) web-required
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo deny --all-features check bans licenses sources
	tests/run.sh rust
	tests/run.sh web
	tests/run.sh clients
	tests/run.sh package
	tests/run.sh browser

check: ## The quick part of the tests: format, lints and Rust tests
	$(MAKE) --no-print-directory fmt-check
	cargo clippy --workspace --all-targets -- -D warnings
	tests/run.sh rust

# file by file: "cargo fmt" does not see modules that are listed in a macro
.PHONY: fmt fmt-check
fmt: ## Format all Rust files
	rustfmt --edition 2024 $$(git ls-files '*.rs')

fmt-check:
	rustfmt --edition 2024 --check $$(git ls-files '*.rs')

web: ## Build the pages, where npm is there to do it
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory web-required; \
	else echo "npm is missing: building without GraphiQL; install Node.js 20 or later to have it"; fi

.PHONY: web-required
web-required: web/dist/graphiql.html

web/dist/graphiql.html: web/package-lock.json web/index.html web/graphiql.html web/vite.config.ts $(wildcard web/src/* web/src/*/* web/examples/* web/public/*)
	cd web && npm ci --no-audit --no-fund && npm run check && npm run build
	@touch $@

audit: ## Look for known faults of dependencies (RustSec), where that database can be reached
	@cargo deny --version
	@if cargo deny fetch db 2>/dev/null; then cargo deny --all-features check advisories; \
	else echo "the database of RustSec cannot be reached from here: known faults of dependencies are not looked for"; fi

schema: ## Write schema.graphql anew
	cargo run --quiet -- schema > schema.graphql

bench: ## Measure beside PostGraphile, Seaography and the limits: DATABASE_URL=postgres://... make bench, see bench/README.md
	bench/run.sh --rounds 3 --seconds 5

clean: ## Remove what was built
	cargo clean
	rm -rf web/dist web/node_modules tests/browser/node_modules tests/clients/node_modules
