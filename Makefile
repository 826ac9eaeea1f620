# Everything a newcomer, a developer and CI run. `make help` lists it.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# Coverage of this many per cent or more; the bound itself is in pyproject.toml.
COVERAGE := COVERAGE_FILE=.coverage $(BIN)/coverage
GATES := tests/gates
# npm writes it last. Tests alone use what it holds; the service needs no node.
GATE_TOOLS := $(GATES)/node_modules/.package-lock.json

.DEFAULT_GOAL := help
.PHONY: help run serve test check lint gates screenshots bench faults lock wheel clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "error: Python 3.11 or newer is needed. Name one: make PYTHON=python3.12 …"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv \
	  || { echo "error: venv is missing. On Debian: apt-get install python3-venv"; exit 1; }
	@echo "Installing the locked packages into .venv …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: $(READY) ## The whole path once: stories in, edition composed, letters in var/demo/outbox
	@$(BIN)/digest demo

serve: $(READY) ## The pages of that demo, on http://127.0.0.1:8000
	@test -d var/demo || $(BIN)/digest demo
	@DIGEST_HOME=var/demo $(BIN)/digest serve

test: check $(GATE_TOOLS) ## Everything CI runs: check, then the tests that drive the whole service
	$(BIN)/pytest tests/e2e $(GATES)

check: lint ## Lint, types, contracts, then the suite with its coverage gate
	@rm -f .coverage .coverage.*
	$(COVERAGE) run -m pytest tests/unit tests/integration tests/docs
	@$(COVERAGE) combine --quiet
	$(COVERAGE) report

lint: $(READY) ## Formatter, linter, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

gates: $(READY) $(GATE_TOOLS) ## The letter before other people's tools: axe, html-validate, spam rules
	$(BIN)/pytest $(GATES)

screenshots: $(READY) ## Pictures of the letters and pages, in var/screenshots
	$(BIN)/pytest $(GATES)/test_looks.py $(GATES)/test_site.py -k "not axe"

$(GATE_TOOLS): $(GATES)/package-lock.json
	@if command -v npm >/dev/null; then cd $(GATES) && npm ci --silent; \
	  else echo "npm is missing: the gates that need it are skipped."; fi

bench: $(READY) ## Letters a second beside Postfix's smtp-source, then a million readers; long
	@$(BIN)/python -m bench.send
	@$(BIN)/python -m bench.lists

faults: $(READY) ## Kill, stop and starve workers and relays: nobody may be lost; long
	@$(BIN)/python -m bench.faults

lock: $(READY) ## Write requirements/*.txt anew from pyproject.toml, with hashes
	@for part in "base pyproject.toml" "postgres --extra postgres pyproject.toml" "build --group build" \
	  "dev --extra postgres --group dev pyproject.toml"; do \
	  set -- $$part; name=$$1; shift; \
	  UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --generate-hashes \
	    --python-version 3.11 $$@ -o requirements/$$name.txt || exit 1; \
	done

wheel: $(READY) ## Build the wheel into dist/
	@$(BIN)/python -m hatchling build -t wheel

clean: ## Remove the environment, caches and build products; var/ stays
	rm -rf .venv .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis dist $(GATES)/node_modules
