# Everything is installed in .venv by what needs it, and again only when pyproject.toml changed.
#
#   make run     the daemon in the foreground, with two demo members
#   make test    all tests
#   make workers-test   the end-to-end tests, each daemon with two workers: all must hold (WORKERS=4)
#   make check   ruff and mypy
#   make bench   speed beside HAProxy, nginx and Apache (BENCH='--rounds 3' passes options on)
#   make fuzz    random and mutated bytes, in memory (FUZZ='--minutes 10 --only visitor')
#   make soak    everything at once for some minutes (SOAK='--minutes 3 --seed 1')
#   make chaos   reloads under load, then kill -9 at random (CHAOS='--minutes 5 --seed 1')
#   make man     the manual pages, in build/man (man -l build/man/sorryctl.1); the wheel has them
#   make wheel   the wheel, in dist/, compiled where a compiler is (SORRYD_COMPILE=no: never)
#   make installed   the same wheel unpacked in build/installed: what the bench measures

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/installed.stamp
LOG    := $(VENV)/install.log
BENCH  ?=
SOAK   ?=
FUZZ   ?=
CHAOS  ?=
INSTALLED := build/installed
WORKERS ?= 2

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test workers-test check bench fuzz soak chaos man wheel installed clean

help:
	@sed -n 's/^#   //p' Makefile

# $(call recent,PYTHON): whether it can run sorryd.
recent = $(1) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null

$(STAMP): pyproject.toml
	@{ $(call recent,$(BIN)/python) && $(BIN)/python -m pip -V >/dev/null 2>&1; } || \
	if $(call recent,$(PYTHON)); then \
		echo "Making $(VENV) ..."; \
		$(PYTHON) -m venv --clear $(VENV); \
	else \
		found=$$($(PYTHON) -V 2>&1) || found="not to be had"; \
		echo "sorryd needs Python 3.11 or newer; $(PYTHON) is $$found." \
			"Name another: make PYTHON=python3.12" >&2; \
		exit 1; \
	fi
	@echo "Installing sorryd and what it needs into $(VENV) ..."
	@$(BIN)/python -m pip install --disable-pip-version-check -e '.[dev]' >$(LOG) 2>&1 \
		|| { cat $(LOG) >&2; exit 1; }
	@touch $@

# The shell outlives what it started: the members and the daemon run behind it, where a ctrl-C
# does not reach them, and its trap ends them one by one, whatever the end came from.
run: $(STAMP)
	@$(BIN)/python -m sorryd.demo --free 9001 9002
	@echo 'sorryd starts on http://127.0.0.1:8080 and https://127.0.0.1:8443; ctrl-C ends it.'
	@echo 'From another terminal in this folder, try'
	@echo '  curl -i http://127.0.0.1:8080/any/path'
	@echo '  $(BIN)/sorryctl status'
	@echo '  $(BIN)/sorryctl schedule --from +1m --for 2m --reason "database upgrade"'
	@started=; \
	stop() { trap '' INT TERM HUP; kill $$started 2>/dev/null; wait; }; \
	trap 'stop; exit 0' INT; trap 'stop; exit 143' TERM HUP; \
	$(BIN)/python -m sorryd.demo 9001 'demo member 1' & started="$$started $$!"; \
	$(BIN)/python -m sorryd.demo 9002 'demo member 2' & started="$$started $$!"; \
	$(BIN)/twistd -n --pidfile= sorryd --config etc/sorryd.ini & daemon=$$!; \
	started="$$started $$daemon"; \
	wait $$daemon; ended=$$?; stop; exit $$ended

# Half of the time is waiting for daemons, so two tests at once cost each other little. By file:
# what the tests of one share is set up once.
test: $(STAMP)
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

# A part of them is in `make test`, in both ways: tests/end_to_end/workers.py.
workers-test: $(STAMP)
	@SORRYD_TEST_WORKERS=$(WORKERS) $(BIN)/python -m pytest -n auto --maxprocesses 4 \
		--dist loadfile tests/end_to_end

check: $(STAMP)
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

bench: installed
	@PYTHONPATH=$(INSTALLED) $(BIN)/python -m bench $(BENCH)

fuzz: $(STAMP)
	@$(BIN)/python -m tests.fuzz $(FUZZ)

soak: $(STAMP)
	@$(BIN)/python -m tests.soak $(SOAK)

chaos: $(STAMP)
	@$(BIN)/python -m tests.chaos $(CHAOS)

man: $(STAMP)
	@$(BIN)/python -m man build/man

# As pip installs it. Not in $(VENV), where tests and everybody who works on it have the source.
$(INSTALLED)/made.stamp: $(STAMP) $(shell find src twisted building -name '*.py' -o -name '*.txt')
	@echo "Building the wheel, compiled where a compiler is, into $(INSTALLED) ..."
	@rm -rf $(INSTALLED) build/wheel build/not-compiled.log
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps \
		--no-build-isolation -w build/wheel .
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
		--target $(INSTALLED) build/wheel/*.whl
	@if ls $(INSTALLED)/sorryd__mypyc* >/dev/null 2>&1; then echo "It is compiled."; \
	else echo "It is not compiled:"; tail -n 3 build/not-compiled.log 2>/dev/null || \
		echo "no compiler, or SORRYD_COMPILE=no"; fi
	@touch $@

installed: $(INSTALLED)/made.stamp

wheel: $(STAMP)
	@$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps -w dist .

clean:
	rm -rf $(VENV) build dist var .mypy_cache .ruff_cache .pytest_cache .hypothesis bench/out
	find src tests bench twisted -name __pycache__ -prune -exec rm -rf {} +
	rm -f twisted/plugins/dropin.cache
