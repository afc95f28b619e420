// SPDX-License-Identifier: MIT
/* Makes files of tensors for tests, and tells what is in them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file_rig.h"

uint64_t rig_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* ---- Bytes ------------------------------------------------------------------------------ */

void bytes_free(struct bytes *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}

void bytes_put(struct bytes *b, const void *data, size_t length)
{
	if (b->room - b->length < length) {
		b->room = 2 * (b->room + length);
		b->data = realloc(b->data, b->room);
		if (!b->data)
			abort();
	}
	if (length)
		memcpy(b->data + b->length, data, length);
	b->length += length;
}

static void put_number(struct bytes *b, uint64_t value, int size)
{
	for (int i = 0; i < size; i++) {
		uint8_t byte = (uint8_t)(value >> 8 * i);

		bytes_put(b, &byte, 1);
	}
}

void bytes_u16(struct bytes *b, uint16_t value)
{
	put_number(b, value, 2);
}

void bytes_u32(struct bytes *b, uint32_t value)
{
	put_number(b, value, 4);
}

void bytes_u64(struct bytes *b, uint64_t value)
{
	put_number(b, value, 8);
}

void bytes_f32(struct bytes *b, float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	bytes_u32(b, bits);
}

void bytes_align(struct bytes *b, size_t align)
{
	while (b->length % align)
		bytes_put(b, "", 1);
}

/* ---- Files ------------------------------------------------------------------------------ */

void npy_begin(struct bytes *b, int version, const char *descr, const char *shape)
{
	char text[256];
	int length = snprintf(text, sizeof(text),
			      "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }\n", descr,
			      shape);
	uint8_t head[] = { 0x93, 'N', 'U', 'M', 'P', 'Y', (uint8_t)version, 0 };

	bytes_put(b, head, sizeof(head));
	put_number(b, (uint64_t)length, version == 1 ? 2 : 4);
	bytes_put(b, text, (size_t)length);
}

void safetensors_begin(struct bytes *b, const char *header)
{
	bytes_u64(b, strlen(header));
	bytes_put(b, header, strlen(header));
}

void gguf_begin(struct bytes *b, uint32_t version, uint64_t tensors, uint64_t pairs)
{
	bytes_put(b, "GGUF", 4);
	bytes_u32(b, version);
	bytes_u64(b, tensors);
	bytes_u64(b, pairs);
}

void gguf_string(struct bytes *b, const char *text)
{
	bytes_u64(b, strlen(text));
	bytes_put(b, text, strlen(text));
}

void gguf_tensor(struct bytes *b, const char *name, uint32_t rank, const uint64_t *dim,
		 uint32_t type, uint64_t offset)
{
	gguf_string(b, name);
	bytes_u32(b, rank);
	for (uint32_t i = 0; i < rank; i++)
		bytes_u64(b, dim[i]);
	bytes_u32(b, type);
	bytes_u64(b, offset);
}

uint64_t gguf_metadata(struct bytes *b, uint32_t alignment)
{
	/* Sizes of types 0 to 12; 8 is a string, 9 an array. */
	static const uint8_t sizes[] = { 1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8 };
	uint64_t pairs = 0;

	for (uint32_t type = 0; type < 13; type++) {
		char key[32];

		if (!sizes[type])
			continue;
		snprintf(key, sizeof(key), "test.type_%u", type);
		gguf_string(b, key);
		bytes_u32(b, type);
		put_number(b, 1, sizes[type]);
		pairs++;
	}
	gguf_string(b, "test.text");
	bytes_u32(b, 8);
	gguf_string(b, "any \x80 bytes");
	gguf_string(b, "test.words");
	bytes_u32(b, 9);
	bytes_u32(b, 8);
	bytes_u64(b, 2);
	gguf_string(b, "one");
	gguf_string(b, "");
	gguf_string(b, "test.arrays");
	bytes_u32(b, 9);
	bytes_u32(b, 9);
	bytes_u64(b, 2);
	for (int i = 0; i < 2; i++) {
		bytes_u32(b, 5);
		bytes_u64(b, 3);
		bytes_put(b, "abcdefghijkl", 12);
	}
	gguf_string(b, "general.alignment");
	bytes_u32(b, 4);
	bytes_u32(b, alignment);
	return pairs + 4;
}

/* ---- Blocks ----------------------------------------------------------------------------- */

unsigned int block_elements(uint32_t type)
{
	return type == GGUF_Q4_K || type == GGUF_Q6_K ? 256 : type == GGUF_F32 ? 1 : 32;
}

/* How many integers a field of so many bits holds, from the type's name. */
static int q_range(uint32_t type)
{
	return type == GGUF_Q8_0 ? 256 : type == GGUF_Q6_K ? 64 : 16;
}

void block_random(uint64_t *seed, uint32_t type, struct block *block)
{
	/* Neither infinite nor NaN, but of both signs, and now and then denormal. */
	block->d = (rig_random(seed) & 0x83ff) | rig_random(seed) % 31 << 10;
	block->m = (rig_random(seed) & 0x83ff) | rig_random(seed) % 31 << 10;
	for (int i = 0; i < 16; i++)
		block->scale[i] = type == GGUF_Q6_K ? (int)(rig_random(seed) % 256) - 128
						    : (int)(rig_random(seed) % 64);
	for (int i = 0; i < 8; i++)
		block->offset[i] = rig_random(seed) % 64;
	for (int i = 0; i < 256; i++)
		block->q[i] =
			(int)(rig_random(seed) % q_range(type)) - (type == GGUF_Q8_0 ? 128 : 0);
}

static void put_byte(struct bytes *b, int value)
{
	put_number(b, (uint64_t)value & 255, 1);
}

/* 6 bits each of scales and offsets, in the order in which ggml's quantizer writes them. */
static void pack_q4_k_scales(struct bytes *b, const struct block *block)
{
	uint8_t packed[12] = { 0 };

	for (int i = 0; i < 8; i++) {
		int scale = block->scale[i], offset = block->offset[i];

		if (i < 4) {
			packed[i] |= scale;
			packed[i + 4] |= offset;
		} else {
			packed[i + 4] = (scale & 15) | (offset & 15) << 4;
			packed[i - 4] |= scale >> 4 << 6;
			packed[i] |= offset >> 4 << 6;
		}
	}
	bytes_put(b, packed, sizeof(packed));
}

static void pack_q4_k(struct bytes *b, const struct block *block)
{
	bytes_u16(b, block->d);
	bytes_u16(b, block->m);
	pack_q4_k_scales(b, block);
	for (int part = 0; part < 256; part += 64)
		for (int i = part; i < part + 32; i++)
			put_byte(b, block->q[i] | block->q[i + 32] << 4);
}

static void pack_q6_k(struct bytes *b, const struct block *block)
{
	const int16_t *q = block->q;

	for (int part = 0; part < 256; part += 128)
		for (int i = part; i < part + 64; i++)
			put_byte(b, (q[i] & 15) | (q[i + 64] & 15) << 4);
	for (int part = 0; part < 256; part += 128)
		for (int i = part; i < part + 32; i++)
			put_byte(b, q[i] >> 4 | q[i + 32] >> 4 << 2 | q[i + 64] >> 4 << 4 |
					    q[i + 96] >> 4 << 6);
	for (int i = 0; i < 16; i++)
		put_byte(b, block->scale[i]);
	bytes_u16(b, block->d);
}

void block_pack(struct bytes *b, uint32_t type, const struct block *block)
{
	if (type == GGUF_Q4_K) {
		pack_q4_k(b, block);
	} else if (type == GGUF_Q6_K) {
		pack_q6_k(b, block);
	} else {
		bytes_u16(b, block->d);
		if (type == GGUF_Q4_1)
			bytes_u16(b, block->m);
		for (int i = 0; i < (type == GGUF_Q8_0 ? 32 : 16); i++)
			put_byte(b, type == GGUF_Q8_0 ? block->q[i]
						      : block->q[i] | block->q[i + 16] << 4);
	}
}

/* IEEE 754 binary16: sign, 5 bits of exponent with a bias of 15, 10 of fraction. */
static double half_value(uint16_t bits)
{
	int exponent = bits >> 10 & 31, fraction = bits & 1023;
	double value = exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24);

	return bits & 0x8000 ? -value : value;
}

/* In double every step is exact: all are multiples of 2^-24 below 2^29. */
float block_value(uint32_t type, const struct block *block, unsigned int i)
{
	double d = half_value(block->d), m = half_value(block->m), q = block->q[i];

	switch (type) {
	case GGUF_Q4_0:
		return (float)(d * (q - 8));
	case GGUF_Q4_1:
		return (float)(d * q + m);
	case GGUF_Q8_0:
		return (float)(d * q);
	case GGUF_Q4_K:
		return (float)(d * block->scale[i / 32] * q - m * block->offset[i / 32]);
	default:
		return (float)(d * block->scale[i / 16] * (q - 32));
	}
}
