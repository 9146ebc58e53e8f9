# Curbe Voice. Two commands do everything, from Python 3.11 or 3.12 and make:  make run   make test
#
# PORT (8000), LIVE_PORT (8001), SANDBOX_PORT (8002) and CURBE_DATA (.data) may stand in the environment or behind
# the command: `make run PORT=8100 LIVE_PORT=8101 SANDBOX_PORT=8102 CURBE_DATA=.data-two`.

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
export PORT LIVE_PORT SANDBOX_PORT CURBE_DATA HOST

# The commands end when make ends, even if it is killed.
export CURBE_FOLLOW_PARENT := 1
IN_VENV := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help run test bench lint format lock clean environment

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

run: environment ## Serve Curbe Voice with a demo company and a pretend Telnyx, until Ctrl-C
	@$(IN_VENV) -m curbe.dev.run

test: environment ## Run every test and check: Python, JavaScript, browser
	@$(IN_VENV) -m curbe.dev.suite

bench: environment ## Measure the product's own processes and print the figures
	@$(IN_VENV) -m benchmarks

lint: environment ## Run the checks of the suite without its tests
	@$(IN_VENV) -m curbe.dev.suite --only checks

format: environment ## Put Python, templates and static files into their shape
	@$(IN_VENV) -m curbe.dev.format

lock: environment ## Write the lock files anew from requirements/*.in and package.json
	@$(IN_VENV) -m curbe.dev.lock

clean: ## Remove the environment, the installed packages and the data of make run and make test
	@sh curbe/dev/clean.sh

environment:
	@sh curbe/dev/environment.sh
