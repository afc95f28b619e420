# SPDX-License-Identifier: MIT
#
# UNIT_TESTS run on the build machine, with sanitizers (make check-unit). DEVICE_TESTS run where an
# NPU is: in the virtual board (make check-device) or on real hardware, started by hand.

UNIT_TESTS :=
DEVICE_TESTS :=

# A test is linked from its own object, what it names here as prerequisites, and LIBS_<test>.
$(B)/tests/unit/% $(B)/tests/device/%: LDLIBS_TEST = $(LIBS_$(@F)) $(CMOCKA_LIBS)

# ---- device model ----

# ---- kernel driver ----

# ---- libnpu ----

# ---- npu-run and examples ----

# ---- runners ----

$(UNIT_TESTS) $(DEVICE_TESTS): $(B)/%: $(B)/%.o
	$(CC) -o $@ $(filter %.o %.a,$^) $(LDFLAGS_ALL) $(LDLIBS_TEST)

.PHONY: unit-tests device-tests
unit-tests: $(UNIT_TESTS)
device-tests: $(DEVICE_TESTS)
