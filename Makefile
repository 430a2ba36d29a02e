# Three commands do everything: make reproduce, make test, make verify. Each sets up .venv first where that is needed.
.DEFAULT_GOAL := help
SHELL := /bin/bash
CORES ?= $(shell python3 -c 'import os; print(os.cpu_count())')
PYTHON ?= python3
BIN := .venv/bin
RUN := PATH="$(CURDIR)/$(BIN):$$PATH"
SMOKE := --config scale=smoke

.PHONY: help reproduce test test-slurm verify fuzz conformance trust smoke benchmark archive lint format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

reproduce: .venv/ready ## regenerate every figure, table, claim, the report and the PDF
	$(RUN) snakemake --cores $(CORES)

test: .venv/ready ## run the tests
	$(RUN) python -m pytest -n 2 --dist loadfile tests/project tests/workflow tests/edgebatch_artifact tests/edgebatch tests/refusals tests/fuzz

verify: .venv/ready ## check that figures, tables and claims follow from the results, and simulate some again
	$(RUN) OPENBLAS_NUM_THREADS=1 artifact verify

test-slurm: .venv/ready ## run the pipeline on two nodes of SLURM, and lose one; as root, after tests/slurm/install
	$(RUN) python -m pytest tests/slurm

fuzz: .venv/ready ## try 100,000 mutated instances and experiments on the readers
	$(RUN) python -m pytest -n 2 --dist loadfile tests/fuzz --examples 63000

conformance: .venv/ready ## compare all exact schedulers on thousands of random instances
	$(RUN) python -m pytest -n 2 tests/conformance

trust: .venv/ready ## the same bytes anywhere, nothing lost whatever happens, only what changed runs again
	$(RUN) python -m pytest -n 2 --dist loadfile tests/trust

smoke: .venv/ready ## run the whole pipeline at small scale, below results/smoke/
	$(RUN) snakemake --cores $(CORES) $(SMOKE)

benchmark: .venv/ready ## race the exact schedulers, then measure the pipeline and what each figure costs
	$(RUN) OPENBLAS_NUM_THREADS=1 PYTHONPATH=src python benchmarks/race.py
	$(RUN) python benchmarks/benchmark.py

archive: .venv/ready ## put sources, results, figures, paper and report into one zip, below dist/
	$(RUN) artifact archive

lint: .venv/ready ## check style, types and the workflow
	$(RUN) ruff check . && $(RUN) ruff format --check . && $(RUN) mypy
	$(RUN) snakefmt --check Snakefile workflow/rules && $(RUN) snakemake --lint

format: .venv/ready ## format the code
	$(RUN) ruff format . && $(RUN) snakefmt Snakefile workflow/rules

clean: ## remove results, the report and the environment; figures and tables in git stay
	rm -rf results .snakemake report.html dist paper/build paper/main.pdf .venv

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("needs Python 3.11 or newer, found " + sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m edgebatch.warm_up
	touch $@
