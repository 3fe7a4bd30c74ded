# make lab: everything from nothing to JupyterLab.   make test: everything from nothing to a tested course.
# Both make .venv with a Python from 3.11 to 3.13 found on PATH (or PYTHON=…), and need the network only the first time.
.NOTPARALLEL:
.PHONY: help setup lab test versions newest lint unit notebooks browser run site bench slides lock clean

VENV := .venv
LOCK := requirements.txt
PYTHON ?=
PYTEST_ARGS ?=
NN ?= 00
ifeq ($(OS),Windows_NT)
PY := $(VENV)/Scripts/python
else
PY := $(VENV)/bin/python
endif
READY := $(VENV)/.ready
COMPILE = $(PY) -m uv pip compile --generate-hashes --no-emit-index-url --extra dev --extra site --extra slides --extra cluster
# A progress bar helps a person and fills a log.
QUIET := $(if $(CI),--quiet,)

help:
	@echo "make lab      set up, and open JupyterLab on your copy of the course in work/ (what you changed stays)"
	@echo "make test     set up, and run every test, the notebooks included (PYTEST_ARGS=... for pytest)"
	@echo "make versions run every test on each of Python 3.11, 3.12 and 3.13 that is on PATH (newest: on the newest packages)"
	@echo "make browser  open every chapter and every deck in a real browser (make test: three chapters, and what changed)"
	@echo "make slides   set up, and open chapter NN=00 to be shown as slides"
	@echo "make run      execute the notebooks in place, and hold them to the budgets"
	@echo "make site     set up, build the web site in build/site, and show it on this machine"
	@echo "make bench    measure extraction, memory, a probe against the guide's loop, and the start"
	@echo "make lock     resolve requirements.txt and environment.yml anew"
	@echo "make clean    remove .venv and what was fetched"

# Fetching is asked for each time: it looks at the files in a second, and brings what is missing or damaged.
setup: $(READY)
	@$(PY) -m tlcourse fetch

lab: setup
	@$(PY) -m tlcourse lab

test: lint unit notebooks

# A Python that is not there is named and left out; one that fails does not keep the others from their turn.
versions:
	@failed=; for version in 3.11 3.12 3.13; do \
		if python$$version -c "" 2>/dev/null; \
		then $(MAKE) test VENV=build/python$$version PYTHON=python$$version || failed="$$failed $$version"; \
		else echo "There is no python$$version on PATH: not tested."; fi; \
	done; \
	test -z "$$failed" || { echo "The tests failed on Python$$failed." >&2; exit 1; }

# What tomorrow's student may have: every package as new as it gets, whatever upper bound pyproject.toml sets. Whether
# the course runs comes first, and all is tried whatever fails: a new rule of ruff must not hide a new Keras.
newest: setup build/newest/pyproject.toml
	$(COMPILE) --quiet --upgrade build/newest/pyproject.toml -o build/newest/requirements.txt
	$(MAKE) --keep-going unit notebooks lint VENV=build/newest/venv LOCK=build/newest/requirements.txt PYTHON=$(PY)

build/newest/pyproject.toml: pyproject.toml
	@mkdir -p $(@D)
	sed 's/,<[^",]*//g' $< > $@

lint: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"
	$(PY) -m basedpyright --pythonpath $(PY)

unit: setup
	$(PY) -m pytest tests $(PYTEST_ARGS)

# Each notebook runs once, its extra tests in the same kernel, and nothing in it may reach the network.
notebooks: setup
	$(PY) -m tlcourse.workshop.offline -- $(PY) -m pytest --nbval notebooks $(PYTEST_ARGS)

# Every chapter and every deck in a real browser; `make unit` opens what changed and three fixed ones.
browser: setup
	TLCOURSE_BROWSER=all $(PY) -m pytest tests/test_browser.py tests/test_deck_browser.py tests/test_site_browser.py $(PYTEST_ARGS)

run: setup
	$(PY) -m tlcourse run

site: setup
	$(PY) -m tlcourse site --serve

bench: setup
	$(PY) -m tlcourse bench

slides: setup
	$(PY) -m tlcourse slides $(NN)

lock:
	$(COMPILE) --universal pyproject.toml -o requirements.txt
	$(PY) -m tlcourse.workshop.lockfile

clean:
	rm -rf $(VENV) data/fetched data/cache

# What makes an environment: the first usable Python on PATH, the lock with its hashes, then the course without asking
# for anything more (pip refuses an editable install in the same command as hashes).
$(READY): $(LOCK) pyproject.toml
	@$(PY) -c "import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))" 2>/dev/null || { \
	seen=; \
	for python in $(if $(PYTHON),"$(PYTHON)",python3 python3.13 python3.12 python3.11 python); do \
		version=$$("$$python" -c 'import sys; print(*sys.version_info[:2], sep=".")' 2>/dev/null) || continue; \
		seen="$$seen $$python is $$version;"; \
		case $$version in 3.11|3.12|3.13) ;; *) continue ;; esac; \
		"$$python" -c 'import venv, ensurepip' 2>/dev/null || { seen="$$seen but has no venv module (on Debian and Ubuntu: apt install python$$version-venv);"; continue; }; \
		echo "Making $(VENV) with $$python ($$version)."; \
		"$$python" -m venv --clear "$(VENV)" && break; \
	done; \
	test -x "$(PY)" || test -x "$(PY).exe" || { \
		echo "The course needs Python 3.11, 3.12 or 3.13 with venv, and found none on PATH:$${seen:- no Python at all;} install one, then run make again (PYTHON=/its/path names it)." >&2; \
		exit 1; }; \
	}
	@echo "Installing the locked packages (about 2 GB on disk; a few minutes the first time)."
	$(PY) -m pip install $(QUIET) --disable-pip-version-check --require-hashes -r $(LOCK)
	$(PY) -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)
