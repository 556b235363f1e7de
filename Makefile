# Every target sets up the environment it needs first. `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TOOLS := $(VENV)/tools
PORT ?= 8000
CHAPTER ?=

# What the environment is installed from: pinned (requirements.txt), locked (the same versions, and each file's hash
# is checked), newest (whatever pyproject.toml allows).
PINS ?= pinned

# Several kernels and test workers share the machine: one thread each is much faster than all fighting for it.
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help book serve pdf audit test execute tidy lint format bench colab fashion links \
  release site requirements lock advisories workflows clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1|/' | column -t -s '|'

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "d2lconv needs Python 3.11 or newer, but $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(INSTALL-$(PINS))
	@touch $@

PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check
INSTALL-pinned = $(PIP) -r requirements.txt
# PyTorch has another file, so another hash, for each kind of machine: it comes last, in the pinned version, and so does
# the package itself, built by what the lock holds.
define INSTALL-locked
$(PIP) --require-hashes -r locks/course.txt
$(PIP) --no-build-isolation -r requirements.txt
endef
INSTALL-newest = $(PIP) --upgrade -e '.[book,test]'

$(TOOLS)/.ready: locks/tools.txt
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/tools.txt
	@touch $@

book: $(READY)  ## render the book to _build/html
	rm -rf _build/html _build/.doctrees  # an unchanged page would not repeat its warnings
	$(BIN)/jupyter-book build . --warningiserror --nitpick --keep-going
	@echo "Open _build/html/index.html, or run: make serve"

serve: book  ## serve the rendered book on localhost
	$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

pdf: book  ## print the rendered book as a PDF, for its page of downloads (needs Chromium)
	$(BIN)/python -m tools.pdf _build/html

audit: book  ## print what each page of the rendered book costs a reader
	$(BIN)/python -m tools.page_cost _build/html

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

colab: $(READY)  ## run what is tested with Colab's versions of the packages
	$(BIN)/python -m pytest $(wildcard tests/test_colab*.py tests/*/test_colab*.py)

fashion: $(READY)  ## train on Fashion-MNIST and compare with published results (MODEL=name for one)
	$(BIN)/python -m tools.published $(MODEL)

links: book  ## follow the links to other sites
	$(BIN)/python -m tools.links

release: $(READY)  ## check and build a release, and say what comes next
	$(BIN)/python -m tools.release --check
	$(MAKE) pdf
	$(BIN)/python -m tools.release

site: $(READY)  ## put the published site together: the rendered book and those of all releases (needs gh)
	$(BIN)/python -m tools.release_site --fetch

COMPILE = $(TOOLS)/bin/uv pip compile --universal --python-version 3.11 --quiet --custom-compile-command "make $@"

requirements: $(TOOLS)/.ready  ## compile requirements.txt from pyproject.toml, in the newest versions, and the locks
	$(COMPILE) pyproject.toml --all-extras --upgrade --output-file requirements.txt
	printf '%s\n' '-e .' '    # the package itself' >> requirements.txt
	$(COMPILE) --group tools --upgrade --generate-hashes --no-annotate --output-file locks/tools.txt
	$(MAKE) lock

lock: $(TOOLS)/.ready  ## write the hashes of what requirements.txt pins into locks/course.txt
	grep -vE '^(torch==|-e )' requirements.txt | \
	  $(COMPILE) - --no-deps --generate-hashes --no-annotate --output-file locks/course.txt

advisories: $(TOOLS)/.ready  ## look for known weaknesses of the pinned packages
	grep -v '^-e ' requirements.txt > $(TOOLS)/pinned.txt
	$(TOOLS)/bin/pip-audit --requirement $(TOOLS)/pinned.txt --no-deps --disable-pip --strict \
	  --progress-spinner off

workflows: $(TOOLS)/.ready  ## look for weaknesses of the workflows
	$(TOOLS)/bin/zizmor --offline .github

clean:  ## remove what the other targets made
	rm -rf _build $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
