# SPDX-License-Identifier: MIT
#
# The debug kernel: the device tests in a kernel that looks for faults. Its first use builds it, in a
# quarter of an hour of two processors. tests/debug/planted.c shows that it would find them.

# The detectors' bookkeeping takes memory and time.
DEBUG_GUEST := --arch amd64 --kernel debug --memory 2048 --timeout 3600

PLANTED_DIR = $(O)/planted/$(KRELEASE)

.PHONY: check-debug planted check-planted
check-debug:
	scripts/setup.sh debug
	$(MAKE) guest GUEST="$(DEBUG_GUEST)"
	$(MAKE) check-planted KDIR=$$($(BOARD) kdir $(DEBUG_GUEST))
	$(MAKE) check-device GUEST="$(DEBUG_GUEST)"

planted:
	@mkdir -p $(PLANTED_DIR)
	cp tests/debug/Kbuild tests/debug/planted.c $(PLANTED_DIR)
	+$(call KBUILD_MAKE,$(PLANTED_DIR)) CROSS_COMPILE=$$($(BOARD) cross $(DEBUG_GUEST)) modules

check-planted: planted
	tests/debug/planted.sh $(O) $(PLANTED_DIR)/planted.ko

# ---- hostile calls: everything that can be asked of the driver, led by its coverage ----

FUZZ_IOCTL_SECONDS ?= 120
FUZZ_CALLS := tests/fuzz/calls

# The module is another one, which tells KCOV what of it runs, so all has a folder of its own.
.PHONY: fuzz-ioctl fuzz-ioctl-run
fuzz-ioctl:
	scripts/setup.sh debug
	$(MAKE) guest O=$(O)/kcov KCOV=1 GUEST="$(DEBUG_GUEST)"
	$(MAKE) fuzz-ioctl-run O=$(O)/kcov KDIR=$$($(BOARD) kdir $(DEBUG_GUEST))

# What is new in the corpus is printed, not kept: see tests/fuzz/README.md.
fuzz-ioctl-run:
	$(BOARD) run $(DEBUG_GUEST) --timeout $$(($(FUZZ_IOCTL_SECONDS) + 600)) --load vgem -- \
		sh -c 'fuzz_ioctl --seconds $(FUZZ_IOCTL_SECONDS) --corpus $(FUZZ_CALLS)/corpus.txt \
			--save $(O)/corpus.txt --coverage $(O)/coverage.txt && \
			tests/run.sh after-fuzz test_submit test_ioctl'
	$(FUZZ_CALLS)/coverage.py $(KMOD_DIR)/npu.ko $(O)/coverage.txt $(FUZZ_CALLS)/unreached.txt

# ---- load: processes that are killed, faults of the engine, unbinding and sleep ----

LOAD_SECONDS ?= 120

.PHONY: check-load
check-load: guest
	$(BOARD) run $(GUEST) --memory 2048 --timeout $$(($(LOAD_SECONDS) * 3 + 600)) -- \
		npu-load --processes 64 --contexts 4 --seconds $(LOAD_SECONDS) \
		--with kill,fault,unbind,sleep
