# The memory of every command. Needs Python 3.10 or newer, make and a C++20 compiler; everything else
# goes into virtual environments here. Nothing is rebuilt when nothing changed.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet

SOURCES := $(shell find csrc pynn cmake tests/core -type f 2>/dev/null | grep -v -e __pycache__ -e '\.so$$') \
           CMakeLists.txt CMakePresets.json pyproject.toml

.PHONY: help venv demo test bench bench-check golden lint format asan tsan wheel clean
.DELETE_ON_ERROR:

help:
	@echo "make demo | test | bench | bench-check | golden | lint | format | asan | tsan | wheel | clean"

# Environments

$(VENV)/.created: pyproject.toml tools/build_requires.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "pynn needs Python 3.10 or newer: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) install "pip>=23"
	$(BIN)/python tools/build_requires.py > $(VENV)/requires.txt
	$(PIP) install -r $(VENV)/requires.txt
	@touch $@

# pip install builds in build/, where CMake compiles only what changed.
$(VENV)/.installed: $(VENV)/.created $(SOURCES)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(PIP) install --no-build-isolation $(SETTINGS) ".[test,plot]"
	@touch $@

$(VENV)/.lint: $(VENV)/.installed
	$(PIP) install "pynn-mlp[lint]"
	@touch $@

venv: $(VENV)/.created

# What people come for

demo: $(VENV)/.installed
	$(BIN)/python examples/demo.py

# pytest, not python -m pytest: the latter would import the source folder instead of the package.
test: $(VENV)/.installed
	$(BIN)/pytest
	BIN="$(CURDIR)/$(BIN)" sh tools/ctest.sh release

# The peers live in an environment of their own: they are no dependencies of pynn. The tables, plots
# and JSON in benchmarks/results are committed; measure on an idle machine.
RESULTS = results
BENCH = --parts all --output $(RESULTS)

bench: .venv-bench/.ready
	cd benchmarks && ../.venv-bench/bin/python -m pynn.bench $(BENCH)

# What fell behind the committed results.
bench-check: .venv-bench/.ready
	cd benchmarks && ../.venv-bench/bin/python -m pynn.bench --parts jobs instructions --check $(RESULTS)/results.json

.PHONY: .venv-bench/.ready
.venv-bench/.ready:
	$(MAKE) --no-print-directory VENV=.venv-bench .venv-bench/.peers

.venv-bench/.peers: .venv-bench/.installed benchmarks/requirements.txt
	$(PIP) install -r benchmarks/requirements.txt
	@touch $@

# What real Keras computes, for tests/test_golden.py: make golden CASES="Huber AUC", or all of them.
golden:
	$(MAKE) --no-print-directory VENV=.venv-golden .venv-golden/.keras
	.venv-golden/bin/python tests/golden/make_golden.py $(CASES)

.venv-golden/.keras: .venv-golden/.created tests/golden/requirements.txt
	$(PIP) install -r tests/golden/requirements.txt
	@touch $@

# What keeps the house in order

CPP = $(shell find csrc tests/core -name '*.h' -o -name '*.cpp')

lint: $(VENV)/.lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/clang-format --dry-run -Werror $(CPP)
	$(BIN)/mypy
	$(BIN)/python tools/stubs.py --check
	$(BIN)/codespell

format: $(VENV)/.lint
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format
	$(BIN)/clang-format -i $(CPP)
	$(BIN)/python tools/stubs.py
	$(BIN)/python tools/compatibility.py

asan tsan: $(VENV)/.created
	BIN="$(CURDIR)/$(BIN)" sh tools/ctest.sh $@
	$(MAKE) --no-print-directory VENV=.venv-$@ SETTINGS="$(SETTINGS_$@)" .venv-$@/.installed
	BIN="$(CURDIR)/.venv-$@/bin" sh tools/sanitized.sh $@

SETTINGS_asan = --config-settings=cmake.define.PYNN_SANITIZE=address,undefined --config-settings=build-dir=build/asan-wheel
SETTINGS_tsan = --config-settings=cmake.define.PYNN_SANITIZE=thread --config-settings=build-dir=build/tsan-wheel

wheel: $(VENV)/.created
	BIN="$(CURDIR)/$(BIN)" sh tools/wheel.sh wheelhouse

clean:
	rm -rf build dist wheelhouse .venv .venv-bench .venv-golden .venv-asan .venv-tsan \
		training_curves.png
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
