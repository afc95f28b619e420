// SPDX-License-Identifier: MIT
/*
 * NVDLA configurations by name, for plans without a device. A device is asked for its limits; they
 * never come from here.
 */
#include <string.h>

#include "nvdla_plan.h"

static const struct {
	const char *name;
	struct drm_npu_matmul_limits limits;
} configs[] = {
	{
		.name = "nv_small",
		.limits = {
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
			.max_job_macs = UINT64_C(1) << 30,
			.narrows = 1u << DRM_NPU_NARROW_SAT8 | 1u << DRM_NPU_NARROW_LOW8,
		},
	},
	{
		.name = "nv_large",
		.limits = {
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
			.max_job_macs = UINT64_C(1) << 35,
			.narrows = 1u << DRM_NPU_NARROW_SAT8,
		},
	},
};

const struct drm_npu_matmul_limits *nvdla_config_find(const char *name)
{
	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++)
		if (!strcmp(name, configs[i].name))
			return &configs[i].limits;
	return NULL;
}
