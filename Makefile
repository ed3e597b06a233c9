# Every verb of the project, the same here as in CI. A newcomer needs two: `make serve` and `make test`.
# Each sets up what it uses in .venv, from the lock files, and asks for nothing but Python 3.11 to 3.14. Where there is
# Node.js, `make test` sets up node_modules too, and tests clients that others generate.

BIN := .venv/bin
ARGS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help serve test lint format openapi schema bench lock clean runtime development node

help: ## List the verbs
	@awk 'BEGIN { FS = ":.*## " } /^[a-z.]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo '  ARGS="…" passes arguments on, PYTHON=… names the Python that .venv is made with.'

serve: runtime ## Serve the demo dossier on this machine, with a PostgreSQL of its own
	@$(BIN)/dateline serve $(ARGS)

# Three processes keep two processors at work: each of them waits for a fifth of its time.
test: development node ## Run the tests, for example ARGS="-k dates"
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: development ## Check style, formatting, types and that imports only go down the floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: development ## Mend what the linter can, and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

openapi: development ## Write openapi/ from the code
	$(BIN)/dateline openapi

schema: development ## Write migrations/schema.sql from the migrations
	$(BIN)/dateline schema

bench: development ## Measure the service under load, for example EVENTS=20000 STORE=/var/tmp/store, or ARGS=dates
	$(BIN)/python -m benchmarks $(ARGS)

# --no-config keeps the settings of whoever runs it out of the locks.
COMPILE = $(BIN)/uv pip compile pyproject.toml --quiet --no-config --universal --python-version 3.11 \
	--generate-hashes --annotation-style line --custom-compile-command "make lock" --extra embedded --group build

lock: development ## Resolve the locks after a change of pyproject.toml or package.json; ARGS=--upgrade renews those of Python
	$(COMPILE) $(ARGS) -o requirements.txt
	$(COMPILE) $(ARGS) --group dev --constraint requirements.txt -o requirements-dev.txt
	npm install --package-lock-only

clean: ## Remove .venv, caches and builds; stored data stays
	rm -rf .venv node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

runtime:
	@sh .ci/prepare requirements.txt

development:
	@sh .ci/prepare requirements-dev.txt

node:
	@sh .ci/prepare-node

# The password that docker-compose.yml reads: drawn once, readable by its owner alone, never in the repository.
.env:
	@umask 077 && printf 'POSTGRES_PASSWORD=%s\n' "$$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')" > $@
	@echo 'Wrote .env with a new database password.'
