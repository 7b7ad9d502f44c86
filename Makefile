# Each target sets up what it needs: a machine with Python 3.11 and a C++ compiler is enough.
SHELL := /bin/bash
.DEFAULT_GOAL := help
BIN := .venv/bin
DEMO ?=
TESTS ?=
WORKERS ?= -n auto --maxprocesses 4 --dist loadfile
# What `make check` leaves out: whole days, whole processes, kills.
LONG := --ignore=tests/acceptance --ignore=tests/simulation -m "not slow"

.PHONY: help setup demo test check format campaign clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## virtual environment and dependencies (every other target does this first)
	@bash .ci/setup.sh

demo: setup  ## start everything and watch one parent order being worked (DEMO="--headless" passes options)
	@$(BIN)/ems demo $(DEMO)

test: setup  ## every test (TESTS="tests/domain -k fill" chooses, WORKERS= runs one after the other)
	@bash .ci/test.sh $(WORKERS) $(TESTS)

check: setup  ## lint, format, types, imports, fast tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest -q $(LONG)

format: setup  ## rewrite the code in the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

campaign: setup  ## the full figures, each against its bar (about half an hour; leave the machine to it)
	@$(BIN)/python .ci/campaign.py

clean:  ## remove the virtual environment, caches and everything under var/
	rm -rf .venv var build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
