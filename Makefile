# One entry for each thing that a developer does; `make help` lists them.
#
#   make test PYTHON=python3.13            with another interpreter (3.11 or later)
#   make test ARGS="-k referral"           further arguments for the program that is run
PYTHON ?= python3
ARGS ?=

# Each interpreter has a virtual environment of its own. So has the SAM command line: it pins
# versions of boto3 and click that ours need not follow.
VENV := .venv$(if $(filter-out python3,$(PYTHON)),-$(notdir $(PYTHON)))
BIN := $(VENV)/bin
SAM_VENV := .venv-sam
SAM := $(SAM_VENV)/bin/sam
DYNAMODB_LOCAL := .dynamodb-local
CHROMIUM := .chromium

# The lock files are complete and hold a hash for every file, so nothing else is installed.
INSTALL_LOCKED := -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement
LOCK := uv pip compile --no-config --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock"

# SAM asks for a region even where it calls nothing, and keeps its own settings in a folder that
# must be writable.
export AWS_DEFAULT_REGION ?= us-east-1
export AWS_EC2_METADATA_DISABLED := true
export SAM_CLI_TELEMETRY := 0
export __SAM_CLI_APP_DIR := $(CURDIR)/.aws-sam/settings
export GRAPEVINE_SAM := $(CURDIR)/$(SAM)
export GRAPEVINE_DYNAMODB_LOCAL_DIR ?= $(CURDIR)/$(DYNAMODB_LOCAL)
export GRAPEVINE_CHROMIUM_DIR ?= $(CURDIR)/$(CHROMIUM)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## What there is to make
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 18

# --- The environments; each is brought up to date when its lock file changes ----------------

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: requirements/run.txt pyproject.toml | $(BIN)/python
	$(BIN)/python $(INSTALL_LOCKED) requirements/run.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt $(VENV)/run.stamp
	$(BIN)/python $(INSTALL_LOCKED) requirements/dev.txt
	@touch $@

$(SAM_VENV)/sam.stamp: requirements/sam.txt
	test -x $(SAM_VENV)/bin/python || $(PYTHON) -m venv $(SAM_VENV)
	$(SAM_VENV)/bin/python $(INSTALL_LOCKED) requirements/sam.txt
	@touch $@

# The npm package is only unpacked: it holds DynamoDB Local, its dependencies are not needed.
$(DYNAMODB_LOCAL)/ready.stamp: requirements/dynamodb-local.sha512
	rm -rf $(DYNAMODB_LOCAL) && mkdir $(DYNAMODB_LOCAL)
	cd $(DYNAMODB_LOCAL) && npm_config_cache=$(CURDIR)/$(DYNAMODB_LOCAL)/cache \
		npm pack --silent amplify-dynamodb-simulator@2.9.30
	cd $(DYNAMODB_LOCAL) && sha512sum --check --quiet ../requirements/dynamodb-local.sha512
	cd $(DYNAMODB_LOCAL) && tar -xzf *.tgz --strip-components 2 package/emulator
	rm -rf $(DYNAMODB_LOCAL)/*.tgz $(DYNAMODB_LOCAL)/cache
	@touch $@

# The npm package is only unpacked: it holds a headless Chromium and the libraries that a bare
# machine may lack, each compressed with Brotli, which Node reads.
$(CHROMIUM)/ready.stamp: requirements/chromium.sha512
	rm -rf $(CHROMIUM) && mkdir $(CHROMIUM)
	cd $(CHROMIUM) && npm_config_cache=$(CURDIR)/$(CHROMIUM)/cache \
		npm pack --silent @sparticuz/chromium@153.0.0
	cd $(CHROMIUM) && sha512sum --check --quiet ../requirements/chromium.sha512
	cd $(CHROMIUM) && tar -xzf *.tgz --strip-components 2 package/bin
	cd $(CHROMIUM) && for name in chromium al2023.tar; do \
		node -e 'process.stdin.pipe(require("zlib").createBrotliDecompress()).pipe(process.stdout)' \
			< $$name.br > $$name || exit 1; done
	cd $(CHROMIUM) && chmod +x chromium && tar -xf al2023.tar
	rm -rf $(CHROMIUM)/*.tgz $(CHROMIUM)/*.br $(CHROMIUM)/*.tar $(CHROMIUM)/cache
	@touch $@

.PHONY: setup
setup: $(VENV)/dev.stamp $(SAM_VENV)/sam.stamp ## Install everything that the targets below need
	@:

# --- Everyday -------------------------------------------------------------------------------

.PHONY: run
run: $(VENV)/run.stamp ## The whole stack on this machine, without AWS
	$(BIN)/grapevine run $(ARGS)

.PHONY: chromium
chromium: $(CHROMIUM)/ready.stamp ## A headless Chromium for the browser's test (npm)
	@:

.PHONY: test
test: setup ## All tests, in parallel
	@$(MAKE) --silent chromium || echo "no Chromium could be had: the browser's test is left out"
	$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

.PHONY: test-dynamodb
# Left out: what does not depend on the table: the form of requests, and endpoints that misbehave.
test-dynamodb: setup $(DYNAMODB_LOCAL)/ready.stamp ## On DynamoDB Local, what depends on it: races, indexes, streams (Java, npm)
	$(BIN)/python -m pytest -n auto --dist loadfile --engine dynamodb-local -m "both_engines and not load" $(ARGS)

.PHONY: test-load
test-load: setup $(DYNAMODB_LOCAL)/ready.stamp ## Thousands of sign-ups with webhooks, and of plays, on DynamoDB Local
	$(BIN)/python -m pytest --engine dynamodb-local -m load $(ARGS)

.PHONY: check
check: setup validate ## Layout, lint, types, template, generated documents
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/python -m local.openapi --check
	$(BIN)/python -m local.webhook_samples --check

.PHONY: fmt
fmt: setup ## Lay the code out and mend what can be mended
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

.PHONY: openapi
openapi: setup ## Write docs/openapi.json anew
	$(BIN)/python -m local.openapi

.PHONY: webhook-samples
webhook-samples: setup ## Write the sample events into docs/webhooks.md anew
	$(BIN)/python -m local.webhook_samples

# --- The bundle -----------------------------------------------------------------------------

.PHONY: validate
validate: setup ## Lint the template
	$(SAM) validate --lint
	$(BIN)/cfn-lint --append-rules cfn_lint_serverless.rules

.PHONY: build
build: setup ## What `sam deploy` uploads, in .aws-sam/build
	PATH="$(CURDIR)/$(SAM_VENV)/bin:$$PATH" $(SAM) build $(ARGS)

.PHONY: bench-init
bench-init: $(VENV)/dev.stamp ## Each function's time to start, beside that of a bare one
	$(BIN)/python tests/benchmarks/bench_init.py $(ARGS)

.PHONY: bench-standings
bench-standings: setup $(DYNAMODB_LOCAL)/ready.stamp ## Ranks, boards, credits, months' ends by size, on DynamoDB Local
	$(BIN)/python -m tests.benchmarks.bench_standings $(ARGS)

.PHONY: bench-referrals
bench-referrals: setup $(DYNAMODB_LOCAL)/ready.stamp ## Lists of referrals by their length, on DynamoDB Local
	$(BIN)/python -m tests.benchmarks.bench_referrals $(ARGS)

.PHONY: bench-points
bench-points: setup $(DYNAMODB_LOCAL)/ready.stamp ## Ranks by points and their index by size, on DynamoDB Local
	$(BIN)/python -m tests.benchmarks.bench_points $(ARGS)

.PHONY: bench-redis
bench-redis: $(VENV)/dev.stamp ## The same questions put to Redis, where redis-server is installed
	$(BIN)/python -m tests.benchmarks.bench_redis $(ARGS)

.PHONY: lock
lock: setup ## Resolve the lock files; with ARGS=--upgrade, to the newest versions
	$(BIN)/$(LOCK) $(ARGS) pyproject.toml --group build --output-file requirements/run.txt
	$(BIN)/$(LOCK) $(ARGS) pyproject.toml --group dev --constraint requirements/run.txt --output-file requirements/dev.txt
	$(BIN)/$(LOCK) $(ARGS) --group sam --output-file requirements/sam.txt
	$(BIN)/$(LOCK) $(ARGS) layers/dependencies/requirements.in --constraint requirements/run.txt \
		--output-file layers/dependencies/requirements.txt

.PHONY: clean
clean: ## Remove what the other targets have made
	rm -rf .venv .venv-* .aws-sam .chromium .dynamodb-local .mypy_cache .pytest_cache .ruff_cache .hypothesis .schemathesis
