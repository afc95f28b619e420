// SPDX-License-Identifier: MIT
/*
 * Dynamic quantization: what is left to do when activations got their scales at run time.
 */
#include <errno.h>

#include "quant.h"

int npu_quant_row_sums(const int8_t *w, uint32_t n, uint32_t k, const int32_t *zero_point,
		       uint32_t zero_point_count, int64_t *sum, struct npu_error *err)
{
	if (!w || !n || !k || !sum)
		return npu_fail(err, -EINVAL,
				"npu_quant_row_sums: weights of %u x %u, or no place for them or "
				"their sums given",
				n, k);
	if (zero_point_count && (!zero_point || (zero_point_count != 1 && zero_point_count != n)))
		return npu_fail(err, -EINVAL,
				"npu_quant_row_sums: zero_point_count is %u, it must be 0, 1 or n, "
				"and zero_point not NULL",
				zero_point_count);
	for (uint32_t row = 0; row < n; row++) {
		int64_t total = 0;

		for (uint32_t i = 0; i < k; i++)
			total += w[(size_t)row * k + i];
		if (zero_point_count)
			total -= (int64_t)zero_point[zero_point_count == 1 ? 0 : row] * k;
		sum[row] = total;
	}
	return 0;
}

/* ---- Results --------------------------------------------------------------------------- */

static int check_finish(const struct npu_quant_finish_desc *desc, bool places,
			struct npu_error *err)
{
	const char *me = "npu_quant_finish";

	if (!desc || desc->size != sizeof(*desc))
		return npu_fail(err, -EINVAL,
				"%s: no desc given, or its size is not sizeof(struct "
				"npu_quant_finish_desc)",
				me);
	if (!places || !desc->m || !desc->n || !desc->scale_a || !desc->scale_w)
		return npu_fail(err, -EINVAL,
				"%s: sums of %u x %u, or no sums, scales, or place for the results "
				"given",
				me, desc->m, desc->n);
	if (desc->scale_a_count != 1 && desc->scale_a_count != desc->m)
		return npu_fail(err, -EINVAL,
				"%s: scale_a_count is %u, it must be 1 or m, which is %u", me,
				desc->scale_a_count, desc->m);
	if (desc->scale_w_count != 1 && desc->scale_w_count != desc->n)
		return npu_fail(err, -EINVAL,
				"%s: scale_w_count is %u, it must be 1 or n, which is %u", me,
				desc->scale_w_count, desc->n);
	if (desc->zero_a && !desc->row_sum)
		return npu_fail(err, -EINVAL,
				"%s: zero_a needs row_sum, which npu_quant_row_sums() makes", me);
	return 0;
}

static int check_scales(const struct npu_quant_finish_desc *desc, struct npu_error *err)
{
	for (uint32_t i = 0; i < desc->scale_a_count; i++)
		if (!npu_quant_is_scale(desc->scale_a[i]))
			return npu_fail(err, -EINVAL,
					"npu_quant_finish: scale_a[%u] is %g, it must be positive "
					"and finite",
					i, (double)desc->scale_a[i]);
	for (uint32_t i = 0; i < desc->scale_w_count; i++)
		if (!npu_quant_is_scale(desc->scale_w[i]))
			return npu_fail(err, -EINVAL,
					"npu_quant_finish: scale_w[%u] is %g, it must be positive "
					"and finite",
					i, (double)desc->scale_w[i]);
	for (uint32_t i = 0; desc->bias && i < desc->n; i++)
		if (!isfinite(desc->bias[i]))
			return npu_fail(err, -EINVAL, "npu_quant_finish: bias[%u] is %f", i,
					(double)desc->bias[i]);
	return 0;
}

static void finish_row(const struct npu_quant_finish_desc *desc, uint32_t row, const int32_t *sum,
		       float *out)
{
	uint32_t one = desc->scale_a_count == 1 ? 0 : row;
	double scale_a = (double)desc->scale_a[one];
	/* Without a sign: what goes beyond 64 bits is wrong, but defined. */
	uint64_t zero = desc->zero_a ? (uint64_t)desc->zero_a[one] : 0;

	for (uint32_t n = 0; n < desc->n; n++) {
		double scale = scale_a * (double)desc->scale_w[desc->scale_w_count == 1 ? 0 : n];
		uint64_t offset = zero ? zero * (uint64_t)desc->row_sum[n] : 0;
		int64_t acc = (int64_t)((uint64_t)sum[n] - offset);
		double bias = desc->bias ? (double)desc->bias[n] : 0;

		out[n] = (float)((double)acc * scale + bias);
	}
}

int npu_quant_finish(const struct npu_quant_finish_desc *desc, const int32_t *sum, float *out,
		     struct npu_error *err)
{
	int ret = check_finish(desc, sum && out, err);

	if (!ret)
		ret = check_scales(desc, err);
	if (ret)
		return ret;
	for (uint32_t row = 0; row < desc->m; row++)
		finish_row(desc, row, sum + (size_t)row * desc->n, out + (size_t)row * desc->n);
	return 0;
}
