// SPDX-License-Identifier: MIT
/*
 * The smallest thing a board can load in place of the device model: registers that say who it is,
 * one that can be written, an interrupt on request. It proves that a model is exchangeable.
 */
#include <stdlib.h>

#include "../../tools/board/model/npu_model.h"

#define TINY_WHO 0x0000	 /* reads as "TINY" */
#define TINY_WORD 0x0004 /* holds what was written */
#define TINY_TIME 0x0008 /* clock cycles since reset */
#define TINY_IRQ 0x000c	 /* level of the interrupt line */

struct npu_model {
	struct npu_model_bus bus;
	uint32_t word;
	uint32_t irq;
	uint64_t now;
};

unsigned int npu_model_abi(void)
{
	return NPU_MODEL_ABI;
}

struct npu_model *npu_model_new(const char *config, const struct npu_model_bus *bus)
{
	struct npu_model *m = calloc(1, sizeof(*m));

	(void)config;
	if (m)
		m->bus = *bus;
	return m;
}

void npu_model_free(struct npu_model *m)
{
	free(m);
}

void npu_model_reset(struct npu_model *m)
{
	m->word = 0;
	m->now = 0;
	npu_model_write(m, TINY_IRQ, 0);
}

uint32_t npu_model_read(struct npu_model *m, uint32_t offset)
{
	switch (offset) {
	case TINY_WHO:
		return 0x54494e59;
	case TINY_WORD:
		return m->word;
	case TINY_TIME:
		return m->now;
	case TINY_IRQ:
		return m->irq;
	}
	return 0;
}

void npu_model_write(struct npu_model *m, uint32_t offset, uint32_t value)
{
	if (offset == TINY_WORD)
		m->word = value;
	if (offset == TINY_IRQ) {
		m->irq = value & 1;
		m->bus.irq(m->bus.opaque, m->irq);
	}
}

int npu_model_busy(struct npu_model *m)
{
	(void)m;
	return 0;
}

uint64_t npu_model_run(struct npu_model *m, uint64_t max_cycles)
{
	m->now += max_cycles;
	return max_cycles;
}
