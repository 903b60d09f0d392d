# Two commands on a fresh machine: `make reproduce` and `make test`. Both install into .venv first.
PYTHON ?= python3
PROFILE ?= demo
ARGS ?=
JOBS ?= 2
HOST ?= 127.0.0.1
PORT ?= 8501
PY := .venv/bin/python
INSTALLED := .venv/.installed

.PHONY: reproduce test coverage mutants endurance determinism golden sbom audit site app lab lint format notebooks lock wheel clean

reproduce: $(INSTALLED)
	$(PY) -m ivfnb reproduce --profile $(PROFILE) $(ARGS)

# a page on which pairs are fused; other machines reach it with HOST=0.0.0.0
app: $(INSTALLED)
	$(PY) -m ivfnb app --host $(HOST) --port $(PORT) $(ARGS)

# JupyterLab on the notebooks, whose kernel is the one of .venv
lab: $(INSTALLED)
	$(PY) -m jupyterlab --notebook-dir notebooks $(ARGS)

# Examples of docstrings, tests, and the notebooks with their own defaults, which are the demo profile; results stay apart from `make reproduce`.
# One thread a worker: small passes of several threads on shared cores wait for each other.
test: $(INSTALLED)
	IVFNB_RESULTS=$(CURDIR)/.cache/test-results OMP_NUM_THREADS=1 \
	    $(PY) -m pytest -n $(JOBS) --doctest-modules --nbval-lax --nbval-cell-timeout=900 ivfnb tests notebooks

# share of lines and branches that tests run; below 92 % it fails
coverage: $(INSTALLED)
	rm -rf .cache/coverage && mkdir -p .cache/coverage
	OMP_NUM_THREADS=1 $(PY) -m coverage run -m pytest -n $(JOBS) --doctest-modules ivfnb tests
	$(PY) -m coverage combine --quiet
	$(PY) -m coverage report

# do the tests notice a changed operator or number? 20 minutes on two cores; survivors are in .cache/mutants.json
mutants: $(INSTALLED)
	$(PY) scripts/mutants.py --jobs $(JOBS) $(ARGS)

# what takes longer than a test may: kills at random moments, 500 pairs in one process, 10,000 random inputs of each kind
endurance: $(INSTALLED)
	$(PY) scripts/kill_test.py
	$(PY) scripts/soak.py
	OMP_NUM_THREADS=1 IVFNB_FUZZ=10000 $(PY) -m pytest -n $(JOBS) tests/test_fuzz.py tests/images/test_random_files.py

# two demo runs, and one with another number of threads, give equal tables
determinism: $(INSTALLED)
	$(PY) scripts/check_determinism.py

# keep the demo's tables as what is expected of the next; ARGS=--check compares
golden: $(INSTALLED)
	$(PY) scripts/refresh_golden.py $(ARGS)

sbom: $(INSTALLED)
	$(PY) scripts/make_sbom.py

# known weaknesses of the locked versions, where the service can be reached
audit: sbom
	$(PYTHON) -m venv .cache/audit && .cache/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	.cache/audit/bin/pip-audit --no-deps --disable-pip -r requirements.lock.txt

# pages of docs/, the notebooks and the results of the full run, into site/: nothing is fetched, warnings are errors
site: $(INSTALLED)
	$(PY) scripts/make_site.py

lint: $(INSTALLED)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports
	.venv/bin/mypy
	$(PY) -m pytest tests/test_notebooks.py -k "not papermill and not changed_value_fails"

format: $(INSTALLED)
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

# run the notebooks with their own defaults and store what a reader sees: figures, tables, checked values
notebooks: $(INSTALLED)
	$(PY) scripts/refresh_notebooks.py

# exact versions of a fresh installation of everything
lock:
	rm -rf .cache/lock && $(PYTHON) -m venv .cache/lock
	.cache/lock/bin/python -m pip install --quiet --disable-pip-version-check ".[all]"
	.cache/lock/bin/python -m pip freeze | grep -v '^ivfnb' | sed 's/+cpu//' > requirements.lock.txt

wheel: $(INSTALLED)
	$(PY) -m build --wheel --no-isolation --outdir dist

clean:
	rm -rf .cache dist site results/demo

# compiled on all cores at once, which pip does on one; templates and old tests in these packages are no Python, and stay as they are. Left to
# the first import, nothing would be kept where PYTHONDONTWRITEBYTECODE is set, and every process would take up to 10 seconds longer
$(INSTALLED): requirements.lock.txt pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(None if (3, 11) <= sys.version_info[:2] <= (3, 14) else f'Python 3.11 to 3.14 is needed, found {sys.version.split()[0]}: make PYTHON=python3.11')"
	test -x $(PY) || $(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check --no-compile -r requirements.lock.txt
	-$(PY) -m compileall -qq -j 0 .venv/lib
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $(INSTALLED)
