PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NODE := $(shell command -v npm 2>/dev/null)

.PHONY: setup run test check bench clean

# What `make run` needs: the server in a virtual environment of its own.
$(VENV)/run: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable .
	@touch $@

# What the tests need besides.
$(VENV)/test: $(VENV)/run
	$(BIN)/pip install --quiet --editable '.[test]'
	@touch $@

tests/node/node_modules: tests/node/package-lock.json
ifdef NODE
	cd tests/node && npm ci --no-audit --no-fund --loglevel=error
	@touch $@
else
	@echo 'npm is missing: the tests with the JavaScript client will be skipped'
endif

setup: $(VENV)/test tests/node/node_modules

run: $(VENV)/run
	SEED_DEMO=$${SEED_DEMO:-on} exec $(BIN)/python -m server

check: $(VENV)/test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

test: setup check
	$(BIN)/pytest

bench: $(VENV)/run
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis tests/node/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
