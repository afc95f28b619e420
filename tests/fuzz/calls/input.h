/* SPDX-License-Identifier: MIT */
/*
 * A program of the fuzzer is a string of bytes. Whoever carries it out takes from it what he needs,
 * so every string means something, and one that is cut or spliced still does.
 */
#ifndef TESTS_FUZZ_CALLS_INPUT_H
#define TESTS_FUZZ_CALLS_INPUT_H

#include <stddef.h>
#include <stdint.h>

struct input {
	const uint8_t *at, *end;
};

/** The next byte, 0 when there is none left. */
uint8_t input_byte(struct input *in);

/** A number below @n, which is at least 1. */
uint32_t input_below(struct input *in, uint32_t n);

/** True in about one of @n cases; never when nothing is left. */
int input_chance(struct input *in, uint32_t n);

/** Any number, more often one at which something ends: 0, powers of two, the largest ones. */
uint64_t input_number(struct input *in);

/** Replaces some of the bytes of a structure, in most cases none. */
void input_damage(struct input *in, void *what, size_t size);

#endif /* TESTS_FUZZ_CALLS_INPUT_H */
