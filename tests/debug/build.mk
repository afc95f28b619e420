# SPDX-License-Identifier: MIT
#
# Kernels that are built here, from one source, each at its first use, in a quarter of an hour of two
# processors: debug looks for faults, kcsan for data races, cover counts what was reached.
# tests/debug/planted.c shows that the first two would find them.

# The detectors' bookkeeping takes memory and time. So the engine is slow, too: test_fairness wants
# users who are faster than it.
SLOW := --arch amd64 --clock 10000000 --memory 2048 --timeout 5400
DEBUG_GUEST := $(SLOW) --kernel debug
# Only processors that run at the same time can race.
KCSAN_GUEST := $(SLOW) --kernel kcsan --cpus 2
COVER_GUEST := --arch amd64 --kernel cover --memory 2048

PLANTED_DIR = $(O)/planted/$(KRELEASE)
FUZZ_CALLS := tests/fuzz/calls
REPLAY = fuzz_ioctl --replay 4 --corpus

.PHONY: check-debug check-debug-kernel check-races planted check-planted
check-debug:
	scripts/setup.sh debug
	$(MAKE) check-debug-kernel KERNEL=debug DEBUG_GUEST="$(DEBUG_GUEST)"
	$(MAKE) check-debug-kernel KERNEL=kcsan DEBUG_GUEST="$(KCSAN_GUEST)"
	$(MAKE) check-races

check-debug-kernel:
	$(MAKE) guest GUEST="$(DEBUG_GUEST)"
	$(MAKE) check-planted KDIR=$$($(BOARD) kdir $(DEBUG_GUEST)) DEBUG_GUEST="$(DEBUG_GUEST)"
	$(MAKE) check-device GUEST="$(DEBUG_GUEST)"
	$(BOARD) run $(DEBUG_GUEST) --load vgem -- $(REPLAY) $(FUZZ_CALLS)/corpus.txt

# Many who submit at the same time, and every fifth of their accesses or so watched for a while.
check-races:
	$(BOARD) run $(KCSAN_GUEST) --append "kcsan.skip_watch=10 kcsan.udelay_task=50" -- \
		npu-load --processes 12 --contexts 2 --seconds 120 --with kill,fault,unbind

planted:
	@mkdir -p $(PLANTED_DIR)
	cp tests/debug/Kbuild tests/debug/planted.c $(PLANTED_DIR)
	+$(call KBUILD_MAKE,$(PLANTED_DIR)) CROSS_COMPILE=$$($(BOARD) cross $(DEBUG_GUEST)) modules

check-planted: planted
	tests/debug/planted.sh $(O) $(KERNEL) $(PLANTED_DIR)/planted.ko

# ---- hostile calls: everything that can be asked of the driver, led by its coverage ----

FUZZ_IOCTL_SECONDS ?= 120

# The module is another one, which tells KCOV what of it runs, so all has a folder of its own. What
# has reached something is tried again in the debug kernel.
.PHONY: fuzz-ioctl fuzz-ioctl-run
fuzz-ioctl:
	scripts/setup.sh debug
	$(MAKE) guest O=$(O)/kcov KCOV=1 GUEST="$(COVER_GUEST)"
	$(MAKE) fuzz-ioctl-run O=$(O)/kcov KDIR=$$($(BOARD) kdir $(COVER_GUEST))
	$(MAKE) guest GUEST="$(DEBUG_GUEST)"
	$(BOARD) run $(DEBUG_GUEST) --load vgem -- $(REPLAY) $(O)/kcov/corpus.txt

# What is new in the corpus is not kept: see tests/fuzz/README.md.
fuzz-ioctl-run:
	$(BOARD) run $(COVER_GUEST) --timeout $$(($(FUZZ_IOCTL_SECONDS) + 600)) --load vgem -- \
		sh -c 'fuzz_ioctl --seconds $(FUZZ_IOCTL_SECONDS) --corpus $(FUZZ_CALLS)/corpus.txt \
			--save $(O)/corpus.txt --coverage $(O)/coverage.txt && \
			tests/run.sh after-fuzz test_submit test_ioctl'
	$(FUZZ_CALLS)/coverage.py $(KMOD_DIR)/npu.ko $(O)/coverage.txt $(FUZZ_CALLS)/unreached.txt

# ---- load: processes that are killed, faults of the engine, unbinding and sleep ----

LOAD_SECONDS ?= 120

# A busy host may stop the guest for longer than the kernel thinks a processor can be busy.
.PHONY: check-load
check-load: guest
	$(BOARD) run $(GUEST) --memory 2048 --timeout $$(($(LOAD_SECONDS) * 3 + 600)) \
		--append "watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=300" -- \
		npu-load --processes 64 --contexts 4 --seconds $(LOAD_SECONDS) \
		--with kill,fault,unbind,sleep
