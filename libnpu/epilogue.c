// SPDX-License-Identifier: MIT
/*
 * Epilogues: the output stage of a matmul, checked and copied once.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"

/* ---- Checks ---------------------------------------------------------------------------- */

static int check_floats(const char *name, const float *values, size_t count, struct npu_error *err)
{
	for (size_t i = 0; values && i < count; i++)
		if (!isfinite(values[i]))
			return npu_fail(err, -EINVAL, "epilogue: %s[%zu] is not finite", name, i);
	return 0;
}

static int check_bias(const struct npu_epilogue_desc *desc, struct npu_error *err)
{
	if (desc->bias && desc->groups > 1)
		return npu_fail(err, -EINVAL,
				"epilogue: bias has no unit with %u groups, use float_bias",
				desc->groups);
	if (desc->float_bias && desc->scaling != NPU_SCALING_FLOAT)
		return npu_fail(err, -EINVAL, "epilogue: float_bias goes with NPU_SCALING_FLOAT");
	for (uint32_t i = 0; desc->bias && i < desc->n; i++)
		if (desc->bias[i] > NPU_BIAS_MAX || desc->bias[i] < -NPU_BIAS_MAX)
			return npu_fail(err, -EINVAL,
					"epilogue: bias[%u] is %d, its magnitude may be %d at most",
					i, desc->bias[i], NPU_BIAS_MAX);
	return check_floats("float_bias", desc->float_bias, desc->n, err);
}

static int check_scale_count(const struct npu_epilogue_desc *desc, struct npu_error *err)
{
	uint64_t all = (uint64_t)desc->n * desc->groups;

	if (desc->groups > 1 && desc->scaling != NPU_SCALING_FLOAT)
		return npu_fail(err, -EINVAL,
				"epilogue: groups is %u, which goes with "
				"NPU_SCALING_FLOAT",
				desc->groups);
	if (desc->scaling == NPU_SCALING_NONE)
		return 0;
	if (desc->scale_count != 1 && desc->scale_count != all)
		return npu_fail(err, -EINVAL,
				"epilogue: scale_count is %u, it must be 1 or n * groups, which is "
				"%llu",
				desc->scale_count, (unsigned long long)all);
	return 0;
}

static int check_fixed16(const struct npu_epilogue_desc *desc, struct npu_error *err)
{
	if (!desc->multiplier)
		return npu_fail(err, -EINVAL,
				"epilogue: multiplier is NULL, one value is the least");
	if (desc->shift > NPU_SHIFT_MAX)
		return npu_fail(err, -EINVAL, "epilogue: shift is %u, the most is %d", desc->shift,
				NPU_SHIFT_MAX);
	if (desc->residual_shift > NPU_SHIFT_MAX)
		return npu_fail(err, -EINVAL, "epilogue: residual_shift is %u, the most is %d",
				desc->residual_shift, NPU_SHIFT_MAX);
	return 0;
}

static bool is_exponent(int32_t exponent)
{
	return exponent >= NPU_EXPONENT_MIN && exponent <= NPU_EXPONENT_MAX;
}

static int check_tflite(const struct npu_epilogue_desc *desc, struct npu_error *err)
{
	if (!desc->multiplier_q31 || !desc->exponent)
		return npu_fail(err, -EINVAL, "epilogue: %s is NULL, one value is the least",
				desc->multiplier_q31 ? "exponent" : "multiplier_q31");
	for (uint32_t i = 0; i < desc->scale_count; i++) {
		if (desc->multiplier_q31[i] < 0)
			return npu_fail(err, -EINVAL,
					"epilogue: multiplier_q31[%u] is %d, it must not be "
					"negative",
					i, desc->multiplier_q31[i]);
		if (!is_exponent(desc->exponent[i]))
			return npu_fail(err, -EINVAL,
					"epilogue: exponent[%u] is %d, not in %d to %d", i,
					desc->exponent[i], NPU_EXPONENT_MIN, NPU_EXPONENT_MAX);
	}
	if (desc->residual_multiplier_q31 < 0 || !is_exponent(desc->residual_exponent))
		return npu_fail(err, -EINVAL,
				"epilogue: residual_multiplier_q31 is %d and residual_exponent %d: "
				"the first must not be negative, the second %d to %d",
				desc->residual_multiplier_q31, desc->residual_exponent,
				NPU_EXPONENT_MIN, NPU_EXPONENT_MAX);
	return 0;
}

static int check_scaling(const struct npu_epilogue_desc *desc, struct npu_error *err)
{
	int ret = check_scale_count(desc, err);

	if (ret)
		return ret;
	switch (desc->scaling) {
	case NPU_SCALING_FIXED16:
		return check_fixed16(desc, err);
	case NPU_SCALING_TFLITE:
	case NPU_SCALING_TFLITE_DOUBLE:
		return check_tflite(desc, err);
	case NPU_SCALING_FLOAT:
		if (!desc->scale)
			return npu_fail(err, -EINVAL,
					"epilogue: scale is NULL, one value is the least");
		if (!isfinite(desc->residual_scale))
			return npu_fail(err, -EINVAL, "epilogue: residual_scale is not finite");
		return check_floats("scale", desc->scale, desc->scale_count, err);
	case NPU_SCALING_NONE:
		return 0;
	}
	return npu_fail(err, -EINVAL, "epilogue: scaling is %d, not one of enum npu_scaling",
			(int)desc->scaling);
}

static int check_desc(const struct npu_epilogue_desc *desc, struct npu_error *err)
{
	int ret;

	if (!desc->n)
		return npu_fail(err, -EINVAL, "epilogue: n is 0, it must be at least 1");
	if ((unsigned int)desc->activation > NPU_ACTIVATION_RELU6)
		return npu_fail(err, -EINVAL,
				"epilogue: activation is %d, not one of enum "
				"npu_activation",
				(int)desc->activation);
	if (desc->clamp && !(desc->clamp_min <= desc->clamp_max))
		return npu_fail(err, -EINVAL,
				"epilogue: clamp_min is %g and clamp_max %g: the first must be at "
				"most the second",
				desc->clamp_min, desc->clamp_max);
	ret = check_scaling(desc, err);
	if (!ret)
		ret = check_bias(desc, err);
	return ret;
}

int npu_epilogue_check(const struct npu_epilogue_desc *desc, struct npu_epilogue_desc *full,
		       struct npu_error *err)
{
	if (desc->size != sizeof(*desc))
		return npu_fail(err, -EINVAL,
				"npu_epilogue_desc.size is %zu, set it to sizeof(struct "
				"npu_epilogue_desc), which is %zu",
				desc->size, sizeof(*desc));
	*full = *desc;
	if (!full->groups)
		full->groups = 1;
	return check_desc(full, err);
}

/* ---- Objects --------------------------------------------------------------------------- */

/* Replaces the array at @array, unless it is not used, by a copy. */
static bool copy_array(const void *array, bool used, size_t count, size_t size)
{
	const void **at = (const void **)array;
	void *copy;

	if (!used || !*at) {
		*at = NULL;
		return true;
	}
	copy = malloc(count * size);
	if (copy)
		memcpy(copy, *at, count * size);
	*at = copy;
	return copy;
}

static bool copy_arrays(struct npu_epilogue_desc *desc)
{
	const enum npu_scaling scaling = desc->scaling;
	const bool tflite = scaling == NPU_SCALING_TFLITE || scaling == NPU_SCALING_TFLITE_DOUBLE;
	bool ok;

	/* Each of them, so that what is freed later is a copy or NULL. */
	ok = copy_array(&desc->bias, true, desc->n, sizeof(*desc->bias));
	ok &= copy_array(&desc->float_bias, true, desc->n, sizeof(*desc->float_bias));
	ok &= copy_array(&desc->multiplier, scaling == NPU_SCALING_FIXED16, desc->scale_count,
			 sizeof(*desc->multiplier));
	ok &= copy_array(&desc->multiplier_q31, tflite, desc->scale_count,
			 sizeof(*desc->multiplier_q31));
	ok &= copy_array(&desc->exponent, tflite, desc->scale_count, sizeof(*desc->exponent));
	ok &= copy_array(&desc->scale, scaling == NPU_SCALING_FLOAT, desc->scale_count,
			 sizeof(*desc->scale));
	return ok;
}

static void free_epilogue(struct npu_epilogue *epilogue)
{
	free((void *)epilogue->desc.bias);
	free((void *)epilogue->desc.float_bias);
	free((void *)epilogue->desc.multiplier);
	free((void *)epilogue->desc.multiplier_q31);
	free((void *)epilogue->desc.exponent);
	free((void *)epilogue->desc.scale);
	free(epilogue);
}

int npu_epilogue_create(struct npu_device *dev, const struct npu_epilogue_desc *desc,
			struct npu_epilogue **out, struct npu_error *err)
{
	struct npu_epilogue_desc full;
	struct npu_epilogue *epilogue;
	int ret;

	if (!dev || !desc || !out)
		return npu_fail(err, -EINVAL,
				"npu_epilogue_create: no device, no desc or no place "
				"for the epilogue given");
	ret = npu_epilogue_check(desc, &full, err);
	if (ret)
		return ret;

	epilogue = calloc(1, sizeof(*epilogue));
	if (!epilogue)
		return npu_fail(err, -ENOMEM, "no memory for an epilogue object");
	epilogue->refs = 1;
	epilogue->dev = dev;
	epilogue->desc = full;
	if (!copy_arrays(&epilogue->desc)) {
		free_epilogue(epilogue);
		return npu_fail(err, -ENOMEM, "no memory for an epilogue of %u channels", desc->n);
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
	free_epilogue(epilogue);
	npu_device_close(dev);
}
