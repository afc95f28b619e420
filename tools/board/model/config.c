// SPDX-License-Identifier: MIT
/* The hardware configurations that the model knows. */
#include <stddef.h>
#include <string.h>

#include "config.h"

static const struct npu_config configs[] = {
	{
		.name = "nv_small",
		.address_mask = 0xffffffff,
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
		.interrupts = 0x003f003f,
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
	{
		/*
		 * The versions are those of nv_small, as on the RTL. Of the two memory buses there
		 * is only the first: RAM_TYPE is not looked at. The costs are those of nv_small,
		 * with the output path fitted to the RTL (read latency 32, an atom a cycle): rows of
		 * ops are within a few percent, single ops below 500 cycles up to a fifth too fast,
		 * and up to a quarter too slow where width is just above a stripe.
		 */
		.name = "nv_large",
		.address_mask = UINT64_MAX,
		.atom_bytes = 32,
		.mac_channels = 64,
		.mac_kernels = 32,
		.cbuf_banks = 16,
		.bank_entries = 512,
		.entry_bytes = 64,
		.wide_sdp = true,
		.stripe = 32,
		.flush_cycles = 8192,
		.hw_version = 0x00303031,
		.rom_version = 0x00010001,
		.interrupts = 0x003f03ff,
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
			.mac_to_drain = 45,
			.drain = 2,
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
