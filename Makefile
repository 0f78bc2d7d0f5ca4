# The board's commands. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CODE := kernel services monolith gateway board laptop bench tests

.PHONY: help
help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: $(VENV)/run.txt ## Run the board on http://localhost:8080 (DEPLOYMENT=monolith, PORT=8081)
	@exec $(BIN)/python -m laptop

.PHONY: test
test: $(VENV)/dev.txt ## Run all tests (ARGS="-k name" for some of them)
	@$(BIN)/pytest $(ARGS)

.PHONY: check
check: $(VENV)/dev.txt ## Check format, lint, types, imports and the CloudFormation template
	@echo "format";    $(BIN)/ruff format --check --quiet $(CODE) || { echo "mend it with: make format"; exit 1; }
	@echo "lint";      $(BIN)/ruff check --quiet $(CODE)
	@echo "types";     $(BIN)/mypy --no-error-summary $(CODE)
	@echo "imports";   $(BIN)/lint-imports --no-logo --quiet
	@echo "templates"; $(BIN)/cfn-lint infra/*.yml

.PHONY: format
format: $(VENV)/dev.txt ## Format the code
	@$(BIN)/ruff check --quiet --fix-only $(CODE)
	@$(BIN)/ruff format --quiet $(CODE)

.PHONY: bench
bench: $(VENV)/dev.txt ## Measure the gateway against nginx (needs nginx and wrk)
	@$(BIN)/python -m bench.gateway

.PHONY: lock
lock: $(VENV)/lock.txt ## Pin the newest dependencies, with hashes, into requirements/
	@for group in dev run lock; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	    --no-header --no-annotate --no-emit-index-url --group $$group \
	    $$([ $$group = run ] && echo --constraints requirements/dev.txt) \
	    --output-file requirements/$$group.txt; \
	done

.PHONY: clean
clean: ## Remove what these commands made, but not the board's data (.data)
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# A lock's copy in the virtual environment says that it is installed.
$(VENV)/%.txt: requirements/%.txt | $(BIN)/pip
	@echo "Installing requirements/$*.txt into $(VENV) (once) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@cp $< $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "The board needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.13 ..."; exit 1; }
	@echo "Making a virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "No virtual environment could be made. On Debian: apt install python3-venv"; exit 1; }
