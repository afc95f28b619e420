// SPDX-License-Identifier: MIT
/*
 * Elements that are numbers by themselves, from the little-endian bytes of a file to float32.
 */
#include <string.h>

#include "../half.h"
#include "file.h"

void npu_file_decode_i8(const uint8_t *src, size_t blocks, float *dst)
{
	for (size_t i = 0; i < blocks; i++)
		dst[i] = (int8_t)src[i];
}

void npu_file_decode_u8(const uint8_t *src, size_t blocks, float *dst)
{
	for (size_t i = 0; i < blocks; i++)
		dst[i] = src[i];
}

void npu_file_decode_i16(const uint8_t *src, size_t blocks, float *dst)
{
	for (size_t i = 0; i < blocks; i++)
		dst[i] = (int16_t)npu_file_u16(src + 2 * i);
}

void npu_file_decode_u16(const uint8_t *src, size_t blocks, float *dst)
{
	for (size_t i = 0; i < blocks; i++)
		dst[i] = npu_file_u16(src + 2 * i);
}

void npu_file_decode_i32(const uint8_t *src, size_t blocks, float *dst)
{
	for (size_t i = 0; i < blocks; i++)
		dst[i] = (float)(int32_t)npu_file_u32(src + 4 * i);
}

void npu_file_decode_f16(const uint8_t *src, size_t blocks, float *dst)
{
	for (size_t i = 0; i < blocks; i++)
		dst[i] = npu_half_to_float(npu_file_u16(src + 2 * i));
}

/* The upper half of a float32. */
void npu_file_decode_bf16(const uint8_t *src, size_t blocks, float *dst)
{
	for (size_t i = 0; i < blocks; i++) {
		uint32_t bits = (uint32_t)npu_file_u16(src + 2 * i) << 16;

		memcpy(dst + i, &bits, sizeof(bits));
	}
}

void npu_file_decode_f32(const uint8_t *src, size_t blocks, float *dst)
{
	for (size_t i = 0; i < blocks; i++) {
		uint32_t bits = npu_file_u32(src + 4 * i);

		memcpy(dst + i, &bits, sizeof(bits));
	}
}

void npu_file_decode_f64(const uint8_t *src, size_t blocks, float *dst)
{
	for (size_t i = 0; i < blocks; i++) {
		uint64_t bits = npu_file_u64(src + 8 * i);
		double x;

		memcpy(&x, &bits, sizeof(x));
		dst[i] = (float)x;
	}
}
