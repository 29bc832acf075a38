# SPDX-License-Identifier: Apache-2.0
#
#   make demo    installs what is missing, builds, chains three programs on a veth pair, sends packets
#   make test    all tests; those of the kernel need root and ask for it with sudo
#   make test-kernels   the kernel's tests on Linux 5.10, 6.1, 6.12 and Debian's newest, in QEMU; as any user
#   make bench-kernels  counts instructions per hop on each of them, and writes Documentation/performance.md
#   make         builds .build/xdpctl, which needs no libraries to run, and its manual and completion
#   make install to PREFIX, below DESTDIR; `make uninstall` takes it away
#   make deb     a Debian package; `make dist` an archive with the static program
#   make fuzz    feeds damaged input to whatever reads foreign bytes, guided by coverage
#   make bench   measures, against the sum of the parts and against xdp-loader

SHELL := /bin/bash
SWIFT ?= swift
# Static: one file, no Swift runtime to install, and it starts in a millisecond.
STATIC := --scratch-path .build/static -c release -Xswiftc -static-executable -Xlinker -s
ROOT := $(if $(filter 0,$(shell id -u)),,sudo -E env "PATH=$(PATH)")

.PHONY: all build package install uninstall deb test-deb test-boot dist test-install demo test test-kernels unit-test fuzz fixtures dependencies bench bench-kernels lint format clean

all: package

dependencies:
	@Scripts/install-dependencies

build: dependencies
	@echo "building xdpctl (a few minutes the first time)"
	@set -o pipefail; $(SWIFT) build $(STATIC) --product xdpctl 2>&1 | Scripts/quiet-link
	@mkdir -p .build && cp -f .build/static/release/xdpctl .build/xdpctl

# What is installed, in .build/package; all of it is made from the command's own definition.
package: build
	@set -o pipefail; $(SWIFT) build $(STATIC) --product manual 2>&1 | Scripts/quiet-link
	@Packaging/collect .build/static/release .build/package

# Builds only what is missing, so that root needs no toolchain for what a user has built.
install uninstall:
	@test -x .build/package/xdpctl || $(MAKE) package
	@$(MAKE) --no-print-directory -f Packaging/install.mk FILES=.build/package $@

dist: package
	@Packaging/make-dist .build/package .build/dist

# The manual, the completion, the units: what is installed is as it should be.
test-install: package
	@Scripts/install-dependencies packaging
	@Packaging/test-install .build/package

# Linked to the system's libbpf; the Swift runtime is in it.
deb: dependencies
	@Scripts/install-dependencies packaging
	@Packaging/make-deb .build/deb

# Installs, uses, removes and purges the package in a clean system; then boots one with it.
test-deb: deb fixtures
	$(ROOT) Packaging/test-deb .build/deb

test-boot: deb fixtures
	$(ROOT) Packaging/test-boot .build/deb

fixtures: dependencies
	@Scripts/build-bpf

demo: build fixtures
	@$(ROOT) Scripts/demo

test: fixtures
	$(SWIFT) build --build-tests
	$(ROOT) Scripts/prepare-tests
	$(SWIFT) test --disable-xctest --skip-build --skip KernelTests
	.build/debug/FuzzTargets --seconds 10 Tests/FuzzTargets/Corpus
	$(ROOT) $(SWIFT) test --disable-xctest --skip-build --filter KernelTests

# KERNELS="5.10 6.1" takes these; FILTER=LinkFixtureTests only those tests.
KERNELS ?=
test-kernels: fixtures build
	@Scripts/install-dependencies kernels
	$(SWIFT) build --build-tests
	@Scripts/test-kernels $(KERNELS)

unit-test: fixtures
	$(SWIFT) test --disable-xctest --skip KernelTests

# Coverage-guided, with the address sanitizer; inputs that are found stay in .build/fuzz-corpus.
FUZZ_SECONDS ?= 300
fuzz: dependencies
	$(SWIFT) build --scratch-path .build/fuzz -c release --product FuzzTargets -Xswiftc -sanitize=fuzzer,address \
		-Xswiftc -DFUZZING
	@mkdir -p .build/fuzz-corpus
	SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0 .build/fuzz/release/FuzzTargets -max_total_time=$(FUZZ_SECONDS) \
		-max_len=65536 -timeout=10 -rss_limit_mb=2048 .build/fuzz-corpus Tests/FuzzTargets/Corpus

bench: build fixtures
	$(SWIFT) build -c release --product Benchmarks
	$(ROOT) .build/release/Benchmarks

bench-kernels: fixtures
	@Scripts/install-dependencies kernels
	$(SWIFT) build -c release --product Benchmarks
	@Scripts/bench-kernels $(KERNELS)

lint:
	$(SWIFT) format lint --strict --recursive Sources Tests Benchmarks Examples Packaging Package.swift
	@Scripts/check-licenses

format:
	$(SWIFT) format --in-place --recursive Sources Tests Benchmarks Examples Packaging Package.swift

clean:
	rm -rf .build
