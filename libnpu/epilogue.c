// SPDX-License-Identifier: MIT
/*
 * Epilogues: the output stage of a matmul, checked and copied once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"

static int check_desc(const struct npu_epilogue_desc *desc, struct npu_error *err)
{
	if (desc->size != sizeof(*desc))
		return npu_fail(err, -EINVAL,
				"npu_epilogue_desc.size is %zu, set it to sizeof(struct "
				"npu_epilogue_desc), which is %zu",
				desc->size, sizeof(*desc));
	if (!desc->n)
		return npu_fail(err, -EINVAL, "epilogue: n is 0, it must be at least 1");
	if (!desc->multiplier)
		return npu_fail(err, -EINVAL,
				"epilogue: multiplier is NULL, one value is the "
				"least");
	if (desc->multiplier_count != 1 && desc->multiplier_count != desc->n)
		return npu_fail(err, -EINVAL,
				"epilogue: multiplier_count is %u, it must be 1 or n, which is %u",
				desc->multiplier_count, desc->n);
	if (desc->shift > NPU_SHIFT_MAX)
		return npu_fail(err, -EINVAL, "epilogue: shift is %u, the most is %d", desc->shift,
				NPU_SHIFT_MAX);
	if (desc->zero_point < INT8_MIN || desc->zero_point > INT8_MAX)
		return npu_fail(err, -EINVAL, "epilogue: zero_point is %d, not in -128 to 127",
				desc->zero_point);
	if (desc->activation != NPU_ACTIVATION_NONE && desc->activation != NPU_ACTIVATION_RELU)
		return npu_fail(err, -EINVAL,
				"epilogue: activation is %d, not one of enum "
				"npu_activation",
				(int)desc->activation);
	for (uint32_t i = 0; desc->bias && i < desc->n; i++)
		if (desc->bias[i] > NPU_BIAS_MAX || desc->bias[i] < -NPU_BIAS_MAX)
			return npu_fail(err, -EINVAL,
					"epilogue: bias[%u] is %d, its magnitude may be %d at most",
					i, desc->bias[i], NPU_BIAS_MAX);
	return 0;
}

static int copy_desc(struct npu_epilogue *epilogue, const struct npu_epilogue_desc *desc,
		     struct npu_error *err)
{
	int16_t *multiplier = calloc(desc->multiplier_count, sizeof(*multiplier));
	int32_t *bias = desc->bias ? calloc(desc->n, sizeof(*bias)) : NULL;

	if (!multiplier || (desc->bias && !bias)) {
		free(multiplier);
		free(bias);
		return npu_fail(err, -ENOMEM, "no memory for an epilogue of %u channels", desc->n);
	}
	memcpy(multiplier, desc->multiplier, desc->multiplier_count * sizeof(*multiplier));
	if (bias)
		memcpy(bias, desc->bias, desc->n * sizeof(*bias));

	epilogue->n = desc->n;
	epilogue->requant = (struct npu_requant){
		.bias = bias,
		.multiplier = multiplier,
		.per_channel = desc->multiplier_count > 1,
		.relu = desc->activation == NPU_ACTIVATION_RELU,
		.shift = desc->shift,
		.zero_point = desc->zero_point,
	};
	return 0;
}

static void free_epilogue(struct npu_epilogue *epilogue)
{
	free((void *)epilogue->requant.bias);
	free((void *)epilogue->requant.multiplier);
	free(epilogue);
}

int npu_epilogue_create(struct npu_device *dev, const struct npu_epilogue_desc *desc,
			struct npu_epilogue **out, struct npu_error *err)
{
	struct npu_epilogue *epilogue;
	int ret;

	if (!dev || !desc || !out)
		return npu_fail(err, -EINVAL,
				"npu_epilogue_create: no device, no desc or no place "
				"for the epilogue given");
	ret = check_desc(desc, err);
	if (ret)
		return ret;

	epilogue = calloc(1, dev->ops->epilogue_size);
	if (!epilogue)
		return npu_fail(err, -ENOMEM, "no memory for an epilogue object");

	epilogue->refs = 1;
	epilogue->dev = dev;
	ret = copy_desc(epilogue, desc, err);
	if (!ret && dev->ops->epilogue_init)
		ret = dev->ops->epilogue_init(epilogue, err);
	if (ret) {
		free_epilogue(epilogue);
		return ret;
	}
	npu_ref(&dev->refs);
	*out = epilogue;
	return 0;
}

void npu_epilogue_destroy(struct npu_epilogue *epilogue)
{
	struct npu_device *dev;

	if (!epilogue || !npu_unref(&epilogue->refs))
		return;
	dev = epilogue->dev;
	if (dev->ops->epilogue_fini)
		dev->ops->epilogue_fini(epilogue);
	free_epilogue(epilogue);
	npu_device_close(dev);
}
