/* SPDX-License-Identifier: MIT */
/*
 * libnpu - getting accuracy back from low precision.
 *
 * Quantization that looks at data: weights rounded so that their errors cancel in the layer's
 * output, outliers of activations moved to where they do no harm, ranges that follow the input,
 * training through the device's own arithmetic, and the choice of bits for each layer.
 *
 * Functions work on the caller's memory, in float32 and row-major; no device is needed. A layer
 * computes Y[M,N] = X[M,K] x W[N,K]^T: row m of X is a sample (image, token), column k an input
 * channel, row n of W an output channel. Errors, ownership and the size fields of structures are as
 * npu.h has them; a result is written on success only, except where a function works in place. All
 * input has to be finite; errors name the element that is not.
 *
 * The same call gives the same bits on every machine: sums have a fixed order and are not
 * contracted. Exceptions are powf() in npu_smooth_factors() and what is computed from its results.
 *
 * Threads: functions without an object may be called from any number of threads, an object may be
 * used by one thread at a time, or only read by several.
 */
#ifndef NPU_TUNE_H
#define NPU_TUNE_H

#include <npu.h>

#if defined(__cplusplus)
extern "C" {
#endif

/* ---- Statistics of the inputs of a layer ----------------------------------------------- */

struct npu_hessian;

/**
 * Makes the second-order statistics of a layer's inputs, H = 2 * X^T X, of no samples yet. This is
 * the Hessian of ||X W^T - X Wq^T||^2 with respect to a row of Wq.
 * @k: Input channels, 1 to 16384. Memory is 8 * k^2 bytes.
 *
 * Errors: -EINVAL, -ENOMEM.
 */
int npu_hessian_create(uint32_t k, struct npu_hessian **hessian, struct npu_error *err);

/** Frees it; NULL is allowed. */
void npu_hessian_destroy(struct npu_hessian *hessian);

/**
 * Adds samples. Products of two floats are exact in the double sums.
 * @x: @rows x k, the inputs as the layer sees them: dequantized, if they are going to be quantized.
 *
 * Takes rows * k^2 / 2 multiply-adds.
 *
 * Errors: -EINVAL an element is not finite (the text names row and column).
 */
int npu_hessian_add(struct npu_hessian *hessian, const float *x, uint32_t rows,
		    struct npu_error *err);

/**
 * Adds the samples of @other, from another thread, process part or run, to @hessian.
 *
 * Errors: -EINVAL they have not the same number of channels.
 */
int npu_hessian_merge(struct npu_hessian *hessian, const struct npu_hessian *other,
		      struct npu_error *err);

/** Number of samples so far. */
uint64_t npu_hessian_samples(const struct npu_hessian *hessian);

/**
 * The squared error that a change of weights makes in the layer's output over all samples:
 * ||X (W - Wq)^T||^2 = sum over rows e of W - Wq of e H e^T / 2.
 * @w: n x k, the float weights.
 * @q: n x k, @scale: [n][ceil(k / group_size)], @zero_point: the same or NULL for 0, @group_size: 0
 *	for all k: the quantized ones as npu_round_weights() gives them.
 * @error: The sum. With @q, @scale and @zero_point NULL it is that of all weights 0, the energy
 *	||X W^T||^2 of the output, so that the quotient of the two is the noise-to-signal ratio.
 *
 * Takes n * k^2 multiply-adds.
 *
 * Errors: -EINVAL (the text names the element), -ENOMEM.
 */
int npu_hessian_error(const struct npu_hessian *hessian, uint32_t n, const float *w,
		      const int8_t *q, const float *scale, const int32_t *zero_point,
		      uint32_t group_size, double *error, struct npu_error *err);

/* ---- Error-compensating rounding ------------------------------------------------------- */

/** enum npu_round_order - which column of the weights is rounded first */
enum npu_round_order {
	NPU_ROUND_IN_ORDER = 0,
	/** @NPU_ROUND_BY_ACTIVATION: Columns with the largest inputs first, while there are many
	 * others left to take up the error ("act-order").
	 */
	NPU_ROUND_BY_ACTIVATION = 1,
};

/** enum npu_round_range - where the scale of weights comes from, if none is given */
enum npu_round_range {
	/** @NPU_ROUND_RANGE_FULL: The largest weight is the last step. */
	NPU_ROUND_RANGE_FULL = 0,
	/** @NPU_ROUND_RANGE_SEARCH: Of 80 scales from the full range down to 0.21 of it, the one
	 * that rounds to nearest with the least squared error, each column weighted with its
	 * H[k][k].
	 */
	NPU_ROUND_RANGE_SEARCH = 1,
};

/**
 * struct npu_round_desc - weights to round
 * @size: sizeof(struct npu_round_desc), set by the caller.
 * @n, @k: Shape of the weights.
 * @w: n x k float weights.
 * @bits: 2 to 8.
 * @symmetric: True for values -(2^(bits-1) - 1) to 2^(bits-1) - 1 and no zero point; false for
 *	-2^(bits-1) to 2^(bits-1) - 1 and a zero point.
 * @group_size: Columns that have a scale in common; 0 for all @k. A device needs multiples of
 *	NPU_GROUP_UNIT, this function does not.
 * @scale, @zero_point: [n][ceil(k / group_size)] of a grid that is given, for example learnt
 *	elsewhere; NULL and NULL to have them made. A @scale without @zero_point has zero points 0.
 * @range: How scales are made.
 * @order: In which order columns are rounded.
 * @damping: Added to the diagonal of H, as a part of its mean. 0.01 is usual; above 0 where samples
 *	are fewer than channels, because H is singular then.
 * @sweeps: Passes of coordinate descent over the result, 0 to 100; a few are enough.
 */
struct npu_round_desc {
	size_t size;
	uint32_t n, k;
	const float *w;
	uint32_t bits;
	bool symmetric;
	uint32_t group_size;
	const float *scale;
	const int32_t *zero_point;
	enum npu_round_range range;
	enum npu_round_order order;
	double damping;
	uint32_t sweeps;
};

/**
 * Rounds weights so that the error of the layer's output is small, not that of the weights. Columns
 * are rounded one by one, and what each has lost is made good by the columns that are still free,
 * in the way that is best for the inputs seen (Frantar and Alistarh, "Optimal Brain Compression",
 * 2022; Frantar et al., "GPTQ", 2022).
 *
 * With H = R R^T, R upper triangular, the error of a row is ||e R||^2 / 2, and column j is free to
 * cancel what the columns before it left there:
 *
 *	w'[j] = w[j] + (sum over i < j of e[i] R[i][j]) / R[j][j],	e[i] = w[i] - wq[i]
 *	q[j] = clamp(round(w'[j] / scale) + zero_point),		halves to even
 *
 * R is the inverse of the Cholesky factor of H^-1 that GPTQ works with, so the numbers are the
 * same, but nothing is inverted. The sweeps then visit the columns again and again and set each
 * to the best value with all others as they are (Behdin et al., "QuantEase", 2023), with the
 * scales fixed.
 *
 * Where no scale is given, that of a group is made when its first column is reached, from weights
 * with the compensation for all columns before it; with NPU_ROUND_BY_ACTIVATION, where the
 * columns of a group are not rounded together, from the weights as they are. Scales of symmetric
 * grids are max |w| / (2^(bits-1) - 1), those of others (max - min) / (2^bits - 1) with 0 in the
 * range; 1 for a group of zeros.
 *
 * In each row the error is at most that of rounding to nearest (with the scale given, or the one
 * made of the unchanged weights): a row in which it is not is rounded to nearest.
 * A column whose input was 0 in all samples is rounded to nearest too.
 *
 * Takes k^3 / 6 multiply-adds for R and n * k^2 * 1.5 for the rest, with sweeps up to
 * n * k^2 * (2.5 + sweeps); and 16 * k^2 bytes. R is read once for 8 rows of weights.
 *
 * @q: n x k results.
 * @scale: [n][groups] results.
 * @zero_point: [n][groups] results; may be NULL for symmetric grids.
 *
 * Errors: -EINVAL (the text names the field or the element), -EDOM H is singular and @damping too
 * small, -ENOMEM.
 */
int npu_round_weights(const struct npu_hessian *hessian, const struct npu_round_desc *desc,
		      int8_t *q, float *scale, int32_t *zero_point, struct npu_error *err);

/* ---- Outlier migration ----------------------------------------------------------------- */

/**
 * Widens the largest magnitude of each column to what it is in @x.
 * @x: @rows x @cols.
 * @max: @cols values, all 0 before the first batch. Those of parts are merged by the larger one.
 *
 * Errors: -EINVAL an element is not finite (the text names row and column).
 */
int npu_column_max(const float *x, uint32_t rows, uint32_t cols, float *max, struct npu_error *err);

/** Factors of npu_smooth_factors() are within this and its inverse. */
#define NPU_SMOOTH_MAX 65536.0f

/**
 * Finds by how much each input channel is to be divided, and its weights multiplied, so that both
 * can be quantized well (Xiao et al., "SmoothQuant", 2022):
 *
 *	s[k] = x_max[k]^alpha / w_max[k]^(1 - alpha), within 1 / NPU_SMOOTH_MAX and NPU_SMOOTH_MAX
 *
 * and 1 where either maximum is 0.
 * @x_max, @w_max: @k column maxima of activations and weights, see npu_column_max().
 * @alpha: 0 (all of the difficulty stays with the activations) to 1 (all of it moves to the
 *	weights); 0.5 is usual.
 * @s: @k factors.
 *
 * Errors: -EINVAL.
 */
int npu_smooth_factors(const float *x_max, const float *w_max, uint32_t k, float alpha, float *s,
		       struct npu_error *err);

/**
 * Multiplies column k of a matrix with factor[k], or divides by it: the weights of a layer by s;
 * activations at run time, or the gain of a normalisation (one row), by 1 / s.
 * @x: @rows x @cols, changed in place.
 *
 * Errors: -EINVAL a factor is not above 0 and finite (the text names it); @x is unchanged.
 */
int npu_scale_columns(float *x, uint32_t rows, uint32_t cols, const float *factor, bool divide,
		      struct npu_error *err);

/**
 * The same with rows: the layer before, whose output channels (and biases, with @cols of 1) are the
 * input channels of this one, takes 1 / s. This is exact if nothing but ReLU is between the two.
 */
int npu_scale_rows(float *x, uint32_t rows, uint32_t cols, const float *factor, bool divide,
		   struct npu_error *err);

/**
 * Rotates each row of a matrix: x = x Q with an orthogonal Q that spreads every channel evenly over
 * all, so that outliers in few channels become small values in all of them (Ashkboos et al.,
 * "QuaRot", 2024).
 *
 * Because (x Q) (w Q)^T = x w^T the same call is for activations at run time and for the rows of
 * the weights, once. Q is a randomized Hadamard transform, x D H / sqrt(k) with random signs D from
 * @seed and the Walsh-Hadamard matrix H, in k * log2(k) additions. Where k is not a power of two
 * it is two such transforms, of the first and then of the last b channels, b being the largest
 * power of two below k; together these are all channels.
 * @x: @rows x @k, changed in place.
 *
 * Errors: -EINVAL.
 */
int npu_rotate(float *x, uint32_t rows, uint32_t k, uint64_t seed, struct npu_error *err);

/**
 * Undoes npu_rotate() with the same @seed: x = x Q^T. The layer before can be made to give rotated
 * outputs in the first place if nothing is between the two: npu_rotate() on the transpose of its
 * weights.
 */
int npu_unrotate(float *x, uint32_t rows, uint32_t k, uint64_t seed, struct npu_error *err);

/* ---- Ranges that follow the input ------------------------------------------------------ */

struct npu_follower;

/**
 * struct npu_follower_desc - how a range follows its input
 * @size: sizeof(struct npu_follower_desc), set by the caller.
 * @momentum: Part of the way to the range of a batch that one batch moves the range, above 0 to 1.
 * @max_step: Most that either end moves with one batch, in widths of the range before; 0 for no
 *	limit. The first batch is taken as it is.
 * @low_limit, @high_limit: The range is never wider than this, @low_limit <= 0 <= @high_limit; 0
 *	and 0 for no limits.
 * @min_width: The range is never narrower than this, above 0. What it lacks is added to the end
 *	that is farther from 0.
 */
struct npu_follower_desc {
	size_t size;
	float momentum;
	float max_step;
	float low_limit, high_limit;
	float min_width;
};

/**
 * Makes a range that follows what it is shown: an exponential moving average of minimum and
 * maximum (Jacob et al., 2018), with bounds. 0 is always inside, so that it can be represented.
 *
 * Errors: -EINVAL (the text names the field), -ENOMEM.
 */
int npu_follower_create(const struct npu_follower_desc *desc, struct npu_follower **follower,
			struct npu_error *err);

/** Frees it; NULL is allowed. */
void npu_follower_destroy(struct npu_follower *follower);

/**
 * Shows it a batch. Nothing is allocated.
 *
 * Errors: -EINVAL there are no elements, or one is not finite (the text names it); the range stays
 * what it was.
 */
int npu_follower_update(struct npu_follower *follower, const float *x, size_t count,
			struct npu_error *err);

/**
 * Gives the range, and the grid of @bits for it.
 * @bits: 2 to 16.
 * @symmetric: True for scale = max(-low, high) / (2^(bits-1) - 1) and zero point 0; false for
 *	scale = (high - low) / (2^bits - 1) and zero point round(-2^(bits-1) - low / scale).
 * @low, @high, @scale, @zero_point: Results, each may be NULL.
 *
 * Errors: -EINVAL; -ENODATA it was shown nothing yet.
 */
int npu_follower_get(const struct npu_follower *follower, uint32_t bits, bool symmetric, float *low,
		     float *high, float *scale, int32_t *zero_point, struct npu_error *err);

/* ---- Training for quantization --------------------------------------------------------- */

/**
 * struct npu_fake_quant - a grid for the values of a matrix
 * @size: sizeof(struct npu_fake_quant), set by the caller.
 * @rows, @cols: Shape.
 * @bits: 2 to 8.
 * @symmetric: True for values -(2^(bits-1) - 1) to 2^(bits-1) - 1; false for -2^(bits-1) to
 *	2^(bits-1) - 1.
 * @group_size: Columns that have a scale in common; 0 for all @cols.
 * @scale: Positive; from npu_follower_get(), a calibration, a training elsewhere, or one that is
 *	being learnt.
 * @scale_count: 1, or @rows * ceil(@cols / @group_size).
 * @zero_point: One for all; 0 where @symmetric.
 */
struct npu_fake_quant {
	size_t size;
	uint32_t rows, cols;
	uint32_t bits;
	bool symmetric;
	uint32_t group_size;
	const float *scale;
	uint32_t scale_count;
	int32_t zero_point;
};

/**
 * Quantizes and dequantizes:
 *
 *	q = clamp(round(x / scale) + zero_point),	y = scale * (q - zero_point)
 *
 * the quotient in binary32, halves to even, which is QuantizeLinear of ONNX.
 * @x: @rows x @cols.
 * @q, @y: The same shape; either may be NULL, and @y may be @x.
 *
 * Errors: -EINVAL (the text names the field or the element).
 */
int npu_fake_quant_forward(const struct npu_fake_quant *grid, const float *x, int8_t *q, float *y,
			   struct npu_error *err);

/**
 * Carries a gradient back through npu_fake_quant_forward().
 *
 * The rounding is taken for the identity (the straight-through estimator: Bengio et al.,
 * "Estimating or Propagating Gradients Through Stochastic Neurons", 2013), the clamp for what it is
 * (Jacob et al., 2018): dx = dy where round(x / scale) + zero_point is within the limits, else 0.
 * The gradient of a scale (Esser et al., "Learned Step Size Quantization", 2020) is
 *
 *	dscale = g * sum of dy * (q - zero_point - x / scale, or q - zero_point where clamped)
 *	g = 1 / sqrt(count * largest q)
 *
 * over the count elements that have the scale, added up in double.
 * @x: What went forward.
 * @dy: Gradient of the loss by y.
 * @dx: Result, may be NULL or @dy.
 * @dscale: @scale_count results, NULL where scales are not learnt.
 *
 * Errors: -EINVAL.
 */
int npu_fake_quant_backward(const struct npu_fake_quant *grid, const float *x, const float *dy,
			    float *dx, float *dscale, struct npu_error *err);

struct npu_qat;

/**
 * struct npu_qat_desc - a layer that is trained as the device will run it
 * @size: sizeof(struct npu_qat_desc), set by the caller.
 * @m: Most samples of a batch.
 * @k, @n: Input and output channels.
 * @w_bits: Bits of symmetric weights, 2 to 8.
 * @group_size: Columns of the weights that have a scale in common, a multiple of NPU_GROUP_UNIT; 0
 *	for all @k. More than one group goes with NPU_SCALING_FLOAT.
 * @scaling: NPU_SCALING_FIXED16 or NPU_SCALING_FLOAT.
 * @c_type: NPU_TYPE_INT8, or with NPU_SCALING_FLOAT also NPU_TYPE_FLOAT32: outputs are not
 *	quantized.
 * @a_zero_point, @c_zero_point: Zero points of the int8 inputs and outputs, -128 to 127; of float
 *	outputs 0.
 * @activation: NPU_ACTIVATION_NONE or NPU_ACTIVATION_RELU.
 */
struct npu_qat_desc {
	size_t size;
	uint32_t m, k, n;
	uint32_t w_bits;
	uint32_t group_size;
	enum npu_scaling scaling;
	enum npu_type c_type;
	int32_t a_zero_point;
	int32_t c_zero_point;
	enum npu_activation activation;
};

/** Makes a layer. Errors: -EINVAL (the text names the field), -ENOMEM. */
int npu_qat_create(const struct npu_qat_desc *desc, struct npu_qat **qat, struct npu_error *err);

/** Frees it; NULL is allowed. */
void npu_qat_destroy(struct npu_qat *qat);

/**
 * struct npu_qat_params - the parameters of a layer, which the caller trains
 * @size: sizeof(struct npu_qat_params), set by the caller.
 * @w: n x k weights.
 * @bias: n biases, or NULL.
 * @w_scale: Positive scales of the weights.
 * @w_scale_count: n * ceil(k / group_size).
 * @a_scale: Scale of the inputs.
 * @c_scale: Scale of int8 outputs; not used with float ones.
 */
struct npu_qat_params {
	size_t size;
	const float *w;
	const float *bias;
	const float *w_scale;
	uint32_t w_scale_count;
	float a_scale;
	float c_scale;
};

/**
 * Runs samples forward with the device's arithmetic, bit for bit: quantizes inputs and weights to
 * int8, adds up products in integers, and makes results as struct npu_epilogue_desc defines it,
 * with
 *
 *	FIXED16		factor[n] = float(a_scale * w_scale[n] / c_scale), computed in double and
 *			made multiplier and shift by npu_quant_fixed16()
 *	FLOAT		scale[n][g] = float(a_scale * w_scale[n][g] / c_scale), float_bias[n] =
 *			float(bias[n] / c_scale); c_scale is 1 for float outputs
 *
 * where the bias of FIXED16 is round(bias[n] / (a_scale * w_scale[n])), halves to even.
 * @x: @rows x k.
 * @y: @rows x n results: c_scale * (c - zero point), or the float outputs.
 *
 * Errors: -EINVAL (the text names the field or the element); -ERANGE a bias is more than
 * NPU_BIAS_MAX steps.
 */
int npu_qat_forward(struct npu_qat *qat, const struct npu_qat_params *params, const float *x,
		    uint32_t rows, float *y, struct npu_error *err);

/**
 * struct npu_qat_gradients - results of npu_qat_backward(), each may be NULL
 * @size: sizeof(struct npu_qat_gradients), set by the caller.
 * @x: rows x k.
 * @w: n x k.
 * @bias: n.
 * @w_scale: n * ceil(k / group_size).
 * @a_scale, @c_scale: One value; @c_scale is 0 with float outputs.
 */
struct npu_qat_gradients {
	size_t size;
	float *x;
	float *w;
	float *bias;
	float *w_scale;
	float *a_scale;
	float *c_scale;
};

/**
 * Carries a gradient back through the last npu_qat_forward(), whose arguments are given again,
 * unchanged. The requantization is taken for real arithmetic with a clamp: outputs at a limit of
 * the clamp (ReLU's 0 is one) pass nothing on. Inputs, weights and scales are treated as
 * npu_fake_quant_backward() does, outputs and inputs with one scale for all of the batch.
 * @dy: Gradient of the loss by y.
 *
 * Takes 2 * rows * n * k multiply-adds.
 *
 * Errors: -EINVAL; @rows is not what went forward.
 */
int npu_qat_backward(struct npu_qat *qat, const struct npu_qat_params *params, const float *x,
		     uint32_t rows, const float *dy, const struct npu_qat_gradients *gradients,
		     struct npu_error *err);

/** The int8 weights of the last npu_qat_forward(), n x k, for npu_weights_create(). */
const int8_t *npu_qat_weights(const struct npu_qat *qat);

/**
 * The epilogue of the last npu_qat_forward(), for npu_epilogue_create() and a matmul whose
 * a_zero_point is that of the description. It and its arrays are the layer's, valid until the next
 * npu_qat_forward() or npu_qat_destroy().
 */
const struct npu_epilogue_desc *npu_qat_epilogue(const struct npu_qat *qat);

/* ---- Bits for each layer --------------------------------------------------------------- */

/**
 * struct npu_candidate - one precision a layer could have
 * @error: What it costs in accuracy: any measure that adds up over layers, as squared output errors
 *	relative to the signal or losses on a test set do about. Finite, may be negative.
 * @bytes: What it costs in memory, or in time or anything else that adds up.
 */
struct npu_candidate {
	double error;
	uint64_t bytes;
};

/** enum npu_budget - what is limited */
enum npu_budget {
	NPU_BUDGET_BYTES = 0, /* the least error with at most so many bytes */
	NPU_BUDGET_ERROR = 1, /* the fewest bytes with at most so much error */
};

/**
 * Chooses a precision for each layer under a budget for all of them.
 * @candidates: [@layers][@count], for example W4A8, W8A8 and W8A16.
 * @layers, @count: At least 1.
 * @kind, @limit: The budget.
 * @chosen: @layers results, which candidate each layer has.
 * @total: Their sums.
 *
 * Begins with the most accurate candidates and goes on giving up accuracy where it costs least, by
 * error per byte saved, until the budget is kept; then takes back what there is room for after all.
 * With NPU_BUDGET_ERROR it gives up as long as there is something that fits the budget.
 * This is a knapsack problem, which greedy steps do not always solve best. But where each byte buys
 * less than the one before, as with bits, the error is above the least one by at most what the
 * costliest single step of a layer adds.
 *
 * Takes at most layers^3 * count^2 steps.
 *
 * Errors: -EINVAL; -ERANGE no choice keeps the budget (the text says what the least is); -ENOMEM.
 */
int npu_choose_precision(const struct npu_candidate *candidates, uint32_t layers, uint32_t count,
			 enum npu_budget kind, double limit, uint32_t *chosen,
			 struct npu_candidate *total, struct npu_error *err);

#if defined(__cplusplus)
}
#endif

#endif /* NPU_TUNE_H */
