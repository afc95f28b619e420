// SPDX-License-Identifier: MIT
/* The hardware configurations that the model knows. */
#include <stddef.h>
#include <string.h>

#include "config.h"

static const struct npu_config configs[] = {
	{
		.name = "nv_small",
		.atom_bytes = 8,
		.mac_channels = 8,
		.mac_kernels = 8,
		.cbuf_banks = 32,
		.bank_entries = 512,
		.entry_bytes = 8,
		.stripe = 16,
		.flush_cycles = 8192,
		.hw_version = 0x00303031,
		.rom_version = 0x00010001,
		.costs = {
			.weight_start = 28,
			.data_start = 32,
			.weight_visible = 46,
			.data_visible = 52,
			.weight_done = 52,
			.data_done = 56,
			.atom_alone = 1,
			.data_alone = 1.25,
			.slice = 1,
			.cdma_restart = -16,
			.csc_enable = 13,
			.csc_start = 10,
			.csc_restart = 65,
			.pend = 10,
			.weight_release = 7,
			.data_release = 22,
			.mac_to_drain = 34,
			.drain = 9,
			.credit = 6,
			.sdp_tail = 32,
		},
	},
};

int npu_config_parse(struct npu_config *cfg, const char *name)
{
	size_t len = strcspn(name, "+");
	const char *option = name + len;

	if (*option && strcmp(option, "+gated"))
		return -1;
	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		if (strlen(configs[i].name) != len || strncmp(configs[i].name, name, len))
			continue;
		*cfg = configs[i];
		cfg->clock_gating = *option;
		return 0;
	}
	return -1;
}
