// SPDX-License-Identifier: MIT
/*
 * Histograms. Scaling by a power of two is exact, and so is which bin a value is in; bins of twice
 * the width are pairs of bins. Hence the order in which values come does not matter.
 */
#include <math.h>

#include "histogram.h"

/* No float has bits below this. */
#define LEAST_EXPONENT (-149)

int32_t npu_histogram_exponent(uint32_t bins, float largest)
{
	int32_t exponent = LEAST_EXPONENT;
	int bits, room;

	frexp((double)bins / 4, &room); /* bins / 2 is 2^room */
	frexp((double)largest, &bits);	/* largest is below 2^bits */
	if (largest > 0 && bits - room > exponent)
		exponent = bits - room;
	return exponent;
}

static int32_t index_of(float x, double per_bin)
{
	return (int32_t)floor((double)x * per_bin);
}

uint32_t npu_histogram_bin(const struct npu_histogram *h, float x)
{
	return (uint32_t)(index_of(x, ldexp(1, -h->exponent)) + (int32_t)(h->bins / 2));
}

/* From 0 outwards, so that a bin has been moved before others are added to it. */
void npu_histogram_grow(struct npu_histogram *h, int32_t exponent)
{
	int32_t by = exponent - h->exponent, half = (int32_t)(h->bins / 2);
	uint64_t *zero = h->count + half;

	if (by <= 0)
		return;
	by = by < 31 ? by : 31;
	for (int32_t i = 0; i < half; i++) {
		uint64_t above = zero[i], below = zero[-1 - i];

		zero[i] = 0;
		zero[-1 - i] = 0;
		zero[i >> by] += above;
		zero[-1 - (i >> by)] += below;
	}
	h->exponent = exponent;
}

void npu_histogram_add(struct npu_histogram *h, const float *x, size_t count, size_t stride)
{
	const double per_bin = ldexp(1, -h->exponent);
	uint64_t *zero = h->count + h->bins / 2;

	for (size_t i = 0; i < count; i++)
		zero[index_of(x[i * stride], per_bin)]++;
}

void npu_histogram_merge(struct npu_histogram *h, const struct npu_histogram *other)
{
	int32_t half = (int32_t)(h->bins / 2), by;
	uint64_t *zero = h->count + half;

	npu_histogram_grow(h, other->exponent);
	by = h->exponent - other->exponent;
	by = by < 31 ? by : 31;
	for (int32_t i = 0; i < half; i++) {
		zero[i >> by] += other->count[half + i];
		zero[-1 - (i >> by)] += other->count[half - 1 - i];
	}
}

double npu_histogram_width(const struct npu_histogram *h)
{
	return ldexp(1, h->exponent);
}

double npu_histogram_centre(const struct npu_histogram *h, uint32_t bin)
{
	return ldexp((double)bin - h->bins / 2 + 0.5, h->exponent);
}
