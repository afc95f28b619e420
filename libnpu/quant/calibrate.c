// SPDX-License-Identifier: MIT
/*
 * Calibration: from a histogram to the range that is worth its steps. The methods are defined at
 * struct npu_observer_desc.
 */
#include <errno.h>
#include <stdlib.h>

#include "observer.h"

static double clamp(double x, double low, double high)
{
	return fmin(fmax(x, low), high);
}

/* Cuts what is beyond @threshold off a range. */
static void cut(double threshold, float *low, float *high)
{
	*low = (float)clamp((double)*low, -threshold, threshold);
	*high = (float)clamp((double)*high, -threshold, threshold);
}

static double largest_magnitude(const struct npu_observed *channel)
{
	return fmax(fabs((double)channel->low), fabs((double)channel->high));
}

/* ---- Percentile ------------------------------------------------------------------------ */

static void symmetric_percentile(const struct npu_histogram *h, double wanted, float *low,
				 float *high)
{
	uint64_t sum = 0;
	uint32_t i = 0;

	while (i < h->bins / 2 && (double)sum < wanted)
		sum += npu_histogram_folded(h, i++);
	cut(npu_histogram_width(h) * i, low, high);
}

/* At most @spare values are cut off at each end. */
static void asymmetric_percentile(const struct npu_histogram *h, double spare, float *low,
				  float *high)
{
	const double half_width = npu_histogram_width(h) / 2;
	uint32_t first = 0, last = h->bins - 1;
	uint64_t below = h->count[first], above = h->count[last];

	while (first < last && (double)below <= spare)
		below += h->count[++first];
	while (last > first && (double)above <= spare)
		above += h->count[--last];
	*low = (float)fmax((double)*low, npu_histogram_centre(h, first) - half_width);
	*high = (float)fmin((double)*high, npu_histogram_centre(h, last) + half_width);
}

/* ---- Mean squared error ---------------------------------------------------------------- */

/* Steps from 0 to an end of the data, and how many of them are one at first. */
#define FINE 2048
#define COARSE 16

/* Ends of a range that a step is for. */
enum ends {
	LOW = 1,
	HIGH = 2,
	BOTH = 3
};

/**
 * struct search - for the range with the least error
 * @low, @high: Ends of the data, or 0 for one that is not to be moved.
 * @first, @last: Bins from the smallest to the largest value.
 * @low_step, @high_step: Where the ends of the range are, FINE being those of the data.
 */
struct search {
	const struct npu_histogram *h;
	const struct npu_quant_limits *limits;
	bool asymmetric;
	float low, high;
	uint32_t first, last;
	int low_step, high_step;
};

static float end_at(float end, int step)
{
	return end * ((float)step / FINE);
}

/* Squared error of everything, quantized with the scale of a range. */
static double squared_error(const struct search *s, int low_step, int high_step)
{
	int32_t zero;
	float scale;
	double sum = 0;

	npu_quant_choose(s->limits, s->asymmetric, end_at(s->low, low_step),
			 end_at(s->high, high_step), &scale, &zero);
	for (uint32_t i = s->first; i <= s->last; i++) {
		double x, q;

		if (!s->h->count[i])
			continue;
		x = npu_histogram_centre(s->h, i);
		q = npu_quant_value(s->limits, (float)x, scale, zero) - zero;
		sum += (double)s->h->count[i] * (x - (double)scale * q) * (x - (double)scale * q);
	}
	return sum;
}

/* The step from @from down to @to with the least error; the first of equals. */
static int best_step(const struct search *s, enum ends ends, int from, int to, int by)
{
	double least = INFINITY;
	int best = from;

	for (int i = from; i >= to; i -= by) {
		double error = squared_error(s, ends & LOW ? i : s->low_step,
					     ends & HIGH ? i : s->high_step);

		if (error < least) {
			least = error;
			best = i;
		}
	}
	return best;
}

/* Moves ends to where the error is least, coarsely and then finely around that. */
static void move(struct search *s, enum ends ends)
{
	int best = best_step(s, ends, FINE, COARSE, COARSE);
	int from = best + COARSE - 1 < FINE ? best + COARSE - 1 : FINE;

	best = best_step(s, ends, from, best - COARSE + 1, 1);
	if (ends & LOW)
		s->low_step = best;
	if (ends & HIGH)
		s->high_step = best;
}

static void least_squares(const struct npu_observed *channel, const struct npu_quant_scheme *scheme,
			  const struct npu_quant_limits *limits, float *low, float *high)
{
	const struct npu_histogram *h = &channel->histogram;
	struct search search = {
		.h = h,
		.limits = limits,
		.asymmetric = scheme->asymmetric,
		.high = (float)largest_magnitude(channel),
		.first = npu_histogram_bin(h, channel->low),
		.last = npu_histogram_bin(h, channel->high),
	};

	if (!scheme->asymmetric) {
		move(&search, HIGH);
		cut((double)end_at(search.high, search.high_step), low, high);
		return;
	}
	/* An end on the far side of 0 is not one of the quantized range. */
	search.low = fminf(*low, 0);
	search.high = fmaxf(*high, 0);
	move(&search, BOTH);
	for (int i = 0; i < 2; i++) {
		move(&search, LOW);
		move(&search, HIGH);
	}
	*low = fmaxf(*low, end_at(search.low, search.low_step));
	*high = fminf(*high, end_at(search.high, search.high_step));
	if (*low > *high)
		*low = *high;
}

/* ---- Kullback-Leibler divergence ------------------------------------------------------- */

/*
 * Natural logarithm of @x, above 0, from operations that IEEE 754 defines: log() of a C library may
 * have other last bits on another machine. With s = (m - 1) / (m + 1), log m = 2 * (s + s^3/3 +
 * s^5/5 ...); s is at most 0.172, so that what is left out is below 2^-53.
 */
static double portable_log(double x)
{
	int exponent;
	double m = frexp(x, &exponent), s, square, sum = 0;

	if (m < M_SQRT1_2) {
		m *= 2;
		exponent--;
	}
	s = (m - 1) / (m + 1);
	square = s * s;
	for (int i = 21; i > 0; i -= 2)
		sum = sum * square + 1.0 / i;
	return exponent * M_LN2 + 2 * s * sum;
}

static double times_log(double x)
{
	return x > 0 ? x * portable_log(x) : 0;
}

/**
 * struct prefix - what the first bins of |x| have
 * @count: Values.
 * @used: Bins that are not empty.
 * @entropy: Sum of count * log(count) of each.
 */
struct prefix {
	uint64_t count;
	uint32_t used;
	double entropy;
};

/* One for 0 to @bins bins each, to be freed. */
static struct prefix *add_up(const struct npu_histogram *h, uint32_t bins)
{
	struct prefix *prefix = calloc(bins + 1, sizeof(*prefix));

	for (uint32_t i = 0; prefix && i < bins; i++) {
		uint64_t count = npu_histogram_folded(h, i);

		prefix[i + 1].count = prefix[i].count + count;
		prefix[i + 1].used = prefix[i].used + !!count;
		prefix[i + 1].entropy = prefix[i].entropy + times_log((double)count);
	}
	return prefix;
}

/*
 * The divergence of the first @i bins from @levels levels, times N: sum of P * log(P / Q), where Q
 * of a bin is what its level has in a bin that is used. The sum over P * log(P) is known; that over
 * P * log(Q) has one term a level.
 */
static double divergence(const struct prefix *prefix, uint32_t i, uint32_t levels, uint64_t all)
{
	uint64_t beyond = all - prefix[i].count;
	uint64_t last = prefix[i].count - prefix[i - 1].count;
	double sum =
		prefix[i - 1].entropy + times_log((double)(last + beyond)) +
		(double)all * (portable_log((double)prefix[i].count) - portable_log((double)all));

	for (uint32_t level = 0; level < levels; level++) {
		const struct prefix *from = &prefix[(uint64_t)level * i / levels];
		const struct prefix *to = &prefix[(uint64_t)(level + 1) * i / levels];
		uint64_t q = to->count - from->count, p = q;
		uint32_t used = to->used - from->used;

		if (level == levels - 1) {
			p += beyond;
			used += !last && beyond;
		}
		if (p && !q)
			return INFINITY;
		if (p)
			sum -= (double)p * (portable_log((double)q) - portable_log((double)used));
	}
	return sum;
}

static int least_divergence(const struct npu_observer *observer, const struct npu_observed *channel,
			    const struct npu_quant_limits *limits, bool asymmetric, float *low,
			    float *high)
{
	const struct npu_histogram *h = &channel->histogram;
	uint32_t levels = (uint32_t)limits->steps + 1, bins, best;
	double threshold = largest_magnitude(channel), least = INFINITY;
	struct prefix *prefix;

	bins = npu_histogram_bin(h, (float)threshold) - h->bins / 2 + 1;
	if (asymmetric && *low < 0 && *high > 0)
		levels /= 2;
	prefix = add_up(h, bins);
	if (!prefix)
		return -ENOMEM;
	best = bins;
	for (uint32_t i = bins; i >= levels && prefix[i].count; i--) {
		double d = divergence(prefix, i, levels, observer->seen);

		if (d < least) {
			least = d;
			best = i;
		}
	}
	free(prefix);
	if (best < bins)
		cut((best + 0.5) * npu_histogram_width(h), low, high);
	return 0;
}

/* ---- All of them ----------------------------------------------------------------------- */

int npu_calibrate(const struct npu_observer *observer, const struct npu_observed *channel,
		  const struct npu_quant_scheme *scheme, const struct npu_quant_limits *limits,
		  float *low, float *high)
{
	const struct npu_histogram *h = &channel->histogram;
	const double share = observer->desc.percentile / 100, all = (double)observer->seen;
	const bool coarse = (uint32_t)limits->steps > h->bins / 4;

	*low = channel->low;
	*high = channel->high;
	if (observer->desc.method == NPU_OBSERVER_PERCENTILE && scheme->asymmetric)
		asymmetric_percentile(h, (1 - share) / 2 * all, low, high);
	else if (observer->desc.method == NPU_OBSERVER_PERCENTILE)
		symmetric_percentile(h, share * all, low, high);
	else if (observer->desc.method == NPU_OBSERVER_MSE && !coarse)
		least_squares(channel, scheme, limits, low, high);
	else if (!coarse)
		return least_divergence(observer, channel, limits, scheme->asymmetric, low, high);
	return 0;
}
