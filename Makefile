# Everything sets itself up: Python 3.11+ and make are all that has to be there.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
USED = $(or $(wildcard $(BIN)/python),$(PYTHON))

.DEFAULT_GOAL := help
.PHONY: help setup demo chaos bench test lint format docs ci clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

setup: $(STAMP) ## the virtual environment in .venv

$(STAMP): pyproject.toml
	@command -v $(USED) >/dev/null || { echo "$(USED) is not there: install Python 3.11 or newer, then make setup PYTHON=python3.13"; exit 1; }
	@$(USED) -c 'import sys; v = sys.version_info; v >= (3, 11) or sys.exit("$(USED) is Python %d.%d.%d, 3.11 or newer is needed: make clean setup PYTHON=python3.13" % v[:3])'
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(STAMP) ## a hedge from entry to sweep, on a sandbox exchange on this machine
	$(BIN)/fundhedge demo

chaos: $(STAMP) ## a thousand bad days, each with every kind of fill stream; QUICK=1 for a hundred
	$(BIN)/python -m benchmarks.chaos $(if $(QUICK),--scenarios 100)

bench: $(STAMP) ## what it costs: one table; QUICK=1 for small runs
	$(BIN)/python -m benchmarks $(if $(QUICK),--quick)

test: $(STAMP) ## all tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(STAMP) ## style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## put the code in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(STAMP) ## the references of configuration and commands
	$(BIN)/python -m freqtrade_fundhedge.config_reference docs/configuration.md
	$(BIN)/python -m freqtrade_fundhedge.commands_reference docs/commands.md

ci: ## what a change has to pass
	.ci/run

clean: ## remove everything that make and the tests have made
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache demo-output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
