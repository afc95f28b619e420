// SPDX-License-Identifier: MIT
/*
 * Sums over a tensor and its quantized counterpart, and what they mean.
 */
#include <math.h>

#include "eval.h"

static int check(const char *call, const struct npu_deviation *deviation, struct npu_error *err)
{
	return npu_eval_check_size(call, "npu_deviation", deviation, sizeof(*deviation), err);
}

int npu_deviation_add(struct npu_deviation *deviation, const float *reference,
		      const float *quantized, size_t count, struct npu_error *err)
{
	struct npu_deviation sum;
	int ret = check(__func__, deviation, err);

	if (!ret)
		ret = npu_eval_check_floats(__func__, "reference", reference, count, err);
	if (!ret)
		ret = npu_eval_check_floats(__func__, "quantized", quantized, count, err);
	if (ret)
		return ret;

	sum = *deviation;
	for (size_t i = 0; i < count; i++) {
		double x = (double)reference[i], y = (double)quantized[i], error = y - x;

		sum.signal += x * x;
		sum.energy += y * y;
		sum.product += x * y;
		sum.noise += error * error;
		sum.bias += error;
		if (fabs(error) > sum.max_error) {
			sum.max_error = fabs(error);
			sum.max_index = sum.count + i;
		}
	}
	sum.count += count;
	*deviation = sum;
	return 0;
}

int npu_deviation_merge(struct npu_deviation *deviation, const struct npu_deviation *other,
			struct npu_error *err)
{
	int ret = check(__func__, deviation, err);

	if (!ret)
		ret = check(__func__, other, err);
	if (ret)
		return ret;
	if (other->max_error > deviation->max_error) {
		deviation->max_error = other->max_error;
		deviation->max_index = deviation->count + other->max_index;
	}
	deviation->count += other->count;
	deviation->signal += other->signal;
	deviation->energy += other->energy;
	deviation->product += other->product;
	deviation->noise += other->noise;
	deviation->bias += other->bias;
	return 0;
}

double npu_deviation_sqnr(const struct npu_deviation *deviation)
{
	if (!deviation->count)
		return NAN;
	if (deviation->noise == 0)
		return INFINITY;
	return 10 * log10(deviation->signal / deviation->noise);
}

double npu_deviation_cosine(const struct npu_deviation *deviation)
{
	double cosine;

	if (!deviation->count)
		return NAN;
	if (deviation->noise == 0)
		return 1;
	if (deviation->signal == 0 || deviation->energy == 0)
		return 0;
	/* Squares of floats, even the least and the largest, leave room for one more squaring. */
	cosine = deviation->product / sqrt(deviation->signal * deviation->energy);
	return fmin(1, fmax(-1, cosine));
}

double npu_deviation_mean(const struct npu_deviation *deviation)
{
	return deviation->count ? deviation->bias / (double)deviation->count : NAN;
}

double npu_deviation_rms(const struct npu_deviation *deviation)
{
	return deviation->count ? sqrt(deviation->noise / (double)deviation->count) : NAN;
}
