# Qumulus: `make` alone explains everything. Needs Python 3.11+ and make, nothing else.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?=
VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.run
DEV := $(VENV)/.dev
DOCS := $(VENV)/.docs
TEST := $(VENV)/.test
MACHINES := $(VENV)/.machines
install = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r
openapi = PYTHONPATH=backend $(BIN)/python -m qumulus.openapi
serve = $(BIN)/qumulus serve --host $(HOST) --port $(or $(PORT),$(1))
pytest = $(BIN)/python -m pytest

# -- set-up: a virtual environment inside the checkout, made once ------------------------------------------------------

# A stamp, and not the interpreter: that is there long before a set-up which is interrupted or fails is done.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Qumulus needs Python 3.11 or newer; name one with PYTHON=…"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	touch $@

# Each target asks for the smallest of these that it needs: what generates takes seconds, what tests machines takes a gigabyte.
$(RUN): requirements.txt pyproject.toml | $(VENV)/.made
	@echo "Setting up (once) …"
	$(install) requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(DEV): requirements-dev.txt | $(VENV)/.made
	@echo "Setting up the tools for development (once) …"
	$(install) requirements-dev.txt
	touch $@

$(DOCS): requirements-docs.txt | $(VENV)/.made
	@echo "Setting up what the site is made with (once) …"
	$(install) requirements-docs.txt
	touch $@

$(TEST): tests/requirements.txt $(RUN) $(DEV)
	@echo "Setting up what the tests need (once) …"
	$(install) tests/requirements.txt
	touch $@

$(MACHINES): tests/requirements-machines.txt $(TEST)
	@echo "Setting up what the tests of many machines need (once) …"
	$(install) tests/requirements-machines.txt
	touch $@

.PHONY: setup
setup: $(MACHINES) ## Set up everything for development

# All locks have the same versions: those of the tests of many machines, which need everything. Not after a set-up, which could need
# what is to be locked only now.
compile = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --python-version 3.11
everything = tests/requirements-machines.txt
extra = $(BIN)/python -c 'import sys, tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"][sys.argv[1]], sep="\n")'

.PHONY: lock
lock: ## Lock all packages anew, in their newest versions, with their hashes
	@$(compile) --upgrade --extra machines --group build pyproject.toml -o $(everything)
	$(compile) -c $(everything) --extra test --group build pyproject.toml -o tests/requirements.txt
	$(compile) -c $(everything) --group build pyproject.toml -o requirements.txt
	for extra in dev docs postgres s3 cluster; do
	  $(extra) $$extra | $(compile) -c $(everything) - -o requirements-$$extra.txt
	done

# -- specification and models ------------------------------------------------------------------------------------------

.PHONY: generate-all generate-all-schema check-generated
generate-all: $(DEV) ## Generate user and provider openapi.yaml, and all others, and then all models
	@$(openapi) generate

generate-all-schema: $(DEV) ## Generate user and schemas, and all others
	@$(openapi) schema

generate-%-schema: $(DEV) ## Generate % schema
	@$(openapi) schema $*

generate-%: $(DEV) ## Generate % openapi.yaml
	@$(openapi) bundle $*

reference = PYTHONPATH=docs $(BIN)/python -m generators

.PHONY: reference
reference: $(RUN) ## Generate the pages of reference and the manual page from the code
	@$(reference)

check-generated: $(DEV) $(RUN) ## Fail if anything generated differs from what it is made from
	@$(openapi) generate --check
	$(reference) --check

# -- documentation -----------------------------------------------------------------------------------------------------

# A dead link, a dead anchor or a page that no list names is an error.
SITE ?= build/site

.PHONY: docs
docs: $(DOCS) ## Build the documentation as a site, in build/site
	@$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going --nitpicky --builder html --doctree-dir build/doctrees docs $(SITE)
	@echo "The site is $(SITE)/index.html."

# -- release -----------------------------------------------------------------------------------------------------------

.PHONY: release-check
release-check: $(TEST) ## Say what is missing for a release: version, changes, clean tree, lint, generated files, site, wheel
	@$(MAKE) lint check-generated docs
	$(BIN)/python deploy/release_check.py

# -- console -----------------------------------------------------------------------------------------------------------

.PHONY: console
console: ## Build the console anew from backend/console (for its developers: needs npm)
	@cd backend/console
	npm ci --no-progress --loglevel=error
	npm run --silent build

# -- checks ------------------------------------------------------------------------------------------------------------

.PHONY: lint lint-all check-packages sbom fmt
lint-%: $(DEV) ## Lint % openapi.yaml
	@$(openapi) lint $*

lint-all: $(DEV) ## Lint user and provider, and all other specifications
	@$(openapi) lint

calls = --ignore all --error missing-argument --error unknown-argument --error too-many-positional-arguments \
  -c 'src.include=["tests", "benchmarks", "examples"]' -c 'environment.root=["backend", "tests", "."]'

lint: $(DEV) $(RUN) lint-all ## Run linters: style, types, layers, specifications
	@$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --check .; exit 1; }
	$(BIN)/ty check
	newest='--python-version 3.14 --python-platform darwin'
	$(BIN)/ty check --quiet $$newest || { $(BIN)/ty check $$newest; exit 1; }
	$(BIN)/ty check $(calls) # what tests call, they call with what it takes now
	$(BIN)/lint-imports
	$(BIN)/python deploy/packages.py check

check-packages: $(VENV)/.made ## Ask whether anything in the locks is known to be vulnerable; without a network it says so
	@$(BIN)/python deploy/packages.py check

sbom: $(VENV)/.made ## Write the bill of materials of a server, CycloneDX, to qumulus.cdx.json
	@$(BIN)/python deploy/packages.py sbom > qumulus.cdx.json

fmt: $(DEV) ## Format code
	@$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# -- run ---------------------------------------------------------------------------------------------------------------

.PHONY: run-user run-ibm run-provider run-admin run-planqk up down
run-user: $(RUN) ## Start the User API, and with it everything else, on port 8080
	@$(call serve,8080)

run-ibm: $(RUN) ## The same server on port 8000
	@$(call serve,8000)

run-provider: $(RUN) ## Start the Provider API, at the root of port 8888
	@$(call serve,8888) --front provider

run-admin: $(RUN) ## Start the Admin API of OQTOPUS, at the root of port 8889
	@$(call serve,8889) --front admin

run-planqk: $(RUN) ## The same server on PLANQK's port, 8081
	@$(call serve,8081)

up: $(TEST) ## Start the DB: a PostgreSQL for development (without one, the state is kept in SQLite)
	@$(BIN)/python tests/postgres.py up .postgres

down: $(TEST) ## Stop the DB
	@$(BIN)/python tests/postgres.py down .postgres

# -- tests -------------------------------------------------------------------------------------------------------------

.PHONY: test test-machines test-contract test-contract-deep test-clients test-published test-postgres test-faults fuzz soak bench bench-cluster
machines := tests/cluster tests/s3 tests/several tests/faults/test_database.py tests/browser/test_examples.py

two = -n 2 --dist loadfile --no-loadscope-reorder # tests mostly wait for processes that start; those of a file share theirs

test: $(TEST) ## Run tests, two at a time
	@$(pytest) $(two) tests --ignore=tests/clients $(machines:%=--ignore=%)

test-machines: $(MACHINES) ## Run the tests of many machines: PostgreSQL restarted, S3, Ray, several processes, a deployment; and every example in a browser
	@$(pytest) $(machines)

test-contract: $(TEST) ## Run schemathesis against every API, each on its own fresh server
	@$(pytest) tests/contract

test-contract-deep: $(TEST) ## The same with 1,000 examples an operation and each of SEEDS (1 2 3 4 5), an API for SECONDS (3600) at most
	@for seed in $(or $(SEEDS),1 2 3 4 5); do
	  QUMULUS_CONTRACT_EXAMPLES=1000 QUMULUS_CONTRACT_SECONDS=$(or $(SECONDS),3600) QUMULUS_CONTRACT_MINUTES=240 \
	  QUMULUS_CONTRACT_SEED=$$seed $(pytest) tests/contract
	done

test-clients: $(TEST) ## Run the real clients, each in its own environment
	@$(pytest) tests/clients

test-published: $(TEST) ## Run notebooks and pages that others have published: QUMULUS_PUBLISHED names their folder
	@cd tests && QUMULUS_PUBLISHED="$(abspath $(QUMULUS_PUBLISHED))" $(CURDIR)/$(BIN)/python -m published

test-postgres: $(MACHINES) ## Run the tests with all state in PostgreSQL
	@QUMULUS_TEST_DATABASE=postgres $(pytest) $(two) tests --ignore=tests/clients $(machines:%=--ignore=%)
	@QUMULUS_TEST_DATABASE=postgres $(pytest) $(machines)

test-faults: $(MACHINES) ## Run the long form of the fault tests, and print tables: fault, promise, target, measured; each list beside 100,000 jobs
	@QUMULUS_FAULTS=long $(pytest) $(two) tests/faults tests/cluster $(attacked)
	$(BIN)/python -m benchmarks lists

# Where else something is done to a server: the table of `test-faults` has these too.
attacked = tests/services/test_misbehaviour.py tests/services/test_relay.py tests/server/test_limits.py tests/http/test_front.py \
  tests/storage/test_fairness.py tests/storage/test_retention.py tests/storage/test_backup.py tests/simulation/test_length.py \
  tests/apis/emulator/test_administration.py tests/execution/test_overtaking.py tests/storage/test_counts.py tests/server/test_smuggling.py \
  tests/apis/oqtopus/test_presigning.py tests/fuzzing tests/serving/test_process_limits.py tests/s3 tests/storage/test_opening.py \
  tests/oas/test_contract.py tests/server/test_tracing.py tests/serving/test_logging.py tests/apis/planqk/test_deployment.py \
  tests/apis/planqk/test_platform.py

fuzz: $(TEST) ## Feed each decoder for SECONDS (600) with what nobody sends; what reaches more code is kept in .fuzzing
	@QUMULUS_FUZZ_SECONDS=$(or $(SECONDS),600) $(pytest) tests/fuzzing

soak: $(TEST) ## Load a warm server from all its APIs for MINUTES (60), each client with REST (0) seconds between rounds; fail if memory or descriptors grow
	@$(BIN)/python -m benchmarks.soak $(or $(MINUTES),60) $(or $(REST),0)

bench-cluster: $(MACHINES) ## Measure what several machines need: claims of several dispatchers, a job's cost, a simulation of the queue
	@$(BIN)/python -m benchmarks.cluster

bench: $(TEST) ## Measure, side by side in one run, and print the tables with their targets
	@$(BIN)/python -m benchmarks

# -- help --------------------------------------------------------------------------------------------------------------

.PHONY: help clean
clean: ## Remove the environment and all caches
	rm -rf qumulus.cdx.json .fuzzing $(VENV) .ruff_cache .pytest_cache .hypothesis .schemathesis .import_linter_cache .client-envs

APIS = $(shell sed -n 's/^\[tool.datamodel-codegen.jobs.\(.*\)\]$$/\1/p' pyproject.toml)
OTHER_APIS = $(filter-out user provider,$(APIS))

help: ## Show this help message
	@echo "Usage: make [target]"
	echo
	echo "Available targets:"
	grep -hE '^[a-z%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' \
	  | awk -F '\t' '!/%/ { print; next } { for (i = split("user provider", api, " "); i; i--) { line = $$0; gsub("%", api[i], line); print line } }' \
	  | sort | awk -F '\t' '{ printf "  %-27s%s\n", $$1, $$2 }'
	echo
	echo "What there is for user and provider is there for each API: $(OTHER_APIS)."
	echo "The run targets take PORT=, HOST= and QUMULUS_HOME= (where the state lives): make run-user PORT=9000"
