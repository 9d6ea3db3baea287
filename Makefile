.DEFAULT_GOAL := help
.PHONY: help install run test check bench schema lock
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
	.venv/bin/pytest --numprocesses=auto --maxprocesses=4

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
	$(LOCK) --upgrade pyproject.toml -o requirements.lock
	$(LOCK) --upgrade pyproject.toml --group dev -o requirements-dev.lock
