// SPDX-License-Identifier: MIT
/*
 * What a program's bytes say.
 */
#include <string.h>

#include "input.h"

uint8_t input_byte(struct input *in)
{
	return in->at < in->end ? *in->at++ : 0;
}

uint32_t input_below(struct input *in, uint32_t n)
{
	uint32_t value = input_byte(in);

	if (n > 256)
		value |= (uint32_t)input_byte(in) << 8;
	return value % n;
}

int input_chance(struct input *in, uint32_t n)
{
	return input_below(in, n) == n - 1;
}

static uint64_t bytes(struct input *in, unsigned int n)
{
	uint64_t value = 0;

	while (n--)
		value = value << 8 | input_byte(in);
	return value;
}

uint64_t input_number(struct input *in)
{
	const uint8_t kind = input_byte(in);
	const unsigned int bit = kind >> 2 & 63;

	switch (kind & 3) {
	case 0:
		return kind >> 2;
	case 1:
		return (1ULL << bit) + (uint64_t)(int64_t)(int8_t)input_byte(in);
	case 2:
		return ~0ULL - input_byte(in);
	default:
		return bytes(in, 1 + bit % 8);
	}
}

void input_damage(struct input *in, void *what, size_t size)
{
	unsigned int n = input_chance(in, 8) ? 1 + input_below(in, 3) : 0;

	while (n--) {
		const size_t at = input_below(in, (uint32_t)size / 4) * 4;
		const uint64_t value = input_number(in);
		const size_t room = size - at;

		memcpy((uint8_t *)what + at, &value, input_chance(in, 2) && room >= 8 ? 8 : 4);
	}
}
