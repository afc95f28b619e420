/* SPDX-License-Identifier: MIT */
/* Says why something failed, in the library's own struct npu_error. */
#ifndef PERCEPTRON_ERROR_H
#define PERCEPTRON_ERROR_H

#include "npu.h"

/* Fills @err and returns @code (a negative errno value), so that a caller can return it in turn. */
int error_set(struct npu_error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
