# SPDX-License-Identifier: Apache-2.0
# Everything is made below .venv/ and .demo/; nothing else on this machine is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
STARTED := $(shell date +%s)

.DEFAULT_GOAL := help
.PHONY: help demo test torture mutation bench lint docs package clean

help: ## Show what can be made
	@echo "make demo          Two weekly mailings and an eSputnik audience under a real Airflow, against the emulator, with checks"
	@echo "make demo KEEP=1   The same, and leave Airflow and the inbox up to look at, until Ctrl-C"
	@echo "make test          Run the tests"
	@echo "make torture       Kill the examples wherever they ask something of a service, and count what arrives (half an hour)"
	@echo "make bench         Load a million contacts through a kill, and measure (some minutes)"
	@echo "make mutation      Change every line that decides what is sent, and see a test fail each time (an hour or so)"
	@echo "make lint          Check style, types and layers"
	@echo "make docs          Write what is generated in docs/: the table of endpoints, the pages of operators"
	@echo "make package       Build the package and install it alone into an empty environment"
	@echo "make clean         Remove everything that was generated"
	@echo
	@echo "Python 3.11 or newer is needed. PYTHON=/path/to/python chooses one; it is '$(PYTHON)' now."

# The environment. The stamp is written last, so an interrupted installation is done again.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed, and '$(PYTHON)' is not (or there is none). Try: make PYTHON=python3.12 ..." >&2; \
		exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
		echo "'$(PYTHON)' cannot make virtual environments; on Debian and Ubuntu, install python3-venv." >&2; \
		exit 1; }
	@echo "Installing into $(VENV)/: about a minute, and only this once"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[test]' -c constraints.txt
	@touch $(READY)

demo: $(READY) ## Two weekly mailings and an eSputnik audience under a real Airflow
	@exec $(BIN)/python -m demo.run --started $(STARTED) $(if $(KEEP),--keep)

test: $(READY) ## Run the tests
	@$(BIN)/python -m pytest -n auto --dist loadfile

torture: $(READY) ## Kill the examples wherever they ask something of a service
	@PYTHONPATH=.:tests/support exec $(BIN)/python -m torture.run \
		$(if $(EXAMPLE),--example $(EXAMPLE)) $(if $(PART),--part $(PART)) $(if $(ROWS),--rows $(ROWS))

bench: $(READY) ## Load a million contacts through a kill, and measure
	@AIRFLOW_HOME=$$(mktemp -d) PYTHONPATH=.:tests/support $(BIN)/python -m bench.run

# Its tools are many, so only who asks for them gets them.
$(VENV)/.mutation: $(READY)
	@$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[test,mutation]' -c constraints.txt
	@touch $@

mutation: $(VENV)/.mutation ## Change every line that decides what is sent, and see a test fail each time
	@nice -n 10 $(BIN)/python -m mutation.run $(if $(ONLY),--only $(ONLY))

lint: $(READY) ## Check style, types and layers
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

docs: $(READY) ## Write the generated pages
	@PYTHONPATH=.:tests/support:tests/contract $(BIN)/python -m endpoint_table
	@AIRFLOW_HOME=$$(mktemp -d) PYTHONPATH=.:tests/reference $(BIN)/python -m operator_reference

package: ## Build the package and install it alone into an empty environment
	@rm -rf build dist
	@$(PYTHON) -m venv --clear build/builder
	@build/builder/bin/python -m pip install -q --disable-pip-version-check build
	@build/builder/bin/python -m build --outdir dist . >build/build.log 2>&1 || { cat build/build.log >&2; exit 1; }
	@$(PYTHON) -m venv --clear build/empty
	@build/empty/bin/python -m pip install -q --disable-pip-version-check -c constraints.txt dist/*.whl
	@cd build && AIRFLOW_HOME=$$PWD/airflow empty/bin/python ../.ci/installed.py
	@ls -1 dist

clean: ## Remove everything that was generated
	@rm -rf $(VENV) .demo build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
