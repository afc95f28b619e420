# SPDX-License-Identifier: MIT
#
# Everything is built below $(O), one folder per target machine and variant, so that native, cross
# and sanitizer builds live side by side. Each room lists its own files in build.mk.
#
#   make                build library, tools and examples
#   make kmod           build npu.ko for KDIR
#   make run            boot the virtual board and run the example on it
#   make bench          instructions of the processor and cycles of the engine, measured
#   make bench-cpu      this machine's CPU, beside other libraries for it
#   make check          all tests that fit into a quarter of an hour
#   make check-all      these, and every kernel and machine
#   make check-debug    device tests in kernels that look for faults and data races
#   make quantization-table
#                       accuracy of every technique, measured on the virtual board
#   make check-load     many processes on one NPU, and all that can happen to them
#   make fuzz           fuzz the validator, and all readers of files (clang)
#   make fuzz-ioctl     fuzz the kernel's interface, in another such kernel
#   make docs           the reference of the headers, as HTML in build/docs/api
#   make lint           style, and everything that looks for mistakes without running
#   make lint-style     only what takes seconds
#   make install        library, header, tools, man pages to $(DESTDIR)$(prefix); make uninstall
#   make kmod_install   npu.ko to $(INSTALL_MOD_PATH)/lib/modules
#   make deb            Debian packages, in $(O)/deb
#
# V=1 shows the commands.

O ?= build
prefix ?= /usr/local
CC := $(CROSS_COMPILE)$(if $(filter default,$(origin CC)),gcc,$(CC))
AR := $(CROSS_COMPILE)$(if $(filter default,$(origin AR)),ar,$(AR))
PKG_CONFIG ?= pkg-config

TRIPLET := $(shell $(CC) -dumpmachine 2>/dev/null)
TARGET := $(TRIPLET)
B := $(O)/$(TARGET)$(if $(SAN),-$(SAN:1=san))

CFLAGS ?= -O2 -g
CFLAGS_WARN := -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wshadow
# For what reads numbers of strangers: none gets narrower unseen.
CFLAGS_NARROW := -Wconversion -Wno-sign-conversion
CFLAGS_ALL = -std=gnu11 -fPIC $(CFLAGS_WARN) $(CFLAGS_SAN) $(CFLAGS_HARDEN) $(CFLAGS)
CPPFLAGS_ALL = -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Iuapi -Ilibnpu/include $(CPPFLAGS_FORTIFY) \
	$(CPPFLAGS)
LDFLAGS_ALL = $(CFLAGS_SAN) $(LDFLAGS_HARDEN) $(LDFLAGS)

# SAN=1 finds wrong accesses, leaks and undefined arithmetic, SAN=thread races.
ifeq ($(SAN),1)
CFLAGS_SAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
else ifdef SAN
CFLAGS_SAN := -fsanitize=$(SAN)
endif

# What CFLAGS and LDFLAGS say comes later and counts; to leave it all out: HARDEN=. The checked
# functions of the C library need an optimizing compiler and are in the way of sanitizers.
HARDEN ?= 1
ifneq ($(HARDEN),)
CFLAGS_HARDEN := -fstack-protector-strong -fstack-clash-protection
LDFLAGS_HARDEN := -Wl,-z,relro,-z,now
CPPFLAGS_FORTIFY = $(if $(SAN)$(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,$(if \
	$(filter -O1 -O2 -O3 -Os,$(CFLAGS)),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2))
endif

# SYSROOT holds the target's libraries as Debian packages lay them out; see tools/board.
ifdef SYSROOT
MULTIARCH := $(shell $(CC) -print-multiarch)
CPPFLAGS_ALL += -isystem $(SYSROOT)/usr/include -isystem $(SYSROOT)/usr/include/$(MULTIARCH)
LDFLAGS_ALL += -B$(SYSROOT)/usr/lib/$(MULTIARCH) -L$(SYSROOT)/usr/lib/$(MULTIARCH) \
	-Wl,-rpath-link,$(SYSROOT)/usr/lib/$(MULTIARCH)
DRM_CFLAGS := -isystem $(SYSROOT)/usr/include/libdrm
DRM_LIBS := -ldrm
CMOCKA_LIBS := -lcmocka
else
DRM_CFLAGS := $(shell $(PKG_CONFIG) --cflags libdrm 2>/dev/null)
DRM_LIBS := $(shell $(PKG_CONFIG) --libs libdrm 2>/dev/null || echo -ldrm)
CMOCKA_LIBS := -lcmocka
endif

ifndef V
.SILENT:
MAKEFLAGS += --no-print-directory
endif

.PHONY: all
all:

include libnpu/build.mk
include tools/npu-run/build.mk
include tools/board/build.mk
include examples/build.mk
include tests/build.mk
include kmod/build.mk
include packaging/build.mk

all: $(ALL)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC      $@"
	$(CC) $(CPPFLAGS_ALL) $(CPPFLAGS_$(firstword $(subst /, ,$*))) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# ---- virtual board: what runs on it is built for its machine, against its libraries ----

BOARD := tools/board/board --build $(O)
GUEST_ARCH := arm64
GUEST_KERNEL := 6.1
GUEST = --arch $(GUEST_ARCH) --kernel $(GUEST_KERNEL)

# Programs of the machine that these options of the board choose.
make_for = $(MAKE) TARGET=$$($(BOARD) target $(1)) CROSS_COMPILE=$$($(BOARD) cross $(1)) \
	SYSROOT=$$($(BOARD) sysroot $(1))

.PHONY: setup guest run
setup:
	scripts/setup.sh

guest: setup
	$(MAKE) board
	+$(call make_for,$(GUEST)) all device-tests
	+[ -z "$$($(BOARD) compat $(GUEST))" ] || $(call make_for,$(GUEST) --compat) compat-tests
	$(MAKE) kmod CROSS_COMPILE=$$($(BOARD) cross $(GUEST)) KDIR=$$($(BOARD) kdir $(GUEST))

# Guest time by instructions and device cycles, so that the figures are the same on every machine.
run: guest
	$(BOARD) run --icount $(GUEST) \
		$(EXAMPLE_FILES:%=--file %) -- $(EXAMPLE)

# ---- tests ----

# As many compilers as there are processors, unless -j says something else.
JOBS = $(if $(filter -j% --jobserver%,$(MAKEFLAGS)),,-j$(shell nproc))

.PHONY: check check-unit check-neon check-armhf check-device
check: setup
	$(MAKE) lint-style
	$(MAKE) $(JOBS) --output-sync check-unit
	$(MAKE) $(JOBS) --output-sync check-cli
	$(MAKE) $(JOBS) guest
	$(MAKE) $(JOBS) --output-sync check-neon check-armhf
	$(MAKE) $(JOBS) check-board
	$(MAKE) $(JOBS) --output-sync check-device
	$(MAKE) check-docs

# Each in a folder of its own, so side by side.
.PHONY: check-unit-san check-unit-threads check-unit-abi
check-unit: check-unit-san check-unit-threads check-unit-abi

check-unit-san:
	$(MAKE) SAN=1 check-programs check-corpus

check-unit-threads:
	$(MAKE) SAN=thread check-threads

check-unit-abi: $(LIBNPU)
	tests/abi.sh $(B)

# The CPU backend on arm64 processors, emulated: with all of its instructions, and with fewer.
NEON := --arch arm64 --kernel 6.1
.PHONY: neon-tests neon-max neon-a76 neon-a53
check-neon:
	$(BOARD) fetch $(NEON)
	+$(call make_for,$(NEON)) neon-tests

neon-tests: neon-max neon-a76 neon-a53

# A processor, and the kernels it has.
run_neon = NPU_TEST_KERNELS="$(2)" TEST_RUNNER="qemu-aarch64 -cpu $(1) -L $(SYSROOT)" tests/run.sh

neon-max: $(CPU_UNIT_TESTS)
	$(call run_neon,max,neon-i8mm neon-dot neon portable) neon $^

neon-a76: $(firstword $(CPU_UNIT_TESTS))
	$(call run_neon,cortex-a76,neon-dot neon portable) neon-a76 $^

neon-a53: $(firstword $(CPU_UNIT_TESTS))
	$(call run_neon,cortex-a53,neon portable) neon-a53 $^

# Counts and offsets that a file says have 64 bits, sizes there have 32.
ARMHF := --arch armhf --kernel 6.1
.PHONY: armhf-tests
check-armhf:
	$(BOARD) sysroot $(ARMHF) >/dev/null
	+$(call make_for,$(ARMHF)) armhf-tests

armhf-tests: $(ARMHF_TESTS)
	TEST_RUNNER="qemu-arm -L $(SYSROOT)" tests/run.sh armhf $^

# Every kernel and machine that the virtual board has a table for.
.PHONY: check-all check-compile check-machines
check-all: check
	scripts/setup.sh matrix
	$(MAKE) lint
	$(MAKE) check-valgrind
	$(MAKE) SAN=1 check-cli
	$(MAKE) check-compile
	$(MAKE) check-install
	$(MAKE) check-packages
	$(MAKE) check-machines
	$(MAKE) check-load
	$(MAKE) check-rtl
	tests/docs.sh --long $(B)

check-compile:
	tests/binding.sh $$(echo $$($(BOARD) kdir $(GUEST))/../*-common/include)
	tests/matrix.sh compile $(O)

check-machines:
	tests/matrix.sh device $(O)

# Each boot of the board is a target, check-device-NAME, and leaves the others alone: with -j2 there
# are two boards at a time. The longest is the first.
DEVICE_BOOTS := all unbound several tools large module diagnosis disabled region gated examples \
	no-reset sleep shutdown
DEVICE_BOOTS := $(DEVICE_BOOTS:%=check-device-%)
.PHONY: $(DEVICE_BOOTS)
check-device: $(DEVICE_BOOTS)

# vgem is a driver with buffers of its own, for tests/device/test_prime.c.
check-device-all:
	compat=$$($(BOARD) compat $(GUEST)) && \
	$(BOARD) run $(GUEST) $${compat:+--compat} --load vgem --timeout 3600 -- \
		tests/run.sh device \
		$(filter-out test_faults test_probe test_unplug test_several test_region test_module, \
			$(notdir $(DEVICE_TESTS))) \
		$${compat:+$(addprefix /npu/bin32/,$(notdir $(COMPAT_TESTS)))}

# By themselves: they unbind the driver.
check-device-unbound:
	$(BOARD) run $(GUEST) --load vgem -- tests/run.sh unbound test_faults test_unplug test_probe

check-device-several:
	$(BOARD) run $(GUEST) --npus 2 -- \
		sh -c 'tests/run.sh several test_several && tests/device/npu-run.sh'

check-device-tools:
	$(BOARD) run $(GUEST) --fault hang:20 -- tests/device/tools.sh

check-device-diagnosis:
	$(BOARD) run $(GUEST) -- tests/device/diagnosis.sh

# A card is in no device tree.
check-device-disabled:
	[ -z "$$($(BOARD) overlay $(GUEST))" ] || \
		$(BOARD) run $(GUEST) --disabled -- tests/device/diagnosis.sh disabled

# The region is the only memory of its kind there.
check-device-region:
	$(BOARD) run $(GUEST) --memory-region 64 --append cma=0 -- tests/run.sh region test_region

check-device-gated:
	$(BOARD) run $(GUEST) --config nv_small+gated -- tests/run.sh gated test_serial test_reuse

check-device-large:
	$(BOARD) run $(GUEST) --config nv_large --load vgem -- \
		tests/run.sh large test_ioctl test_submit test_reuse test_serial test_matmul test_queue

check-device-examples:
	$(BOARD) run $(GUEST) -- tests/examples.sh

check-device-no-reset:
	$(BOARD) run $(GUEST) --no-reset -- \
		tests/run.sh no-reset test_recovery test_faults

# By itself: the shared folder, where run.sh is, does not outlive the sleep.
check-device-sleep:
	$(BOARD) run $(GUEST) -- env NPU_TEST_SLEEP=platform test_power

# By itself: it ends the guest.
check-device-shutdown:
	tests/device/shutdown.sh $(BOARD) run $(GUEST)

# Freed memory is poisoned, so that a use of it does not go unnoticed.
check-device-module:
	$(BOARD) run $(GUEST) --append slub_debug=FPZ -- \
		env NPU_TEST_MODULE=/npu/modules/npu.ko tests/run.sh module test_module

# ---- figures of the documentation ----

# The tables of docs/quantization.md, from the virtual board. TABLE_COUNT=100: so many images there.
.PHONY: quantization-table
quantization-table: guest all data-sets
	scripts/quantization-table.sh $(O) $(NPU_RUN) $(B)/examples/outlier-layer $(TABLE_COUNT)

# ---- documentation ----

# Warnings are errors: what is public has a comment.
.PHONY: docs check-docs
docs:
	scripts/setup.sh docs
	mkdir -p $(O)/docs
	{ cat docs/api/Doxyfile; echo OUTPUT_DIRECTORY=$(O)/docs; \
		echo PROJECT_NUMBER=$(LIBNPU_VERSION); } | doxygen -

# Its commands, except those that take long. Some run in the virtual board.
check-docs: docs guest
	tests/docs.sh $(B)

# ---- style ----

.PHONY: lint lint-style format
lint:
	scripts/setup.sh analysis board
	$(MAKE) lint-style
	scripts/analyse.sh
	$(MAKE) lint-kmod KDIR=$$($(BOARD) kdir $(GUEST)) CROSS_COMPILE=$$($(BOARD) cross $(GUEST))

lint-style:
	scripts/lint.sh

format:
	git ls-files '*.[ch]' | xargs clang-format -i

.PHONY: install
install:

.PHONY: clean
clean:
	rm -rf $(O)
