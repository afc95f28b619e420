/* SPDX-License-Identifier: MIT */
/*
 * Errors: why a call failed, in words.
 */
#ifndef NPU_ERROR_H
#define NPU_ERROR_H

#if defined(__cplusplus)
extern "C" {
#endif

/** Room for the text of a struct npu_error, its NUL included. */
#define NPU_ERROR_TEXT 256

/**
 * struct npu_error - why a call failed
 * @code: Negative errno value, as returned by the call.
 * @text: What is wrong and what to do about it, one sentence, no newline.
 */
struct npu_error {
	int code;
	char text[NPU_ERROR_TEXT];
};

#if defined(__cplusplus)
}
#endif

#endif /* NPU_ERROR_H */
