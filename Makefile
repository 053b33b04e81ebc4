# Two commands do everything: `make demo` shows the package at work, `make test` checks it.
# Both need only Python 3.11+, git and make; uv is used where it is there.

PYTHON ?= python3
REPO ?= .
OUT ?= demo
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)

ifdef UV
INSTALL := $(UV) pip install --quiet --python $(BIN)/python
CREATE := $(UV) venv --quiet --python $(PYTHON) $(VENV)
else
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
CREATE := $(PYTHON) -m venv $(VENV)
endif

.PHONY: demo test test-browser lint types imports check-docs format clean

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "dora needs Python 3.11 or newer; say which with PYTHON=python3.12"; exit 1; }
	@$(CREATE)

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "Installing dora into $(VENV) ..."
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/.installed-test: pyproject.toml | $(BIN)/python
	@echo "Installing dora and its test tools into $(VENV) ..."
	@$(INSTALL) --editable '.[test]'
	@touch $@ $(VENV)/.installed

## demo: install, then the five metrics of a real clone (REPO=path, by default this one)
demo: $(VENV)/.installed
	@$(BIN)/dora quickstart "$(REPO)" --out "$(OUT)"

## test: lint, types, import rules, then all tests
test: lint types imports
	$(BIN)/python -m pytest --numprocesses 2

## test-browser: the report in a real Chromium and as PDF; installs both, on Debian and its kin
test-browser: $(VENV)/.installed-test
	@$(INSTALL) --editable '.[browser-test]'
	bash .ci/browser

lint: $(VENV)/.installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/deptry --no-ansi .

types: $(VENV)/.installed-test
	$(BIN)/mypy

imports: $(VENV)/.installed-test
	$(BIN)/lint-imports

format: $(VENV)/.installed-test
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) $(OUT) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
