// SPDX-License-Identifier: MIT
/*
 * Rotation by randomized Hadamard transforms.
 */
#include <errno.h>

#include "../error.h"
#include "tune.h"

/* Random bits for channels 64 * @word and up: splitmix64 (Steele et al., 2014), counting. */
static uint64_t random_bits(uint64_t seed, uint64_t word)
{
	uint64_t z = seed + (word + 1) * 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void change_signs(float *x, uint32_t count, uint64_t seed)
{
	for (uint32_t i = 0; i < count; i += 64) {
		const uint64_t bits = random_bits(seed, i / 64);

		for (uint32_t j = 0; j < 64 && i + j < count; j++)
			x[i + j] = bits >> j & 1 ? -x[i + j] : x[i + j];
	}
}

/* The Walsh-Hadamard transform of a power of two, in place, divided by the root of its size. */
static void hadamard(float *x, uint32_t count)
{
	const float norm = 1 / sqrtf((float)count);

	for (uint32_t half = 1; half < count; half *= 2)
		for (uint32_t i = 0; i < count; i += 2 * half)
			for (uint32_t j = i; j < i + half; j++) {
				const float a = x[j], b = x[j + half];

				x[j] = a + b;
				x[j + half] = a - b;
			}
	for (uint32_t i = 0; i < count; i++)
		x[i] *= norm;
}

/* Largest power of two that is at most @k. */
static uint32_t block_size(uint32_t k)
{
	uint32_t block = 1;

	while (block <= k / 2)
		block *= 2;
	return block;
}

/* The two transforms have different signs. */
#define FIRST 0
#define LAST 1

static uint64_t signs_of(uint64_t seed, uint32_t which)
{
	return random_bits(~seed, which);
}

int npu_rotate(float *x, uint32_t rows, uint32_t k, uint64_t seed, struct npu_error *err)
{
	int ret = npu_check_matrix("npu_rotate", x, rows, k, err);
	uint32_t block;

	if (ret)
		return ret;
	block = block_size(k);
	for (uint32_t row = 0; row < rows; row++, x += k) {
		change_signs(x, block, signs_of(seed, FIRST));
		hadamard(x, block);
		if (block == k)
			continue;
		change_signs(x + k - block, block, signs_of(seed, LAST));
		hadamard(x + k - block, block);
	}
	return 0;
}

int npu_unrotate(float *x, uint32_t rows, uint32_t k, uint64_t seed, struct npu_error *err)
{
	int ret = npu_check_matrix("npu_unrotate", x, rows, k, err);
	uint32_t block;

	if (ret)
		return ret;
	block = block_size(k);
	for (uint32_t row = 0; row < rows; row++, x += k) {
		if (block != k) {
			hadamard(x + k - block, block);
			change_signs(x + k - block, block, signs_of(seed, LAST));
		}
		hadamard(x, block);
		change_signs(x, block, signs_of(seed, FIRST));
	}
	return 0;
}
