/* SPDX-License-Identifier: MIT */
/*
 * The driver's own register programming (kmod/nvdla/nvdla_conv.c, unchanged) on a device model.
 */
#ifndef TESTS_FUZZ_DRIVER_H
#define TESTS_FUZZ_DRIVER_H

#include <stdint.h>

#include "../../kmod/npu_validate.h"
#include "../../tools/board/model/npu_model.h"

struct driver;

/* Returns NULL when memory is out. */
struct driver *driver_new(struct npu_model *model);
void driver_free(struct driver *d);

/* Resets the engine and waits until it is ready. */
void driver_reset(struct driver *d);

/*
 * Programs and enables an op in the next register group, which must be free. @addr: bus addresses
 * by enum npu_operand. Returns the group.
 */
unsigned int driver_start(struct driver *d, const struct drm_npu_job_matmul *job,
			  const struct npu_matmul_plan *plan, const uint64_t *addr);

/* Reads and clears the interrupt status: a bit for each group that is done. */
unsigned int driver_irq(struct driver *d);

#endif /* TESTS_FUZZ_DRIVER_H */
