/* SPDX-License-Identifier: MIT */
/*
 * What the parts of evaluation share.
 */
#ifndef LIBNPU_EVAL_EVAL_H
#define LIBNPU_EVAL_EVAL_H

#pragma GCC visibility push(default)
#include <npu_eval.h>
#pragma GCC visibility pop

#include "../error.h"

/* Checks that a structure is there and has its size; @type is its name, @call the function's. */
int npu_eval_check_size(const char *call, const char *type, const void *given, size_t size,
			struct npu_error *err);

/* Checks that @count floats are there and finite; @what is what an error calls them. */
int npu_eval_check_floats(const char *call, const char *what, const float *x, size_t count,
			  struct npu_error *err);

#endif /* LIBNPU_EVAL_EVAL_H */
