# Every target does its own set-up: `make demo` and `make test` work in a fresh clone.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help install demo test unit lint format docs screenshots experiments clean

BIN := .venv/bin
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)
# The constraints keep versions, PyTorch's among them, at what the tests are run with.
PIP := $(BIN)/python -m pip install -qq -c constraints.txt
# A virtual display: no window pops up, and none is needed. Tests bring their own, one
# for each process, since windows of two would take the focus from one another.
XVFB := $(shell command -v xvfb-run >/dev/null 2>&1 \
	&& echo 'xvfb-run -a -s "-screen 0 1600x1000x24 +extension GLX"')

help: ## show what can be made
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

install: .venv/.installed ## make .venv with all that demo and test need

.venv/.installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; none was found." >&2; exit 1; }
	@.ci/libraries $(PYTHON)
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing into .venv; the first time takes some minutes."
	@$(BIN)/python -m pip install -qq 'pip>=25.1'
	@$(PIP) --group test -e .
	@touch $@

.venv/.lint: .venv/.installed
	@$(PIP) --group lint
	@touch $@

.venv/.docs: .venv/.installed
	@$(PIP) --group docs
	@touch $@

demo: install ## simulate a movie, segment, track and evaluate it, and show it
	@$(BIN)/napari-semiconv demo

test: install ## run the tests, those with windows too (ARGS="-k name" to choose)
	@$(MAKE) --no-print-directory run-tests

unit: install ## run the unit tests alone, in less than a minute
	@$(MAKE) --no-print-directory run-tests ARGS='-m "unit and not slow and not gpu" $(ARGS)'

.PHONY: run-tests
run-tests:
	@$(BIN)/python -m pytest -q -n auto --maxprocesses 4 $(ARGS)

lint: .venv/.lint ## check style and types
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/mypy

format: .venv/.lint ## put the source into the house style
	@$(BIN)/ruff check --fix --quiet
	@$(BIN)/ruff format --quiet

docs: .venv/.docs ## build the documentation into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

experiments: install ## make tables and figures of the experiments anew (SCALE=--full)
	@$(BIN)/python -m benchmarks.experiments all $(SCALE)

# Recursive, so that a virtual display that `install` has just brought is seen.
screenshots: install ## make the pictures of the documentation anew
	@$(MAKE) --no-print-directory run-screenshots

.PHONY: run-screenshots
run-screenshots:
	@$(XVFB) $(BIN)/python docs/screenshots.py

clean: ## remove what was built; .venv stays
	@rm -rf build dist site .mypy_cache .pytest_cache .ruff_cache .hypothesis demo-output
