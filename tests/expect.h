/* SPDX-License-Identifier: MIT */
/*
 * Expectations about calls that take a struct npu_error called err.
 */
#ifndef TESTS_EXPECT_H
#define TESTS_EXPECT_H

#include <string.h>

#include <npu.h>

/* The call succeeds. */
#define expect_ok(call)                                                          \
	do {                                                                     \
		struct npu_error err = { 0 };                                    \
		if (call)                                                        \
			fail_msg("%s: error %d: %s", #call, err.code, err.text); \
	} while (0)

/* The call fails with @expected_code and a one-line text that has @word in it. */
#define expect_error(call, expected_code, word)                                            \
	do {                                                                               \
		struct npu_error err = { 0 };                                              \
		assert_int_equal(call, expected_code);                                     \
		assert_int_equal(err.code, expected_code);                                 \
		if (!strstr(err.text, word) || strchr(err.text, '\n'))                     \
			fail_msg("%s: \"%s\" does not say \"%s\"", #call, err.text, word); \
	} while (0)

#endif /* TESTS_EXPECT_H */
