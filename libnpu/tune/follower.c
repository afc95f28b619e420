// SPDX-License-Identifier: MIT
/*
 * Ranges that follow their input.
 */
#include <errno.h>
#include <stdlib.h>

#include "../error.h"
#include "tune.h"

struct npu_follower {
	struct npu_follower_desc desc;
	bool started;
	float low, high;
};

static int check_desc(const struct npu_follower_desc *desc, struct npu_error *err)
{
	if (desc->size != sizeof(*desc))
		return npu_fail(err, -EINVAL,
				"npu_follower_desc.size is %zu, set it to sizeof(struct "
				"npu_follower_desc), which is %zu",
				desc->size, sizeof(*desc));
	if (!(desc->momentum > 0 && desc->momentum <= 1))
		return npu_fail(err, -EINVAL,
				"npu_follower_create: momentum is %g, it must be above 0, to 1",
				(double)desc->momentum);
	if (!isfinite(desc->max_step) || desc->max_step < 0)
		return npu_fail(err, -EINVAL,
				"npu_follower_create: max_step is %g, it must be 0 or more",
				(double)desc->max_step);
	if (!isfinite(desc->low_limit) || !isfinite(desc->high_limit) || desc->low_limit > 0 ||
	    desc->high_limit < 0)
		return npu_fail(err, -EINVAL,
				"npu_follower_create: limits are %g and %g, 0 must be between them",
				(double)desc->low_limit, (double)desc->high_limit);
	if (!isfinite(desc->min_width) || desc->min_width <= 0 ||
	    (desc->low_limit != desc->high_limit &&
	     desc->min_width > desc->high_limit - desc->low_limit))
		return npu_fail(err, -EINVAL,
				"npu_follower_create: min_width is %g, it must be above 0 and at "
				"most what the limits are apart",
				(double)desc->min_width);
	return 0;
}

int npu_follower_create(const struct npu_follower_desc *desc, struct npu_follower **follower,
			struct npu_error *err)
{
	struct npu_follower *f;
	int ret;

	if (!desc || !follower)
		return npu_fail(err, -EINVAL,
				"npu_follower_create: no desc or no place for the result given");
	ret = check_desc(desc, err);
	if (ret)
		return ret;
	f = calloc(1, sizeof(*f));
	if (!f)
		return npu_fail(err, -ENOMEM, "no memory for a range");
	f->desc = *desc;
	*follower = f;
	return 0;
}

void npu_follower_destroy(struct npu_follower *follower)
{
	free(follower);
}

static float clamp(float x, float low, float high)
{
	return x < low ? low : x > high ? high : x;
}

/* From @before part of the way to @seen, but not too far at once. */
static float follow(const struct npu_follower *f, float before, float seen)
{
	const float step = f->desc.momentum * (seen - before);
	const float most = f->desc.max_step * (f->high - f->low);

	return before + (f->desc.max_step > 0 ? clamp(step, -most, most) : step);
}

static void bound(struct npu_follower *f)
{
	const struct npu_follower_desc *d = &f->desc;
	float lack;

	if (d->low_limit != d->high_limit) {
		f->low = fmaxf(f->low, d->low_limit);
		f->high = fminf(f->high, d->high_limit);
	}
	lack = d->min_width - (f->high - f->low);
	if (lack <= 0)
		return;
	if (-f->low > f->high)
		f->low -= lack;
	else
		f->high += lack;
	if (d->low_limit == d->high_limit)
		return;
	/* What is beyond one limit fits on the other side. */
	if (f->high > d->high_limit) {
		f->low = fmaxf(f->low - (f->high - d->high_limit), d->low_limit);
		f->high = d->high_limit;
	}
	if (f->low < d->low_limit) {
		f->high = fminf(f->high + (d->low_limit - f->low), d->high_limit);
		f->low = d->low_limit;
	}
}

int npu_follower_update(struct npu_follower *follower, const float *x, size_t count,
			struct npu_error *err)
{
	float low = 0, high = 0;

	if (!follower || !x || !count)
		return npu_fail(err, -EINVAL, "npu_follower_update: no range or no elements given");
	for (size_t i = 0; i < count; i++) {
		if (!isfinite(x[i]))
			return npu_fail(err, -EINVAL, "npu_follower_update: element %zu is %f", i,
					(double)x[i]);
		low = fminf(low, x[i]);
		high = fmaxf(high, x[i]);
	}
	if (follower->started) {
		low = follow(follower, follower->low, low);
		high = follow(follower, follower->high, high);
	}
	follower->started = true;
	follower->low = low;
	follower->high = high;
	bound(follower);
	return 0;
}

int npu_follower_get(const struct npu_follower *follower, uint32_t bits, bool symmetric, float *low,
		     float *high, float *scale, int32_t *zero_point, struct npu_error *err)
{
	int32_t zero;
	float step;

	if (!follower || bits < 2 || bits > 16)
		return npu_fail(
			err, -EINVAL,
			"npu_follower_get: no range given, or bits is %u, it must be 2 to 16",
			bits);
	if (!follower->started)
		return npu_fail(err, -ENODATA,
				"npu_follower_get: the range has seen no batch yet, call "
				"npu_follower_update() first");
	step = npu_grid_scale(bits, symmetric, (double)follower->low, (double)follower->high,
			      &zero);
	if (low)
		*low = follower->low;
	if (high)
		*high = follower->high;
	if (scale)
		*scale = step;
	if (zero_point)
		*zero_point = zero;
	return 0;
}
