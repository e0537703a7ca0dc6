# Two commands are enough on a fresh machine: `make stress` (the main job) and `make test`.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
STAMP   = $(VENV)/.installed
SOURCES = $(shell find c src -name '*.c' -o -name '*.h' -o -name '*.py' -o -name 'CMakeLists.txt') pyproject.toml CMakeLists.txt

.PHONY: stress test c-test test-aarch64 test-nogil test-matrix test-wheel test-verdicts test-pure bench soak docs lint build clean dist
stress: $(STAMP)
	$(BIN)/lockfree stress --procs 4 --seconds 60 $(STRESS)

# A file is one worker's, and they begin in the order of tests/conftest.py.
SPREAD  = -n auto --dist loadfile --no-loadscope-reorder

# With `make -k test` a failure of the C tests does not keep the others from running.
GO_ON = $(if $(findstring k,$(firstword -$(MAKEFLAGS))),|| failed=1,|| exit 1)
test: $(STAMP)
	failed=0; $(MAKE) -j2 --output-sync=target c-test lint $(GO_ON); \
	$(BIN)/python -m pytest -q $(SPREAD) $(PYTEST) || failed=1; exit $$failed

c-test: $(STAMP)
	$(BIN)/python c/tests/run.py

# The C tests as programs for aarch64, emulated: Debian's gcc-aarch64-linux-gnu and qemu-user.
test-aarch64:
	CC=aarch64-linux-gnu-gcc CXX=aarch64-linux-gnu-g++ LOCKFREE_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu" $(PYTHON) c/tests/run.py

# The suite with the GIL off, in a free-threaded build of Debian's python3.13.
test-nogil:
	PYTHON=$(PYTHON) platforms/nogil.sh 3.13 trixie $(PYTEST)

# Every compiler, Python and system of docs/platforms.md that can be had here: MATRIX="gcc-16 aarch64" for some.
test-matrix:
	$(PYTHON) platforms/matrix.py $(MATRIX)

# A wheel as cibuildwheel would make it, and its tests where there is no compiler.
test-wheel: $(STAMP)
	PYTHON=$(BIN)/python platforms/wheel.sh

# The model checker's verdicts with each compiler of COMPILERS="gcc-13 clang-17". The extension is not built for it.
COMPILERS ?= cc
VERDICTS = $(addprefix tests/modelcheck/test_,threads.py memory.py turns.py assembly.py)
test-verdicts: $(VENV)/.tools
	$(BIN)/python -m pip install -q 'pytest>=8' 'pytest-xdist>=3.7' 'hypothesis>=6.100'
	for cc in $(COMPILERS); do echo "== $$cc"; CC=$$cc PYTHONPATH=src $(BIN)/python -m pytest -q $(SPREAD) $(VERDICTS) || exit 1; done

# Peers and the C core side by side in one run; writes benchmarks/results.json, and tables and pictures from it. BENCH="--quick mutex"
bench: $(STAMP)
	$(BIN)/python -m pip install -q -e '.[bench]' --no-build-isolation
	$(BIN)/python benchmarks/run.py $(BENCH)

test-pure: $(STAMP) # the Python methods, without the C types
	LOCKFREE_PURE_CFFI=1 $(BIN)/python -m pytest -q $(SPREAD) $(PYTEST)

soak: $(STAMP)
	LF_TEST_SCALE=500 $(BIN)/python c/tests/run.py
	$(BIN)/python -m pytest -q --soak tests stress $(PYTEST)

docs: $(STAMP)
	$(BIN)/python -m pytest -q tests/test_docs.py

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run -Werror $$(find c src stress examples -name '*.[ch]')

build: $(STAMP)

dist: $(STAMP)
	$(BIN)/python -m pip install -q build
	$(BIN)/python -m build

$(VENV)/.tools: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip
	$(BIN)/python -m pip install -q 'scikit-build-core>=0.11' 'cffi>=1.16' ninja cmake
	touch $@

$(STAMP): $(VENV)/.tools $(SOURCES)
	$(BIN)/python -m pip install -q --no-build-isolation -e '.[test,lint]'
	$(BIN)/python -m compileall -q -x katas src/lockfree
	touch $@

clean:
	rm -rf build dist $(VENV) .pytest_cache .mypy_cache .ruff_cache
