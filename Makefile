# Needs only make and a python3 of 3.11 or later. Everything else is put into .venv by the first target that needs it.
PYTHON  ?= python3
VENV    := .venv
BIN     := $(VENV)/bin
PROJECT ?= dispatch
JOBS    ?= 2
SCALE   ?= 1
KILLS   ?= 100
STAMP   := $(VENV)/.installed
SPECS   := $(wildcard specs/*)

# Modules are compiled once, even where the environment says not to: the suite starts the command three hundred times.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup lint format plan apply verify rollback demo test faults bench bench-rows bench-dirt bench-noop \
        bench-load bench-tree bench-compile bench-removal clean

help:  ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "PROJECT=$(PROJECT) chooses the project under specs/ and plans/"

setup: $(STAMP)  ## the virtual environment, with everything in it

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

lint: $(STAMP)  ## code, types, specs, and plans that are what the specs compile to
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(if $(SPECS),$(BIN)/transhume lint $(SPECS))
	@for project in $(SPECS); do $(BIN)/transhume plan --check "$$project" || exit; done

format: $(STAMP)  ## rewrite the code in the one format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

plan: $(STAMP)  ## compile specs/PROJECT into plans/PROJECT
	$(BIN)/transhume plan specs/$(PROJECT)

apply: $(STAMP)  ## carry plans/PROJECT out, or go on where it stopped
	$(BIN)/transhume apply plans/$(PROJECT) --jobs $(JOBS)

verify: $(STAMP)  ## compare source and target, row by row
	$(BIN)/transhume verify plans/$(PROJECT)

rollback: $(STAMP)  ## undo what was applied, in reverse order
	$(BIN)/transhume rollback plans/$(PROJECT)

demo: $(STAMP)  ## a whole migration on the embedded server: plan, apply, verify
	$(BIN)/transhume demo $(PROJECT)

test: $(STAMP)  ## every test but those that only `make faults` runs
	$(BIN)/pytest -n 3  # of two cores: much of the time is waiting for servers

faults: $(STAMP)  ## every fault of docs/faults.md, and the table of what became of each; KILLS=100
	$(BIN)/pytest -n 2 --faults --kills $(KILLS)

bench: $(STAMP)  ## a whole migration beside psql, pgloader, pg_dump and others; SCALE=1 is 4.6 million rows
	$(BIN)/python -m bench.run --scale $(SCALE) --runs $(or $(RUNS),5)

bench-rows: $(STAMP)  ## what a row costs, of a million and of ten million
	$(BIN)/python -m bench.rows --runs $(or $(RUNS),3)

bench-dirt: $(STAMP)  ## what bad rows cost
	$(BIN)/python -m bench.dirt --runs $(or $(RUNS),3)

bench-noop: $(STAMP)  ## apply with nothing to do, 50 tables
	$(BIN)/python -m bench.noop --runs $(or $(RUNS),7)

bench-load: $(STAMP)  ## one load of 1,000,000 rows beside psql COPY
	$(BIN)/python -m bench.load --runs $(or $(RUNS),3)

bench-tree: $(STAMP)  ## a comment tree beside the same table without one; a chain of 100,000
	$(BIN)/python -m bench.tree --runs $(or $(RUNS),3)

bench-compile: $(STAMP)  ## compile 1,000 generated tables: seconds and memory
	$(BIN)/python -m bench.compile --runs $(or $(RUNS),3)

bench-removal: $(STAMP)  ## a removal of 1,000,000 rows while an application writes: locks held, and the way back
	$(BIN)/python -m bench.removal

clean:  ## remove what the tools left behind, the virtual environment too
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
