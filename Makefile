# Two commands: `make demo` and `make test`. `make ui` opens Dagster on the same state.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements.lock
# The lock is a constraint: pip installs what pyproject.toml asks for, at the versions that the lock pins,
# build requirements included.
PIP := PIP_CONSTRAINT=$(LOCK) $(BIN)/python -m pip install --quiet --disable-pip-version-check

# Listed after the tests, so that whoever adds one sees what it costs.
SLOWEST := --durations=25 --durations-min=5

.PHONY: demo test test-fast lint ui clean

demo: $(VENV)/installed
	$(BIN)/hier demo

# What trains on all cores comes after the rest, which it would hold up; beside it run the tests of the UI, which
# mostly wait for Dagster's daemon.
test: $(VENV)/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/pytest $(SLOWEST) -n 2 --dist loadfile -m "not (ui or real_logs)"
	$(BIN)/pytest $(SLOWEST) -n 2 --dist loadfile -m "ui or real_logs"

test-fast: $(VENV)/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile -m "not (slow or ui or real_logs)"

lint: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/dg check defs

ui: $(VENV)/installed
	$(BIN)/hier ui

clean:
	rm -rf $(VENV) .hier

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; assert (3, 11) <= sys.version_info < (3, 13), "hier_dag needs Python 3.11 or 3.12 (dgl has no wheel beyond): make PYTHON=python3.11 …"'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python pyproject.toml $(LOCK)
	@echo "Installing from $(LOCK): about two minutes, 2 GB on disk …"
	$(PIP) -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PIP) -e '.[dev,test,postgres,lance,k8s,sign,openlineage,tensorboard]'
	@touch $@
