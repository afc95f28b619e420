// SPDX-License-Identifier: MIT
/*
 * The quantized blocks of GGUF, as ggml defines them. A half has 11 significant bits, a scale at
 * most 7 and an integer at most 5, so that every product here is exact in float32 whichever way it
 * is associated; only the one sum that some types have is rounded.
 */
#include "../half.h"
#include "file.h"

static float half(const uint8_t *at)
{
	return npu_half_to_float(npu_file_u16(at));
}

/* 32 elements: half d, then int8 q[32]. */
void npu_file_decode_q8_0(const uint8_t *src, size_t blocks, float *dst)
{
	for (; blocks; blocks--, src += 34, dst += 32) {
		float d = half(src);

		for (int i = 0; i < 32; i++)
			dst[i] = d * (float)(int8_t)src[2 + i];
	}
}

/* 32 elements: half d, then 16 bytes; low nibbles are the first 16 elements, high ones the last. */
void npu_file_decode_q4_0(const uint8_t *src, size_t blocks, float *dst)
{
	for (; blocks; blocks--, src += 18, dst += 32) {
		float d = half(src);

		for (int i = 0; i < 16; i++) {
			dst[i] = d * (float)((src[2 + i] & 15) - 8);
			dst[16 + i] = d * (float)((src[2 + i] >> 4) - 8);
		}
	}
}

/* As Q4_0 but unsigned, with a second half m between d and the nibbles that is added. */
void npu_file_decode_q4_1(const uint8_t *src, size_t blocks, float *dst)
{
	for (; blocks; blocks--, src += 20, dst += 32) {
		float d = half(src), m = half(src + 2);

		for (int i = 0; i < 16; i++) {
			dst[i] = d * (float)(src[4 + i] & 15) + m;
			dst[16 + i] = d * (float)(src[4 + i] >> 4) + m;
		}
	}
}

/*
 * Scale and offset of part @i of a Q4_K block, 6 bits each, in 12 bytes. Those of parts 0 to 3 are
 * the low bits of bytes 0 to 3 and 4 to 7. Those of parts 4 to 7 have their low 4 bits in the two
 * nibbles of bytes 8 to 11, and their high 2 in what was left over of bytes 0 to 3 and 4 to 7.
 */
static void q4_k_scales(const uint8_t *scales, int i, uint8_t *scale, uint8_t *offset)
{
	int column = i & 3;

	if (i < 4) {
		*scale = scales[column] & 63;
		*offset = scales[4 + column] & 63;
	} else {
		*scale = (uint8_t)((scales[8 + column] & 15) | scales[column] >> 6 << 4);
		*offset = (uint8_t)(scales[8 + column] >> 4 | scales[4 + column] >> 6 << 4);
	}
}

/*
 * 256 elements: halves d and dmin, 12 bytes of scales and offsets, 128 of nibbles. Parts are of 32
 * elements; of two that follow each other the first is the low nibbles of 32 bytes, the second the
 * high ones.
 */
void npu_file_decode_q4_k(const uint8_t *src, size_t blocks, float *dst)
{
	for (; blocks; blocks--, src += 144) {
		float d = half(src), dmin = half(src + 2);

		for (int part = 0; part < 8; part++, dst += 32) {
			const uint8_t *q = src + 16 + part / 2 * 32;
			int shift = part % 2 * 4;
			uint8_t scale, offset;
			float step, base;

			q4_k_scales(src + 4, part, &scale, &offset);
			step = d * (float)scale;
			base = dmin * (float)offset;
			for (int i = 0; i < 32; i++)
				dst[i] = step * (float)(q[i] >> shift & 15) - base;
		}
	}
}

/*
 * 256 elements: 128 bytes of low 4 bits, 64 bytes of high 2 bits, 16 int8 scales, half d. Each half
 * of the block has four rows of 32 elements: the low bits of rows 0 and 2 are the nibbles of the
 * first 32 bytes, those of rows 1 and 3 of the next 32, and the high bits of the four rows lie in
 * the same 32 bytes, from the lowest bits up. A scale is for 16 elements.
 */
void npu_file_decode_q6_k(const uint8_t *src, size_t blocks, float *dst)
{
	for (; blocks; blocks--, src += 210) {
		float d = half(src + 208);

		for (int row = 0; row < 8; row++, dst += 32) {
			const uint8_t *low = src + row / 4 * 64 + row % 2 * 32;
			const uint8_t *high = src + 128 + row / 4 * 32;
			const uint8_t *scale = src + 192 + row * 2;
			int low_shift = row % 4 / 2 * 4, high_shift = row % 4 * 2;

			for (int i = 0; i < 32; i++) {
				int q = (low[i] >> low_shift & 15) | (high[i] >> high_shift & 3)
									     << 4;
				float step = d * (float)(int8_t)scale[i / 16];

				dst[i] = step * (float)(q - 32);
			}
		}
	}
}
