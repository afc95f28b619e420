// SPDX-License-Identifier: MIT
/*
 * Where values lie in the range that is quantized, and beyond it.
 */
#include <errno.h>

#include "../quant/quant.h"
#include "eval.h"

static int check(const char *call, const struct npu_clipping *clipping, struct npu_error *err)
{
	return npu_eval_check_size(call, "npu_clipping", clipping, sizeof(*clipping), err);
}

/* Outside, by the distance from the range in bins of the inside: below 1, below 2, below 4 ... */
static unsigned int outside_bin(double distance)
{
	int exponent;

	if (distance < 1)
		return 0;
	if (distance >= 1 << (NPU_CLIPPING_OUTSIDE - 2))
		return NPU_CLIPPING_OUTSIDE - 1;
	frexp(distance, &exponent);
	return (unsigned int)exponent;
}

static void add_value(struct npu_clipping *clipping, const struct npu_quant_limits *limits,
		      double steps, int32_t zero_point)
{
	double q = rint(steps) + zero_point;
	/* From the lower end of the range, in bins. */
	double place = (steps + zero_point - limits->low + 0.5) / (limits->high - limits->low + 1) *
		       NPU_CLIPPING_INSIDE;
	unsigned int bin;

	if (q < limits->low) {
		clipping->below++;
		bin = NPU_CLIPPING_OUTSIDE - 1 - outside_bin(-place);
	} else if (q > limits->high) {
		clipping->above++;
		bin = NPU_CLIPPING_BINS - NPU_CLIPPING_OUTSIDE +
		      outside_bin(place - NPU_CLIPPING_INSIDE);
	} else {
		/* What lies just at the upper end may have been rounded into the range. */
		bin = NPU_CLIPPING_OUTSIDE + (unsigned int)(fmin(place, NPU_CLIPPING_INSIDE - 1));
	}
	clipping->bins[bin]++;
}

int npu_clipping_add(struct npu_clipping *clipping, const struct npu_quant_scheme *scheme,
		     float scale, int32_t zero_point, const float *x, size_t count,
		     struct npu_error *err)
{
	struct npu_quant_limits limits;
	int ret = check(__func__, clipping, err);

	if (!ret)
		ret = npu_quant_check(scheme, __func__, &limits, err);
	if (ret)
		return ret;
	if (!npu_quant_is_scale(scale))
		return npu_fail(err, -EINVAL, "%s: scale is %g, it must be above 0 and finite",
				__func__, (double)scale);
	if (zero_point < limits.low || zero_point > limits.high)
		return npu_fail(err, -EINVAL, "%s: zero_point is %d, not in %d to %d", __func__,
				zero_point, limits.low, limits.high);
	ret = npu_eval_check_floats(__func__, "x", x, count, err);
	if (ret)
		return ret;
	for (size_t i = 0; i < count; i++)
		add_value(clipping, &limits, (double)(x[i] / scale), zero_point);
	clipping->count += count;
	return 0;
}

int npu_clipping_merge(struct npu_clipping *clipping, const struct npu_clipping *other,
		       struct npu_error *err)
{
	int ret = check(__func__, clipping, err);

	if (!ret)
		ret = check(__func__, other, err);
	if (ret)
		return ret;
	clipping->count += other->count;
	clipping->below += other->below;
	clipping->above += other->above;
	for (unsigned int i = 0; i < NPU_CLIPPING_BINS; i++)
		clipping->bins[i] += other->bins[i];
	return 0;
}

double npu_clipping_edge(unsigned int bin)
{
	int inside = (int)bin - NPU_CLIPPING_OUTSIDE, beyond = inside - NPU_CLIPPING_INSIDE;

	if (bin > NPU_CLIPPING_BINS)
		return NAN;
	if (bin == 0)
		return -INFINITY;
	if (bin == NPU_CLIPPING_BINS)
		return INFINITY;
	if (inside < 0)
		return -ldexp(1.0 / NPU_CLIPPING_INSIDE, -inside - 1);
	if (beyond > 0)
		return 1 + ldexp(1.0 / NPU_CLIPPING_INSIDE, beyond - 1);
	return (double)inside / NPU_CLIPPING_INSIDE;
}
