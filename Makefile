# The commands of the project. Each prepares what it needs (see .ci/setup) and is quick when nothing changed.
PY := .venv/bin/python
STATE ?= state

.PHONY: help setup run test check vectors demo bench fuzz format sbom licences audit release flood kills

help:  ## list the commands
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

setup:  ## prepare this checkout for development
	@.ci/setup test

run:  ## set everything up and start whistle (intake, case server, desk, Tor); Ctrl-C stops it
	@.ci/setup run
	@.venv/bin/whistle run --state $(STATE)

test: setup  ## all tests: fast ones first, then real Tor, real Firefox, killed servers
	@WHISTLE_REQUIRE_SYSTEM=1 $(PY) -m pytest -q -m "not slow and not tor and not browser"
	@WHISTLE_REQUIRE_SYSTEM=1 $(PY) -m pytest -q -m "slow or tor or browser"

check: setup  ## format, lint, types, import contracts, the bundled script byte for byte, fast tests
	@$(PY) -m ruff format --check --quiet .
	@$(PY) -m ruff check --quiet .
	@$(PY) -m mypy
	@.venv/bin/lint-imports --no-logo
	@$(PY) -m pytest -q -m "not slow and not tor and not browser"

vectors: setup  ## regenerate the test vectors with the second implementation; no difference may remain
	@$(PY) -m tests.vectors.regenerate

demo: setup  ## play one report from the form to the contested closing, through a private Tor network
	@$(PY) -m tests.demo

bench: setup  ## measure, beside the budgets of docs/architecture.md
	@$(PY) -m tests.bench

fuzz: setup  ## fuzz every parser, or TARGETS, each RUNS times (docs/fuzzing.md)
	@$(PY) -m tests.fuzz --runs $(or $(RUNS),100000) $(TARGETS)

sbom: setup  ## print the bill of materials (CycloneDX)
	@$(PY) -m tests.supply sbom

licences: setup  ## print the licence of every dependency
	@$(PY) -m tests.supply licences

audit:  ## ask the advisory databases about every locked package (needs the network)
	@.ci/audit

release: setup  ## build a commit twice, compare, write it with its sums into OUT (docs/releasing.md)
	@$(PY) -m tests.supply release --commit $(or $(COMMIT),HEAD) --out $(OUT)

flood: setup  ## flood the intake in four ways, beside what honest reporters notice
	@$(PY) -m tests.bench.flood

kills: setup  ## kill intake, case server and desk KILLS times at work, then look at everything
	@$(PY) -m tests.kills --kills $(or $(KILLS),1000)

format: setup  ## format and sort imports
	@$(PY) -m ruff format --quiet .
	@$(PY) -m ruff check --fix --quiet .
