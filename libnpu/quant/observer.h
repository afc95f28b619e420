/* SPDX-License-Identifier: MIT */
/*
 * What an observer knows.
 */
#ifndef LIBNPU_QUANT_OBSERVER_H
#define LIBNPU_QUANT_OBSERVER_H

#include "histogram.h"
#include "quant.h"

/* Counts stay exact as doubles. */
#define NPU_OBSERVER_MOST (UINT64_C(1) << 53)

/**
 * struct npu_observed - what is known of a channel
 * @low, @high: Smallest and largest value, 0 before there are any.
 * @low_sum, @high_sum: Weighted sums of those of batches.
 * @histogram: Without counts if the method needs none.
 */
struct npu_observed {
	float low, high;
	double low_sum, high_sum;
	struct npu_histogram histogram;
};

/**
 * struct npu_observer - channels, and what they have in common
 * @desc: Without zeros that stand for something.
 * @seen: Values of each channel.
 * @weight: What the weights of @low_sum and @high_sum add up to.
 * @counts: Memory of all histograms.
 */
struct npu_observer {
	struct npu_observer_desc desc;
	uint64_t seen;
	double weight;
	uint64_t *counts;
	struct npu_observed channel[];
};

/* An observer as @desc says, which has passed npu_observer_fault(); NULL without memory. */
struct npu_observer *npu_observer_new(const struct npu_observer_desc *desc);

/* What is wrong with a description whose zeros have been replaced, NULL if nothing is. */
const char *npu_observer_fault(const struct npu_observer_desc *desc);

static inline bool npu_observer_has_bins(const struct npu_observer_desc *desc)
{
	return desc->method >= NPU_OBSERVER_PERCENTILE;
}

/*
 * Range of a channel that has seen @seen values, at least one, by a method that needs bins.
 * Returns -ENOMEM or 0.
 */
int npu_calibrate(const struct npu_observer *observer, const struct npu_observed *channel,
		  const struct npu_quant_scheme *scheme, const struct npu_quant_limits *limits,
		  float *low, float *high);

#endif /* LIBNPU_QUANT_OBSERVER_H */
