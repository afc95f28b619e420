// SPDX-License-Identifier: MIT
/*
 * Weight sources. Zero points are taken off where every difference of a group fits int8: then they
 * cost nothing. Where one does not, the group keeps its zero point.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "sum.h"
#include "weight_source.h"

static const uint8_t *row_data(const struct npu_weight_source *source, uint32_t matrix,
			       uint32_t row)
{
	const struct npu_weights_desc *desc = &source->desc;

	return (const uint8_t *)desc->data + matrix * desc->matrix_stride + row * desc->row_stride;
}

typedef int8_t nibbles __attribute__((vector_size(16)));

/* Low halves and high ones by themselves, which compilers do not think of. */
static void expand_int4(int8_t *dst, const uint8_t *src, uint32_t k)
{
	const uint32_t step = 2 * sizeof(nibbles);
	uint32_t i = 0;

	for (; k - i >= step; i += step) {
		nibbles both, low, high, out;

		memcpy(&both, src + i / 2, sizeof(both));
		/* Moved by 8, a half is sign-extended by moving it back. */
		low = ((both & 15) ^ 8) - 8;
		high = (((both >> 4) & 15) ^ 8) - 8;
		out = __builtin_shufflevector(low, high, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21,
					      6, 22, 7, 23);
		memcpy(dst + i, &out, sizeof(out));
		out = __builtin_shufflevector(low, high, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13,
					      29, 14, 30, 15, 31);
		memcpy(dst + i + sizeof(out), &out, sizeof(out));
	}
	for (; i < k; i++)
		dst[i] = (int8_t)(((src[i / 2] >> i % 2 * 4 & 15) ^ 8) - 8);
}

static uint32_t index_at(const uint8_t *src, uint32_t bits, uint32_t i)
{
	size_t first = (size_t)i * bits, last = first + bits - 1;
	uint32_t two = src[first / 8];

	if (last / 8 != first / 8)
		two |= (uint32_t)src[last / 8] << 8;
	return two >> first % 8 & ((1u << bits) - 1);
}

/*
 * Indices @i to @i + 7, where @i is a multiple of 8: as many bytes as an index has bits. @bits is a
 * constant where this is inlined.
 */
static inline __attribute__((always_inline)) void expand_eight(int8_t *dst, const uint8_t *src,
							       const uint32_t bits, uint32_t i,
							       const int8_t *codebook)
{
	uint64_t eight = 0;

	src += i / 8 * bits;
	for (uint32_t b = 0; b < bits; b++)
		eight |= (uint64_t)src[b] << 8 * b;
	for (uint32_t n = 0; n < 8; n++, eight >>= bits)
		dst[i + n] = codebook[eight & ((1u << bits) - 1)];
}

static const int8_t *codebook_of(const struct npu_weights_desc *desc, uint32_t row)
{
	return desc->codebook +
	       (desc->codebook_per_channel ? (size_t)row * desc->codebook_entries : 0);
}

static inline __attribute__((always_inline)) void expand_eights(int8_t *dst, const uint8_t *src,
								const uint32_t bits, uint32_t k,
								const int8_t *codebook)
{
	for (uint32_t i = 0; i < k; i += 8)
		expand_eight(dst, src, bits, i, codebook);
}

static void expand_codebook(int8_t *dst, const uint8_t *src, uint32_t bits, uint32_t k,
			    const int8_t *codebook)
{
	const uint32_t whole = k - k % 8;

	switch (bits) {
	case 1:
		expand_eights(dst, src, 1, whole, codebook);
		break;
	case 2:
		expand_eights(dst, src, 2, whole, codebook);
		break;
	case 3:
		expand_eights(dst, src, 3, whole, codebook);
		break;
	case 4:
		expand_eights(dst, src, 4, whole, codebook);
		break;
	case 5:
		expand_eights(dst, src, 5, whole, codebook);
		break;
	case 6:
		expand_eights(dst, src, 6, whole, codebook);
		break;
	case 7:
		expand_eights(dst, src, 7, whole, codebook);
		break;
	default:
		for (uint32_t i = 0; i < whole; i++)
			dst[i] = codebook[src[i]];
		break;
	}
	for (uint32_t i = whole; i < k; i++)
		dst[i] = codebook[index_at(src, bits, i)];
}

/* The values of a row, zero points and all. */
static void expand_row(const struct npu_weight_source *source, uint32_t matrix, uint32_t row,
		       int8_t *dst)
{
	const struct npu_weights_desc *desc = &source->desc;
	const uint8_t *src = row_data(source, matrix, row);

	switch (desc->type) {
	case NPU_WEIGHTS_INT8:
		memcpy(dst, src, desc->k);
		break;
	case NPU_WEIGHTS_INT4:
		expand_int4(dst, src, desc->k);
		break;
	case NPU_WEIGHTS_CODEBOOK:
		expand_codebook(dst, src, desc->index_bits, desc->k, codebook_of(desc, row));
		break;
	}
}

static uint32_t group_length(const struct npu_weights *weights, uint32_t group)
{
	uint32_t first = group * weights->group_size;

	return weights->k - first < weights->group_size ? weights->k - first : weights->group_size;
}

/* ---- Opening --------------------------------------------------------------------------- */

static int check_indices(const struct npu_weight_source *source, struct npu_error *err)
{
	const struct npu_weights_desc *desc = &source->desc;

	if (desc->type != NPU_WEIGHTS_CODEBOOK || desc->codebook_entries == 1u << desc->index_bits)
		return 0;
	for (uint32_t matrix = 0; matrix < desc->batch; matrix++) {
		for (uint32_t row = 0; row < desc->n; row++) {
			const uint8_t *src = row_data(source, matrix, row);

			for (uint32_t i = 0; i < desc->k; i++) {
				uint32_t index = index_at(src, desc->index_bits, i);

				if (index >= desc->codebook_entries)
					return npu_fail(err, -EINVAL,
							"weights: row %u, column %u has index %u, "
							"the codebook has %u entries",
							row, i, index, desc->codebook_entries);
			}
		}
	}
	return 0;
}

static int32_t zero_point_of(const struct npu_weights_desc *desc, uint32_t groups, uint32_t row,
			     uint32_t group)
{
	if (desc->zero_point_count == 1)
		return desc->zero_point[0];
	if (desc->zero_point_count == desc->n)
		return desc->zero_point[row];
	return desc->zero_point[(size_t)row * groups + group];
}

/* Smallest and largest weight of each group of a row, widened to those of a matrix before. */
static void widen_range(const struct npu_weights *weights, const int8_t *row, int8_t *least,
			int8_t *most)
{
	for (uint32_t g = 0; g < weights->groups; g++) {
		const int8_t *w = row + (size_t)g * weights->group_size;
		uint32_t length = group_length(weights, g);

		for (uint32_t i = 0; i < length; i++) {
			least[g] = w[i] < least[g] ? w[i] : least[g];
			most[g] = w[i] > most[g] ? w[i] : most[g];
		}
	}
}

/*
 * Decides for each group of a row if its zero point is taken off or kept.
 * @range: Room for two int8 a group.
 */
static void divide_zero_points(struct npu_weight_source *source, uint32_t row, int8_t *range)
{
	struct npu_weights *weights = source->weights;
	int8_t *least = range, *most = range + weights->groups;

	memset(least, INT8_MAX, weights->groups);
	memset(most, INT8_MIN, weights->groups);
	for (uint32_t matrix = 0; matrix < weights->batch; matrix++) {
		expand_row(source, matrix, row, source->row);
		widen_range(weights, source->row, least, most);
	}
	for (uint32_t g = 0; g < weights->groups; g++) {
		int32_t zero = zero_point_of(&source->desc, weights->groups, row, g);
		bool fits = least[g] - zero >= INT8_MIN && most[g] - zero <= INT8_MAX;
		size_t at = (size_t)row * weights->groups + g;

		source->fold[at] = fits ? zero : 0;
		weights->zero_point[at] = fits ? 0 : zero;
	}
}

static bool all_zero(const int16_t *values, size_t count)
{
	while (count && !values[count - 1])
		count--;
	return !count;
}

static int divide_all_zero_points(struct npu_weight_source *source)
{
	struct npu_weights *weights = source->weights;
	size_t count = (size_t)weights->n * weights->groups;
	int8_t *range = malloc(2 * (size_t)weights->groups);

	source->fold = calloc(count, sizeof(*source->fold));
	weights->zero_point = calloc(count, sizeof(*weights->zero_point));
	if (!range || !source->fold || !weights->zero_point) {
		free(range);
		return -ENOMEM;
	}
	for (uint32_t row = 0; row < weights->n; row++)
		divide_zero_points(source, row, range);
	free(range);

	if (all_zero(weights->zero_point, count)) {
		free(weights->zero_point);
		weights->zero_point = NULL;
	}
	if (all_zero(source->fold, count)) {
		free(source->fold);
		source->fold = NULL;
	}
	return 0;
}

int npu_weight_source_init(struct npu_weight_source *source, const struct npu_weights_desc *desc,
			   struct npu_weights *weights, struct npu_error *err)
{
	size_t rows = weights->n < NPU_WEIGHT_ROWS ? weights->n : NPU_WEIGHT_ROWS;
	int ret;

	*source = (struct npu_weight_source){ .desc = *desc, .weights = weights };
	ret = check_indices(source, err);
	if (ret)
		return ret;

	if (desc->type != NPU_WEIGHTS_INT8 || desc->zero_point_count)
		source->row = malloc(rows * weights->k);
	weights->sum =
		calloc((size_t)weights->batch * weights->n, weights->groups * sizeof(int64_t));
	if ((!source->row && (desc->type != NPU_WEIGHTS_INT8 || desc->zero_point_count)) ||
	    !weights->sum || (desc->zero_point_count && divide_all_zero_points(source))) {
		npu_weight_source_fini(source);
		return npu_fail(err, -ENOMEM, "no memory to pack weights of %u x %u", weights->n,
				weights->k);
	}
	return 0;
}

void npu_weight_source_fini(struct npu_weight_source *source)
{
	free(source->fold);
	free(source->row);
}

/* ---- Reading --------------------------------------------------------------------------- */

static void fold_row(const struct npu_weight_source *source, uint32_t row, int8_t *w)
{
	const struct npu_weights *weights = source->weights;

	for (uint32_t g = 0; g < weights->groups; g++) {
		int16_t fold = source->fold[(size_t)row * weights->groups + g];
		uint32_t length = group_length(weights, g);

		for (uint32_t i = 0; i < length; i++)
			w[i] -= fold;
		w += length;
	}
}

static void sum_row(const struct npu_weights *weights, const int8_t *w, int64_t *sum)
{
	for (uint32_t g = 0; g < weights->groups; g++) {
		const uint32_t length = group_length(weights, g);

		sum[g] = npu_sum_int8(w, length);
		w += length;
	}
}

const int8_t *npu_weight_source_rows(const struct npu_weight_source *source, uint32_t matrix,
				     uint32_t first, uint32_t rows, size_t *stride)
{
	const struct npu_weights *weights = source->weights;
	int64_t *sum = weights->sum + ((size_t)matrix * weights->n + first) * weights->groups;
	bool direct = source->desc.type == NPU_WEIGHTS_INT8 && !source->fold;
	const int8_t *data = direct ? (const int8_t *)row_data(source, matrix, first) : source->row;

	*stride = direct ? source->desc.row_stride : weights->k;
	for (uint32_t i = 0; i < rows; i++) {
		if (!direct) {
			int8_t *row = source->row + (size_t)i * weights->k;

			expand_row(source, matrix, first + i, row);
			if (source->fold)
				fold_row(source, first + i, row);
		}
		sum_row(weights, data + i * *stride, sum + (size_t)i * weights->groups);
	}
	return data;
}
