// SPDX-License-Identifier: MIT
/*
 * Fake quantization: what rounding does to values, and gradients through it.
 */
#include <errno.h>
#include <stdlib.h>

#include "../error.h"
#include "tune.h"

static uint64_t scale_count(const struct npu_fake_quant *grid)
{
	return (uint64_t)grid->rows * npu_group_count(grid->cols, grid->group_size);
}

static int check_grid(const char *call, const struct npu_fake_quant *grid, const float *x,
		      struct npu_error *err)
{
	struct npu_grid limits;
	int ret;

	if (!grid || grid->size != sizeof(*grid))
		return npu_fail(err, -EINVAL,
				"%s: no grid, or one whose size is not sizeof(struct "
				"npu_fake_quant)",
				call);
	if (grid->bits < 2 || grid->bits > 8)
		return npu_fail(err, -EINVAL, "%s: bits is %u, it must be 2 to 8", call,
				grid->bits);
	ret = npu_check_matrix(call, x, grid->rows, grid->cols, err);
	if (ret)
		return ret;
	if (grid->scale_count != 1 && grid->scale_count != scale_count(grid))
		return npu_fail(
			err, -EINVAL,
			"%s: scale_count is %u, it must be 1 or rows * groups, which is %llu", call,
			grid->scale_count, (unsigned long long)scale_count(grid));
	limits = npu_grid(grid->bits, grid->symmetric);
	if (grid->zero_point < (grid->symmetric ? 0 : limits.min) ||
	    grid->zero_point > (grid->symmetric ? 0 : limits.max))
		return npu_fail(err, -EINVAL,
				"%s: zero_point is %d, it must be a value of the grid, or 0 for a "
				"symmetric one",
				call, grid->zero_point);
	return npu_check_scales(call, grid->scale, grid->scale_count, err);
}

/* Index of the scale of element @i. */
static size_t scale_of(const struct npu_fake_quant *grid, size_t row, uint32_t col)
{
	if (grid->scale_count == 1)
		return 0;
	return row * npu_group_count(grid->cols, grid->group_size) +
	       (grid->group_size ? col / grid->group_size : 0);
}

int npu_fake_quant_forward(const struct npu_fake_quant *grid, const float *x, int8_t *q, float *y,
			   struct npu_error *err)
{
	int ret = check_grid("npu_fake_quant_forward", grid, x, err);
	struct npu_grid limits;

	if (ret)
		return ret;
	limits = npu_grid(grid->bits, grid->symmetric);
	for (size_t row = 0; row < grid->rows; row++)
		for (uint32_t col = 0; col < grid->cols; col++) {
			const size_t i = row * grid->cols + col;
			const float scale = grid->scale[scale_of(grid, row, col)];
			const int32_t level =
				npu_grid_round(limits, (double)(x[i] / scale), grid->zero_point);

			if (q)
				q[i] = (int8_t)level;
			if (y)
				y[i] = scale * (float)(level - grid->zero_point);
		}
	return 0;
}

/* Of each scale, the sum and the number of elements in it. */
struct slope {
	double sum;
	uint64_t count;
};

static void store_slopes(const struct npu_fake_quant *grid, const struct slope *slope,
			 float *dscale)
{
	const struct npu_grid limits = npu_grid(grid->bits, grid->symmetric);

	for (uint32_t i = 0; i < grid->scale_count; i++)
		dscale[i] = (float)(slope[i].sum / sqrt((double)slope[i].count * limits.max));
}

int npu_fake_quant_backward(const struct npu_fake_quant *grid, const float *x, const float *dy,
			    float *dx, float *dscale, struct npu_error *err)
{
	struct slope *slope = NULL;
	struct npu_grid limits;
	int ret;

	ret = check_grid("npu_fake_quant_backward", grid, x, err);
	if (!ret)
		ret = npu_check_matrix("npu_fake_quant_backward: dy", dy, grid->rows, grid->cols,
				       err);
	if (ret)
		return ret;
	slope = calloc(grid->scale_count, sizeof(*slope));
	if (!slope)
		return npu_fail(err, -ENOMEM, "no memory for gradients of %u scales",
				grid->scale_count);

	limits = npu_grid(grid->bits, grid->symmetric);
	for (size_t row = 0; row < grid->rows; row++)
		for (uint32_t col = 0; col < grid->cols; col++) {
			const size_t i = row * grid->cols + col, s = scale_of(grid, row, col);
			const double u = (double)(x[i] / grid->scale[s]), zero = grid->zero_point;
			const double q = npu_grid_round(limits, u, grid->zero_point);
			const bool inside = rint(u) + zero == q;

			slope[s].sum += (double)dy[i] * (q - zero - (inside ? u : 0));
			slope[s].count++;
			if (dx)
				dx[i] = inside ? dy[i] : 0;
		}
	if (dscale)
		store_slopes(grid, slope, dscale);
	free(slope);
	return 0;
}
