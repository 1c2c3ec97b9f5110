# `make` or `make help` lists what there is. Every target does its own set-up.

.DEFAULT_GOAL := help
.PHONY: help demo parts test live check format bench soak lock tools clean setup
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
# Any Python will do to begin with: .ci/setup.py looks for a good one and says what is missing.
FIRST_PYTHON = for python in "$$PYTHON" python3 python3.13 python3.12 python3.11 python; do \
	  if [ -n "$$python" ] && "$$python" -c '' 2>/dev/null; then break; fi; python=; done; \
	if [ -z "$$python" ]; then \
	  echo 'Python 3.11 or newer is needed and none was found: install python3 with its venv module.' >&2; \
	  exit 1; fi; "$$python"
UV_COMPILE := pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header pyproject.toml

export PYTHON

help: ## list the targets (this)
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

demo: setup ## start the offline AWS and the application on this machine; Ctrl-C stops both
	@exec $(BIN)/python -m infra.local --with-app $(ARGS)

parts: setup ## fetch what the tests need beside Python, where possible: a browser, Redis, buildah
	@exec $(BIN)/python -m tests.parts

test: setup ## run every test, after fetching a browser and Redis where possible; ARGS="-k name" picks
	@$(BIN)/python -m tests.parts
	@exec $(BIN)/python -m pytest $(ARGS)

live: setup ## prove the account of your .env, as the people of LIVE_PEOPLE; docs/how-to/prove-a-real-account.md
	@exec $(BIN)/python -m pytest -m live tests/live $(ARGS)

check: setup ## lint, format, types, lock files, what git tracks, Terraform; changes nothing
	@exec $(BIN)/python .ci/check.py

format: setup ## put the code into the house's format and mend what can be mended
	@$(BIN)/ruff check --fix --quiet . || true
	@exec $(BIN)/ruff format .

bench: setup ## measure Portico against two floors and print ratios; ARGS=--quick for 40 seconds
	@exec $(BIN)/python -m tests.bench $(ARGS)

soak: setup ## three minutes of load and faults on two hosts; ARGS="--seconds 600 --store redis" for more
	@exec $(BIN)/python -m tests.soak $(ARGS)

lock: ## compile requirements*.txt from pyproject.toml (needs uv); ARGS=--upgrade takes newer releases
	@command -v uv >/dev/null || { echo 'make lock needs uv: pip install uv' >&2; exit 1; }
	@uv $(UV_COMPILE) -o requirements.txt $(ARGS)
	@uv $(UV_COMPILE) --extra dev -c requirements.txt -o requirements-dev.txt $(ARGS)
	@uv $(UV_COMPILE:pyproject.toml=.ci/tools.in) -o .ci/tools.txt $(ARGS)

tools: setup ## install checkov, hadolint and zizmor for make check into .venv-tools (half a gigabyte)
	@exec $(BIN)/python .ci/tools.py

clean: ## remove what can be made again (.venv, caches, test artefacts); keeps .env and data
	@rm -rf .venv .venv-tools .mypy_cache .ruff_cache .pytest_cache .hypothesis tests/artefacts
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup:
	@$(FIRST_PYTHON) .ci/setup.py
