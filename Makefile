.DEFAULT_GOAL := help
.PHONY: help install run test faults attack before check bench schema lock
PYTHON ?= python3
READY := .venv/.installed

$(READY): requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --config-settings editable_mode=compat -e .
	@touch $@

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

install: $(READY) ## make .venv with everything in it, and .venv/bin/zamu

run: $(READY) ## a demo world with a queue, a phone to hold and a staff panel
	.venv/bin/zamu demo

test: $(READY) ## the tests
	.venv/bin/python -m tests.browser.bring
	.venv/bin/pytest --numprocesses=3 || { test $$? = 1 && .venv/bin/pytest --last-failed; }

faults: $(READY) ## break everything on purpose and show the table; with WRITE_README=1 docs/faults.md is written
	.venv/bin/python -m tests.faults

attack: $(READY) ## try what an attacker would and show the table; with WRITE_README=1 docs/security.md is written
	.venv/bin/python -m tests.attack

before: $(READY) ## the tests of the commit before this one (or of COMMIT) on the schema of this tree
	.venv/bin/python -m tests.before $(COMMIT)

check: $(READY) ## format, lint, types and import direction
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo

bench: $(READY) ## measure; the last line is JSON
	.venv/bin/python -m bench

schema: $(READY) ## write db/schema.sql anew
	.venv/bin/python -m db.snapshot

LOCK := .venv/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make lock" --no-emit-index-url --no-emit-find-links
lock: $(READY) ## resolve the dependencies anew
	$(LOCK) --upgrade --extra traces pyproject.toml -o requirements.lock
	$(LOCK) --upgrade --extra traces pyproject.toml --group dev -o requirements-dev.lock
