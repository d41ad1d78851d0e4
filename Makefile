# `make` alone lists what there is. Everything runs from .venv, which `sync` makes and keeps current.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.PHONY: help sync fmt lint types imports test test-unit test-chart test-integration test-e2e e2e \
	e2e-real cover bench crash generate verify requirements tools demo run clean promtool image

PY := .venv/bin/python
ARGS ?=
N ?= 500
OUT ?=
KEEP ?=
QUICK ?=
POINT ?=
STEPS := $(PY) hack/test.py

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

sync: ## make .venv hold what requirements/dev.txt names (PYTHON=... chooses the interpreter)
	@PYTHON="$(PYTHON)" hack/sync

fmt: sync ## format the code and mend what lint can mend
	@.venv/bin/ruff check --fix-only --quiet .
	@.venv/bin/ruff format .

lint: sync ## ruff check, ruff format --check, codespell
	@$(STEPS) lint format spelling

types: sync ## mypy, strict
	@$(STEPS) types

imports: sync ## the import contracts between rooms
	@$(STEPS) imports

test: sync ## everything: lint, types, imports, generated files, unit, integration and e2e tests, a quick crash test, real Flink
	@$(STEPS)

test-unit: sync ## unit and property tests (ARGS='-k queue' goes to pytest)
	@$(STEPS) unit -- $(ARGS)

test-chart: sync ## the Helm chart, rendered with many values (test-integration and test-e2e install it)
	@$(STEPS) tools chart -- $(ARGS)

test-integration: sync ## tests against a real API server
	@$(STEPS) tools integration -- $(ARGS)

test-e2e: sync ## the whole operator on a real control plane with kwok and flinksim
	@$(STEPS) tools e2e -- $(ARGS)

e2e: test-e2e

e2e-real: sync ## real Flink on nodes that run pods, of KUBECONFIG or brought up (ARGS='-k smoke'; docs/real-flink.md)
	@$(PY) -m hack.real $(ARGS)

cover: sync ## all tests with branch coverage; the report ends in htmlcov/index.html
	@rm -f .coverage .coverage.*
	@$(STEPS) tools --cover unit integration e2e
	@.venv/bin/coverage combine --quiet
	@.venv/bin/coverage html --quiet --skip-covered
	@.venv/bin/coverage report

bench: sync ## measure flinkop against a bare client (N=500 resources; OUT=FILE for JSON)
	@PYTHONPATH=test $(PY) -m bench --count $(N) $(if $(OUT),--out $(OUT)) $(ARGS)

crash: sync ## kill the operator before and after each of its writes (QUICK=1 for a part, POINT=... for one)
	@PYTHONPATH=test $(PY) -m crash $(if $(QUICK),--quick) $(if $(POINT),--point '$(POINT)') $(ARGS)

generate: sync ## write the CRDs, the chart's copies and the generated pages of docs/ anew
	@$(PY) hack/update_crds.py
	@$(PY) hack/update_chart.py
	@$(PY) hack/update_docs.py

verify: sync ## fail when a generated file is stale
	@$(STEPS) verify chart-files docs

requirements: sync ## pin the dependencies anew (UPGRADE=1 takes newer versions)
	@UPGRADE="$(UPGRADE)" hack/compile-requirements

tools: sync ## build or find the control plane's programs (cached outside the checkout)
	@$(PY) hack/controlplane.py tools

promtool: ## build promtool for the tests of alerts (minutes, once): FLINKOP_PROMTOOL=~/.cache/flinkop/promtool make test-chart
	@cd hack/tools/promtool && CGO_ENABLED=0 GOFLAGS=-mod=readonly nice -n 10 go build -trimpath -ldflags "-s -w" \
		-o $(HOME)/.cache/flinkop/promtool github.com/prometheus/prometheus/cmd/promtool

image: sync ## the image as an OCI archive in dist/, without a container engine (on Debian bookworm; elsewhere: Dockerfile)
	@mkdir -p dist
	@$(PY) -m hack.image archive dist/flinkop.tar

demo: sync ## from nothing to a running Flink job, live (KEEP=1 leaves it running)
	@PYTHONPATH=test $(PY) -m hack.demo $(if $(KEEP),--keep) $(ARGS)

run: sync ## run the operator against your kubeconfig (ARGS='--namespace demo')
	@$(PY) -m flinkop run $(ARGS)

clean: ## remove .venv, caches and reports (the control plane's programs stay)
	@rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis \
		.coverage .coverage.* htmlcov dist build
	@find flinkop test hack -name __pycache__ -type d -prune -exec rm -rf {} +
