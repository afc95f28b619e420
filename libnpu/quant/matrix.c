// SPDX-License-Identifier: MIT
/*
 * Matrices, in runs that have a scale in common: all of it, a row, a group of columns.
 */
#include <errno.h>

#include "quant.h"

/**
 * struct runs - how a matrix is divided
 * @length: Elements of a run; the last one of a row may be shorter.
 * @count: Runs.
 * @per_row: Runs of a row, where they are not longer than one.
 * @cols: Columns.
 */
struct runs {
	size_t length;
	size_t count;
	size_t per_row;
	size_t cols;
};

static struct runs divide(const struct npu_quant_scheme *scheme, uint32_t rows, uint32_t cols)
{
	struct runs runs = {
		.length = cols,
		.count = npu_quant_scale_count(scheme, rows, cols),
		.per_row = 1,
		.cols = cols,
	};

	if (scheme->granularity == NPU_QUANT_PER_TENSOR) {
		runs.length = (size_t)rows * cols;
		runs.cols = runs.length;
	} else if (scheme->granularity == NPU_QUANT_PER_GROUP) {
		runs.length = scheme->group_size;
		runs.per_row = runs.count / rows;
	}
	return runs;
}

/* First element of a run, and how many it has. */
static size_t run_at(const struct runs *runs, size_t i, size_t *length)
{
	size_t col = i % runs->per_row * runs->length;

	*length = runs->cols - col < runs->length ? runs->cols - col : runs->length;
	return i / runs->per_row * runs->cols + col;
}

/* ---- Checks ---------------------------------------------------------------------------- */

static int check_shape(const char *caller, uint32_t rows, uint32_t cols, bool places,
		       struct npu_error *err)
{
	if (!rows || !cols || !places)
		return npu_fail(err, -EINVAL,
				"%s: a matrix of %u x %u, or no place for it, its scales or its "
				"zero points given",
				caller, rows, cols);
	return 0;
}

static int check_scales(const struct npu_quant_limits *limits, const char *caller, size_t count,
			const float *scale, const int32_t *zero_point, struct npu_error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (!npu_quant_is_scale(scale[i]))
			return npu_fail(err, -EINVAL,
					"%s: scale %zu is %g, it must be positive and finite",
					caller, i, (double)scale[i]);
		if (zero_point && (zero_point[i] < limits->low || zero_point[i] > limits->high))
			return npu_fail(err, -EINVAL, "%s: zero point %zu is %d, not in %d to %d",
					caller, i, zero_point[i], limits->low, limits->high);
	}
	return 0;
}

/* ---- Quantizing ------------------------------------------------------------------------ */

int npu_quant_matrix(const struct npu_quant_scheme *scheme, const float *x, uint32_t rows,
		     uint32_t cols, void *q, float *scale, int32_t *zero_point,
		     struct npu_error *err)
{
	const char *me = "npu_quant_matrix";
	size_t bad, count = (size_t)rows * cols;
	struct npu_quant_limits limits;
	struct runs runs;
	int ret = npu_quant_check(scheme, me, &limits, err);

	if (!ret)
		ret = check_shape(me, rows, cols,
				  x && q && scale && (zero_point || !scheme->asymmetric), err);
	if (ret)
		return ret;
	bad = npu_quant_find_not_finite(x, count);
	if (bad < count)
		return npu_fail(err, -EINVAL, "%s: row %zu, column %zu is %f", me, bad / cols,
				bad % cols, (double)x[bad]);

	runs = divide(scheme, rows, cols);
	for (size_t i = 0; i < runs.count; i++) {
		size_t length, first = run_at(&runs, i, &length);
		float low, high;
		int32_t zero;

		npu_quant_find_range(x + first, length, &low, &high);
		npu_quant_choose(&limits, scheme->asymmetric, low, high, &scale[i], &zero);
		npu_quant_run(scheme, &limits, x + first, length, scale[i], zero, q, first);
		if (zero_point)
			zero_point[i] = zero;
	}
	return 0;
}

int npu_quant_matrix_with(const struct npu_quant_scheme *scheme, const float *x, uint32_t rows,
			  uint32_t cols, const float *scale, const int32_t *zero_point, void *q,
			  struct npu_error *err)
{
	const char *me = "npu_quant_matrix_with";
	struct npu_quant_limits limits;
	struct runs runs;
	int ret = npu_quant_check(scheme, me, &limits, err);

	if (!ret)
		ret = check_shape(me, rows, cols, x && q && scale, err);
	if (ret)
		return ret;
	runs = divide(scheme, rows, cols);
	ret = check_scales(&limits, me, runs.count, scale, zero_point, err);
	if (ret)
		return ret;
	for (size_t i = 0; i < (size_t)rows * cols; i++)
		if (isnan(x[i]))
			return npu_fail(err, -EINVAL, "%s: row %zu, column %zu is NaN", me,
					i / cols, i % cols);

	for (size_t i = 0; i < runs.count; i++) {
		size_t length, first = run_at(&runs, i, &length);

		npu_quant_run(scheme, &limits, x + first, length, scale[i],
			      zero_point ? zero_point[i] : limits.zero, q, first);
	}
	return 0;
}

int npu_quant_dequantize_matrix(const struct npu_quant_scheme *scheme, const void *q, uint32_t rows,
				uint32_t cols, const float *scale, const int32_t *zero_point,
				float *x, struct npu_error *err)
{
	const char *me = "npu_quant_dequantize_matrix";
	struct npu_quant_limits limits;
	struct runs runs;
	int ret = npu_quant_check(scheme, me, &limits, err);

	if (!ret)
		ret = check_shape(me, rows, cols, x && q && scale, err);
	if (ret)
		return ret;
	runs = divide(scheme, rows, cols);
	ret = check_scales(&limits, me, runs.count, scale, zero_point, err);
	if (ret)
		return ret;
	for (size_t i = 0; i < runs.count; i++) {
		size_t length, first = run_at(&runs, i, &length);

		npu_dequant_run(scheme, q, first, length, scale[i],
				zero_point ? zero_point[i] : limits.zero, x + first);
	}
	return 0;
}

/* ---- Packing --------------------------------------------------------------------------- */

size_t npu_quant_packed_bytes(uint32_t rows, uint32_t cols, uint32_t bits)
{
	return rows * (((size_t)cols * bits + 7) / 8);
}

static void pack_row(const int8_t *q, uint32_t cols, uint32_t bits, uint8_t *dst)
{
	uint32_t pending = 0, held = 0;

	for (uint32_t i = 0; i < cols; i++) {
		pending |= (q[i] & ((1u << bits) - 1)) << held;
		held += bits;
		if (held >= 8) {
			*dst++ = (uint8_t)pending;
			pending >>= 8;
			held -= 8;
		}
	}
	if (held)
		*dst = (uint8_t)pending;
}

int npu_quant_pack(const int8_t *q, uint32_t rows, uint32_t cols, uint32_t bits, void *packed,
		   struct npu_error *err)
{
	int ret = check_shape("npu_quant_pack", rows, cols, q && packed, err);

	if (ret)
		return ret;
	if (!bits || bits > 8)
		return npu_fail(err, -EINVAL, "npu_quant_pack: %u bits, it may be 1 to 8", bits);
	for (size_t i = 0; i < (size_t)rows * cols; i++)
		if (q[i] < -(1 << (bits - 1)) || q[i] >= 1 << bits)
			return npu_fail(err, -EINVAL,
					"npu_quant_pack: row %zu, column %zu is %d, more than %u "
					"bits",
					i / cols, i % cols, q[i], bits);
	for (uint32_t row = 0; row < rows; row++)
		pack_row(q + (size_t)row * cols, cols, bits,
			 (uint8_t *)packed + npu_quant_packed_bytes(row, cols, bits));
	return 0;
}
