# make run    sets everything up and starts Offhook
# make test   sets everything up and runs every test
# make faults kills every process at every step of what must not be lost, 50 times each
# make fuzz   asks the whole API, and attacks the agents, for MINUTES
# make day    plays a day of PEOPLE people twice, and compares every book about it
# make calendar runs the rooms' tests as if it were MOMENT, by Debian's faketime
# make screenshots keeps pictures of what a newcomer and a live call look like
# make check  format, lint, types, import contracts, marks
# Needs Python 3.11 or newer; everything else is fetched once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
KILLS ?= 50
MINUTES ?= 10
PEOPLE ?= 200
MOMENT ?= 2026-12-31 23:55:00
SAY := @printf '  %s\n'

.PHONY: run test faults fuzz day calendar check assets lock docs marks screenshots clean test-peers

run: $(VENV)/installed assets
	@exec $(BIN)/offhook serve

$(BIN)/uv:
	$(SAY) "Making a Python environment in $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Offhook needs Python 3.11 or newer; set PYTHON=python3.11 (or newer).")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock

$(VENV)/installed: $(BIN)/uv requirements.lock pyproject.toml
	$(SAY) "Fetching libraries, voice and recogniser (about 400 MB, once)"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.lock
	$(SAY) "Fetching the tools of the tests"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pytest --collect-only -qq >/dev/null # compiled once, not by each worker
	@touch $@

assets: $(VENV)/installed
	@$(BIN)/python tools/build_assets.py

test-peers: # callers and a browser for the tests; only where nobody minds apt-get
	@if [ -n "$$CI" ]; then tools/install_test_peers.sh; fi

test: $(VENV)/installed-dev assets test-peers
	@$(BIN)/python -m pytest -n auto --maxprocesses 4

faults: $(VENV)/installed-dev assets # every kill matrix, KILLS times per step
	@OFFHOOK_KILLS=$(KILLS) $(BIN)/python -m pytest -n 2 -m kills --timeout 3600

fuzz: $(VENV)/installed-dev assets
	@OFFHOOK_FUZZ=$(MINUTES) $(BIN)/python -m pytest tests/e2e/test_whole_api.py tests/security

day: $(VENV)/installed-dev assets # the same day twice, PEOPLE people
	@OFFHOOK_DAY=$(PEOPLE) $(BIN)/python -m pytest -n 0 -s tests/e2e/test_oneday.py

calendar: $(VENV)/installed-dev assets # no rule and no test leans on today's date
	@TZ=UTC faketime "$(MOMENT)" $(BIN)/python -m pytest -n auto --maxprocesses 4 \
		$(patsubst %,--ignore=tests/%,e2e faults media speech supervisor)

check: $(VENV)/installed-dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports
	@$(BIN)/pyright --pythonpath $(BIN)/python
	@$(BIN)/python tools/marks.py
	@$(BIN)/python tools/settings_page.py --check

marks: $(VENV)/installed-dev
	@$(BIN)/python tools/marks.py

docs: $(VENV)/installed-dev
	@$(BIN)/python tools/settings_page.py

lock: $(BIN)/uv
	@$(BIN)/python tools/lock.py

screenshots: $(VENV)/installed-dev assets # what a newcomer and a live call look like, in artefacts/
	@OFFHOOK_PICTURES=1 $(BIN)/python -m pytest tests/e2e/test_newcomer.py tests/e2e/test_live_call.py

clean:
	@rm -rf $(VENV) frontend/node_modules src/offhook/web/static/built
