/* SPDX-License-Identifier: MIT */
/*
 * Stands in for the driver's header of this name where the driver's register programming is built
 * for a test: as much of a kernel and of a device as that code asks for.
 */
#ifndef TESTS_FUZZ_KERNEL_NPU_DRV_H
#define TESTS_FUZZ_KERNEL_NPU_DRV_H

#include "npu_hw.h"

struct npu_device {
	void *hw_priv;
	char *regs;
};

#endif /* TESTS_FUZZ_KERNEL_NPU_DRV_H */
