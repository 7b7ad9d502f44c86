# Each target sets up what it needs: a machine with Python 3.11 and a C++ compiler is enough.
SHELL := /bin/bash
.DEFAULT_GOAL := help
BIN := .venv/bin
DEMO ?=
TESTS ?=
KEY ?=
IMAGE ?=
WORKERS ?= -n auto --maxprocesses 4 --dist loadfile
# What `make check` leaves out: whole days, whole processes, kills.
LONG := --ignore=tests/acceptance --ignore=tests/simulation -m "not slow"

.PHONY: help setup demo test check format campaign docs pictures deployment scan release clean

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

docs: setup  ## the documentation as a site, under var/site (strict: a broken link is an error)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "var/site/index.html"

deployment: setup  ## Dockerfile, compose file, Kubernetes overlays and workflow held against their schemas and our rules
	@$(BIN)/python .ci/deployment.py

scan: setup  ## known weaknesses of what we depend on (asks the network; IMAGE= also looks into an image)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	@IMAGE="$(IMAGE)" $(BIN)/python .ci/scan.py

release: setup  ## wheel, bill of materials and pinned versions under dist/, signed (KEY= names the private key)
	@$(BIN)/python .ci/release.py "$(KEY)"

pictures: setup  ## the screens as the browser tests see them, small, under docs/pictures
	$(BIN)/python -m pytest -q -n 0 tests/console/test_screens.py
	@$(BIN)/python .ci/pictures.py

clean:  ## remove the virtual environment, caches and everything under var/
	rm -rf .venv var build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
