// SPDX-License-Identifier: MIT
/*
 * Register groups and their pointers. A group is locked from D_OP_ENABLE until its unit is done:
 * the hardware ignores writes to it, and software cannot take the enable back.
 */
#include <string.h>

#include "regfile.h"
#include "regs.h"

#define MCIF_PAGE 2
#define UNIT_PAGE 3 /* CDMA is page 3, the others follow in the order of enum unit_id */

static const uint8_t op_enable[UNITS] = {
	[UNIT_CDMA] = CDMA_D_OP_ENABLE & 0xfff,	    [UNIT_CSC] = CSC_D_OP_ENABLE & 0xfff,
	[UNIT_CMAC_A] = CMAC_A_D_OP_ENABLE & 0xfff, [UNIT_CMAC_B] = CMAC_B_D_OP_ENABLE & 0xfff,
	[UNIT_CACC] = CACC_D_OP_ENABLE & 0xfff,	    [UNIT_SDP_RDMA] = SDP_RDMA_D_OP_ENABLE & 0xfff,
	[UNIT_SDP] = SDP_D_OP_ENABLE & 0xfff,
};

/* Splits an offset; false when no unit is there. */
static bool locate(uint32_t offset, unsigned int *page, unsigned int *reg)
{
	*page = offset >> 12;
	*reg = offset & 0xfff;
	return *reg < 4 * UNIT_WORDS && !(offset & 3) && *page >= MCIF_PAGE &&
	       *page < UNIT_PAGE + UNITS;
}

void regfile_reset(struct regfile *rf)
{
	unsigned int page, reg;

	memset(rf, 0, sizeof(*rf));
	for (size_t i = 0; i < regmap_size; i++) {
		const struct regmap_entry *e = &regmap[i];
		struct unit *u;

		locate(e->offset, &page, &reg);
		if (page == MCIF_PAGE) {
			rf->mcif_mask[reg / 4] = e->mask;
			rf->mcif[reg / 4] = e->reset;
			continue;
		}
		u = &rf->unit[page - UNIT_PAGE];
		u->mask[reg / 4] = e->mask;
		if (reg < op_enable[page - UNIT_PAGE]) {
			u->single[reg / 4] = e->reset;
		} else {
			u->group[0][reg / 4] = e->reset;
			u->group[1][reg / 4] = e->reset;
		}
	}
}

static uint32_t group_status(const struct unit *u, unsigned int group)
{
	if (!u->enabled[group])
		return 0;
	return group == u->consumer ? 1 : 2;
}

uint32_t regfile_read(const struct regfile *rf, uint32_t offset)
{
	const struct unit *u;
	unsigned int page, reg;

	if (!locate(offset, &page, &reg))
		return 0;
	if (page == MCIF_PAGE)
		return rf->mcif[reg / 4];
	u = &rf->unit[page - UNIT_PAGE];
	if (reg == UNIT_S_STATUS)
		return group_status(u, 1) << 16 | group_status(u, 0);
	if (reg == UNIT_S_POINTER)
		return u->consumer << 16 | u->producer;
	if (reg == op_enable[page - UNIT_PAGE])
		return u->enabled[u->producer];
	if (reg < op_enable[page - UNIT_PAGE])
		return u->single[reg / 4];
	return u->group[u->producer][reg / 4];
}

void regfile_write(struct regfile *rf, uint32_t offset, uint32_t value)
{
	unsigned int page, reg;
	struct unit *u;

	if (!locate(offset, &page, &reg))
		return;
	if (page == MCIF_PAGE) {
		if (rf->mcif_mask[reg / 4])
			rf->mcif[reg / 4] = value & rf->mcif_mask[reg / 4];
		return;
	}
	u = &rf->unit[page - UNIT_PAGE];
	if (reg == UNIT_S_POINTER)
		u->producer = value & 1;
	else if (reg < op_enable[page - UNIT_PAGE])
		u->single[reg / 4] = value & u->mask[reg / 4];
	else if (u->enabled[u->producer])
		return;
	else if (reg == op_enable[page - UNIT_PAGE])
		u->enabled[u->producer] = value & 1;
	else if (u->mask[reg / 4])
		u->group[u->producer][reg / 4] = value & u->mask[reg / 4];
}

uint32_t regfile_get(const struct regfile *rf, uint32_t offset, unsigned int group)
{
	return rf->unit[(offset >> 12) - UNIT_PAGE].group[group][(offset & 0xfff) / 4];
}

void regfile_set(struct regfile *rf, uint32_t offset, unsigned int group, uint32_t value)
{
	rf->unit[(offset >> 12) - UNIT_PAGE].group[group][(offset & 0xfff) / 4] = value;
}

bool regfile_ready(const struct regfile *rf, enum unit_id unit)
{
	const struct unit *u = &rf->unit[unit];

	return u->enabled[u->next] && !u->taken[u->next];
}

unsigned int regfile_take(struct regfile *rf, enum unit_id unit)
{
	struct unit *u = &rf->unit[unit];
	unsigned int group = u->next;

	u->taken[group] = true;
	u->next ^= 1;
	return group;
}

void regfile_done(struct regfile *rf, enum unit_id unit)
{
	struct unit *u = &rf->unit[unit];

	u->enabled[u->consumer] = false;
	u->taken[u->consumer] = false;
	u->consumer ^= 1;
}
