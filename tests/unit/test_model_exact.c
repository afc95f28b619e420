// SPDX-License-Identifier: MIT
/* Ops that show every bit of their sums, and their plain reference; see the header. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/board/model/npu_fault.h"
#include "test_model_exact.h"

struct rig *exact_new(const char *config)
{
	struct rig *r = malloc(sizeof(*r));

	rig_init(r, config);
	rig_start(r);
	rig_noise(r, RIG_A, 256 << 10, 1);
	rig_noise(r, RIG_W, 1 << 20, 2);
	return r;
}

int exact_setup(void **state)
{
	*state = exact_new("nv_small");
	return 0;
}

int exact_teardown(void **state)
{
	rig_fini(*state);
	free(*state);
	return 0;
}

static int8_t feature(struct rig *r, const struct rig_op *op, uint32_t m, uint32_t k)
{
	uint32_t atom = op->shape->atom;

	return *rig_mem(r, op->a + k / atom * rig_surf(op, op->a_surf) +
				   m / op->w * rig_line(op, op->a_line) + m % op->w * atom +
				   k % atom);
}

/* Groups of kernels, blocks of channels, kernels inside a block, tight tails. */
static int8_t weight(struct rig *r, const struct rig_op *op, uint32_t n, uint32_t k)
{
	const struct rig_shape *s = op->shape;
	uint32_t group = n / s->atom * s->atom, block = k / s->channels * s->channels;
	uint32_t kernels = op->n - group < s->atom ? op->n - group : s->atom;
	uint32_t channels = op->k - block < s->channels ? op->k - block : s->channels;

	return *rig_mem(r, op->wt + group * op->k + block * kernels + (n - group) * channels +
				   (k - block));
}

/* Half away from zero, saturated to int8 */
static uint8_t rounded(int32_t sum, unsigned int shift)
{
	int32_t size = ((sum < 0 ? -sum : sum) + (1 << (shift - 1))) >> shift;

	if (sum < 0)
		return size > 128 ? 128 : -size;
	return size > 127 ? 127 : size;
}

/* What the op must leave at m, n, as its converter is set here. */
static uint8_t product(struct rig *r, const struct rig_op *op, uint32_t m, uint32_t n)
{
	int32_t sum = 0;

	for (uint32_t k = 0; k < op->k && n < op->n; k++)
		sum += feature(r, op, m, k) * weight(r, op, n, k);
	if (!op->format)
		return rounded(sum, op->cvt_shift);
	sum >>= 4;
	return sum > 32767 ? 0xff : sum < -32768 ? 0 : sum;
}

void exact_op_init(struct rig_op *op, uint32_t m, uint32_t k, uint32_t n)
{
	rig_op_init(op, &rig_small, m, k, n);
	exact_epilogue(op);
}

void exact_epilogue(struct rig_op *op)
{
	if (op->shape != &rig_small) {
		op->cvt_shift = 7;
		for (uint32_t k = 1; k < op->k; k *= 4)
			op->cvt_shift++;
		return;
	}
	op->format = PRECISION_INT16 << 2;
	/* floor(sum / 16): rounding is half away from zero, of an odd number of halves */
	op->x[0].cfg = DP_CFG_ALU_BYPASS | DP_CFG_RELU_BYPASS;
	op->x[0].mul_value = 2;
	op->cvt_offset = 15;
	op->cvt_shift = 5;
}

bool exact_is_product(struct rig *r, const struct rig_op *op)
{
	uint32_t atom = op->shape->atom;

	for (uint32_t n = 0; n < (op->n + atom - 1) / atom * atom; n++) {
		for (uint32_t m = 0; m < op->w * op->h; m++) {
			uint32_t at = op->c + n / atom * rig_surf(op, op->c_surf) +
				      m / op->w * rig_line(op, op->c_line) + m % op->w * atom +
				      n % atom;

			if (*rig_mem(r, at) != product(r, op, m, n))
				return false;
		}
	}
	return true;
}

void exact_runs(struct rig *r, const struct rig_op *op)
{
	assert_true(rig_wait(r, rig_submit(r, op), EXACT_LIMIT));
	assert_true(exact_is_product(r, op));
}

void exact_hangs(struct rig *r, const struct rig_op *op, const char *why)
{
	struct rig_op good;
	uint8_t before[64];
	unsigned int rises = r->rises;

	memcpy(before, rig_mem(r, op->c), sizeof(before));
	assert_false(rig_wait(r, rig_submit(r, op), EXACT_LIMIT));
	assert_non_null(npu_model_stuck(r->model));
	assert_non_null(strstr(npu_model_stuck(r->model), why));
	assert_false(npu_model_busy(r->model));
	assert_int_equal(npu_model_read(r->model, SDP_S_STATUS) & 3 << 16 * (r->group ^ 1),
			 1 << 16 * (r->group ^ 1));
	exact_op_init(&good, 4, 8, 8);
	assert_false(rig_wait(r, rig_submit(r, &good), EXACT_LIMIT));
	assert_int_equal(r->rises, rises);
	assert_memory_equal(before, rig_mem(r, op->c), sizeof(before));

	npu_model_reset(r->model);
	r->group = 0;
	r->rdma_group = 0;
	rig_start(r);
	assert_null(npu_model_stuck(r->model));
	exact_runs(r, &good);
}
