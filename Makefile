# The commands of this repository. `make help` lists them; nothing has to be installed beforehand.
.DEFAULT_GOAL := help
.PHONY: help install demo test check-engine test-engine-memory test-arm64 test-phone android check format bench clean
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
# Touched when the environment holds what pyproject.toml and constraints.txt ask for.
INSTALLED := $(VENV)/.installed
# What the installation compiles: the library of the engine gdq.
ENGINE := hatch_build.py $(shell find runtime/gdq_engine -name '*.cpp' -o -name '*.h' \
	-o -name '*.map' -o -name CMakeLists.txt)
# Override with PYTHON=/path/to/python; otherwise the first of these that works is used.
PYTHON ?= python3.13 python3.12 python3.11 python3.10 python3
WORKS := import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))
# More options for one run: make test PYTEST_ARGS="-k tiling"
PYTEST_ARGS ?=
BENCH_ARGS ?=

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

install: $(INSTALLED) ## create .venv and install everything (the other targets do so when needed)

demo: $(INSTALLED) ## export a checkpoint, upscale a photo, leave bundle and pictures in demo/
	@$(BIN)/python examples/demo.py

test: check ## all checks, then all tests
	@$(BIN)/pytest -n 2 $(PYTEST_ARGS)

# GCC only: Python is not linked with the sanitizers' library, which has to be preloaded.
SANITIZED := build/engine_sanitized
SANITIZERS := -fsanitize=address,undefined
# Without the tests that only try more numbers.
SANITIZED_TESTS := not close_to_the_real and not bit_for_bit and not equals_64 and not every_kernel_side
test-engine-memory: $(INSTALLED) ## run the engine's tests with AddressSanitizer and UBSan (Linux, GCC)
	@if ! { command -v cmake && echo 'int main() {}' | g++ -x c++ $(SANITIZERS) -o /dev/null -; } \
			>/dev/null 2>&1; then \
		echo "the engine's memory was not tested: CMake, or a g++ with sanitizers, is missing"; \
		test "$$CI" != true; exit; fi; \
	set -e; CXX=g++ cmake -S runtime/gdq_engine -B $(SANITIZED) -DCMAKE_BUILD_TYPE=Debug \
		-DCMAKE_CXX_FLAGS='-O1 -g1 -fno-var-tracking' -DGDQ_SANITIZE=address,undefined \
		-DGDQ_TESTS=ON -DGDQ_WERROR=ON >/dev/null; \
	cmake --build $(SANITIZED) --parallel 2; \
	export GDQ_TEST_LIBRARY=$(abspath $(SANITIZED))/libgdq_engine_test.so; \
	export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1; \
	$(SANITIZED)/test/native_tests; $(SANITIZED)/test/body_tests; $(SANITIZED)/test/real_tests; \
	$(SANITIZED)/test/statistics_tests; \
	LD_PRELOAD="$$(g++ -print-file-name=libasan.so) $$(g++ -print-file-name=libstdc++.so)" \
	ASAN_OPTIONS=detect_leaks=0 \
		$(BIN)/pytest -n 2 -p no:faulthandler $(PYTEST_ARGS) tests/engine/kernels \
		tests/engine/test_runner.py tests/engine/test_model_file.py -k '$(SANITIZED_TESTS)'

# The environment brings the tools from PyPI; the compile commands need CMake and a compiler.
TIDY := build/engine_tidy
ENGINE_FILES = $(shell find runtime/gdq_engine -name '*.cpp' -o -name '*.h')
check-engine: $(INSTALLED) ## check the engine's C++ with clang-format and clang-tidy
	@if ! { test -x $(BIN)/clang-format && test -x $(BIN)/clang-tidy && command -v cmake && command -v c++; } \
			>/dev/null 2>&1; then \
		echo "the engine's C++ was not checked: CMake, a compiler, clang-format or clang-tidy is missing"; \
		test "$$CI" != true; exit; fi; \
	set -e; $(BIN)/clang-format --dry-run -Werror $(ENGINE_FILES); \
	cmake -S runtime/gdq_engine -B $(TIDY) -DCMAKE_BUILD_TYPE=Debug -DGDQ_TESTS=ON -DGDQ_TOOLS=ON \
		-DCMAKE_EXPORT_COMPILE_COMMANDS=ON >/dev/null; \
	$(BIN)/clang-tidy -p $(TIDY) --quiet $(filter-out %avx2.cpp %avxvnni.cpp %avx512vnni.cpp \
		%dotprod.cpp %half.cpp %i8mm.cpp %neon.cpp,$(filter %.cpp,$(ENGINE_FILES)))

# Exit code 77 of the setup: this computer cannot run the emulated machine; the reason was printed.
test-arm64: $(INSTALLED) ## test golden tiles and kernels on emulated ARM64 (Linux x86-64, apt)
	@status=0; $(BIN)/python -m gdq_devices.emulated || status=$$?; \
	case $$status in \
		0) $(BIN)/pytest $(PYTEST_ARGS) tests/arm64 ;; \
		77) ;; \
		*) exit $$status ;; \
	esac

ANDROID := $(abspath build/android)
ENGINE_LIBRARY := $(abspath runtime/gdq_runtime/native/libgdq_engine.so)
android: $(INSTALLED) ## test the Android half on the JVM, pack the demo (Linux x86-64, JDK 17, Maven, apt)
	@home="$$(java -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java.home = //p')"; \
	if ! { command -v mvn && command -v cmake && test -f "$$home/include/jni.h" && \
			test -f $(ENGINE_LIBRARY); } >/dev/null 2>&1; then \
		echo "the Android half was not tested: a JDK, Maven, CMake or the engine's library is missing"; \
		test "$$CI" != true; exit; fi; \
	set -e; rm -rf $(ANDROID)/expected; \
	cmake -S android_demo/jni -B $(ANDROID)/jvm -DCMAKE_BUILD_TYPE=Release \
		-DGDQ_JNI_INCLUDE="$$home/include" -DGDQ_ENGINE_LIBRARY=$(ENGINE_LIBRARY) >/dev/null; \
	cmake --build $(ANDROID)/jvm >/dev/null; \
	mvn --quiet --batch-mode -f android_demo -pl bionic dependency:copy@unidbg; \
	PATH="$(abspath $(BIN)):$$PATH" JAVA_HOME="$$home" PYTHONPATH=tests $(BIN)/python \
		-m android.bionic.libraries $(ANDROID)/bionic/unidbg-android.jar $(ANDROID)/bionic; \
	PYTHONPATH=tests $(BIN)/python -m android.expected $(ANDROID)/expected; \
	PATH="$(abspath $(BIN)):$$PATH" PYTHONPATH=tests $(BIN)/python -m android.bionic.reference \
		$(ANDROID)/expected $(ANDROID)/bionic/expected; \
	app=-Dgdq.app=$(ANDROID)/demo/app; \
	if ! PYTHONPATH=tests $(BIN)/python -m android.app.resources \
			$(ANDROID)/tools $(ANDROID)/demo/bundles $(ANDROID)/demo/app; then \
		echo "the demo app was not tested: its resources could not be compiled"; \
		test "$$CI" != true; app=; fi; \
	mvn --quiet --batch-mode -f android_demo verify $$app -Dgdq.expected=$(ANDROID)/expected \
		-Dgdq.libraries=$(ANDROID)/jvm:$(dir $(ENGINE_LIBRARY)); \
	if [ -n "$$app" ]; then JAVA_HOME="$$home" PYTHONPATH=tests $(BIN)/python -m android.app.apk \
		$(ANDROID)/tools $(ANDROID)/demo/app $(ANDROID)/app/apk $(ANDROID)/bionic/lib \
		$(ANDROID)/demo; fi; \
	if grep -rh 'in native method' $(ANDROID)/core/surefire-reports; then exit 1; fi

# Needs root, Linux 6.7 or newer, and the test phone beside this repository.
PHONE ?= ../shared/phone/phone
test-phone: $(INSTALLED) ## test gdq-bench on phones that are none (Linux, root, ../shared/phone)
	@reason=; \
	if ! test -x $(PHONE); then reason="there is no $(PHONE)"; \
	elif ! $(PHONE) setup .cache/phone; then reason="the test phone cannot be set up"; \
	elif ! $(PHONE) run .cache/phone -- true; then reason="the test phone cannot be started"; fi; \
	if [ -n "$$reason" ]; then \
		echo "SKIPPED, nothing was tested on phones: $$reason"; \
		test "$$CI" != true; exit; fi; \
	GDQ_TEST_PHONE=$(abspath $(PHONE)) $(BIN)/pytest -n 2 $(PYTEST_ARGS) tests/phone

check: $(INSTALLED) ## check lint rules, formatting, types and import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@if $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
		$(BIN)/mypy; \
	else echo "types are not checked: NumPy's own types for Python 3.10 are too loose"; fi
	@$(BIN)/lint-imports

format: $(INSTALLED) ## repair and format the code with ruff, the engine with clang-format
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/clang-format -i $(ENGINE_FILES)

bench: $(INSTALLED) ## measure what docs/performance.md promises (takes long; keep the machine quiet)
	@$(BIN)/python -m gdq_bench.suite $(BENCH_ARGS)

clean: ## remove the environment, the demo, everything that was built, benchmark results and caches
	rm -rf $(VENV) demo .benchmarks build dist runtime/gdq_runtime/native
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment left incomplete by an interruption is created again; a complete one is updated.
$(INSTALLED): pyproject.toml constraints.txt $(ENGINE)
	@if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		for python in $(PYTHON); do \
			"$$python" -c '$(WORKS)' >/dev/null 2>&1 && break; python=; \
		done; \
		if [ -z "$$python" ]; then \
			echo "error: none of '$(PYTHON)' is a Python 3.10 to 3.13 with venv;" \
				"install one, or run make PYTHON=/path/to/python" >&2; exit 2; \
		fi; \
		echo "creating $(VENV) with $$python"; \
		"$$python" -m venv --clear $(VENV); \
	fi
	@echo "installing into $(VENV) (a few minutes: torch is large)"
	@PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt \
		$(BIN)/python -m pip install $$(test -t 1 || echo --quiet) --disable-pip-version-check \
		-e '.[dev]'
	@touch $@
