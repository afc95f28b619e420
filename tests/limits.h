/* SPDX-License-Identifier: MIT */
/*
 * Limits of known configurations, as the kernel driver tells them.
 */
#ifndef TESTS_LIMITS_H
#define TESTS_LIMITS_H

#include <drm/npu_accel.h>

static const struct drm_npu_matmul_limits nv_small = {
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
	.max_job_macs = 1ull << 32,
};

static const struct drm_npu_matmul_limits nv_large = {
	.atom_bytes = 32,
	.mac_channels = 64,
	.mac_kernels = 32,
	.cbuf_banks = 16,
	.cbuf_bank_entries = 512,
	.cbuf_entry_bytes = 64,
	.bus_bytes = 64,
	.max_width = 8192,
	.max_height = 4096,
	.max_k = 8192,
	.max_n = 8192,
	.epilogue_cycles = 2,
	.max_job_macs = 1ull << 34,
};

#endif /* TESTS_LIMITS_H */
