// SPDX-License-Identifier: MIT
/*
 * What output stages cost: the same product with results of several kinds, beside the sums alone.
 * All of it goes through libnpu's public interface.
 */
#include <stdlib.h>

#include <npu.h>

#include "contender.h"

/* Columns of a group, as formats of language models have them. */
#define GROUP 128

struct stage {
	struct npu_device *dev;
	struct npu_queue *queue;
	struct npu_matmul *matmul;
};

/* Parameters of the channels. What they are is nothing to the time. */
struct parameters {
	int16_t *multiplier;
	int32_t *multiplier_q31, *exponent;
	float *scale;
};

static void ok(int ret, const struct npu_error *err)
{
	must(!ret, err->text);
}

static void make_parameters(struct parameters *p, size_t count)
{
	*p = (struct parameters){
		.multiplier = malloc(count * sizeof(*p->multiplier)),
		.multiplier_q31 = malloc(count * sizeof(*p->multiplier_q31)),
		.exponent = malloc(count * sizeof(*p->exponent)),
		.scale = malloc(count * sizeof(*p->scale)),
	};
	must(p->multiplier && p->multiplier_q31 && p->exponent && p->scale, "stages: memory");
	for (size_t i = 0; i < count; i++) {
		p->multiplier[i] = (int16_t)(20000 + i % 10000);
		p->multiplier_q31[i] = (1 << 30) + (int32_t)i;
		p->exponent[i] = -12;
		p->scale[i] = 1e-3f * (float)(i % 1000 + 1);
	}
}

static void free_parameters(struct parameters *p)
{
	free(p->multiplier);
	free(p->multiplier_q31);
	free(p->exponent);
	free(p->scale);
}

static struct npu_epilogue *make_epilogue(struct npu_device *dev, enum npu_scaling scaling,
					  uint32_t n, uint32_t groups)
{
	struct npu_epilogue_desc desc = {
		.size = sizeof(desc),
		.n = n,
		.scaling = scaling,
		.groups = groups,
		.scale_count = scaling == NPU_SCALING_NONE ? 0 : n * groups,
	};
	struct npu_error err = { 0 };
	struct npu_epilogue *epilogue;
	struct parameters p;

	make_parameters(&p, (size_t)n * groups);
	if (scaling == NPU_SCALING_FIXED16) {
		desc.multiplier = p.multiplier;
		desc.shift = 27;
	} else if (scaling == NPU_SCALING_FLOAT) {
		desc.scale = p.scale;
	} else if (scaling != NPU_SCALING_NONE) {
		desc.multiplier_q31 = p.multiplier_q31;
		desc.exponent = p.exponent;
	}
	ok(npu_epilogue_create(dev, &desc, &epilogue, &err), &err);
	free_parameters(&p);
	return epilogue;
}

static void *make_stage(const struct problem *p, enum npu_scaling scaling, enum npu_type type,
			uint32_t group)
{
	struct stage *self = calloc(1, sizeof(*self));
	const struct npu_weights_desc weights = {
		.size = sizeof(weights),
		.n = p->n,
		.k = p->k,
		.data = p->w,
		.group_size = group,
	};
	struct npu_matmul_desc desc = { .size = sizeof(desc) };
	struct npu_error err = { 0 };

	must(self, "stages: memory");
	ok(npu_device_open("cpu", &self->dev, &err), &err);
	ok(npu_queue_create(self->dev, NULL, &self->queue, &err), &err);
	ok(npu_tensor_create(self->dev, NPU_TYPE_INT8, p->m, p->k, &desc.a, &err), &err);
	ok(npu_tensor_create(self->dev, type, p->m, p->n, &desc.c, &err), &err);
	ok(npu_weights_create(self->dev, &weights, &desc.weights, &err), &err);
	desc.epilogue =
		make_epilogue(self->dev, scaling, p->n, group ? (p->k + group - 1) / group : 1);
	ok(npu_matmul_create(self->dev, &desc, &self->matmul, &err), &err);
	ok(npu_tensor_write(desc.a, 0, p->m, p->a, 0, &err), &err);
	npu_epilogue_destroy(desc.epilogue);
	npu_weights_destroy(desc.weights);
	npu_tensor_destroy(desc.a);
	npu_tensor_destroy(desc.c);
	return self;
}

static void run(void *ctx)
{
	struct stage *self = ctx;
	struct npu_error err = { 0 };

	ok(npu_queue_run(self->queue, &self->matmul, 1, &err), &err);
}

static const void *output(const void *ctx)
{
	(void)ctx;
	return NULL;
}

static void destroy(void *ctx)
{
	struct stage *self = ctx;

	npu_matmul_destroy(self->matmul);
	npu_queue_destroy(self->queue);
	npu_device_close(self->dev);
	free(self);
}

#define STAGE(id, title, scaling, type, group)              \
	static void *create_##id(const struct problem *p)   \
	{                                                   \
		return make_stage(p, scaling, type, group); \
	}                                                   \
	const struct contender contender_##id = {           \
		.name = title,                              \
		.create = create_##id,                      \
		.run = run,                                 \
		.output = output,                           \
		.destroy = destroy,                         \
	}

STAGE(int32, "int32", NPU_SCALING_NONE, NPU_TYPE_INT32, 0);
STAGE(int8, "int8", NPU_SCALING_FIXED16, NPU_TYPE_INT8, 0);
STAGE(int16, "int16", NPU_SCALING_FIXED16, NPU_TYPE_INT16, 0);
STAGE(tflite, "tflite", NPU_SCALING_TFLITE, NPU_TYPE_INT8, 0);
STAGE(onnx, "onnx", NPU_SCALING_FLOAT, NPU_TYPE_INT8, 0);
STAGE(float32, "float32", NPU_SCALING_FLOAT, NPU_TYPE_FLOAT32, 0);
STAGE(float16, "float16", NPU_SCALING_FLOAT, NPU_TYPE_FLOAT16, 0);
STAGE(grouped, "groups", NPU_SCALING_FLOAT, NPU_TYPE_FLOAT32, GROUP);
