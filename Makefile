# make help        what there is
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PY := .venv/bin/python
SERVICES := $(PY) scripts/with_services.py

.DEFAULT_GOAL := help
.PHONY: help setup gettext run test test-all lint format messages bench doctor lock clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

setup: ## virtual environment and system libraries; nothing to do the second time
	@$(PYTHON) scripts/bootstrap.py
	@$(PY) scripts/prepare.py

gettext:
	@$(PYTHON) scripts/doctor.py --install gettext

run: setup ## demo data, web, worker and scheduler on http://127.0.0.1:8000 (PORT=8010 make run)
	-@$(PYTHON) scripts/doctor.py --install gettext
	@$(PY) scripts/run.py

test: setup gettext ## all checks and the suite, with its own servers (10 minutes at most)
	@$(SERVICES) $(PY) scripts/suite.py test

test-all: setup gettext ## and the long ones: the whole suite on SQLite, schemathesis, chaos, volume
	@$(SERVICES) $(PY) scripts/suite.py test-all

lint: setup ## ruff, mypy, layers
	@$(PY) scripts/suite.py lint

format: setup ## rewrite the code as the checks want it
	@.venv/bin/ruff check --fix --quiet . ; .venv/bin/ruff format .

messages: setup gettext ## collect new texts into locale/
	@CLAIMS_ENV=test $(PY) manage.py makemessages -l zh_Hans -i .venv -i var -i bench -i docs -i scripts \
		-i '*/tests/*' -i conftest.py --no-obsolete --no-wrap --add-location file

bench: setup ## measurements as JSON (ARGS="...")
	@$(SERVICES) $(PY) -m bench $(ARGS)

doctor: ## what this machine lacks and how to get it
	@$(PYTHON) scripts/doctor.py

lock: ## renew requirements-lock.txt after changing a pin
	@$(PY) -m uv pip compile --quiet --no-header --no-annotate requirements-dev.txt -o requirements-lock.txt
	@$(MAKE) --no-print-directory setup

clean: ## remove what was built: environment, database, demo data, caches
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find locale claimsadmin -name '*.mo' -delete
