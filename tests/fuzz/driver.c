// SPDX-License-Identifier: MIT
/*
 * What is around the register programming in the kernel: a device, a register window, and the
 * little of start-up and interrupts that a single thread needs.
 */
#include <stdlib.h>
#include <string.h>

#include "../../kmod/nvdla/nvdla.h"
#include "../../kmod/nvdla/nvdla_regs.h"
#include "driver.h"

struct driver {
	struct npu_device npu;
	struct nvdla nvdla;
	struct npu_model *model;
};

/* The kernel's accessors know an address only: this window is one, and these registers are its. */
static char window[0x10000];
static struct npu_model *behind_window;

void writel_relaxed(u32 value, const char *reg)
{
	npu_model_write(behind_window, (uint32_t)(reg - window), value);
}

struct driver *driver_new(struct npu_model *model)
{
	struct driver *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->model = model;
	d->npu.regs = window;
	d->npu.hw_priv = &d->nvdla;
	driver_reset(d);
	return d;
}

void driver_free(struct driver *d)
{
	free(d);
}

void driver_reset(struct driver *d)
{
	npu_model_reset(d->model);
	memset(&d->nvdla, 0, sizeof(d->nvdla));
	while (!(npu_model_read(d->model, CDMA_S_CBUF_FLUSH_STATUS) & CDMA_S_CBUF_FLUSH_DONE))
		npu_model_run(d->model, 10000);
	npu_model_write(d->model, CDMA_S_ARBITER, CDMA_S_ARBITER_EVEN);
	npu_model_write(d->model, GLB_S_INTR_MASK,
			GLB_INTR_ALL & ~(GLB_INTR_SDP_DONE(0) | GLB_INTR_SDP_DONE(1)));
}

unsigned int driver_start(struct driver *d, const struct drm_npu_job_matmul *job,
			  const struct npu_matmul_plan *plan, const uint64_t *addr)
{
	struct npu_op op = { .job = *job, .plan = *plan };
	unsigned int group;

	memcpy(op.addr, addr, sizeof(op.addr));
	behind_window = d->model;
	group = nvdla_conv_program(&d->npu, &op);
	nvdla_conv_enable(&d->npu, &op);
	return group;
}

unsigned int driver_irq(struct driver *d)
{
	uint32_t status = npu_model_read(d->model, GLB_S_INTR_STATUS);

	npu_model_write(d->model, GLB_S_INTR_STATUS, status);
	return status & (GLB_INTR_SDP_DONE(0) | GLB_INTR_SDP_DONE(1));
}
