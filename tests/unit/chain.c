// SPDX-License-Identifier: MIT
/*
 * Two square matmuls, one of which reads what the other wrote.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../expect.h"
#include "../matmul_case.h"
#include "chain.h"

const int8_t chain_ones[CHAIN_MAX * CHAIN_MAX] = { [0 ... CHAIN_MAX * CHAIN_MAX - 1] = 1 };

struct npu_matmul_desc chain_desc(const struct chain *chain, int which)
{
	return (struct npu_matmul_desc){
		.size = sizeof(struct npu_matmul_desc),
		.a = which ? chain->b : chain->a,
		.weights = chain->w,
		.epilogue = chain->e,
		.c = which ? chain->c : chain->b,
	};
}

void chain_create(struct chain *chain, struct npu_device *dev, uint32_t size, uint32_t shift)
{
	const int16_t one = 1;
	const struct npu_epilogue_desc e = {
		.size = sizeof(e),
		.n = size,
		.multiplier = &one,
		.scale_count = 1,
		.shift = shift,
	};

	assert_in_range(size, 1, CHAIN_MAX);
	chain->size = size;
	expect_ok(npu_tensor_create(dev, NPU_TYPE_INT8, size, size, &chain->a, &err));
	expect_ok(npu_tensor_create(dev, NPU_TYPE_INT8, size, size, &chain->b, &err));
	expect_ok(npu_tensor_create(dev, NPU_TYPE_INT8, size, size, &chain->c, &err));
	expect_ok(case_weights(dev, size, size, chain_ones, &chain->w, &err));
	expect_ok(npu_epilogue_create(dev, &e, &chain->e, &err));
	for (int i = 0; i < 2; i++) {
		struct npu_matmul_desc desc = chain_desc(chain, i);

		expect_ok(npu_matmul_create(dev, &desc, &chain->matmul[i], &err));
	}
	expect_ok(npu_queue_create(dev, NULL, &chain->queue, &err));
	expect_ok(npu_tensor_write(chain->a, 0, size, chain_ones, 0, &err));
}

void chain_destroy(struct chain *chain)
{
	npu_queue_destroy(chain->queue);
	npu_matmul_destroy(chain->matmul[0]);
	npu_matmul_destroy(chain->matmul[1]);
	npu_epilogue_destroy(chain->e);
	npu_weights_destroy(chain->w);
	npu_tensor_destroy(chain->a);
	npu_tensor_destroy(chain->b);
	npu_tensor_destroy(chain->c);
}

void chain_expect(const struct chain *chain, struct npu_tensor *tensor, int value)
{
	int8_t back[CHAIN_MAX * CHAIN_MAX];

	expect_ok(npu_tensor_read(tensor, 0, chain->size, back, 0, &err));
	for (uint32_t i = 0; i < chain->size * chain->size; i++)
		assert_int_equal(back[i], value);
}

uint64_t chain_submit(struct npu_queue *queue, const struct chain *chain, size_t count, int wait_fd,
		      int *fence_fd)
{
	const struct npu_submit_desc desc = {
		.size = sizeof(desc),
		.matmuls = chain->matmul,
		.count = count,
		.wait_fds = &wait_fd,
		.wait_fd_count = 1,
		.fence_fd = fence_fd,
	};
	uint64_t ticket;

	expect_ok(npu_queue_submit(queue, &desc, &ticket, &err));
	return ticket;
}

uint64_t chain_submit_after(struct npu_queue *queue, const struct chain *chain, size_t count,
			    struct npu_queue *first, uint64_t ticket)
{
	const struct npu_dependency after = { .queue = first, .ticket = ticket };
	const struct npu_submit_desc desc = {
		.size = sizeof(desc),
		.matmuls = chain->matmul,
		.count = count,
		.after = &after,
		.after_count = 1,
	};

	expect_ok(npu_queue_submit(queue, &desc, &ticket, &err));
	return ticket;
}
