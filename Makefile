# `make help` lists what can be asked for: it reads the ## comments of this file.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NODE := $(shell command -v npm 2>/dev/null)
GO := $(shell command -v go 2>/dev/null)
PIP := $(BIN)/pip install --quiet --constraint constraints.txt

# Tests wait most of their time: for a heartbeat, a timeout, a disk, another process.
CORES := $(shell nproc 2>/dev/null || echo 1)
WORKERS := $(shell expr 2 \* $(CORES))

GO_PROGRAMS := tests/ferretdb tests/compose tests/cluster/toxiproxy tests/linearizability/checker \
	benchmarks/load

# The files that the web client is built from.
CLIENT := $(shell find frontend/src frontend/public frontend/*.* frontend/.env -type f 2>/dev/null)

# Without MongoDB, several servers, the browser, storms, kills, peers that read nothing, old versions of client libraries.
FAST := -k 'not mongo and not cluster' $(addprefix --ignore=tests/,browser attacks bots/test_killed.py deploy/test_deploy_page.py guarantees linearizability socketio/test_clients.py \
	$(addprefix gates/test_,replay_pace.py stuck_peers.py unread_answers.py))

# Compiled files are kept: each of the workers of a test run would compile every test again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup hooks run check check-format check-lint check-types check-imports check-spelling check-client \
	format wheel build-go compile-tests prepare test test-client test-server test-fast test-long cov lock audit bench clean

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'Another interpreter: make test-fast PYTHON=python3.13 VENV=.venv-3.13'

# What `make run` needs: the server in a virtual environment of its own, with the versions of constraints.txt.
$(VENV)/run: setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	@touch $@

# What the tests and checks need as well.
$(VENV)/test: $(VENV)/run packages/vestnik_bot/pyproject.toml
	$(PIP) --editable '.[test]' --editable packages/vestnik_bot
	@touch $@

# What a contributor needs as well: the hooks, and the tool that writes constraints.txt.
$(VENV)/dev: $(VENV)/test
	$(PIP) --editable '.[test,dev]'
	@touch $@

%/node_modules: %/package-lock.json
ifdef NODE
	cd $* && npm ci --no-audit --no-fund --loglevel=error
	@touch $@
else
	@echo 'npm is missing: nothing of $* can be used'
endif

frontend/dist/index.html: frontend/node_modules $(CLIENT)
ifdef NODE
	cd frontend && npm run --silent build -- --logLevel warn
	@touch $@
else
	@echo 'npm is missing: the web client is not built; with Node 20 or newer, make run builds it'
endif

run: $(VENV)/run frontend/dist/index.html ## Build the web client and serve it with demo data on port 8000
	SEED_DEMO=$${SEED_DEMO:-on} exec $(BIN)/python -m server

# From the sdist, so that nothing of an older build gets into the wheel. uv builds them in an environment of its own.
wheel: $(VENV)/run frontend/dist/index.html ## Build the packages for pip and pipx in dist/, with the web client inside
	@test -f frontend/dist/index.html
	$(PIP) uv
	rm -rf dist
	$(BIN)/uv build --no-config --quiet --out-dir dist

setup: $(VENV)/test tests/node/node_modules frontend/node_modules ## Install everything that tests and checks need

hooks: $(VENV)/dev ## Run the checks before every commit (pre-commit)
	$(BIN)/pre-commit install

format: $(VENV)/test frontend/node_modules ## Format all code and mend what the linters can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
ifdef NODE
	cd frontend && npm exec -- prettier --write --log-level warn .
endif

check: check-format check-lint check-types check-imports check-spelling check-client ## Check format, lint, types, imports and spelling

check-format: $(VENV)/test
	$(BIN)/ruff format --check .

check-lint: $(VENV)/test
	$(BIN)/ruff check .

check-types: $(VENV)/test
	$(BIN)/mypy
	$(BIN)/mypy examples/bots/*.py

check-imports: $(VENV)/test
	$(BIN)/pytest -q -n 0 tests/test_layers.py

check-spelling: $(VENV)/test
	$(BIN)/codespell

check-client: frontend/node_modules
ifdef NODE
	cd frontend && npm run --silent check
endif

test-client: frontend/node_modules
ifdef NODE
	cd frontend && npm test --silent
endif

# The Go programs of the tests, compiled into Go's own cache. The tests build them in seconds from there.
build-go:
ifdef GO
	for folder in $(GO_PROGRAMS); do (cd $$folder && $(GO) build -o /dev/null ./...) || exit; done
endif

# The tests, compiled once for all workers. A test that cannot be collected fails here.
compile-tests: setup
	$(BIN)/pytest -q -n 0 --collect-only >$(VENV)/collected || { cat $(VENV)/collected; exit 1; }

# What has to be there before the tests of the server run. The parts do not need each other.
prepare: setup frontend/dist/index.html build-go compile-tests

# The tests of the server wait a part of their time, in which the checks and the tests of the client run beside them.
test: ## Run everything: checks, tests of the client, tests of the server
	$(MAKE) --jobs=4 --output-sync=target prepare
	nice -n 5 $(MAKE) --output-sync=target check test-client & checks=$$!; $(MAKE) test-server; tests=$$?; \
		wait $$checks || { echo 'make check test-client has failed, see above'; exit 1; }; exit $$tests

test-server: setup
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

test-fast: $(VENV)/test tests/node/node_modules ## Run most tests, without MongoDB, several nodes, browser, storms and kills (under 2 minutes)
	$(BIN)/pytest -n $(WORKERS) --dist worksteal $(FAST)

test-long: setup ## Run the tests that take minutes: lost connections, kills, storms of clients
	$(BIN)/pytest -m long
	$(BIN)/pytest -n $(WORKERS) --dist worksteal --stores=all
ifdef NODE
	cd frontend && VESTNIK_SEEDS=2000 npm test --silent
endif

# The second job of CI. The tracer costs two fifths more processor time than the tests take without it.
cov: setup frontend/dist/index.html ## Run all tests of the server under branch coverage; fails below the gate of pyproject.toml
	$(BIN)/pytest -n $(WORKERS) --dist worksteal --cov --cov-report=term

lock: $(VENV)/dev ## Write constraints.txt anew: the newest versions that setup.cfg admits
	$(BIN)/uv pip compile --no-config --quiet --universal --python-version 3.11 --all-extras --upgrade \
		--default-index https://pypi.org/simple --custom-compile-command 'make lock' -o constraints.txt setup.cfg

# tests/test_dependencies.py has what was found when somebody last looked.
audit: setup ## Ask the vulnerability databases for what is installed (needs the network)
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/pip install --quiet 'pip-audit >=2.10,<3'
	$(VENV)/audit/bin/pip-audit --skip-editable --path "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
ifdef NODE
	cd frontend && npm audit
endif

bench: $(VENV)/run ## Run the benchmarks and write docs/performance.md
	$(BIN)/python -m benchmarks --docs

clean: ## Remove everything that is not in the repository, but no data
	rm -rf .venv .venv-* build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage .coverage.* \
		tests/node/node_modules frontend/node_modules frontend/dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
