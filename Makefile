# Every target sets up the environment it needs first. `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PORT ?= 8000
CHAPTER ?=

# Several kernels and test workers share the machine: one thread each is much faster than all fighting for it.
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help book serve audit test execute tidy lint format bench requirements clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1|/' | column -t -s '|'

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "d2lconv needs Python 3.11 or newer, but $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

book: $(READY)  ## render the book to _build/html
	rm -rf _build/html _build/.doctrees  # an unchanged page would not repeat its warnings
	$(BIN)/jupyter-book build . --warningiserror --nitpick --keep-going
	@echo "Open _build/html/index.html, or run: make serve"

serve: book  ## serve the rendered book on localhost
	$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

audit: book  ## print what each page of the rendered book costs a reader
	$(BIN)/python -m tools.audit _build/html

test: $(READY)  ## run the whole suite
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile

execute: $(READY)  ## run the chapters and write their outputs (CHAPTER=name for one)
	$(BIN)/python -m tools.execute $(CHAPTER)

tidy: $(READY)  ## bring chapters into their canonical form without running them
	$(BIN)/python -m tools.execute --tidy $(CHAPTER)

lint: $(READY)  ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)  ## write the style that lint checks
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)  ## compare the operators' speed with PyTorch's
	$(BIN)/python -m pytest benchmarks --override-ini addopts= --import-mode=importlib \
	  --benchmark-only --benchmark-group-by=group --benchmark-columns=median,iqr,rounds --benchmark-sort=name

requirements:  ## compile requirements.txt from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --universal --python-version 3.11 --all-extras --upgrade --quiet \
	  --custom-compile-command "make requirements" --output-file requirements.txt
	printf '%s\n' '-e .' '    # the package itself' >> requirements.txt

clean:  ## remove what the other targets made
	rm -rf _build $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
