# SPDX-License-Identifier: MIT
# The front door; `make help` lists its targets. Each of them works as the first command on a fresh
# machine: tools/setup installs what it needs, once.
SHELL := /bin/bash
.DEFAULT_GOAL := build
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory
# What the tests, the demonstration and the benchmarks load does not report that either.
export ORT_DISABLE_TELEMETRY := 1

PREFIX ?= /usr/local
SETUP := tools/setup/setup.sh
PYTHON := .deps/venv/bin/python
PYTEST := tools/test/pytest.sh

.PHONY: build
build: ## Build mlos_core, axon and the plugins into build/ (this is plain `make`)
	@$(SETUP) build
	@tools/build.sh release products

.PHONY: debug
debug: ## Build everything with debug information and library assertions into build-dev/
	@$(SETUP) build
	@tools/build.sh dev all

.PHONY: demo
demo: build ## Install, register and ask real models; compare the answers with ONNX Runtime
	@$(SETUP) test
	@$(PYTHON) tests/demo/demo.py

.PHONY: try
try: build ## Leave a test hub and Core running, and print the commands to paste
	@$(SETUP) test
	@$(PYTHON) tests/demo/demo.py --stay

.PHONY: quick-test
quick-test: test-unit ## The unit tests and the quickest end-to-end tests: under a minute once built
	@$(PYTEST) -m smoke tests

.PHONY: test-unit
test-unit: ## The unit tests
	@$(SETUP) build test
	@tools/build.sh release all
	@tools/test/ctest.sh build

.PHONY: test-integration
test-integration: build ## Whole programs against the test hub and real models
	@$(SETUP) test
	@$(PYTEST) tests

.PHONY: test-all
test-all: test-unit test-integration ## Every test but the deep ones
	@$(PYTHON) -m tools.test.slowest build

.PHONY: test-deep
test-deep: build ## Sanitizer builds, long kill loops, fuzzing; PARTS="asan-ipc fuzz" runs these
	@$(SETUP) test deep
	@tools/test/deep.sh

.PHONY: test-performance
test-performance: build ## Measure beside bare floors and other servers
	@$(SETUP) test bench
	@tools/configure.sh release build # what was set up just now may not have been there before
	@tools/build.sh release floors plugin_fixtures
	@$(PYTHON) bench/run.py

.PHONY: check
check: ## Format, tidy, layers, cycles, sizes, hygiene
	@$(SETUP) check
	@tools/check/run.sh

.PHONY: format
format: ## Format the C and C++ files in place
	@$(SETUP) check
	@git -c safe.directory='*' ls-files -z --cached --others --exclude-standard '*.h' '*.cc' '*.c' | \
	  xargs -0 clang-format-19 -i

.PHONY: install
install: build ## Install the programs and the plugins below $(DESTDIR)$(PREFIX)
	@cmake --install build --prefix "$(PREFIX)" --component runtime

.PHONY: install-dev
install-dev: build ## Install what plugin authors compile against below $(DESTDIR)$(PREFIX)
	@cmake --install build --prefix "$(PREFIX)" --component dev

.PHONY: setup
setup: ## Install what any of these targets needs
	@$(SETUP) build test check deep bench

.PHONY: clean
clean: ## Remove what was built; .deps, which was fetched, stays
	@rm -rf build build-dev build-asan build-tsan build-fuzz

.PHONY: help
help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile
