# SPDX-License-Identifier: MIT
#
# Both packages are built from the source tree that this folder lies in. Its header says the version.
NPU_TREE = $(abspath $(BR2_EXTERNAL_NPU_PATH)/../..)
NPU_TREE_VERSION = $(shell sed -n 's/^\#define NPU_VERSION_[A-Z]* *//p' \
	$(NPU_TREE)/libnpu/include/npu.h | paste -sd.)

include $(sort $(wildcard $(BR2_EXTERNAL_NPU_PATH)/package/*/*.mk))
