# Every target sets up the environment it needs first. `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TOOLS := $(VENV)/tools
PORT ?= 8000
CHAPTER ?=
VERSION ?=

# What the environment is installed from: pinned (requirements.txt), locked (the same versions, and each file's hash
# is checked), newest (whatever pyproject.toml allows).
PINS ?= pinned

# Several kernels and test workers share the machine: one thread each is much faster than all fighting for it.
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help book serve pdf scorm audit lab execute tidy check test weekly colab links advisories lint format bench \
  release requirements lock clean

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

# ---- the book -----------------------------------------------------------------------------------------------

SOURCES := $(shell find book src/d2lconv _config.yml _toc.yml -type f ! -path '*/.*' ! -name '*.pyc')

book: $(READY)  ## render the book to _build/html, and its Chinese edition to _build/html/zh
	@$(BIN)/python -m tools.notebooks --figures
	$(BIN)/python -m tools.site _build/html
	@echo "Open _build/html/index.html, or run: make serve"

_build/html/index.html: requirements.txt pyproject.toml tools/translation.py $(SOURCES)
	@$(MAKE) --no-print-directory book

serve: _build/html/index.html | $(READY)  ## serve the rendered book on localhost, rendering it if something changed
	$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

pdf: book  ## print the rendered editions as PDFs, for their pages of downloads (needs Chromium)
	$(BIN)/python -m tools.pdf _build/html

scorm: _build/html/index.html | $(READY)  ## pack chapters' questions for learning platforms (CHAPTER=name for one)
	@for site in _build/html _build/html/zh; do \
		$(BIN)/python -m tools.scorm $$site _build/scorm $(CHAPTER) || exit 1; done

audit: book  ## print what each page of the rendered book costs a reader
	$(BIN)/python -m tools.page_cost _build/html

# ---- chapters -----------------------------------------------------------------------------------------------

lab: $(READY)  ## open the chapters in Jupyter, as copies of your own in lab/
	@mkdir -p lab
	@for page in book/*.ipynb book/glossary.md book/bibliography.md; do copy=lab/$${page##*/}; \
	  if [ ! -e $$copy ]; then cp $$page $$copy; \
	  elif [ $$page -nt $$copy ]; then echo "$$copy: the course has a newer version"; fi; done
	@echo "You work in lab/, and your answers stay there. To get an original, delete its copy and run: make lab"
	$(BIN)/jupyter lab lab/$(shell sed -n 's|.*- file: book/||p' _toc.yml | head -n 1).ipynb

execute: $(READY)  ## run the chapters and write their outputs (CHAPTER=name for one)
	$(BIN)/python -m tools.execute $(CHAPTER)

tidy: $(READY)  ## bring chapters into their canonical form without running them (CHAPTER=name for one)
	$(BIN)/python -m tools.notebooks $(CHAPTER)

OF_CHAPTER = $(wildcard book/$(CHAPTER).ipynb src/d2lconv/exercises/chapters/$(CHAPTER).py \
  tests/package/exercises/answers_$(CHAPTER).py)

check: $(READY)  ## check all that concerns one chapter (CHAPTER=name)
	@test -f "book/$(CHAPTER).ipynb" || { echo "Say which chapter: make check CHAPTER=convolution" >&2; exit 2; }
	@failed=0; \
	$(BIN)/python -m tools.notebooks --check $(CHAPTER) || failed=1; \
	$(BIN)/ruff check --quiet --output-format=concise $(OF_CHAPTER) || failed=1; \
	$(BIN)/ruff format --quiet --check $(OF_CHAPTER) || { echo "run: make format"; failed=1; }; \
	$(BIN)/python -m pytest --quiet --no-header --tb=short -k "$(CHAPTER)" --continue-on-collection-errors \
	  book/$(CHAPTER).ipynb tests/chapters tests/package/exercises || failed=1; \
	exit $$failed

# ---- checks -------------------------------------------------------------------------------------------------

test: $(READY)  ## run the whole suite
	$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile

lint: $(READY) $(TOOLS)/.ready  ## check style, types, layers and workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(TOOLS)/bin/zizmor --quiet --offline .github

format: $(READY)  ## write the style that lint checks
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# What changes outside of this repository. Without a network, most of it is skipped; GitHub's machines have one.
OFFLINE = test -z "$$CI" && \
  ! $(PYTHON) -c "import urllib.request as r; r.urlopen('https://github.com', timeout=10)" 2>/dev/null

weekly:  ## check what changes outside: Colab, browsers, accuracies, links, advisories, actions
	$(MAKE) --keep-going colab links advisories

colab: $(READY)  ## run tests/weekly: Colab's versions, JupyterLab, other browsers, the PDF, published accuracies
	$(BIN)/python -m pytest tests/weekly --numprocesses=auto --dist=loadfile -rs

links: $(READY)  ## follow the book's links to other sites
	@if $(OFFLINE); then echo "links: skipped, since github.com can't be reached"; else \
	  $(BIN)/jupyter-book build . --path-output _build/links --builder=custom --custom-builder=linkcheck; fi

advisories: $(TOOLS)/.ready  ## look for known vulnerabilities of the pinned packages and of the workflows
	@grep -v '^-e ' requirements.txt > $(TOOLS)/pinned.txt
	@if $(OFFLINE); then echo "advisories: skipped, since github.com can't be reached"; else \
	  $(TOOLS)/bin/pip-audit --requirement $(TOOLS)/pinned.txt --no-deps --disable-pip --strict --progress-spinner off \
	  && $(TOOLS)/bin/zizmor --quiet .github; fi

bench: $(READY)  ## compare the operators' speed with PyTorch's
	$(BIN)/python -m pytest benchmarks --override-ini addopts= --import-mode=importlib \
	  --benchmark-only --benchmark-group-by=group --benchmark-columns=median,iqr,rounds --benchmark-sort=name

# ---- releases and pins --------------------------------------------------------------------------------------

release: $(READY) $(TOOLS)/.ready  ## build a release, tag it and draft it on GitHub (VERSION=1.2.3; needs gh)
	@test -n "$(VERSION)" || { echo "Say which version: make release VERSION=1.2.3" >&2; exit 2; }
	@git diff --quiet HEAD || { echo "There are changes that are not committed." >&2; exit 1; }
	D2LCONV_RELEASE=1 $(BIN)/python -m pytest --quiet tests/chapters/test_translation.py
	$(TOOLS)/bin/bump-my-version bump --new-version $(VERSION)
	rm -rf dist && $(TOOLS)/bin/python -m build
	$(TOOLS)/bin/check-wheel-contents dist/*.whl
	git commit --all --message "Release $(VERSION)" && git tag v$(VERSION)
	git push --atomic origin HEAD v$(VERSION)
	gh release create v$(VERSION) dist/* --draft --verify-tag --title "d2lconv $(VERSION)" --notes "See CHANGELOG.md."

# A release that was tampered with is mostly found within days, so newer ones wait.
COOLDOWN := 7 days
COMPILE = $(TOOLS)/bin/uv pip compile --universal --python-version 3.11 --quiet --exclude-newer "$(COOLDOWN)" \
  --custom-compile-command "make $@"

requirements: $(TOOLS)/.ready  ## compile requirements.txt and the locks, in the newest versions that are a week old
	$(COMPILE) pyproject.toml --all-extras --upgrade --output-file requirements.txt
	printf '%s\n' '-e .' '    # the package itself' >> requirements.txt
	$(COMPILE) --group tools --upgrade --generate-hashes --no-annotate --output-file locks/tools.txt
	$(MAKE) lock

lock: $(TOOLS)/.ready  ## write the hashes of what requirements.txt pins into locks/course.txt
	grep -vE '^(torch==|-e )' requirements.txt | \
	  $(COMPILE) - --no-deps --generate-hashes --no-annotate --output-file locks/course.txt

clean:  ## remove what the other targets made
	rm -rf _build $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
