// SPDX-License-Identifier: MIT
/*
 * Observers: what values there were in batches of floats.
 */
#include <errno.h>
#include <stdlib.h>

#include "observer.h"

/* ---- Objects --------------------------------------------------------------------------- */

const char *npu_observer_fault(const struct npu_observer_desc *desc)
{
	if ((unsigned int)desc->method > NPU_OBSERVER_ENTROPY)
		return "method is not one of enum npu_observer_method";
	if (desc->bins < 256 || desc->bins > 65536 || desc->bins & (desc->bins - 1))
		return "bins must be a power of two from 256 to 65536";
	if (!(desc->percentile > 0 && desc->percentile <= 100))
		return "percentile must be above 0 and at most 100";
	if (!(desc->momentum > 0 && desc->momentum <= 1))
		return "momentum must be above 0 and at most 1";
	return NULL;
}

struct npu_observer *npu_observer_new(const struct npu_observer_desc *desc)
{
	uint32_t bins = npu_observer_has_bins(desc) ? desc->bins : 0;
	struct npu_observer *observer;

	observer = calloc(1, sizeof(*observer) + desc->channels * sizeof(*observer->channel));
	if (!observer)
		return NULL;
	observer->desc = *desc;
	observer->counts = calloc(desc->channels, bins * sizeof(*observer->counts));
	if (!observer->counts && bins) {
		free(observer);
		return NULL;
	}
	for (uint32_t i = 0; i < desc->channels; i++)
		observer->channel[i].histogram = (struct npu_histogram){
			.exponent = npu_histogram_exponent(desc->bins, 0),
			.bins = bins,
			.count = bins ? observer->counts + (size_t)i * bins : NULL,
		};
	return observer;
}

int npu_observer_create(const struct npu_observer_desc *desc, struct npu_observer **out,
			struct npu_error *err)
{
	struct npu_observer_desc full;
	const char *fault;

	if (!desc || !out || desc->size != sizeof(*desc))
		return npu_fail(err, -EINVAL,
				"npu_observer_create: no desc or no place for the observer given, "
				"or size is not sizeof(struct npu_observer_desc)");
	full = *desc;
	full.channels = full.channels ? full.channels : 1;
	full.columns = full.columns && full.channels > 1;
	full.bins = full.bins ? full.bins : NPU_OBSERVER_BINS;
	full.percentile = full.percentile != 0 ? full.percentile : 99.99;
	full.momentum = full.momentum != 0 ? full.momentum : 0.01;
	fault = npu_observer_fault(&full);
	if (fault)
		return npu_fail(err, -EINVAL, "npu_observer_desc: %s", fault);
	*out = npu_observer_new(&full);
	if (!*out)
		return npu_fail(err, -ENOMEM, "no memory for an observer of %u channels",
				full.channels);
	return 0;
}

void npu_observer_destroy(struct npu_observer *observer)
{
	if (!observer)
		return;
	free(observer->counts);
	free(observer);
}

/* ---- Observing ------------------------------------------------------------------------- */

/* Takes @count values, each @stride after the other, of a batch. */
static void observe(struct npu_observer *observer, struct npu_observed *channel, const float *x,
		    size_t count, size_t stride)
{
	const double momentum = observer->desc.momentum;
	float low = x[0], high = x[0];

	for (size_t i = 1; i < count; i++) {
		low = x[i * stride] < low ? x[i * stride] : low;
		high = x[i * stride] > high ? x[i * stride] : high;
	}
	channel->low_sum = (1 - momentum) * channel->low_sum + momentum * (double)low;
	channel->high_sum = (1 - momentum) * channel->high_sum + momentum * (double)high;
	channel->low = observer->seen && channel->low < low ? channel->low : low;
	channel->high = observer->seen && channel->high > high ? channel->high : high;
	if (!npu_observer_has_bins(&observer->desc))
		return;
	npu_histogram_grow(&channel->histogram,
			   npu_histogram_exponent(channel->histogram.bins,
						  fmaxf(-channel->low, channel->high)));
	npu_histogram_add(&channel->histogram, x, count, stride);
}

static int check_seen(const struct npu_observer *observer, uint64_t more, struct npu_error *err)
{
	if (more > NPU_OBSERVER_MOST - observer->seen)
		return npu_fail(
			err, -EOVERFLOW,
			"observer: it has seen %llu values a channel, and cannot count %llu "
			"more",
			(unsigned long long)observer->seen, (unsigned long long)more);
	return 0;
}

static int check_batch(const struct npu_observer *observer, const float *x, uint32_t rows,
		       uint32_t cols, struct npu_error *err)
{
	const struct npu_observer_desc *desc = &observer->desc;
	size_t bad, count = (size_t)rows * cols;

	if (!x || !count)
		return npu_fail(err, -EINVAL, "npu_observer_add: a batch of %u x %u, or none given",
				rows, cols);
	if (desc->channels > 1 && (desc->columns ? cols : rows) != desc->channels)
		return npu_fail(err, -EINVAL,
				"npu_observer_add: a batch of %u x %u, but there are %u channels, "
				"which are its %s",
				rows, cols, desc->channels, desc->columns ? "columns" : "rows");
	bad = npu_quant_find_not_finite(x, count);
	if (bad < count)
		return npu_fail(err, -EINVAL, "npu_observer_add: row %zu, column %zu is %f",
				bad / cols, bad % cols, (double)x[bad]);
	return check_seen(observer, count / desc->channels, err);
}

/* Rounding does not lead out of what has been there, however often. */
static void keep_averages(struct npu_observer *observer)
{
	for (uint32_t i = 0; i < observer->desc.channels; i++) {
		struct npu_observed *channel = &observer->channel[i];
		const double least = observer->weight * (double)channel->low;
		const double most = observer->weight * (double)channel->high;

		channel->low_sum = fmin(fmax(channel->low_sum, least), most);
		channel->high_sum = fmin(fmax(channel->high_sum, least), most);
	}
}

int npu_observer_add(struct npu_observer *observer, const float *x, uint32_t rows, uint32_t cols,
		     struct npu_error *err)
{
	const struct npu_observer_desc *desc = &observer->desc;
	int ret = check_batch(observer, x, rows, cols, err);
	size_t count;

	if (ret)
		return ret;
	count = (size_t)rows * cols / desc->channels;
	for (uint32_t i = 0; i < desc->channels; i++)
		observe(observer, &observer->channel[i], x + (desc->columns ? i : i * count), count,
			desc->columns ? cols : 1);
	observer->weight = (1 - desc->momentum) * observer->weight + desc->momentum;
	observer->seen += count;
	keep_averages(observer);
	return 0;
}

static bool same_desc(const struct npu_observer_desc *a, const struct npu_observer_desc *b)
{
	return a->method == b->method && a->channels == b->channels && a->columns == b->columns &&
	       a->bins == b->bins && a->percentile == b->percentile && a->momentum == b->momentum;
}

static void merge_channel(struct npu_observed *channel, const struct npu_observed *other,
			  bool first, double rest)
{
	/* The other's batches leave of what was before what is missing of their weights to 1. */
	channel->low_sum = rest * channel->low_sum + other->low_sum;
	channel->high_sum = rest * channel->high_sum + other->high_sum;
	channel->low = first || other->low < channel->low ? other->low : channel->low;
	channel->high = first || other->high > channel->high ? other->high : channel->high;
	if (channel->histogram.count)
		npu_histogram_merge(&channel->histogram, &other->histogram);
}

int npu_observer_merge(struct npu_observer *observer, const struct npu_observer *other,
		       struct npu_error *err)
{
	int ret;

	if (!same_desc(&observer->desc, &other->desc))
		return npu_fail(err, -EINVAL,
				"npu_observer_merge: the observers were not made with the same "
				"description");
	ret = check_seen(observer, other->seen, err);
	if (ret || !other->seen)
		return ret;
	for (uint32_t i = 0; i < observer->desc.channels; i++)
		merge_channel(&observer->channel[i], &other->channel[i], !observer->seen,
			      1 - other->weight);
	observer->weight = (1 - other->weight) * observer->weight + other->weight;
	observer->seen += other->seen;
	keep_averages(observer);
	return 0;
}

/* ---- Results --------------------------------------------------------------------------- */

/* A division rounds, too. */
static float average(const struct npu_observer *observer, const struct npu_observed *channel,
		     double sum)
{
	double x = fmax(sum / observer->weight, (double)channel->low);

	return (float)fmin(x, (double)channel->high);
}

static int channel_range(const struct npu_observer *observer, const struct npu_observed *channel,
			 const struct npu_quant_scheme *scheme,
			 const struct npu_quant_limits *limits, float *low, float *high)
{
	*low = channel->low;
	*high = channel->high;
	if (npu_observer_has_bins(&observer->desc))
		return npu_calibrate(observer, channel, scheme, limits, low, high);
	if (observer->desc.method == NPU_OBSERVER_MOVING_AVERAGE) {
		*low = average(observer, channel, channel->low_sum);
		*high = average(observer, channel, channel->high_sum);
	}
	return 0;
}

static int check_results(const char *caller, const struct npu_observer *observer,
			 const struct npu_quant_scheme *scheme, bool places,
			 struct npu_quant_limits *limits, struct npu_error *err)
{
	int ret = npu_quant_check(scheme, caller, limits, err);

	if (ret)
		return ret;
	if (!places)
		return npu_fail(err, -EINVAL, "%s: no place for the results given", caller);
	if (!observer->seen)
		return npu_fail(err, -ENODATA,
				"%s: nothing has been observed, call npu_observer_add() first",
				caller);
	return 0;
}

int npu_observer_range(const struct npu_observer *observer, const struct npu_quant_scheme *scheme,
		       float *low, float *high, struct npu_error *err)
{
	struct npu_quant_limits limits;
	int ret = check_results("npu_observer_range", observer, scheme, low && high, &limits, err);

	for (uint32_t i = 0; !ret && i < observer->desc.channels; i++) {
		ret = channel_range(observer, &observer->channel[i], scheme, &limits, &low[i],
				    &high[i]);
		if (ret)
			npu_fail(err, ret, "no memory to find the range of channel %u", i);
	}
	return ret;
}

int npu_observer_params(const struct npu_observer *observer, const struct npu_quant_scheme *scheme,
			float *scale, int32_t *zero_point, struct npu_error *err)
{
	struct npu_quant_limits limits;
	int ret = check_results("npu_observer_params", observer, scheme, scale && zero_point,
				&limits, err);

	for (uint32_t i = 0; !ret && i < observer->desc.channels; i++) {
		float low, high;

		ret = channel_range(observer, &observer->channel[i], scheme, &limits, &low, &high);
		if (ret)
			npu_fail(err, ret, "no memory to find the range of channel %u", i);
		else
			npu_quant_choose(&limits, scheme->asymmetric, low, high, &scale[i],
					 &zero_point[i]);
	}
	return ret;
}
