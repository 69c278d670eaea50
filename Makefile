# `make demo` builds a small town and serves it; `make test` installs what is needed and runs every test.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: demo test bench lint front clean

demo: $(VENV)/.demo static/vendor/.stamp
	$(BIN)/mapsvc demo

test:
	PYTHON=$(PYTHON) tools/test.sh

bench: $(VENV)/.dev
	$(BIN)/python -m tests.bench

lint: $(VENV)/.dev
	tools/lint.sh

front: static/vendor/.stamp

$(VENV)/bin/python:
	PYTHON=$(PYTHON) tools/prerequisites.sh python
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@ $(VENV)/.demo

static/vendor/.stamp: package.json package-lock.json tools/vendor.py | $(VENV)/bin/python
	tools/prerequisites.sh node
	npm ci --no-audit --no-fund --loglevel=error
	$(BIN)/python tools/vendor.py
	touch $@

clean:
	rm -rf $(VENV) node_modules static/vendor instance dist build
