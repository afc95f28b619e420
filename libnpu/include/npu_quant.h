/* SPDX-License-Identifier: MIT */
/*
 * Quantization: from float tensors to the integers that npu.h multiplies, and back.
 *
 * A real number x is held as an integer q, of 2 to 16 bits, a scale and a zero point:
 *
 *	x ~ scale * (q - zero_point)
 *
 * Matrices are row-major. A row is an output channel of weights (N x K, as struct npu_weights_desc
 * has them) or a token of activations (M x K); columns are the K that is summed over.
 *
 * Integers of up to 8 bits are held as int8_t each, or uint8_t if they are unsigned, those of 9 to
 * 16 bits as int16_t or uint16_t.
 *
 * Everything here works on memory of the caller and needs no device. Results are the same on every
 * machine with IEEE 754 arithmetic, and are written on success only. Errors, ownership and growth
 * of structures are as npu.h says. Functions may be called from any number of threads, but on one
 * observer only from one at a time unless all of them only read it.
 */
#ifndef NPU_QUANT_H
#define NPU_QUANT_H

#include "npu.h"

#if defined(__cplusplus)
extern "C" {
#endif

/* ---- Uniform quantization -------------------------------------------------------------- */

/** enum npu_quant_granularity - what has a scale and a zero point in common */
enum npu_quant_granularity {
	NPU_QUANT_PER_TENSOR = 0, /* everything: 1 scale */
	NPU_QUANT_PER_ROW = 1,	  /* a channel of weights, a token of activations: [rows] */
	NPU_QUANT_PER_GROUP = 2,  /* some columns of a row: [rows][groups] */
};

/**
 * struct npu_quant_scheme - a kind of uniform quantization
 * @size: sizeof(struct npu_quant_scheme), set by the caller.
 * @bits: 2 to 16; 4 is what NPU_WEIGHTS_INT4 packs, 8 and 16 are types of tensors.
 * @is_unsigned: Values are 0 to 2^bits - 1 in place of -2^(bits - 1) to 2^(bits - 1) - 1. They are
 *	the signed ones with 2^(bits - 1) added, and so is the zero point.
 * @asymmetric: A range has a zero point of its own. Otherwise it is 0 (2^(bits - 1) if unsigned),
 *	and the lowest value is not used, so that there are as many steps on either side.
 * @granularity: One of enum npu_quant_granularity.
 * @group_size: PER_GROUP: columns in a group, a multiple of NPU_GROUP_UNIT: 32, 64, 128 ...; the
 *	last group may be shorter. Otherwise not used.
 */
struct npu_quant_scheme {
	size_t size;
	uint32_t bits;
	bool is_unsigned;
	bool asymmetric;
	enum npu_quant_granularity granularity;
	uint32_t group_size;
};

/** Scales that a matrix has under a scheme: 1, @rows or @rows * groups; 0 if it is not valid. */
size_t npu_quant_scale_count(const struct npu_quant_scheme *scheme, uint32_t rows, uint32_t cols);

/**
 * Smallest and largest of @count floats.
 *
 * Errors: -EINVAL @count is 0, or an element is not finite (the text names it).
 */
int npu_quant_range(const float *x, size_t count, float *low, float *high, struct npu_error *err);

/**
 * Scale and zero point for real numbers from @low to @high; neither rows nor groups of the scheme
 * matter. With qmin and qmax the limits of the integers, for signed ones
 *
 *	symmetric	scale = max(|low|, |high|) / qmax, zero_point = 0
 *	asymmetric	scale = (max(high, 0) - min(low, 0)) / (qmax - qmin)
 *			zero_point = round(qmin - min(low, 0) / scale), clamped to qmin..qmax
 *
 * so that 0 is exact in either (Jacob et al., "Quantization and Training of Neural Networks for
 * Efficient Integer-Arithmetic-Only Inference", 2018). A range of nothing but 0 gives scale 1 and
 * the zero point of a symmetric scheme. The scale is never 0.
 *
 * Errors: -EINVAL the scheme is not valid, or the limits are not finite or the wrong way round.
 */
int npu_quant_params(const struct npu_quant_scheme *scheme, float low, float high, float *scale,
		     int32_t *zero_point, struct npu_error *err);

/**
 * Quantizes with one scale: q = clamp(round(x / scale) + zero_point), the quotient in float, halves
 * to even, which is QuantizeLinear of ONNX. Infinities end at the limits.
 * @q: @count results, of the type that goes with the scheme.
 *
 * The real value of q differs from an x inside of the range by half a scale at most, plus the error
 * of the quotient, which is 2^-24 of x.
 *
 * Errors: -EINVAL the scheme is not valid, @scale is not positive and finite, @zero_point is not
 * one of its integers, or an element is NaN (the text names it).
 */
int npu_quant_quantize(const struct npu_quant_scheme *scheme, const float *x, size_t count,
		       float scale, int32_t zero_point, void *q, struct npu_error *err);

/**
 * The way back: x = scale * (q - zero_point), in float. What an asymmetric scheme made of the very
 * largest floats can come back as infinity, for its range ends up to half a scale beyond them.
 * Errors: as npu_quant_quantize().
 */
int npu_quant_dequantize(const struct npu_quant_scheme *scheme, const void *q, size_t count,
			 float scale, int32_t zero_point, float *x, struct npu_error *err);

/**
 * Quantizes a matrix with scales from the ranges of its own elements: weights ahead, activations
 * at run time, per tensor or per token.
 * @x: @rows x @cols floats.
 * @q: @rows x @cols results, of the type that goes with the scheme.
 * @scale: npu_quant_scale_count() results.
 * @zero_point: As many, or NULL with a symmetric scheme.
 *
 * Errors: -EINVAL the scheme is not valid, a dimension is 0, or an element is not finite (the text
 * names row and column).
 */
int npu_quant_matrix(const struct npu_quant_scheme *scheme, const float *x, uint32_t rows,
		     uint32_t cols, void *q, float *scale, int32_t *zero_point,
		     struct npu_error *err);

/**
 * Quantizes a matrix with scales that are known, from an observer or learnt elsewhere.
 * @scale: npu_quant_scale_count() values.
 * @zero_point: As many, or NULL for those of a symmetric scheme.
 *
 * Errors: as npu_quant_quantize(); the text names row and column, or the index of the scale.
 */
int npu_quant_matrix_with(const struct npu_quant_scheme *scheme, const float *x, uint32_t rows,
			  uint32_t cols, const float *scale, const int32_t *zero_point, void *q,
			  struct npu_error *err);

/** The way back from a quantized matrix. Arguments and errors as npu_quant_matrix_with(). */
int npu_quant_dequantize_matrix(const struct npu_quant_scheme *scheme, const void *q, uint32_t rows,
				uint32_t cols, const float *scale, const int32_t *zero_point,
				float *x, struct npu_error *err);

/** Bytes of @rows x @cols values of @bits bits each, every row starting at a byte. */
size_t npu_quant_packed_bytes(uint32_t rows, uint32_t cols, uint32_t bits);

/**
 * Packs small integers as struct npu_weights_desc wants them: value i of a row is bits i * @bits
 * and up of it. With 4 bits that is NPU_WEIGHTS_INT4, and the indices of NPU_WEIGHTS_CODEBOOK with
 * any.
 * @q: @rows x @cols values, -2^(bits - 1) to 2^bits - 1, of which the low @bits bits are kept.
 * @bits: 1 to 8.
 * @packed: npu_quant_packed_bytes() results.
 *
 * Errors: -EINVAL a dimension is 0, @bits is none, or a value has more bits (the text names it).
 */
int npu_quant_pack(const int8_t *q, uint32_t rows, uint32_t cols, uint32_t bits, void *packed,
		   struct npu_error *err);

/* ---- Calibration ----------------------------------------------------------------------- */

struct npu_observer;

/** enum npu_observer_method - how observed values become a range */
enum npu_observer_method {
	/** @NPU_OBSERVER_MIN_MAX: Smallest and largest value. */
	NPU_OBSERVER_MIN_MAX = 0,
	/** @NPU_OBSERVER_MOVING_AVERAGE: Averages of the smallest and largest of each batch. */
	NPU_OBSERVER_MOVING_AVERAGE = 1,
	/** @NPU_OBSERVER_PERCENTILE: What a percentage of all values is in. */
	NPU_OBSERVER_PERCENTILE = 2,
	/** @NPU_OBSERVER_MSE: The least mean squared error of quantization. */
	NPU_OBSERVER_MSE = 3,
	/** @NPU_OBSERVER_ENTROPY: The least Kullback-Leibler divergence. */
	NPU_OBSERVER_ENTROPY = 4,
};

/** Bins of a histogram where a struct npu_observer_desc says 0. */
#define NPU_OBSERVER_BINS 4096

/**
 * struct npu_observer_desc - what to observe, and how
 * @size: sizeof(struct npu_observer_desc), set by the caller.
 * @method: One of enum npu_observer_method.
 * @channels: Each has a range of its own; 0 means one range for everything.
 * @columns: Channels are the columns of what is observed, not the rows.
 * @bins: PERCENTILE, MSE, ENTROPY: bins of a histogram, a power of two from 256 to 65536; 0 means
 *	NPU_OBSERVER_BINS. A channel takes 8 bytes for each.
 * @percentile: PERCENTILE: above 0, at most 100; 0 means 99.99.
 * @momentum: MOVING_AVERAGE: weight of a new batch, above 0, at most 1; 0 means 0.01.
 *
 * Histograms. A bin is 2^e wide, and bin i holds the values from i * 2^e to below (i + 1) * 2^e, i
 * from -bins/2 to bins/2 - 1, with the smallest e that has room for the largest magnitude so far.
 * When e grows, bins are added up in pairs, which gives exactly what the larger e would have given
 * from the start. So a histogram depends on the values and not on their order or division, and
 * merging is exact. From 0 to the largest magnitude there are bins/4 to bins/2 bins.
 *
 * Ranges, of values x from min to max, N of them:
 *
 *	MIN_MAX		min and max.
 *	MOVING_AVERAGE	avg = (1 - momentum) * avg + momentum * (min or max of a batch), from 0 on
 *			and divided by what the weights add up to, so that the first batches count
 *			in full (Jacob et al., 2018; the correction is that of Kingma and Ba,
 *			"Adam", 2015).
 *	PERCENTILE	For a symmetric scheme the upper edge T of the first bin of |x| up to which
 *			there are @percentile % of N; the range is what is in -T..T. For an
 *			asymmetric one (100 - @percentile) / 2 % of N may be cut off at either end.
 *	MSE		Of the ranges -T..T, that with the least sum of count * (x - its quantized
 *			value)^2 over bins, x their centres. T is tried at 128 places from 0 to
 *			max |x|, and then at 31 around the best. For an asymmetric scheme the same
 *			is done for min and max together, then twice for each with the other one
 *			fixed.
 *	ENTROPY		T = (i + 1/2) bins of |x| for the i whose distribution P of the first i
 *			bins, all beyond added to the last, is closest to Q: the same without those
 *			beyond, in as many levels as the scheme has from 0 to T, spread evenly over
 *			the bins that P has something in; closest in the sum of P * log(P / Q).
 *			(Migacz, "8-bit Inference with TensorRT", GTC 2017.) For an asymmetric
 *			scheme the range is the part of min..max that is in -T..T.
 *
 * No range goes beyond min and max, except where all of min..max is beyond T: then it is T alone,
 * or -T. Bins are coarser than the steps of a scheme with many bits; where it has more than
 * bins/4 steps MSE and ENTROPY are MIN_MAX. The work of ENTROPY grows with bins times steps: with
 * 65536 bins and as many steps as they allow it takes some ten seconds for a channel.
 */
struct npu_observer_desc {
	size_t size;
	enum npu_observer_method method;
	uint32_t channels;
	bool columns;
	uint32_t bins;
	double percentile;
	double momentum;
};

/**
 * Makes an observer that has seen nothing.
 *
 * Errors: -EINVAL (the text names the field), -ENOMEM.
 */
int npu_observer_create(const struct npu_observer_desc *desc, struct npu_observer **observer,
			struct npu_error *err);

/** Destroys an observer, NULL is allowed. */
void npu_observer_destroy(struct npu_observer *observer);

/**
 * Shows an observer a batch. Allocates nothing.
 * @x: @rows x @cols floats, row-major.
 *
 * Errors: -EINVAL a dimension is 0 or not the number of channels, or an element is not finite (the
 * text names row and column), and nothing of the batch was taken; -EOVERFLOW a channel would have
 * seen more than 2^53 values.
 */
int npu_observer_add(struct npu_observer *observer, const float *x, uint32_t rows, uint32_t cols,
		     struct npu_error *err);

/**
 * Shows an observer all that another one has seen, which stays as it is. With a moving average the
 * other's batches come after the observer's own. The result is exactly what it would be had
 * everything been added here, but that the averages are rounded differently (in double).
 *
 * Errors: -EINVAL they were not made with the same description; -EOVERFLOW as npu_observer_add().
 */
int npu_observer_merge(struct npu_observer *observer, const struct npu_observer *other,
		       struct npu_error *err);

/**
 * Ranges of all channels.
 * @scheme: What the range is for; its granularity does not matter.
 * @low, @high: As many results as there are channels, at least 1.
 *
 * Errors: -EINVAL the scheme is not valid; -ENODATA nothing has been observed; -ENOMEM.
 */
int npu_observer_range(const struct npu_observer *observer, const struct npu_quant_scheme *scheme,
		       float *low, float *high, struct npu_error *err);

/** npu_quant_params() of all ranges. Errors: as npu_observer_range(). */
int npu_observer_params(const struct npu_observer *observer, const struct npu_quant_scheme *scheme,
			float *scale, int32_t *zero_point, struct npu_error *err);

/** Bytes of an observer's image. */
size_t npu_observer_image_bytes(const struct npu_observer *observer);

/**
 * Writes all that an observer is and knows as bytes, the same ones on every machine.
 * @image: npu_observer_image_bytes() bytes.
 */
void npu_observer_save(const struct npu_observer *observer, void *image);

/**
 * Makes an observer of an image, which may come from anywhere: what it says is checked.
 *
 * Errors: -EBADMSG no image of an observer, of another version, cut short or damaged; -ENOMEM.
 */
int npu_observer_load(const void *image, size_t bytes, struct npu_observer **observer,
		      struct npu_error *err);

/* ---- Fixed-point multipliers ----------------------------------------------------------- */

/**
 * Rescaling factors for NPU_SCALING_FIXED16: factor[i] ~ multiplier[i] / 2^shift with one shift for
 * all, chosen so that the largest multiplier uses all 15 bits, unless that would take more than
 * NPU_SHIFT_MAX. For a matmul factor[n] = scale_a * scale_w[n] / scale_c.
 *
 * The error of a factor is at most 2^-(shift + 1): 2^-15 of the largest factor. A result r of its
 * channel is off by at most 2^-15 * |r| and half a unit for the rounding, that of a channel with
 * a factor f times as small by f times as much.
 *
 * Errors: -EINVAL @count is 0, a factor is negative or not finite, all are 0, or the largest is
 * 32767.5 or more.
 */
int npu_quant_fixed16(const double *factor, size_t count, int16_t *multiplier, uint32_t *shift,
		      struct npu_error *err);

/**
 * Rescaling factors for NPU_SCALING_TFLITE and _DOUBLE: factor[i] ~ multiplier[i] *
 * 2^(exponent[i] - 31) with multipliers of 2^30 to 2^31 - 1, or 0. This is QuantizeMultiplier of
 * TensorFlow Lite.
 *
 * The error of a factor is at most 2^-31 of it. A result r is off by at most 2^-31 * |r|, and half
 * a unit for the rounding (a whole one with the two roundings of TFLITE_DOUBLE). Factors below
 * 2^-32 become 0: there is no sum they could make half a unit of.
 *
 * Errors: -EINVAL @count is 0, or a factor is negative, not finite, or 2^NPU_EXPONENT_MAX or more.
 */
int npu_quant_tflite(const double *factor, size_t count, int32_t *multiplier, int32_t *exponent,
		     struct npu_error *err);

/**
 * Biases in units of the accumulator: q[n] = round(bias[n] / (scale_a * scale_w[n])), halves to
 * even, in double.
 * @scale_count: Values in @scale_w: 1 or @n.
 *
 * Errors: -EINVAL @n is 0, a scale is not positive and finite or a bias not finite; -ERANGE a bias
 * would be above NPU_BIAS_MAX (the text names the channel): its weights are next to nothing, give
 * the channel a larger scale or use float_bias with NPU_SCALING_FLOAT.
 */
int npu_quant_bias(const float *bias, uint32_t n, float scale_a, const float *scale_w,
		   uint32_t scale_count, int32_t *q, struct npu_error *err);

/**
 * struct npu_quant_layer - the scales of a matmul
 * @size: sizeof(struct npu_quant_layer), set by the caller.
 * @n: Output channels.
 * @groups: Groups of K, 0 means 1; more than 1 goes with NPU_SCALING_FLOAT only.
 * @scale_a: Scale of the input. Its zero point is not needed: struct npu_matmul_desc has it.
 * @scale_w: Scales of the weights.
 * @scale_count: 1 or @n * @groups.
 * @scale_c: Scale of the result; 1 where that is float.
 * @zero_c: Zero point of the result; 0 where that is float.
 * @bias: @n real values, or NULL for none.
 * @scaling: Any but NPU_SCALING_NONE, which has no scales.
 */
struct npu_quant_layer {
	size_t size;
	uint32_t n;
	uint32_t groups;
	float scale_a;
	const float *scale_w;
	uint32_t scale_count;
	float scale_c;
	int32_t zero_c;
	const float *bias;
	enum npu_scaling scaling;
};

/** Bytes of memory that npu_quant_epilogue() needs for arrays; 0 if the layer is not valid. */
size_t npu_quant_epilogue_bytes(const struct npu_quant_layer *layer);

/**
 * Fills an epilogue: bias, multipliers or scales, zero point. Activation, clamp and residual are
 * the caller's to add.
 * @room: npu_quant_epilogue_bytes() bytes, aligned as malloc() does it. The arrays of @desc are in
 *	it, so it has to stay until npu_epilogue_create() has copied them.
 * @desc: Filled in whole.
 *
 * Errors: those of npu_quant_fixed16(), npu_quant_tflite() and npu_quant_bias(); -EINVAL the layer
 * is not valid.
 */
int npu_quant_epilogue(const struct npu_quant_layer *layer, void *room,
		       struct npu_epilogue_desc *desc, struct npu_error *err);

/* ---- Dynamic quantization -------------------------------------------------------------- */

/**
 * Sums of the rows of int8 weights, sum over k of (w[n][k] - zero_point), which is what a zero
 * point of A is multiplied with.
 * @zero_point: @zero_point_count values, 0 (none), 1 or @n.
 *
 * Errors: -EINVAL a dimension is 0, or @zero_point_count is none of these.
 */
int npu_quant_row_sums(const int8_t *w, uint32_t n, uint32_t k, const int32_t *zero_point,
		       uint32_t zero_point_count, int64_t *sum, struct npu_error *err);

/**
 * struct npu_quant_finish_desc - from the sums of a matmul to real results
 * @size: sizeof(struct npu_quant_finish_desc), set by the caller.
 * @m, @n: Shape of the sums.
 * @scale_a: Scales of the activations: 1 or one for each row.
 * @zero_a: Their zero points, as many, or NULL where all are 0. The matmul was then made with an
 *	a_zero_point of 0.
 * @scale_a_count: 1 or @m.
 * @scale_w: Scales of the weights.
 * @scale_w_count: 1 or @n.
 * @row_sum: @n sums from npu_quant_row_sums(); used with @zero_a only.
 * @bias: @n real values, or NULL for none.
 */
struct npu_quant_finish_desc {
	size_t size;
	uint32_t m;
	uint32_t n;
	const float *scale_a;
	const int32_t *zero_a;
	uint32_t scale_a_count;
	const float *scale_w;
	uint32_t scale_w_count;
	const int64_t *row_sum;
	const float *bias;
};

/**
 * Finishes a dynamically quantized matmul, which an epilogue cannot where each row has a scale.
 * @sum: m x n results of a matmul with NPU_SCALING_NONE.
 * @out: m x n results:
 *
 *	out[m][n] = (sum[m][n] - zero_a[m] * row_sum[n]) * (scale_a[m] * scale_w[n]) + bias[n]
 *
 * in double, where the difference and the product of the scales are exact, and rounded to float in
 * the end: within 0.501 units in the last place as long as the bias does not cancel it.
 *
 * Errors: -EINVAL the text names the field.
 */
int npu_quant_finish(const struct npu_quant_finish_desc *desc, const int32_t *sum, float *out,
		     struct npu_error *err);

/* ---- Codebooks ------------------------------------------------------------------------- */

/** enum npu_codebook_method - what values weights may have */
enum npu_codebook_method {
	/**
	 * @NPU_CODEBOOK_KMEANS: The 2^index_bits centres that Lloyd's algorithm finds (Lloyd,
	 * "Least Squares Quantization in PCM", 1982; of weights: Han et al., "Deep Compression",
	 * 2016).
	 */
	NPU_CODEBOOK_KMEANS = 0,
	/**
	 * @NPU_CODEBOOK_POWER_OF_TWO: 0 and both signs of 2^(index_bits - 1) - 1 powers of two
	 * (Miyashita et al., "Convolutional Neural Networks using Logarithmic Data Representation",
	 * 2016; Zhou et al., "Incremental Network Quantization", 2017).
	 */
	NPU_CODEBOOK_POWER_OF_TWO = 1,
};

/**
 * struct npu_codebook_desc - weights that share few values
 * @size: sizeof(struct npu_codebook_desc), set by the caller.
 * @method: One of enum npu_codebook_method.
 * @n, @k: Shape of the weights.
 * @index_bits: KMEANS: 1 to 8; POWER_OF_TWO: 2 to 4, for more powers than that do not fit int8.
 * @per_channel: Each row has values and a scale of its own; else there is one table for all.
 *
 * A weight is scale * codebook[index], for the matmul an int8 like any other.
 *
 * KMEANS starts from the quantiles of the weights and, once more, from values evenly spread over
 * their range, and keeps the result with the smaller squared error. There are no random numbers.
 * A round gives each weight to the nearest centre and moves centres to the mean of their weights,
 * until none of them moves, or 300 times. Then scale = max |centre| / 127, centres are rounded to
 * int8, and weights given to the nearest of these.
 *
 * POWER_OF_TWO has the scale 2^e for which the largest power is next to max |w|, itself a power of
 * two. With the p = 2^(index_bits - 1) - 1 powers of a table, values are 0, +-1, +-2 ... +-2^(p -
 * 1).
 *
 * Where all weights of a table are 0 its scale is 1.
 */
struct npu_codebook_desc {
	size_t size;
	enum npu_codebook_method method;
	uint32_t n;
	uint32_t k;
	uint32_t index_bits;
	bool per_channel;
};

/**
 * struct npu_codebook_sizes - what weights with a codebook take
 * @size: sizeof(struct npu_codebook_sizes), set by the caller.
 * @entries: Values of a table: 2^index_bits, or one less with POWER_OF_TWO.
 * @tables: 1 or n: as many scales, and @entries * @tables values.
 * @index_bytes: Packed indices.
 * @disk_bytes: Indices, values, and scales as float.
 * @memory_bytes: In the memory of a device, where weights are int8: n * k, before it fills up its
 *	units.
 * @float_bytes: As float, for comparison.
 */
struct npu_codebook_sizes {
	size_t size;
	uint32_t entries;
	uint32_t tables;
	uint64_t index_bytes;
	uint64_t disk_bytes;
	uint64_t memory_bytes;
	uint64_t float_bytes;
};

/** Fills @sizes. Errors: -EINVAL a description is not valid (the text names the field). */
int npu_codebook_get_sizes(const struct npu_codebook_desc *desc, struct npu_codebook_sizes *sizes,
			   struct npu_error *err);

/**
 * Finds a codebook, or one for each channel, and the index of each weight.
 * @w: n x k floats, row-major.
 * @indices: index_bytes results, as NPU_WEIGHTS_CODEBOOK wants them.
 * @codebook: @entries * @tables results, in ascending order.
 * @scale: @tables results, the scale_w of struct npu_quant_layer.
 *
 * Errors: -EINVAL the description is not valid, or an element is not finite (the text names row and
 * column); -ENOMEM.
 */
int npu_codebook_quantize(const struct npu_codebook_desc *desc, const float *w, void *indices,
			  int8_t *codebook, float *scale, struct npu_error *err);

/**
 * The way back: w = scale * codebook[index].
 *
 * Errors: -EINVAL the description is not valid, a scale is not positive and finite, or an index is
 * beyond the table (the text names row and column).
 */
int npu_codebook_dequantize(const struct npu_codebook_desc *desc, const void *indices,
			    const int8_t *codebook, const float *scale, float *w,
			    struct npu_error *err);

/**
 * Describes the weights to npu_weights_create().
 * @weights: Filled in whole; points to @indices and @codebook.
 *
 * Errors: -EINVAL the description is not valid.
 */
int npu_codebook_weights(const struct npu_codebook_desc *desc, const void *indices,
			 const int8_t *codebook, struct npu_weights_desc *weights,
			 struct npu_error *err);

#if defined(__cplusplus)
}
#endif

#endif /* NPU_QUANT_H */
