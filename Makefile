# make demo   everything from nothing: environment, model, the three-week demo
# make test   everything from nothing: environment, linters, types, layers, tests
# make lint   linters, types and import layers only

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: demo test lint clean

demo: $(STAMP)
	$(BIN)/everlearn demo

test: $(STAMP) lint
	$(BIN)/pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Everything is pinned in constraints.txt. Where no NVIDIA GPU is found torch comes as the CPU build, first,
# so that nothing after it pulls in gigabytes of CUDA.
$(STAMP): pyproject.toml constraints.txt scripts/install.sh
	PYTHON=$(PYTHON) bash scripts/install.sh
	touch $(STAMP)

clean:
	rm -rf .venv
