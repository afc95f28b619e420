/* SPDX-License-Identifier: MIT */
/*
 * Safetensors files as text, which a fuzzer can change without making the file unreadable:
 *
 *	npu_quantized=1		a note; | stands for the end of a line
 *	0.weight I8 2 3		a tensor and its shape
 *
 * and behind an empty line the tensors' bytes, one tensor after the other. Where there are fewer
 * than the shapes take, they begin again.
 */
#ifndef TESTS_FUZZ_SHEET_H
#define TESTS_FUZZ_SHEET_H

#include "image.h"

/* The file that a sheet describes, with not more than SHEET_MOST bytes of tensors; see
 * image_file(). */
#define SHEET_MOST 16384
int sheet_image(const uint8_t *sheet, size_t size, char path[IMAGE_PATH]);

#endif /* TESTS_FUZZ_SHEET_H */
