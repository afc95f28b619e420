/* SPDX-License-Identifier: MIT */
/*
 * Histograms of floats whose bins are powers of two wide. npu_quant.h has the definition.
 */
#ifndef LIBNPU_QUANT_HISTOGRAM_H
#define LIBNPU_QUANT_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct npu_histogram - how many values there are where
 * @exponent: Bins are 2^exponent wide.
 * @bins: Number of bins, a power of two.
 * @count: Values in each; that of the bin from 0 up is in the middle.
 */
struct npu_histogram {
	int32_t exponent;
	uint32_t bins;
	uint64_t *count;
};

/* Exponent for values up to @largest, the least one for 0. */
int32_t npu_histogram_exponent(uint32_t bins, float largest);

/* Place in the array for a value that there is room for. */
uint32_t npu_histogram_bin(const struct npu_histogram *h, float x);

/* Makes bins wider, unless they are. */
void npu_histogram_grow(struct npu_histogram *h, int32_t exponent);

/* Takes @count values that there is room for, each @stride after the other. */
void npu_histogram_add(struct npu_histogram *h, const float *x, size_t count, size_t stride);

/* Takes all of @other, which has as many bins. */
void npu_histogram_merge(struct npu_histogram *h, const struct npu_histogram *other);

/* Centre of a bin, and the width of all. */
double npu_histogram_centre(const struct npu_histogram *h, uint32_t bin);
double npu_histogram_width(const struct npu_histogram *h);

/* Values whose magnitude is in bin @i from 0 up, i below bins / 2. */
static inline uint64_t npu_histogram_folded(const struct npu_histogram *h, uint32_t i)
{
	uint32_t half = h->bins / 2;

	return h->count[half + i] + h->count[half - 1 - i];
}

#endif /* LIBNPU_QUANT_HISTOGRAM_H */
