// SPDX-License-Identifier: MIT
/* The factor that "npu-run matmul" chooses if none is given. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "auto_scale.h"
#include "error.h"

/* Largest magnitude in a matrix, from a zero point; rounded up where it has floats. */
static int64_t largest_element(const struct npy *npy, int32_t zero_point)
{
	double largest = 0;

	for (size_t i = 0; i < npy->count; i++)
		largest = fmax(largest, fabs(operands_element(npy, i) - zero_point));
	/* What is beyond any type of results leaves no room, by how much does not matter. */
	return (int64_t)ceil(fmin(largest, UINT32_MAX));
}

/* Largest magnitude an accumulator plus bias can have: that of A's largest element everywhere. */
static int64_t largest_accumulator(const struct operands *operands,
				   const struct operand_options *options)
{
	const struct problem *p = &operands->problem;
	const int8_t *w = operands->w.data;
	const int64_t largest_a = largest_element(&operands->a, options->a_zero_point);
	int64_t largest = 0;

	for (uint32_t n = 0; n < p->n; n++) {
		int64_t sum = 0;

		for (uint32_t k = 0; k < p->k; k++)
			sum += abs(w[(size_t)n * p->k + k] - options->w_zero_point);
		sum *= largest_a;
		if (p->epilogue.bias)
			sum += llabs(p->epilogue.bias[n]);
		largest = sum > largest ? sum : largest;
	}
	return largest;
}

/* Steps between the zero point and the end of the type, where it is nearer. */
static int32_t find_room(const struct operand_options *options)
{
	const int32_t zero_point = options->zero_point;
	const int32_t min = options->result == NPU_TYPE_UINT8	? 0
			    : options->result == NPU_TYPE_INT16 ? INT16_MIN
								: INT8_MIN;
	const int32_t max = options->result == NPU_TYPE_UINT8 ? UINT8_MAX : -(min + 1);
	const int32_t room = max - zero_point;

	if (options->activation == NPU_ACTIVATION_NONE && zero_point - min < room)
		return zero_point - min;
	return room;
}

int auto_scale(const struct operand_options *options, const struct operands *operands, float *scale,
	       const char **what, struct npu_error *err)
{
	const int64_t largest = largest_accumulator(operands, options);
	const int64_t residual = largest_element(&operands->residual, 0);
	const int64_t room = find_room(options);

	*what = "--zero-point";
	if (room < 1)
		return error_set(err, -EDOM,
				 "leaves results no room at zero point %d, so no scale can be "
				 "chosen: give one",
				 options->zero_point);
	*what = "--residual";
	if (room <= residual)
		return error_set(err, -EDOM,
				 "leaves results no room: %s goes %lld steps from 0, of the %lld "
				 "there are, so no scale can be chosen: give one",
				 options->residual, (long long)residual, (long long)room);
	*scale = largest ? (float)(room - residual) / (float)largest : 0;
	return 0;
}
