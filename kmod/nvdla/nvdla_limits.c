// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the configurations of the RTL can do. Plain data, so that the tests hold the validator to
 * the driver's own numbers.
 *
 * Sizes are register fields of 13 bits, the height one of 12 (slices to release). The largest job
 * takes all MACs for 2^24 cycles. The output stage of nv_small was measured: 184 cycles
 * for 16 rows of 8, which is an element a cycle, one to move on, and a wait every 16 rows. That of
 * nv_large takes 16 elements at a time; asked for the low bytes of 16 bits it fills the atom with
 * whole results, of which there is room for half.
 */
#include "nvdla_limits.h"

#define NARROW(how) (1U << DRM_NPU_NARROW_##how)

const struct drm_npu_matmul_limits nvdla_small_limits = {
	.atom_bytes = 8,
	.mac_channels = 8,
	.mac_kernels = 8,
	.cbuf_banks = 32,
	.cbuf_bank_entries = 512,
	.cbuf_entry_bytes = 8,
	.bus_bytes = 8,
	.max_width = 8192,
	.max_height = 4096,
	.max_k = 8192,
	.max_n = 8192,
	.epilogue_cycles = 12,
	.max_job_macs = 1ULL << 30,
	.narrows = NARROW(SAT8) | NARROW(LOW8),
};

const struct drm_npu_matmul_limits nvdla_large_limits = {
	.atom_bytes = 32,
	.mac_channels = 64,
	.mac_kernels = 32,
	.cbuf_banks = 16,
	.cbuf_bank_entries = 512,
	.cbuf_entry_bytes = 64,
	.bus_bytes = 32,
	.max_width = 8192,
	.max_height = 4096,
	.max_k = 8192,
	.max_n = 8192,
	.epilogue_cycles = 2,
	.max_job_macs = 1ULL << 35,
	.narrows = NARROW(SAT8),
};
