// SPDX-License-Identifier: MIT
/* One multiplication on a device. */
#include <time.h>

#include "multiply.h"

/* Everything the library needs for it. */
struct objects {
	struct npu_tensor *a;
	struct npu_tensor *c;
	struct npu_tensor *residual;
	struct npu_weights *weights;
	struct npu_epilogue *epilogue;
	struct npu_matmul *matmul;
	struct npu_queue *queue;
};

static int create(struct npu_device *dev, const struct problem *p, struct objects *o,
		  struct npu_error *err)
{
	struct npu_matmul_desc desc = { .size = sizeof(desc), .a_zero_point = p->a_zero_point };
	const uint32_t rows = p->batch * p->m;
	int ret;

	ret = npu_tensor_create(dev, p->a_type, rows, p->k, &o->a, err);
	if (!ret)
		ret = npu_tensor_create(dev, p->c_type, rows, p->n, &o->c, err);
	if (!ret && p->residual)
		ret = npu_tensor_create(dev, p->residual_type, rows, p->n, &o->residual, err);
	if (!ret)
		ret = npu_weights_create(dev, &p->weights, &o->weights, err);
	if (!ret)
		ret = npu_epilogue_create(dev, &p->epilogue, &o->epilogue, err);
	if (ret)
		return ret;

	desc.a = o->a;
	desc.weights = o->weights;
	desc.epilogue = o->epilogue;
	desc.c = o->c;
	desc.residual = o->residual;
	ret = npu_matmul_create(dev, &desc, &o->matmul, err);
	if (!ret)
		ret = npu_queue_create(dev, NULL, &o->queue, err);
	return ret;
}

static void destroy(struct objects *o)
{
	npu_queue_destroy(o->queue);
	npu_matmul_destroy(o->matmul);
	npu_epilogue_destroy(o->epilogue);
	npu_weights_destroy(o->weights);
	npu_tensor_destroy(o->residual);
	npu_tensor_destroy(o->c);
	npu_tensor_destroy(o->a);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static int run(const struct problem *p, struct objects *o, void *c, struct work *work,
	       struct npu_error *err)
{
	const uint32_t rows = p->batch * p->m;
	double start;
	int ret;

	ret = npu_tensor_write(o->a, 0, rows, p->a, 0, err);
	if (!ret && p->residual)
		ret = npu_tensor_write(o->residual, 0, rows, p->residual, 0, err);
	if (ret)
		return ret;
	start = now();
	ret = npu_queue_run(o->queue, &o->matmul, 1, err);
	if (ret)
		return ret;
	work->seconds = now() - start;
	ret = npu_tensor_read(o->c, 0, rows, c, 0, err);
	if (ret)
		return ret;

	work->plan.size = sizeof(work->plan);
	work->stats.size = sizeof(work->stats);
	ret = npu_matmul_get_plan(o->matmul, &work->plan, err);
	if (!ret)
		ret = npu_queue_get_stats(o->queue, &work->stats, err);
	return ret;
}

int multiply(struct npu_device *dev, const struct problem *problem, void *c, struct work *work,
	     struct npu_error *err)
{
	struct objects objects = { 0 };
	int ret;

	ret = create(dev, problem, &objects, err);
	if (!ret)
		ret = run(problem, &objects, c, work, err);
	destroy(&objects);
	return ret;
}
