// SPDX-License-Identifier: MIT
/*
 * The device model with one wrong bit: the first byte of the third line of results that it writes.
 * What compares recordings has to find it.
 */
#define npu_model_new sound_model_new
#include "../../tools/board/model/npu_model.c"
#undef npu_model_new

#include "../../tools/board/model/npu_model.h"

#define WRONG_LINE 3

static struct npu_model_bus sound_bus;
static unsigned int lines;

static int write_wrong(void *opaque, uint64_t addr, const void *buf, size_t len)
{
	uint8_t byte = *(const uint8_t *)buf ^ 1;

	if (++lines != WRONG_LINE)
		return sound_bus.write(opaque, addr, buf, len);
	if (sound_bus.write(opaque, addr, &byte, 1))
		return -1;
	return sound_bus.write(opaque, addr + 1, (const uint8_t *)buf + 1, len - 1);
}

struct npu_model *npu_model_new(const char *config, const struct npu_model_bus *bus);

struct npu_model *npu_model_new(const char *config, const struct npu_model_bus *bus)
{
	struct npu_model_bus wrong = *bus;

	sound_bus = *bus;
	wrong.write = write_wrong;
	return sound_model_new(config, &wrong);
}
