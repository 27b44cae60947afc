# Everything a developer, a visitor and CI run. `make` alone lists the targets.

PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
# Options for `make demo` (see `manage.py demo --help`) and `make serve`, for instance
# `make serve ARGS="--port 8001"`.
ARGS ?=

CODE := config lineage unlearning audits expunge tests benchmarks manage.py
# The order of the tests is shuffled, the same way each time; SEED=2 tries another.
SEED ?= 1
# Whoever is done takes tests from the other: the long ones would keep one process waiting.
PYTEST := $(BIN)/pytest -n 2 --dist worksteal --randomly-seed=$(SEED)
# The first pass is the default installation, whatever the shell says about servers.
ON_SQLITE := env -u DATABASE_URL -u EXPUNGE_TEST_DATABASE
# Two test processes that each took every core would slow one another down.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

# Containers often set it, and each of the many processes would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo journey first-hour screenshots serve test blocks long battery faults machines tamper check format lint types imports migrations docs site schemas fuzz sbom audit fuzz-parsers integrations clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed ## Install the dependencies; make keys, database and static files
	@$(BIN)/python manage.py setup

demo: setup ## Show one erasure from request to sealed report, with made-up people
	@$(BIN)/python manage.py demo $(ARGS)

journey: setup ## Play twelve situations of a data-protection officer on the real pages
	@$(BIN)/python manage.py journey $(ARGS)

first-hour: ## Do docs/first-hour.md from a clean clone: environments, wheel, server, every step timed
	@$(PYTHON) -m tests.site.first_hour $(ARGS)

screenshots: setup ## Photograph every page of a site with made-up people (ARGS=FOLDER); play four journeys
	@$(BIN)/python -m tests.screenshots $(ARGS)

serve: setup ## Run the site, the scheduler and the workers
	@$(BIN)/python manage.py serve $(ARGS)

test: setup ## Run the tests on SQLite, then again on PostgreSQL and Valkey
	$(ON_SQLITE) $(ONE_THREAD) $(PYTEST)
	$(ONE_THREAD) $(BIN)/python -m tests.services $(PYTEST) -m "queue or (database and not one_engine)"

# The first hour has a server and a demonstration of its own.
blocks: setup ## Run every block of the documentation on an installation (PAGES="docs/api.md"); some minutes
	$(ON_SQLITE) $(ONE_THREAD) $(BIN)/python -m tests.site.blocks $(PAGES)
	$(if $(PAGES),,$(ON_SQLITE) $(ONE_THREAD) $(BIN)/python -m tests.site.first_hour)

# Exact unlearning and a case of the operator through a whole site: what they hold is held piece by
# piece by `make test`, which plays the journeys of the four people.
long: setup ## Play the journeys that take minutes; migrate the long way, on both engines
	EXPUNGE_TEST_LONG=1 $(ON_SQLITE) $(ONE_THREAD) $(BIN)/pytest -q -m long tests/functional tests/upgrade
	EXPUNGE_TEST_LONG=1 $(ONE_THREAD) $(BIN)/python -m tests.services $(BIN)/pytest -q -m long tests/upgrade

# The score matrices are made again by `python -m tests.battery.make_matrices`, in some minutes.
battery: setup ## Check the audit against known truths and lies (QUICK=1: fewer draws)
	$(ON_SQLITE) $(ONE_THREAD) $(BIN)/python -m tests.battery $(if $(QUICK),--quick)

# Goes on where it was interrupted: make faults RESUME=var/faults.jsonl
faults: $(VENV)/.installed ## Kill, stop and fill what cases need, and look what becomes of them (QUICK=1: four kinds)
	@$(ON_SQLITE) $(ONE_THREAD) $(BIN)/python -m tests.faults $(if $(QUICK),--quick) \
		$(if $(RESUME),--resume $(RESUME)) $(ARGS)

# Needs the right to make network namespaces; where that is missing it says so and runs nothing.
machines: setup ## Cut three machines off and freeze them in the middle of jobs (QUICK=1: two data sets)
	@$(ON_SQLITE) $(ONE_THREAD) $(BIN)/python -m tests.machines $(if $(QUICK),--quick) $(ARGS)

# `make test` changes each byte of a file up to 2,000 bytes, and 300 of a longer one.
tamper: setup ## Change ten thousand bytes of each file of an exported case: all are rejected
	EXPUNGE_TEST_FLIPS=10000 $(ON_SQLITE) $(ONE_THREAD) $(BIN)/pytest -n 2 -q \
		tests/audits/core_trail tests/audits/test_tamper_matrix.py

check: lint types imports migrations docs site ## Everything that needs no test run: style, types, layers
	$(BIN)/pytest -q tests/test_budgets.py

format: $(VENV)/.installed ## Rewrite files in the house style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(VENV)/.installed ## Style and complexity
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.installed ## Static types
	$(BIN)/mypy $(CODE)

imports: $(VENV)/.installed ## Architecture: the contracts in pyproject.toml
	$(BIN)/lint-imports

migrations: $(VENV)/.installed ## Models and migrations agree
	$(BIN)/python manage.py makemigrations --check --dry-run

docs: $(VENV)/.installed ## The documentation says what the code says (DOCS=write renews it)
	@if [ "$(DOCS)" = write ]; then $(BIN)/python -m unlearning.core.catalogue && \
		$(BIN)/python -m audits.core.attack_page && \
		$(BIN)/python -m audits.core.answers && \
		$(BIN)/python -m audits.core.questions && \
		$(BIN)/python -m audits.core.role_page && \
		$(BIN)/python -m tests.expunge.cli_page && \
		$(BIN)/python -m tests.site.commands_page && \
		$(BIN)/python -m tests.notebooks.pages; fi
	$(BIN)/pytest -q tests/test_docs.py tests/test_site.py

# The theme's own notice about the next mkdocs is no finding of ours.
site: $(VENV)/.installed ## Build the documentation as a site in var/site; broken links fail
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "Read it with its search: $(BIN)/python -m http.server -b 127.0.0.1 -d var/site 8080"

# Where the schemas are: an address, or a folder laid out like it.
SPEC ?= https://openlineage.io/spec
schemas: setup ## Check exported events against the published OpenLineage schemas (needs a network)
	EXPUNGE_TEST_OPENLINEAGE=$(SPEC) $(BIN)/pytest -q tests/lineage/test_openlineage_schemas.py

fuzz: setup ## Make up calls of the API by the hundred (CALLS=50 for each address)
	EXPUNGE_TEST_CALLS=$(or $(CALLS),50) $(ON_SQLITE) $(ONE_THREAD) $(BIN)/pytest -q -n 2 \
		tests/api/test_schemathesis.py

sbom: $(VENV)/.installed ## Write a bill of materials of the installed packages to var/sbom.json (CycloneDX)
	@mkdir -p var
	@$(BIN)/python -m tests.materials > var/sbom.json
	@echo "var/sbom.json"

# In an environment of its own: what it needs is no part of an installation. Where the network is
# missing it says so, and fails only with MUST=1; a known weakness always fails.
audit: $(VENV)/.installed ## Ask the databases of known weaknesses about the pinned packages (needs a network)
	@test -x var/audit/bin/pip-audit || { $(PYTHON) -m venv var/audit && var/audit/bin/pip install \
		-q --disable-pip-version-check --retries 1 --timeout 15 pip-audit; } || true
	@$(BIN)/python -m tests.advisories $(if $(MUST),--must)

# Some minutes; the recorded runs: make fuzz-parsers ARGS="--json benchmarks/results/fuzzing.json
# --page docs/reliability.md", and with GUIDED=1 fuzzing-guided.json. atheris is beside the
# environment and not in it: it is for Linux and macOS, and only this asks for it.
fuzz-parsers: setup ## Give every parser of outside input a thousand made-up ones (GUIDED=1: by coverage; ARGS="--inputs 1000000")
	$(if $(GUIDED),@test -d var/guided/atheris || $(BIN)/pip install -q --disable-pip-version-check \
		--no-deps --target var/guided -r constraints-fuzz.txt)
	@$(ON_SQLITE) $(ONE_THREAD) $(if $(GUIDED),PYTHONPATH=var/guided) \
		$(BIN)/python -W ignore -m tests.fuzzing $(if $(GUIDED),--guided) $(ARGS)

# Lightning and transformers are no part of an installation, and the suite imitates them. Here what
# is not installed is a failure, and no reason to skip.
integrations: $(BIN)/pip ## Test capture in the real Lightning and transformers (needs a network)
	@test -x var/integrations/bin/python || $(PYTHON) -m venv var/integrations
	var/integrations/bin/pip install -q --disable-pip-version-check -c constraints.txt \
		-e ".[web,dev,lightning,transformers,sklearn]"
	@rm -rf build expunge.egg-info
	EXPUNGE_TEST_INTEGRATIONS=1 $(ON_SQLITE) $(ONE_THREAD) var/integrations/bin/pytest -q -n 0 \
		tests/expunge/integrations

clean: ## Remove caches; keep the environment and var/
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -path ./$(VENV) -prune -o -type d -name __pycache__ -exec rm -rf {} +

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null || { \
		echo "Expunge needs Python 3.11, and '$(PYTHON)' is not it." \
			"Install it, or name it: make setup PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The stamp is newer than both lists, or pip runs again. pip builds in the checkout; what it leaves
# there is removed.
$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/pip
	$(BIN)/pip install -q --disable-pip-version-check -c constraints.txt -e ".[web,dev]"
	@rm -rf build expunge.egg-info
	@touch $@
