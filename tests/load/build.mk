# SPDX-License-Identifier: MIT
#
# Load: many processes on one NPU, and everything that can happen to them.

NPU_LOAD := $(B)/tests/load/npu-load

$(NPU_LOAD): $(addprefix $(B)/tests/, load/load.o load/worker.o load/disturb.o load/census.o \
	device/board_control.o device/driver.o device/user.o reference.o)
	@echo "  LD      $@"
	$(CC) -o $@ $^ $(LDFLAGS_ALL) $(DRM_LIBS) $(CMOCKA_LIBS)
