/* SPDX-License-Identifier: MIT */
/*
 * The right result of a multiplication, one element at a time: slow, obvious, and written from the
 * definitions that npu_epilogue.h names, without a look at the library.
 */
#ifndef NPU_RUN_REFERENCE_H
#define NPU_RUN_REFERENCE_H

#include "multiply.h"

/* Element (@row, @channel) of C, as its type has it, to @dst; @row counts over the whole batch. */
void reference_result(const struct problem *p, uint32_t row, uint32_t channel, void *dst);

/* All of them. */
void reference_results(const struct problem *p, void *c);

/* An element as a number, for people. */
double reference_value(enum npu_type type, const void *data);

#endif
