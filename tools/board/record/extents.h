/* SPDX-License-Identifier: MIT */
/*
 * Which bytes of memory an op reads and writes, from its registers.
 */
#ifndef NPU_RECORD_EXTENTS_H
#define NPU_RECORD_EXTENTS_H

#include <stddef.h>
#include <stdint.h>

#include "../model/config.h"
#include "../model/op.h"

struct extent {
	uint64_t addr;
	size_t len;
};

/* Zeroed, an empty list. What follows each other in memory and in the list is one extent. */
struct extents {
	struct extent *list;
	size_t count;
	size_t room;
};

/* Both return 0, or -1 when memory is out. What an op takes from the op before it is listed, too.
 */
int extents_of_inputs(struct extents *e, const struct op *op, const struct npu_config *cfg);
int extents_of_output(struct extents *e, const struct op *op, const struct npu_config *cfg);

void extents_free(struct extents *e);

#endif /* NPU_RECORD_EXTENTS_H */
