# Every way to work on Karman. `make` alone lists the targets.
HOST ?= 127.0.0.1
PORT ?= 8000
DATA ?= data
# Which tests, and other arguments for pytest: make test T="tests/test_blobs.py -x"
T ?=

PY := .venv/bin/python
export PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help setup setup-tests run demo test test-web proof lint lint-python lint-web format build lock directory screenshots bench clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what running needs and build the web app; quick when nothing changed
	@scripts/setup.sh run

setup-tests: ## The same, and what the tests need
	@scripts/setup.sh test

run: setup ## Run the service at http://localhost:8000 (HOST=, PORT=, DATA= change that)
	@exec $(PY) -m aggregator serve --host $(HOST) --port $(PORT) --data $(DATA)

demo: setup ## The same with a sample wallet, and a shop whose balance and offers move while you watch
	@exec $(PY) scripts/demo.py --host $(HOST) --port $(PORT)

test: setup-tests ## Every check and test (T= picks tests)
	@$(MAKE) --no-print-directory --jobs 2 --output-sync lint test-web
	$(PY) -m pytest --numprocesses 5 --dist loadfile --no-loadscope-reorder --quiet $(T)

proof: export KARMAN_PROOF = 1
proof: T += -o faulthandler_timeout=3600
proof: test ## The same with far more examples and rounds

lint: lint-python lint-web ## Style and types, Python and web

lint-python: setup-tests ## Style and types of the Python code
	$(PY) -m ruff check
	$(PY) -m ruff format --check --quiet
	$(PY) -m mypy

lint-web: setup-tests ## Types of the web app
	npm --prefix web run check --silent

test-web: setup-tests ## The web app's own tests
	npm --prefix web test --silent

format: setup-tests ## Let ruff set the Python code
	$(PY) -m ruff check --fix
	$(PY) -m ruff format

build: setup ## Build web/dist, even if nothing changed
	npm --prefix web run build --silent

lock: setup ## Write the lock files anew (UPGRADE=1 takes the newest Python releases)
	scripts/lock.sh $(if $(UPGRADE),--upgrade)

directory: setup ## Make the shop directory from the name-suggestion-index package
	npm --prefix scripts ci --loglevel=error >/dev/null
	node scripts/directory.mjs

screenshots: setup-tests ## Take the pictures under docs/screenshots
	$(PY) scripts/screenshots.py

bench: setup-tests ## Measure pull and push, CPU and bytes
	$(PY) -m benchmarks.sync

clean: ## Remove everything that setup made; the data folder stays
	rm -rf .venv web/node_modules web/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
