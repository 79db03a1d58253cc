# make run    install and run Forewarn on this machine, state in ./var
# make demo   the whole chain on a small shop, in about a minute   (ARGS=--once ends by itself)
# make deb    a package for this Debian or Ubuntu, in dist/
# make test   install what tests need and run all of them          (SLOW=1 adds the proofs that take minutes)
# make bench  what a probe run costs, beside a floor and peers (ARGS='--targets 5000', --https, --hanging 5, --all);
#             ARGS=console, viewers, unusual, foresight, templates, '--part logs': what a page, open consoles, logs cost, and how right it is
# make bundle one file with all wheels and install.sh, for hosts without a package index
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

.PHONY: run demo test bench lint install install-dev deb bundle clean

run: $(VENV)/.installed
	@$(BIN)/forewarn run $(ARGS)

demo: $(VENV)/.installed
	@$(BIN)/forewarn demo $(ARGS)

test: $(VENV)/.installed-dev
	@scripts/test.sh $(if $(SLOW),--slow) $(ARGS)

bench: $(VENV)/.installed
	@scripts/bench-tools.sh
	@$(BIN)/python scripts/bench $(ARGS)

lint: $(VENV)/.installed-dev
	@$(BIN)/ruff check agent tests scripts && $(BIN)/ruff format --check agent tests scripts && $(BIN)/mypy

bundle: $(VENV)/.installed
	@scripts/bundle.sh $(BIN)/python dist

install: $(VENV)/.installed-dev

$(VENV)/.installed: pyproject.toml scripts/install.sh
	@scripts/install.sh $(PYTHON) $(VENV)

$(VENV)/.installed-dev: pyproject.toml scripts/install.sh
	@scripts/install.sh $(PYTHON) $(VENV) dev

deb: $(VENV)/.installed
	@packaging/deb.sh $(VERSION)

clean:
	rm -rf $(VENV) build dist
