# Exact versions of everything that is installed, for Python 3.11 and later on Linux x86-64. uv, itself pinned in
# constraints.txt, does it: pip install -c constraints.txt uv
#
#   make constraints                                    a dependency was added or dropped; every other version stays
#   make constraints UV_FLAGS='--upgrade-package torch'  a newer torch; --upgrade renews everything
#   make lock                                           after either: the CPU service's part of it, with what sends
#                                                       traces, with hashes: what the image installs
#
# tests/test_pins.py holds both files against each other and against pyproject.toml.

COMPILE = uv pip compile - --quiet --no-annotate --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
	--no-emit-package lenet5-client --no-emit-package lenet5-serve $(UV_FLAGS)

.PHONY: constraints lock
constraints lock: export UV_CUSTOM_COMPILE_COMMAND = make $@

# hatchling builds the wheels, uv makes these files
constraints:
	printf '%s\n' ./client '.[cuda,otel,train,benchmarks,ray,docs,dev]' hatchling uv | $(COMPILE) --output-file constraints.txt

lock:
	printf '%s\n' ./client '.[otel]' | $(COMPILE) --constraints constraints.txt --generate-hashes --output-file requirements.lock

# what docs/performance.md shows; BENCH_FLAGS takes options and names of parts
.PHONY: bench
bench:
	python -m benchmarks.speed $(BENCH_FLAGS)

# what docs/reliability.md shows: faults, floods and hostile input, some hours; and whether it grows. Each goes on where
# it was stopped
.PHONY: chaos soak
chaos:
	python -m benchmarks.reliability --only 1,2,3,4,5,6,7,9,10,11,12,13,14,16,17,18
soak:
	python -m benchmarks.reliability --only 15

# the site of the documentation, in build/site/
.PHONY: docs
docs:
	python -m sphinx --fail-on-warning --nitpicky --quiet --fresh-env --conf-dir docs --doctree-dir build/doctrees . build/site
	@echo build/site/index.html
