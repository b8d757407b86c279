# make demo   everything from nothing: environment, model, the three-week demo
# make test   everything from nothing: environment, linters, types, layers, tests
# make lint   linters, types and import layers only
# make benchmarks   the engine beside its peers, one script after another (hours), then docs/benchmarks.md; a question
#                   that fails does not stop the others

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: demo test lint benchmarks clean

demo: $(STAMP)
	$(BIN)/everlearn demo

test: $(STAMP) lint
	$(BIN)/pytest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

QUESTIONS := training_short_chats training_short_chats_lora training_documents anchored_step scoring_answers \
	scoring_shared_passage generation cold_start first_conversion later_stages small_model halves \
	where_time_goes training_large_shape

benchmarks: $(STAMP)
	failed=; for question in $(QUESTIONS); do \
		$(BIN)/python benchmarks/$$question.py || failed="$$failed $$question"; \
	done; $(BIN)/python benchmarks/page.py && if [ "$$failed" ]; then echo "failed:$$failed" >&2; exit 1; fi

# Everything is pinned in constraints.txt. Where no NVIDIA GPU is found torch comes as the CPU build, first,
# so that nothing after it pulls in gigabytes of CUDA.
$(STAMP): pyproject.toml constraints.txt scripts/install.sh
	PYTHON=$(PYTHON) bash scripts/install.sh
	touch $(STAMP)

clean:
	rm -rf .venv
