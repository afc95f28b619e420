/* SPDX-License-Identifier: MIT */
/*
 * Makes files of tensors, byte by byte, right or wrong as a test wants them. It knows the formats
 * from their descriptions and shares nothing with the reader.
 */
#ifndef TESTS_FILE_RIG_H
#define TESTS_FILE_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of memory that grows. Starts as { 0 }. */
struct bytes {
	uint8_t *data;
	size_t length;
	size_t room;
};

void bytes_free(struct bytes *b);
void bytes_put(struct bytes *b, const void *data, size_t length);
void bytes_u16(struct bytes *b, uint16_t value);
void bytes_u32(struct bytes *b, uint32_t value);
void bytes_u64(struct bytes *b, uint64_t value);
void bytes_f32(struct bytes *b, float value);
/* Zeroes up to a multiple. */
void bytes_align(struct bytes *b, size_t align);

/* All of a file but the data. @version is 1 to 3. */
void npy_begin(struct bytes *b, int version, const char *descr, const char *shape);

void safetensors_begin(struct bytes *b, const char *header);

void gguf_begin(struct bytes *b, uint32_t version, uint64_t tensors, uint64_t pairs);
/* A length and the text. */
void gguf_string(struct bytes *b, const char *text);
/* The dimensions are in the order of the file. */
void gguf_tensor(struct bytes *b, const char *name, uint32_t rank, const uint64_t *dim,
		 uint32_t type, uint64_t offset);
/* Metadata of every type, arrays of strings and of arrays among it; returns how many pairs. */
uint64_t gguf_metadata(struct bytes *b, uint32_t alignment);

/* ---- Blocks of GGUF, from the integers that are in them ---------------------------------- */

enum {
	GGUF_F32,
	GGUF_F16,
	GGUF_Q4_0,
	GGUF_Q4_1,
	GGUF_Q8_0 = 8,
	GGUF_Q4_K = 12,
	GGUF_Q6_K = 14
};

/*
 * struct block - a quantized block before it is packed
 * @d, @m: Halves, as bits; @m is m of Q4_1 and dmin of Q4_K.
 * @scale: Of each part, 6 bits in Q4_K, int8 in Q6_K.
 * @offset: Of each part, 6 bits.
 * @q: Unsigned as the type stores it; int8 in Q8_0.
 */
struct block {
	uint16_t d;
	uint16_t m;
	int16_t scale[16];
	int16_t offset[8];
	int16_t q[256];
};

/* Elements of a block of a type. */
unsigned int block_elements(uint32_t type);
/* A block by chance, of numbers that occur. */
void block_random(uint64_t *seed, uint32_t type, struct block *block);
void block_pack(struct bytes *b, uint32_t type, const struct block *block);
/* What element @i means, rounded once. */
float block_value(uint32_t type, const struct block *block, unsigned int i);

/* A number by chance (xorshift64, Marsaglia 2003). @seed is not 0. */
uint64_t rig_random(uint64_t *seed);

#endif
