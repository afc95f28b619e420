/* SPDX-License-Identifier: MIT */
/*
 * A submission that waits for nothing in particular.
 */
#ifndef TESTS_SUBMIT_H
#define TESTS_SUBMIT_H

#include <npu.h>

static inline int submit_list(struct npu_queue *queue, struct npu_matmul *const *matmuls,
			      size_t count, uint64_t *ticket, struct npu_error *err)
{
	const struct npu_submit_desc desc = {
		.size = sizeof(desc),
		.matmuls = matmuls,
		.count = count,
	};

	return npu_queue_submit(queue, &desc, ticket, err);
}

#endif /* TESTS_SUBMIT_H */
