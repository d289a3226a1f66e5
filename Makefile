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
serve = $(BIN)/qumulus serve --host $(HOST) --port $(or $(PORT),$(1))
pytest = $(BIN)/python -m pytest

# -- set-up: a virtual environment inside the checkout, made once ------------------------------------------------------

# A stamp, and not the interpreter: that is there long before a set-up which is interrupted or fails is done.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Qumulus needs Python 3.11 or newer; name one with PYTHON=…"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	touch $@

$(RUN): requirements.txt pyproject.toml | $(VENV)/.made
	@echo "Setting up (once) …"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(DEV): tests/requirements.txt $(RUN)
	@echo "Setting up the tools for development (once) …"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tests/requirements.txt
	touch $@

.PHONY: setup
setup: $(DEV) ## Set up everything for development

# The extras have locks of their own, of the same versions as that of the tests, which has everything. Not after a set-up, which
# could need what is to be locked only now.
compile = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --no-header --python-version 3.11
extra = $(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["$(1)"], sep="\n")'

.PHONY: lock
lock: ## Lock all packages anew, in their newest versions, with their hashes
	@$(compile) --upgrade --extra test --group build pyproject.toml -o tests/requirements.txt
	$(compile) -c tests/requirements.txt --group build pyproject.toml -o requirements.txt
	$(call extra,postgres) | $(compile) -c tests/requirements.txt - -o requirements-postgres.txt
	$(call extra,s3) | $(compile) -c tests/requirements.txt - -o requirements-s3.txt
	$(call extra,cluster) | $(compile) -c tests/requirements.txt - -o requirements-cluster.txt

# -- specification and models ------------------------------------------------------------------------------------------

.PHONY: generate-all generate-all-schema check-generated
generate-all: $(DEV) ## Generate user and provider openapi.yaml, and all others, and then all models
	@$(BIN)/python -m qumulus.openapi generate

generate-all-schema: $(DEV) ## Generate user and schemas, and all others
	@$(BIN)/python -m qumulus.openapi schema

generate-%-schema: $(DEV) ## Generate % schema
	@$(BIN)/python -m qumulus.openapi schema $*

generate-%: $(DEV) ## Generate % openapi.yaml
	@$(BIN)/python -m qumulus.openapi bundle $*

check-generated: $(DEV) ## Fail if anything generated differs from what the specifications say
	@$(BIN)/python -m qumulus.openapi generate --check

# -- checks ------------------------------------------------------------------------------------------------------------

.PHONY: lint lint-all fmt
lint-%: $(DEV) ## Lint % openapi.yaml
	@$(BIN)/python -m qumulus.openapi lint $*

lint-all: $(DEV) ## Lint user and provider, and all other specifications
	@$(BIN)/python -m qumulus.openapi lint

lint: $(DEV) lint-all ## Run linters: style, types, layers, specifications
	@$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet . || { $(BIN)/ruff format --check .; exit 1; }
	$(BIN)/ty check
	$(BIN)/lint-imports

fmt: $(DEV) ## Format code
	@$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# -- run ---------------------------------------------------------------------------------------------------------------

.PHONY: run-user run-ibm run-provider run-planqk up down
run-user: $(RUN) ## Start the User API, and with it everything else, on port 8080
	@$(call serve,8080)

run-ibm: $(RUN) ## The same server on port 8000
	@$(call serve,8000)

run-provider: $(RUN) ## Start the Provider API, at the root of port 8888
	@$(call serve,8888) --front provider

run-planqk: $(RUN) ## The same server on PLANQK's port, 8081
	@$(call serve,8081)

up: $(DEV) ## Start the DB: a PostgreSQL for development (without one, the state is kept in SQLite)
	@$(BIN)/python tests/postgres.py up .postgres

down: $(DEV) ## Stop the DB
	@$(BIN)/python tests/postgres.py down .postgres

# -- tests -------------------------------------------------------------------------------------------------------------

.PHONY: test test-machines test-contract test-clients test-postgres test-faults bench bench-cluster
machines := tests/cluster tests/s3 tests/several tests/faults/test_database.py

two = -n 2 --dist loadfile --no-loadscope-reorder # tests mostly wait for processes that start; those of a file share theirs

test: $(DEV) ## Run tests, two at a time
	@$(pytest) $(two) tests --ignore=tests/clients $(machines:%=--ignore=%)

test-machines: $(DEV) ## Run the tests of many machines: PostgreSQL restarted, S3, Ray, several processes, a deployment
	@$(pytest) $(machines)

test-contract: $(DEV) ## Run schemathesis against every API, each on its own fresh server
	@$(pytest) tests/contract

test-clients: $(DEV) ## Run the real clients, each in its own environment
	@$(pytest) tests/clients

test-postgres: $(DEV) ## Run the tests with all state in PostgreSQL
	@QUMULUS_TEST_DATABASE=postgres $(pytest) $(two) tests --ignore=tests/clients $(machines:%=--ignore=%)
	@QUMULUS_TEST_DATABASE=postgres $(pytest) $(machines)

test-faults: $(DEV) ## Run the long form of the fault tests
	@QUMULUS_FAULTS=long $(pytest) tests/faults tests/cluster

bench-cluster: $(DEV) ## Measure what several machines need: claims of several dispatchers, a job's cost, a simulation of the queue
	@$(BIN)/python -m benchmarks.cluster

bench: $(DEV) ## Measure, side by side in one run, and print the tables with their targets
	@$(BIN)/python -m benchmarks

# -- help --------------------------------------------------------------------------------------------------------------

.PHONY: help clean
clean: ## Remove the environment and all caches
	rm -rf $(VENV) .ruff_cache .pytest_cache .hypothesis .schemathesis .import_linter_cache .client-envs

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
