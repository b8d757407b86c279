# make demo   everything from nothing: environment, model, the three-week demo
# make test   everything from nothing: environment, linters, types, layers, tests
# make test-long   the tests that train the lab model on whole streams: minutes each, left out of `make test`
# make test-extras   the tests that need the extras `eval` and `ray`, in an environment of their own
# make lint   linters, types and import layers only
# make pages  the generated parts of docs/methods and the README's table, from the code and docs/leaderboard/*.csv
# make benchmarks   the engine beside its peers, one script after another (hours), then docs/benchmarks.md; a question
#                   that fails does not stop the others
# make agreement   our methods' numbers beside those of the libraries that have the same methods (installs them, once)

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
EXTRAS_STAMP := .venv-extras/.installed

.PHONY: demo test test-long test-extras lint pages benchmarks agreement clean

demo: $(STAMP)
	$(BIN)/everlearn demo

# Two tests at once, each with one thread: models in tests are so small that more threads only wait for each other.
test: $(STAMP) lint
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist worksteal -m "not long"

test-long: $(STAMP)
	$(BIN)/pytest -m long

test-extras: $(EXTRAS_STAMP)
	.venv-extras/bin/pytest tests/test_harness_tasks.py tests/bench/test_ray.py

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

pages: $(STAMP)
	$(BIN)/python scripts/method_pages.py

QUESTIONS := training_short_chats training_short_chats_lora training_documents anchored_step scoring_answers \
	scoring_shared_passage generation cold_start first_conversion later_stages small_model halves \
	where_time_goes training_large_shape

benchmarks: $(STAMP)
	failed=; for question in $(QUESTIONS); do \
		$(BIN)/python benchmarks/$$question.py || failed="$$failed $$question"; \
	done; $(BIN)/python benchmarks/page.py && if [ "$$failed" ]; then echo "failed:$$failed" >&2; exit 1; fi

agreement: $(STAMP)
	$(BIN)/python benchmarks/agreement.py

# Everything is pinned in constraints.txt. Where no NVIDIA GPU is found torch comes as the CPU build, first,
# so that nothing after it pulls in gigabytes of CUDA.
$(STAMP): pyproject.toml constraints.txt scripts/install.sh
	PYTHON=$(PYTHON) bash scripts/install.sh
	touch $(STAMP)

$(EXTRAS_STAMP): pyproject.toml constraints.txt scripts/install.sh
	PYTHON=$(PYTHON) VENV=.venv-extras EXTRAS=dev,eval,ray bash scripts/install.sh
	touch $(EXTRAS_STAMP)

clean:
	rm -rf .venv .venv-extras
