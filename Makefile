PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NODE := $(shell command -v npm 2>/dev/null)

# Tests wait half of their time: for a heartbeat, a timeout, a disk.
WORKERS := $(shell expr 2 \* $$(nproc 2>/dev/null || echo 1))

# What the web client is made of.
CLIENT := $(shell find frontend/src frontend/public frontend/*.* frontend/.env -type f 2>/dev/null)

.PHONY: setup run test test-long check audit bench clean

# What `make run` needs: the server in a virtual environment of its own.
$(VENV)/run: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable .
	@touch $@

# What the tests need besides.
$(VENV)/test: $(VENV)/run
	$(BIN)/pip install --quiet --editable '.[test]'
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

setup: $(VENV)/test tests/node/node_modules frontend/node_modules

run: $(VENV)/run frontend/dist/index.html
	SEED_DEMO=$${SEED_DEMO:-on} exec $(BIN)/python -m server

check: $(VENV)/test frontend/node_modules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
ifdef NODE
	cd frontend && npm run --silent check
endif

test: setup check frontend/dist/index.html
ifdef NODE
	cd frontend && npm test --silent
endif
	$(BIN)/pytest -n $(WORKERS)

# Asks the vulnerability databases for what is installed. They are on the network: tests/test_dependencies.py has what was
# found when somebody last looked.
audit: setup
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/pip install --quiet 'pip-audit >=2.10,<3'
	$(VENV)/audit/bin/pip-audit --skip-editable --path "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
ifdef NODE
	cd frontend && npm audit
endif

# What takes minutes: thousands of lost connections, dozens of kills, storms of clients.
test-long: setup
	$(BIN)/pytest -m long

bench: $(VENV)/run
	$(BIN)/python -m benchmarks --docs

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis tests/node/node_modules frontend/node_modules frontend/dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
