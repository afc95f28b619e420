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

#include "../unit/file_rig.h"

/* Appends the file that a sheet describes, with not more than SHEET_MOST bytes of tensors. */
#define SHEET_MOST 16384
void sheet_file(const uint8_t *sheet, size_t size, struct bytes *file);

#endif /* TESTS_FUZZ_SHEET_H */
