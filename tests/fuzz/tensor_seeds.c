// SPDX-License-Identifier: MIT
/*
 * The corpus of the readers of tensors, as source: files that use all of each format, and every
 * file that a fuzzer ever found fault with.
 */
#include <stdlib.h>

#include "tensors.h"

static void npy(struct bytes *b, unsigned int number)
{
	static const struct {
		int version;
		const char *descr, *shape;
		size_t bytes;
	} seeds[] = {
		{ 1, "<f4", "2, 3", 24 },
		{ 2, "<f2", "", 2 },
		{ 3, "|i1", "1, 2, 3, 1, 1, 1, 1, 2", 12 },
		{ 1, "<f8", "0,", 0 },
		{ 1, "<i8", "2L,", 16 },
	};

	npy_begin(b, seeds[number].version, seeds[number].descr, seeds[number].shape);
	for (size_t i = 0; i < seeds[number].bytes; i++)
		bytes_put(b, &(uint8_t){ (uint8_t)(i * 37) }, 1);
}

static void safetensors(struct bytes *b, unsigned int number)
{
	static const struct {
		const char *header;
		size_t bytes;
	} seeds[] = {
		{ "{}", 0 },
		{ "{\"__metadata__\":{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\"},"
		  "\"w\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]}} ",
		  24 },
		{ "{\"b\":{\"data_offsets\":[8,12],\"dtype\":\"BF16\",\"shape\":[2]},"
		  "\"a\" : { \"shape\" : [ 1 , 2 ] , \"dtype\" : \"I32\" , "
		  "\"data_offsets\" : [ 0 , 8 ] } ,\r\n\t"
		  "\"\xc3\xa9\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[12,14]},"
		  "\"e\":{\"dtype\":\"F64\",\"shape\":[0],\"data_offsets\":[14,14]}}",
		  14 },
		{ "{\"__metadata__\" : { \"b\" : \"1\" , \"\" : \"\", \"a\":\"\\\\u\"}}", 0 },
		{ "{\"n\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,2]},"
		  "\"m\":{\"dtype\":\"F6_E2M3\",\"shape\":[1,1,1,1,1,1,1,4],"
		  "\"data_offsets\":[2,5]}}",
		  5 },
	};

	safetensors_begin(b, seeds[number].header);
	for (size_t i = 0; i < seeds[number].bytes; i++)
		bytes_put(b, &(uint8_t){ (uint8_t)(i * 37) }, 1);
}

/* Two tensors of each type that is read, one block and three. */
static void all_blocks(struct bytes *b)
{
	static const uint32_t types[] = { GGUF_Q4_0, GGUF_Q4_1, GGUF_Q8_0, GGUF_Q4_K, GGUF_Q6_K };
	struct bytes data = { 0 };
	uint64_t seed = 1;

	gguf_begin(b, 3, 10, 0);
	for (int i = 0; i < 10; i++) {
		uint32_t type = types[i / 2];
		uint64_t dim[] = { block_elements(type), i % 2 ? 3 : 1 };
		const char name[] = { (char)('a' + i), '\0' };
		struct block block;

		gguf_tensor(b, name, 1 + i % 2, dim, type, data.length);
		for (int j = 0; j < (i % 2 ? 3 : 1); j++) {
			block_random(&seed, type, &block);
			block_pack(&data, type, &block);
		}
		bytes_align(&data, 32);
	}
	bytes_align(b, 32);
	bytes_put(b, data.data, data.length);
	bytes_free(&data);
}

static void gguf(struct bytes *b, unsigned int number)
{
	static const uint64_t dim[] = { 3, 2, 1, 1 };
	struct bytes metadata = { 0 };
	uint64_t pairs;

	if (number == 0) {
		gguf_begin(b, 2, 0, 0);
	} else if (number == 1) {
		all_blocks(b);
	} else {
		pairs = gguf_metadata(&metadata, 8);
		gguf_begin(b, 3, 3, pairs);
		bytes_put(b, metadata.data, metadata.length);
		bytes_free(&metadata);
		gguf_tensor(b, "f32", 2, dim, GGUF_F32, 0);
		gguf_tensor(b, "f16", 4, dim, GGUF_F16, 24);
		gguf_tensor(b, "i64", 0, dim, 27, 40);
		bytes_align(b, 8);
		for (int i = 0; i < 12; i++)
			bytes_u32(b, 0x3f803c00);
	}
}

const unsigned int tensors_seed_count[TENSORS_FORMATS] = { 5, 5, 3 };

void tensors_seed(enum tensors_format format, unsigned int number, struct bytes *b)
{
	switch (format) {
	case TENSORS_NPY:
		npy(b, number);
		break;
	case TENSORS_SAFETENSORS:
		safetensors(b, number);
		break;
	default:
		gguf(b, number);
	}
}
