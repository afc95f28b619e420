/* SPDX-License-Identifier: MIT */
/*
 * Evaluation: how far quantized results are from float ones.
 *
 * Three structures collect sums over batches: struct npu_deviation of values, struct npu_clipping
 * of values that a range is too small for, struct npu_scores of classifications. Each begins as
 * zeros and its size, may be copied, and two of them are merged by adding up, so that batches,
 * layers or threads can be collected apart:
 *
 *	struct npu_deviation d = { .size = sizeof(d) };
 *	npu_deviation_add(&d, float_results, int_results, count, &err);	  (for each batch)
 *	printf("%.1f dB\n", npu_deviation_sqnr(&d));
 *
 * Everything here works on memory of the caller and needs no device. Counts do not depend on how
 * values were divided into batches. Sums are in double, in the order of the values: another
 * division may change their last digits. A call that fails adds nothing.
 */
#ifndef NPU_EVAL_H
#define NPU_EVAL_H

#include "npu_quant.h"

#if defined(__cplusplus)
extern "C" {
#endif

/* ---- Values ---------------------------------------------------------------------------- */

/**
 * struct npu_deviation - a tensor beside its quantized counterpart, sums over its elements
 * @size: sizeof(struct npu_deviation), set by the caller.
 * @count: Elements so far.
 * @signal: Sum of x^2, x a value of the reference.
 * @energy: Sum of y^2, y its counterpart.
 * @product: Sum of x * y.
 * @noise: Sum of (y - x)^2.
 * @bias: Sum of y - x.
 * @max_error: Largest |y - x|.
 * @max_index: Where that is, counted over all elements so far; the first of several, 0 if
 *	@max_error is 0.
 */
struct npu_deviation {
	size_t size;
	uint64_t count;
	double signal;
	double energy;
	double product;
	double noise;
	double bias;
	double max_error;
	uint64_t max_index;
};

/**
 * Adds a batch.
 * @reference, @quantized: @count floats each, the latter as they come out of
 *	npu_quant_dequantize() or a float result.
 * @count: May be 0.
 *
 * Errors: -EINVAL an element is not finite (the text names it), or @deviation has not its size.
 */
int npu_deviation_add(struct npu_deviation *deviation, const float *reference,
		      const float *quantized, size_t count, struct npu_error *err);

/**
 * Adds what @other collected of elements that follow those of @deviation.
 * Errors: -EINVAL one of them has not its size.
 */
int npu_deviation_merge(struct npu_deviation *deviation, const struct npu_deviation *other,
			struct npu_error *err);

/**
 * Signal to quantization noise ratio in decibels,
 *
 *	10 log10(sum x^2 / sum (y - x)^2)
 *
 * (Widrow and Kollar, "Quantization Noise", 2008). A bit more of a uniform quantizer adds 6.02 dB.
 * Returns infinity if all elements are equal, zeros too; -infinity if the reference is nothing but
 * zeros and the other is not; NaN of no elements.
 */
double npu_deviation_sqnr(const struct npu_deviation *deviation);

/**
 * Cosine of the angle between both as vectors, sum xy / sqrt(sum x^2 sum y^2), from -1 to 1. It
 * does not see a wrong scale. Returns 1 if all elements are equal, zeros too; 0 if one of the two
 * is nothing but zeros; NaN of no elements.
 */
double npu_deviation_cosine(const struct npu_deviation *deviation);

/** Mean of y - x, which a layer hands on to the next as a shift; NaN of no elements. */
double npu_deviation_mean(const struct npu_deviation *deviation);

/** Root of the mean of (y - x)^2; NaN of no elements. */
double npu_deviation_rms(const struct npu_deviation *deviation);

/* ---- Ranges ---------------------------------------------------------------------------- */

/** Bins of struct npu_clipping inside a range, and on either side of it. */
#define NPU_CLIPPING_INSIDE 32
#define NPU_CLIPPING_OUTSIDE 8
#define NPU_CLIPPING_BINS (NPU_CLIPPING_INSIDE + 2 * NPU_CLIPPING_OUTSIDE)

/**
 * struct npu_clipping - where values lie in the range that is quantized
 * @size: sizeof(struct npu_clipping), set by the caller.
 * @count: Values so far.
 * @below: Those that end at the lowest integer, because there is none for them.
 * @above: Likewise at the highest.
 * @bins: How many lie where, see npu_clipping_edge(). The first NPU_CLIPPING_OUTSIDE add up to
 *	@below, the last to @above.
 *
 * A range is all that rounds to one of its integers: from half a step below the lowest to half a
 * step above the highest. Places are in widths of it, 0 its lower end and 1 its upper one, so that
 * channels of different scales may go into one structure.
 */
struct npu_clipping {
	size_t size;
	uint64_t count;
	uint64_t below;
	uint64_t above;
	uint64_t bins[NPU_CLIPPING_BINS];
};

/**
 * Adds values before they are quantized.
 * @scheme, @scale, @zero_point: As npu_quant_quantize() gets them.
 * @x: @count floats.
 *
 * Errors: -EINVAL the scheme is not valid, @scale is not positive and finite, @zero_point is not
 * one of its integers, an element is not finite (the text names it), or @clipping has not its size.
 */
int npu_clipping_add(struct npu_clipping *clipping, const struct npu_quant_scheme *scheme,
		     float scale, int32_t zero_point, const float *x, size_t count,
		     struct npu_error *err);

/** Adds what @other collected. Errors: -EINVAL one of them has not its size. */
int npu_clipping_merge(struct npu_clipping *clipping, const struct npu_clipping *other,
		       struct npu_error *err);

/**
 * Where a bin begins, in widths of the range. Bin NPU_CLIPPING_OUTSIDE begins at 0; bins inside are
 * 1 / NPU_CLIPPING_INSIDE wide. Outside the first is as wide, and the next end at 1/16, 1/8, 1/4,
 * 1/2, 1 and 2 widths from the range; what is farther is in the last.
 * @bin: 0, of which the answer is -infinity, to NPU_CLIPPING_BINS, the end of the last: infinity.
 *	Beyond: NaN.
 */
double npu_clipping_edge(unsigned int bin);

/* ---- Classifications ------------------------------------------------------------------- */

/**
 * struct npu_scores - how often a network is right, and of one mind with another
 * @size: sizeof(struct npu_scores), set by the caller.
 * @classes: Logits of a row, set by the caller.
 * @k: Of "top k", 1 to @classes, set by the caller.
 * @rows: So far.
 * @labelled: Rows that came with a label.
 * @top1: Of those, where the largest logit is the label's.
 * @topk: Of those, where less than k logits are above the label's.
 * @compared: Rows that came with a reference.
 * @agreed: Of those, where the largest logit is that of the same class.
 * @reference_labelled: Rows that came with both.
 * @reference_top1, @reference_topk: @top1 and @topk of the reference, among these.
 *
 * Of equal logits that of the lower class counts as the larger.
 */
struct npu_scores {
	size_t size;
	uint32_t classes;
	uint32_t k;
	uint64_t rows;
	uint64_t labelled;
	uint64_t top1;
	uint64_t topk;
	uint64_t compared;
	uint64_t agreed;
	uint64_t reference_labelled;
	uint64_t reference_top1;
	uint64_t reference_topk;
};

/**
 * Adds rows.
 * @logits: @rows x @classes floats, of the quantized network.
 * @reference: As many, of the float network, or NULL.
 * @labels: @rows classes, or NULL.
 * @rows: May be 0.
 *
 * Errors: -EINVAL @classes or @k are not valid, a logit is not finite or a label not a class (the
 * text names it), or @scores has not its size.
 */
int npu_scores_add(struct npu_scores *scores, const float *logits, const float *reference,
		   const int32_t *labels, size_t rows, struct npu_error *err);

/** Adds what @other collected. Errors: -EINVAL they differ in @classes, @k or @size. */
int npu_scores_merge(struct npu_scores *scores, const struct npu_scores *other,
		     struct npu_error *err);

#if defined(__cplusplus)
}
#endif

#endif /* NPU_EVAL_H */
