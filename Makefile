# Needs Python 3.11 or newer, and nothing else. PYTHON=/path/to/python names the one to use.
RECENT := 'import sys; sys.exit(sys.version_info < (3, 11))'
PYTHON ?= $(firstword $(foreach name,python3.11 python3,$(shell $(name) -c $(RECENT) 2>/dev/null && echo $(name))))
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes
LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header --no-annotate
# Three processes fill two cores: many tests wait for others. WORKERS=0 runs them all in one.
WORKERS ?= 3
PYTEST := $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help run install test test-long screenshots lint lock translations bench bench-large clean

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.runtime ## start Tagsmith with its practice shop on 127.0.0.1:8000; BARE=1 with nothing connected yet
	@exec $(BIN)/python -m plugin serve --practice $(if $(BARE),--bare)

install: $(VENV)/.development ## make .venv with what running, testing and developing need

test: $(VENV)/.development ## run the tests, on SQLite and on Postgres; ALL=1 runs those that take minutes as well
	$(PYTEST) $(if $(ALL),-m "long or not long")

test-long: $(VENV)/.development ## run the tests that take minutes: 100,000 broken queries, 500 shops lived through (HISTORIES=5000 for more)
	$(PYTEST) -m long

screenshots: $(VENV)/.development ## take the pictures of the README from a practice shop of 400 customers, with the system's Chromium
	BROWSER_CUSTOMERS=400 $(BIN)/python -m tests.browser.screenshots

lint: $(VENV)/.development ## check layout, style, types and the direction of imports
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

lock: $(VENV)/.development ## work out both requirement files again from pyproject.toml; UPGRADE=--upgrade takes newer releases
	$(LOCK) $(UPGRADE) --output-file requirements.txt pyproject.toml
	$(LOCK) $(UPGRADE) --output-file requirements-dev.txt --constraints requirements.txt --group dev

translations: $(VENV)/.development ## bring the catalogs up to date with the texts of the site, and say what is still untold
	$(BIN)/python -m plugin.translations

bench: $(VENV)/.development ## measure receiving, recompute, counts, import and pages
	$(BIN)/python tests/bench/run.py

bench-large: $(VENV)/.development ## measure recompute, counts and pages with 1,000,000 customers: hours, 8 GB of memory, 30 GB of disk
	$(BIN)/python -m tests.bench.recompute --sizes 1000000
	$(BIN)/python -m tests.bench.counts --sizes 1000000
	$(BIN)/python -m tests.bench.pages --sizes 1000000

clean: ## remove .venv and what the tools leave behind; instance/ stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps inside .venv are as new as the installation that wrote them.
$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "Tagsmith needs Python 3.11 or newer, and none was found." >&2; exit 1; }
	@$(PYTHON) -c $(RECENT) || \
		{ echo "Tagsmith needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make environments: install its venv module (Debian, Ubuntu: python3-venv)." >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.made requirements.txt
	@echo "Installing requirements.txt into $(VENV) …"
	@$(PIP) --requirement requirements.txt
	@touch $@

# pyproject.toml is read again when it changes: it names the command `tagsmith`.
$(VENV)/.development: $(VENV)/.runtime requirements-dev.txt pyproject.toml
	@echo "Installing requirements-dev.txt into $(VENV) …"
	@$(PIP) --requirement requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input --no-deps --no-build-isolation --editable .
	@touch $@
