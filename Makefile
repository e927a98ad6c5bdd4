# Everything runs in .venv, which the targets make when it is not there. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
# what is imported is compiled then, once; what never is need not be
unexport PYTHONDONTWRITEBYTECODE
TESTS := $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt

.PHONY: help demo lint check test test-spark lab bench soak venv data clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

demo: .venv/base ## pull four weeks from a pretend PBX and write the reports
	$(BIN)/ucm-analytics demo --out demo-output

lint: .venv/dev ## style, types and the import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint ## before each commit: all tests without browser, PDF, notebook, wheel or long loop
	$(TESTS) -m "not slow"

test: lint ## everything that must be green
	sh tests/chromium.sh
	$(TESTS)

test-spark: .venv/spark ## every analysis on a small Spark cluster; some minutes
	sh tests/java.sh
	$(BIN)/python -m pytest tests/spark -o addopts="--strict-markers --strict-config -p no:cacheprovider"

lab: .venv/dev ## the notebooks, in JupyterLab, on demo data
	$(BIN)/jupyter lab notebooks --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate

bench: .venv/dev ## ratios against what people would write by hand; some minutes
	$(BIN)/python -m tests.benchmarks

soak: .venv/dev ## long runs, some hours: every lie, cut, flipped bit and odd record; a year of each firmware
	$(BIN)/python -m pytest tests/soak --ignore=tests/benchmarks -o addopts="--strict-markers -p no:cacheprovider"

data: .venv/base ## write data/ again: the demo store and the data dictionary
	$(BIN)/python -m data.make

venv: .venv/dev ## only the environment

.venv/base: pyproject.toml constraints.txt | .venv/pyvenv.cfg
	$(INSTALL) --editable .
	@touch $@

.venv/dev: pyproject.toml constraints.txt | .venv/pyvenv.cfg
	$(INSTALL) --editable ".[dev]"
	@touch $@

.venv/spark: .venv/dev
	$(INSTALL) --editable ".[spark]"
	@touch $@

.venv/pyvenv.cfg:
	$(PYTHON) -m venv .venv

clean: ## remove what the targets made
	rm -rf .venv demo-output reports dist build
