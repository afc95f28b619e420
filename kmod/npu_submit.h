/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A SUBMIT under way: what the ioctl collects before the submission is armed.
 */
#ifndef _NPU_SUBMIT_H_
#define _NPU_SUBMIT_H_

#include "npu_hw.h"

struct npu_signal;

/**
 * struct npu_known_bo - a handle that was looked up
 * @handle: Handle, 0 for none.
 * @index: In npu_job.bos.
 */
struct npu_known_bo {
	u32 handle;
	unsigned int index;
};

/**
 * struct npu_submission - what the ioctl collects
 * @npu: The device.
 * @filp: The file.
 * @job: The submission.
 * @known: For each operand, the BO it had in an earlier job: jobs of a submission have most in
 * common.
 * @signals: Syncobjs to signal.
 * @n_signals: Their number.
 */
struct npu_submission {
	struct npu_device *npu;
	struct drm_file *filp;
	struct npu_job *job;
	struct npu_known_bo known[NPU_OPERANDS];
	struct npu_signal *signals;
	unsigned int n_signals;
};

int npu_submit_copy(void *dst, size_t size, const struct drm_npu_array *array, u32 index);

/* npu_sync.c */
int npu_sync_add(struct npu_submission *sub, const struct drm_npu_array *array);
int npu_sync_add_implicit(struct npu_submission *sub);
void npu_sync_publish(struct npu_submission *sub, struct dma_fence *fence);
void npu_sync_fini(struct npu_submission *sub);

#endif /* _NPU_SUBMIT_H_ */
