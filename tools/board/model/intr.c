// SPDX-License-Identifier: MIT
/* Interrupt status, mask, set and clear; see the header. */
#include <string.h>

#include "intr.h"
#include "regs.h"

void intr_reset(struct intr *i)
{
	i->mask = 0;
	i->status = 0;
	memset(i->quiet_until, 0, sizeof(i->quiet_until));
	i->pulse_until = 0;
	intr_update(i, 0);
}

uint32_t intr_read(const struct intr *i, uint32_t offset)
{
	if (offset == GLB_S_INTR_MASK)
		return i->mask;
	return offset == GLB_S_INTR_STATUS ? i->status : 0;
}

void intr_write(struct intr *i, uint32_t offset, uint32_t value, uint64_t now)
{
	if (offset == GLB_S_INTR_MASK)
		i->mask = value & i->bits;
	else if (offset == GLB_S_INTR_SET)
		i->status |= value & i->bits;
	else if (offset == GLB_S_INTR_STATUS)
		i->status &= ~value;
	intr_update(i, now);
}

void intr_raise(struct intr *i, unsigned int bit, uint64_t quiet_until)
{
	i->status |= 1u << bit;
	i->quiet_until[bit] = quiet_until;
}

bool intr_update(struct intr *i, uint64_t now)
{
	uint32_t active = i->status & ~i->mask;
	bool level = i->pulse_until > now;

	for (unsigned int bit = 0; bit < INTR_BITS; bit++)
		if ((active >> bit & 1) && i->quiet_until[bit] <= now)
			level = true;
	if (level == i->level)
		return false;
	i->level = level;
	i->bus->irq(i->bus->opaque, level);
	return level;
}

uint64_t intr_next(const struct intr *i, uint64_t now)
{
	uint64_t next = i->pulse_until > now ? i->pulse_until : UINT64_MAX;

	for (unsigned int bit = 0; bit < INTR_BITS; bit++)
		if ((i->status >> bit & 1) && i->quiet_until[bit] > now &&
		    i->quiet_until[bit] < next)
			next = i->quiet_until[bit];
	return next;
}
