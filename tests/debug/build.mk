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
