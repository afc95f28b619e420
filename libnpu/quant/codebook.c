// SPDX-License-Identifier: MIT
/*
 * Codebooks: weights that share few values, int8 and a scale.
 */
#include <errno.h>
#include <stdlib.h>

#include "kmeans.h"
#include "quant.h"

static int check_desc(const struct npu_codebook_desc *desc, const char *caller,
		      struct npu_error *err)
{
	uint32_t least = 1, most = 8;

	if (!desc || desc->size != sizeof(*desc))
		return npu_fail(err, -EINVAL,
				"%s: no desc given, or its size is not sizeof(struct "
				"npu_codebook_desc)",
				caller);
	if (!desc->n || !desc->k)
		return npu_fail(err, -EINVAL, "%s: weights of %u x %u", caller, desc->n, desc->k);
	if ((unsigned int)desc->method > NPU_CODEBOOK_POWER_OF_TWO)
		return npu_fail(err, -EINVAL,
				"%s: method is %d, not one of enum npu_codebook_method", caller,
				(int)desc->method);
	if (desc->method == NPU_CODEBOOK_POWER_OF_TWO) {
		least = 2;
		most = 4;
	}
	if (desc->index_bits < least || desc->index_bits > most)
		return npu_fail(err, -EINVAL, "%s: index_bits is %u, it may be %u to %u", caller,
				desc->index_bits, least, most);
	return 0;
}

static uint32_t entries_of(const struct npu_codebook_desc *desc)
{
	return (1u << desc->index_bits) - (desc->method == NPU_CODEBOOK_POWER_OF_TWO);
}

int npu_codebook_get_sizes(const struct npu_codebook_desc *desc, struct npu_codebook_sizes *sizes,
			   struct npu_error *err)
{
	int ret = check_desc(desc, "npu_codebook_get_sizes", err);
	uint64_t count;

	if (ret)
		return ret;
	if (!sizes || sizes->size != sizeof(*sizes))
		return npu_fail(err, -EINVAL,
				"npu_codebook_get_sizes: no sizes given, or their size is not "
				"sizeof(struct npu_codebook_sizes)");
	count = (uint64_t)desc->n * desc->k;
	sizes->entries = entries_of(desc);
	sizes->tables = desc->per_channel ? desc->n : 1;
	sizes->index_bytes = npu_quant_packed_bytes(desc->n, desc->k, desc->index_bits);
	sizes->disk_bytes =
		sizes->index_bytes + (uint64_t)sizes->tables * (sizes->entries + sizeof(float));
	sizes->memory_bytes = count;
	sizes->float_bytes = count * sizeof(float);
	return 0;
}

/* ---- Tables ---------------------------------------------------------------------------- */

/* Values are the powers themselves; the scale makes the largest the one next to that of weights. */
static float power_table(const float *w, size_t count, uint32_t bits, int8_t *table)
{
	const int32_t powers = (1 << (bits - 1)) - 1;
	float low, high;
	double largest;
	int exponent;

	for (int32_t i = 0; i < powers; i++) {
		table[powers + 1 + i] = (int8_t)(1 << i);
		table[powers - 1 - i] = (int8_t)(-(1 << i));
	}
	table[powers] = 0;
	npu_quant_find_range(w, count, &low, &high);
	largest = fmax(fabs((double)low), fabs((double)high));
	if (largest == 0)
		return 1;
	/* largest is in 2^(exponent - 1) to 2^exponent, from its middle on next to the latter. */
	if (frexp(largest, &exponent) < 0.75)
		exponent--;
	/* No float is larger than 2^127 times 2, and none smaller than 2^-149. */
	exponent = (exponent > 127 ? 127 : exponent) - (powers - 1);
	exponent = exponent < -149 ? -149 : exponent;
	return ldexpf(1, exponent);
}

/* @room is for @count floats and @count + 1 doubles. */
static float kmeans_table(const float *w, size_t count, uint32_t entries, int8_t *table,
			  double *room)
{
	const struct npu_quant_limits limits = { .low = -127, .high = 127, .steps = 127 };
	float *sorted = (float *)(room + count + 1);
	double centre[NPU_KMEANS_MOST];
	int32_t zero;
	float scale;

	for (size_t i = 0; i < count; i++)
		sorted[i] = w[i];
	npu_kmeans(sorted, count, room, entries, centre);
	npu_quant_choose(&limits, false, (float)centre[0], (float)centre[entries - 1], &scale,
			 &zero);
	for (uint32_t i = 0; i < entries; i++)
		table[i] = (int8_t)npu_quant_value(&limits, (float)centre[i], scale, 0);
	return scale;
}

/* ---- Indices --------------------------------------------------------------------------- */

/* Index of the value next to @x, the lower one of two. */
static uint32_t nearest(const int8_t *table, uint32_t entries, double x)
{
	uint32_t low = 0, high = entries - 1;

	/* The answer is in low..high: x is above the middle of a value and the next, or not. */
	while (low < high) {
		uint32_t i = low + (high - low) / 2;

		if (2 * x > table[i] + table[i + 1])
			low = i + 1;
		else
			high = i;
	}
	return low;
}

static void index_row(const float *w, uint32_t k, const int8_t *table, uint32_t entries,
		      float scale, int8_t *row)
{
	for (uint32_t i = 0; i < k; i++)
		row[i] = (int8_t)nearest(table, entries, (double)w[i] / (double)scale);
}

static int check_weights(const struct npu_codebook_desc *desc, const float *w, bool places,
			 struct npu_error *err)
{
	size_t bad, count = (size_t)desc->n * desc->k;

	if (!w || !places)
		return npu_fail(err, -EINVAL,
				"npu_codebook_quantize: no weights, or no place for the results "
				"given");
	bad = npu_quant_find_not_finite(w, count);
	if (bad < count)
		return npu_fail(err, -EINVAL, "npu_codebook_quantize: row %zu, column %zu is %f",
				bad / desc->k, bad % desc->k, (double)w[bad]);
	return 0;
}

/* All rows that @table is for. @row is room for the indices of one. */
static int quantize_rows(const struct npu_codebook_desc *desc, const float *w, uint32_t rows,
			 uint8_t *indices, const int8_t *table, float scale, int8_t *row)
{
	int ret = 0;

	for (uint32_t i = 0; i < rows && !ret; i++) {
		index_row(w + (size_t)i * desc->k, desc->k, table, entries_of(desc), scale, row);
		ret = npu_quant_pack(row, 1, desc->k, desc->index_bits,
				     indices + npu_quant_packed_bytes(i, desc->k, desc->index_bits),
				     NULL);
	}
	return ret;
}

int npu_codebook_quantize(const struct npu_codebook_desc *desc, const float *w, void *indices,
			  int8_t *codebook, float *scale, struct npu_error *err)
{
	int ret = check_desc(desc, "npu_codebook_quantize", err);
	const bool kmeans = !ret && desc->method == NPU_CODEBOOK_KMEANS;
	uint32_t entries, tables, rows;
	double *room = NULL;
	int8_t *row;
	size_t count;

	if (!ret)
		ret = check_weights(desc, w, indices && codebook && scale, err);
	if (ret)
		return ret;
	entries = entries_of(desc);
	tables = desc->per_channel ? desc->n : 1;
	rows = desc->n / tables;
	count = (size_t)rows * desc->k;
	row = malloc(desc->k);
	if (kmeans)
		room = malloc((count + 1) * sizeof(double) + count * sizeof(float));
	if (!row || (kmeans && !room)) {
		free(row);
		free(room);
		return npu_fail(err, -ENOMEM, "no memory to find a codebook for %u x %u weights",
				desc->n, desc->k);
	}
	for (uint32_t i = 0; i < tables && !ret; i++) {
		int8_t *table = codebook + (size_t)i * entries;
		const float *x = w + i * count;

		scale[i] = kmeans ? kmeans_table(x, count, entries, table, room)
				  : power_table(x, count, desc->index_bits, table);
		ret = quantize_rows(desc, x, rows,
				    (uint8_t *)indices + npu_quant_packed_bytes(i * rows, desc->k,
										desc->index_bits),
				    table, scale[i], row);
	}
	free(row);
	free(room);
	return ret;
}

/* ---- The way back ---------------------------------------------------------------------- */

static uint32_t index_at(const uint8_t *row, uint32_t bits, uint32_t i)
{
	const size_t first = (size_t)i * bits, last = first + bits - 1;
	uint32_t two = row[first / 8];

	if (last / 8 != first / 8)
		two |= (uint32_t)row[last / 8] << 8;
	return two >> first % 8 & ((1u << bits) - 1);
}

/* The first element whose index is beyond the table, all of them if there is none. */
static size_t find_bad_index(const struct npu_codebook_desc *desc, const uint8_t *indices)
{
	const size_t row_bytes = npu_quant_packed_bytes(1, desc->k, desc->index_bits);

	for (uint32_t row = 0; row < desc->n; row++)
		for (uint32_t i = 0; i < desc->k; i++)
			if (index_at(indices + row * row_bytes, desc->index_bits, i) >=
			    entries_of(desc))
				return (size_t)row * desc->k + i;
	return (size_t)desc->n * desc->k;
}

int npu_codebook_dequantize(const struct npu_codebook_desc *desc, const void *indices,
			    const int8_t *codebook, const float *scale, float *w,
			    struct npu_error *err)
{
	const char *me = "npu_codebook_dequantize";
	int ret = check_desc(desc, me, err);
	size_t bad, row_bytes;

	if (ret)
		return ret;
	if (!indices || !codebook || !scale || !w)
		return npu_fail(err, -EINVAL,
				"%s: no indices, codebook or scales, or no place for the weights "
				"given",
				me);
	for (uint32_t i = 0; i < (desc->per_channel ? desc->n : 1); i++)
		if (!npu_quant_is_scale(scale[i]))
			return npu_fail(err, -EINVAL,
					"%s: scale %u is %g, it must be positive and finite", me, i,
					(double)scale[i]);
	bad = find_bad_index(desc, indices);
	if (bad < (size_t)desc->n * desc->k)
		return npu_fail(err, -EINVAL,
				"%s: row %zu, column %zu has an index beyond the table", me,
				bad / desc->k, bad % desc->k);

	row_bytes = npu_quant_packed_bytes(1, desc->k, desc->index_bits);
	for (uint32_t row = 0; row < desc->n; row++) {
		const uint32_t table = desc->per_channel ? row : 0;
		const uint8_t *its = (const uint8_t *)indices + row * row_bytes;

		for (uint32_t i = 0; i < desc->k; i++)
			w[(size_t)row * desc->k + i] =
				scale[table] * (float)codebook[(size_t)table * entries_of(desc) +
							       index_at(its, desc->index_bits, i)];
	}
	return 0;
}

int npu_codebook_weights(const struct npu_codebook_desc *desc, const void *indices,
			 const int8_t *codebook, struct npu_weights_desc *weights,
			 struct npu_error *err)
{
	int ret = check_desc(desc, "npu_codebook_weights", err);

	if (ret)
		return ret;
	if (!indices || !codebook || !weights)
		return npu_fail(err, -EINVAL,
				"npu_codebook_weights: no indices or codebook, or no place for the "
				"description given");
	*weights = (struct npu_weights_desc){
		.size = sizeof(*weights),
		.type = NPU_WEIGHTS_CODEBOOK,
		.n = desc->n,
		.k = desc->k,
		.data = indices,
		.index_bits = desc->index_bits,
		.codebook = codebook,
		.codebook_entries = entries_of(desc),
		.codebook_per_channel = desc->per_channel,
	};
	return 0;
}
