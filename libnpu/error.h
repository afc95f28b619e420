/* SPDX-License-Identifier: MIT */
/*
 * Errors: an errno value for the program, a sentence for the person.
 */
#ifndef LIBNPU_ERROR_H
#define LIBNPU_ERROR_H

struct npu_error;

/* Fills @err (may be NULL) and returns @code, so that a check is one statement: return npu_fail().
 */
int npu_fail(struct npu_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* LIBNPU_ERROR_H */
