// SPDX-License-Identifier: MIT
/*
 * Matmuls: operands that fit together, bound to a plan.
 */
#include <errno.h>
#include <stdlib.h>

#include "backend/backend.h"
#include "matmul.h"
#include "output.h"

/* Matrices, not windows: what lies between the rows of one may belong to the other. */
static bool tensors_overlap(const struct npu_tensor *a, const struct npu_tensor *b)
{
	return a->buf == b->buf && a->offset < b->offset + npu_tensor_span(b) &&
	       b->offset < a->offset + npu_tensor_span(a);
}

static int check_shapes(const struct npu_matmul_desc *desc, struct npu_error *err)
{
	const struct npu_tensor *a = desc->a, *c = desc->c, *r = desc->residual;
	const struct npu_epilogue *epilogue = desc->epilogue;
	const struct npu_weights *w = desc->weights;

	if (a->cols != w->k)
		return npu_fail(err, -EINVAL,
				"matmul: a is %u x %u and weights are %u x %u: K must be the same",
				a->rows, a->cols, w->n, w->k);
	if (a->rows % w->batch)
		return npu_fail(err, -EINVAL,
				"matmul: a has %u rows, which %u matrices of weights cannot share "
				"evenly",
				a->rows, w->batch);
	if (c->rows != a->rows || c->cols != w->n)
		return npu_fail(err, -EINVAL,
				"matmul: c is %u x %u, but a of %u x %u and weights of %u x %u "
				"give %u x %u",
				c->rows, c->cols, a->rows, a->cols, w->n, w->k, a->rows, w->n);
	if (r && (r->rows != c->rows || r->cols != c->cols))
		return npu_fail(err, -EINVAL, "matmul: residual is %u x %u and c %u x %u", r->rows,
				r->cols, c->rows, c->cols);
	if (epilogue->desc.n != w->n)
		return npu_fail(err, -EINVAL,
				"matmul: the epilogue is for %u channels, the weights have %u",
				epilogue->desc.n, w->n);
	if (epilogue->desc.groups != w->groups)
		return npu_fail(err, -EINVAL,
				"matmul: the epilogue is for %u groups of K, the weights have %u",
				epilogue->desc.groups, w->groups);
	return 0;
}

static int check_desc(const struct npu_device *dev, const struct npu_matmul_desc *desc,
		      struct npu_error *err)
{
	const struct npu_tensor *a = desc->a, *c = desc->c, *r = desc->residual;
	const struct npu_epilogue *epilogue = desc->epilogue;
	const struct npu_weights *w = desc->weights;

	if (desc->size != sizeof(*desc))
		return npu_fail(err, -EINVAL,
				"npu_matmul_desc.size is %zu, set it to sizeof(struct "
				"npu_matmul_desc), which is %zu",
				desc->size, sizeof(*desc));
	if (!a || !w || !epilogue || !c)
		return npu_fail(err, -EINVAL, "matmul: %s is NULL",
				!a	    ? "a"
				: !w	    ? "weights"
				: !epilogue ? "epilogue"
					    : "c");
	if (a->buf->dev != dev || w->dev != dev || epilogue->dev != dev || c->buf->dev != dev ||
	    (r && r->buf->dev != dev))
		return npu_fail(err, -EINVAL, "matmul: %s belongs to another device",
				a->buf->dev != dev     ? "a"
				: w->dev != dev	       ? "weights"
				: epilogue->dev != dev ? "epilogue"
				: c->buf->dev != dev   ? "c"
						       : "residual");
	if (tensors_overlap(a, c) || (r && tensors_overlap(r, c)))
		return npu_fail(err, -EINVAL, "matmul: c shares memory with %s",
				tensors_overlap(a, c) ? "a" : "residual");
	return check_shapes(desc, err);
}

static void put_operands(struct npu_matmul *matmul)
{
	npu_tensor_destroy(matmul->a);
	npu_weights_destroy(matmul->weights);
	npu_epilogue_destroy(matmul->epilogue);
	npu_tensor_destroy(matmul->c);
	npu_tensor_destroy(matmul->residual);
}

static void get_operands(struct npu_matmul *matmul, const struct npu_matmul_desc *desc)
{
	matmul->a = desc->a;
	matmul->weights = desc->weights;
	matmul->epilogue = desc->epilogue;
	matmul->c = desc->c;
	matmul->residual = desc->residual;
	matmul->a_zero_point = desc->a_zero_point;
	npu_ref(&matmul->a->refs);
	npu_ref(&matmul->weights->refs);
	npu_ref(&matmul->epilogue->refs);
	npu_ref(&matmul->c->refs);
	if (matmul->residual)
		npu_ref(&matmul->residual->refs);
}

static void set_shape(struct npu_matmul *matmul)
{
	const struct npu_plan_desc desc = {
		.m = matmul->a->rows,
		.k = matmul->weights->k,
		.n = matmul->weights->n,
		.a_type = matmul->a->type,
		.c_type = matmul->c->type,
		.batch = matmul->weights->batch,
		.residual_type = matmul->residual ? matmul->residual->type : 0,
	};

	npu_plan_shape(&matmul->plan, &desc);
}

int npu_matmul_create(struct npu_device *dev, const struct npu_matmul_desc *desc,
		      struct npu_matmul **out, struct npu_error *err)
{
	struct npu_matmul *matmul;
	int ret;

	if (!dev || !desc || !out)
		return npu_fail(err, -EINVAL,
				"npu_matmul_create: no device, no desc or no place "
				"for the matmul given");
	ret = check_desc(dev, desc, err);
	if (ret)
		return ret;

	matmul = calloc(1, dev->ops->matmul_size);
	if (!matmul)
		return npu_fail(err, -ENOMEM, "no memory for a matmul object");

	matmul->refs = 1;
	matmul->dev = dev;
	get_operands(matmul, desc);
	set_shape(matmul);
	ret = npu_output_resolve(desc, &matmul->requant, err);
	if (!ret && dev->ops->matmul_init)
		ret = dev->ops->matmul_init(matmul, err);
	if (ret) {
		put_operands(matmul);
		free(matmul);
		return ret;
	}
	npu_ref(&dev->refs);
	*out = matmul;
	return 0;
}

void npu_matmul_destroy(struct npu_matmul *matmul)
{
	struct npu_device *dev;

	if (!matmul || !npu_unref(&matmul->refs))
		return;
	dev = matmul->dev;
	if (dev->ops->matmul_fini)
		dev->ops->matmul_fini(matmul);
	put_operands(matmul);
	free(matmul);
	npu_device_close(dev);
}

size_t npu_matmul_buffers(const struct npu_matmul *matmul, struct npu_buffer **bufs)
{
	bufs[0] = matmul->a->buf;
	bufs[1] = matmul->c->buf;
	if (!matmul->residual)
		return 2;
	bufs[2] = matmul->residual->buf;
	return 3;
}

int npu_matmul_get_plan(const struct npu_matmul *matmul, struct npu_plan *plan,
			struct npu_error *err)
{
	if (!matmul || !plan)
		return npu_fail(err, -EINVAL, "npu_matmul_get_plan: no matmul or no plan given");
	if (plan->size != sizeof(*plan))
		return npu_fail(err, -EINVAL,
				"npu_plan.size is %zu, set it to sizeof(struct npu_plan), which "
				"is %zu",
				plan->size, sizeof(*plan));
	*plan = matmul->plan;
	return 0;
}
