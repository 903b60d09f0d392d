# Two commands on a fresh machine: `make reproduce` and `make test`. Both install into .venv first.
PYTHON ?= python3
PROFILE ?= demo
ARGS ?=
PY := .venv/bin/python
INSTALLED := .venv/.installed

.PHONY: reproduce test lint format notebooks lock clean

reproduce: $(INSTALLED)
	$(PY) -m ivfnb reproduce --profile $(PROFILE) $(ARGS)

# nbval runs the notebooks' own defaults, which are the demo profile; its results stay apart from those of `make reproduce`
test: $(INSTALLED)
	IVFNB_RESULTS=.cache/test-results $(PY) -m pytest --nbval-lax --nbval-cell-timeout=900 tests notebooks

lint: $(INSTALLED)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	$(PY) -m pytest tests/test_notebooks.py tests/test_environment.py

format: $(INSTALLED)
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

# run the notebooks and keep only the outputs that nbval compares
notebooks: $(INSTALLED)
	$(PY) scripts/refresh_notebooks.py

lock:
	$(PY) -m pip freeze --exclude-editable | sed 's/+cpu//' > requirements.lock.txt

clean:
	rm -rf .cache results/demo

$(INSTALLED): requirements.lock.txt pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(None if sys.version_info[:2] == (3, 11) else f'Python 3.11 is needed (the lock is made for it), found {sys.version.split()[0]}: make PYTHON=python3.11')"
	test -x $(PY) || $(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.lock.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps -e .
	touch $(INSTALLED)
