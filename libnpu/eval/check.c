// SPDX-License-Identifier: MIT
/*
 * Checks of what callers give.
 */
#include <errno.h>

#include "../quant/quant.h"
#include "eval.h"

int npu_eval_check_size(const char *call, const char *type, const void *given, size_t size,
			struct npu_error *err)
{
	/* All of them begin with it. */
	const size_t *has = given;

	if (given && *has == size)
		return 0;
	return npu_fail(err, -EINVAL, "%s: no struct %s given, or its size is not sizeof of it",
			call, type);
}

int npu_eval_check_floats(const char *call, const char *what, const float *x, size_t count,
			  struct npu_error *err)
{
	size_t bad;

	if (!count)
		return 0;
	if (!x)
		return npu_fail(err, -EINVAL, "%s: no %s given", call, what);
	bad = npu_quant_find_not_finite(x, count);
	if (bad < count)
		return npu_fail(err, -EINVAL, "%s: %s: element %zu is %f", call, what, bad,
				(double)x[bad]);
	return 0;
}
