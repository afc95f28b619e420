// SPDX-License-Identifier: MIT
/*
 * Files of tensors that are broken or hostile: what is wrong is said by name, and no file, cut
 * short anywhere or changed anyhow, leads outside of itself.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../libnpu/file/file.h"
#include "../fuzz/tensors.h"

/* Opens @b in memory of its exact size, and frees it. */
static int parse(struct bytes *b, struct npu_error *err)
{
	struct npu_file file = { .shown = "x", .bytes = b->length };
	uint8_t *exact = malloc(b->length + !b->length);
	int ret;

	assert_non_null(exact);
	if (b->length)
		memcpy(exact, b->data, b->length);
	bytes_free(b);
	file.data = exact;
	ret = npu_file_parse(&file, err);
	npu_file_free_entries(&file);
	free(exact);
	return ret;
}

static void expect_refused(struct bytes *b, int code, const char *text)
{
	struct npu_error err = { 0 };

	assert_int_equal(parse(b, &err), code);
	assert_int_equal(err.code, code);
	assert_string_equal(err.text, text);
}

/* ---- Anything --------------------------------------------------------------------------- */

static void no_format(void **state)
{
	static const char *const files[] = {
		"", "G", "GGU", "\x93NUMP", "PK\3\4, as .npz files", "1234567{"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct bytes b = { 0 };

		bytes_put(&b, files[i], strlen(files[i]));
		expect_refused(&b, -EINVAL,
			       "x: is neither an .npy, nor a safetensors, nor a GGUF file");
	}
}

/* Every beginning of every seed but the whole is refused: no format has anything optional at its
 * end except filler, of which the seeds have none but GGUF's. */
static void cut_short_anywhere(void **state)
{
	(void)state;
	for (int format = 0; format < TENSORS_FORMATS; format++) {
		for (unsigned int i = 0; i < tensors_seed_count[format]; i++) {
			struct bytes b = { 0 };
			bool accepted = false;

			tensors_seed((enum tensors_format)format, i, &b);
			assert_null(tensors_check(b.data, b.length, &accepted));
			assert_true(accepted);
			for (size_t length = 0; length < b.length; length++) {
				assert_null(tensors_check(b.data, length, &accepted));
				if (accepted && format != TENSORS_GGUF)
					fail_msg("format %d, seed %u: %zu of %zu bytes are enough",
						 format, i, length, b.length);
			}
			bytes_free(&b);
		}
	}
}

static void any_bit_flipped(void **state)
{
	unsigned int files = 0, refused = 0;

	(void)state;
	for (int format = 0; format < TENSORS_FORMATS; format++) {
		for (unsigned int i = 0; i < tensors_seed_count[format]; i++) {
			struct bytes b = { 0 };

			tensors_seed((enum tensors_format)format, i, &b);
			for (size_t bit = 0; bit < 8 * b.length; bit++, files++) {
				bool accepted;

				b.data[bit / 8] ^= 1 << bit % 8;
				assert_null(tensors_check(b.data, b.length, &accepted));
				b.data[bit / 8] ^= 1 << bit % 8;
				refused += !accepted;
			}
			bytes_free(&b);
		}
	}
	print_message("%u files, %u refused\n", files, refused);
	assert_in_range(refused, files / 8, files / 8 * 7);
}

/* Several bytes become others, of which some mean much. */
static void many_bytes_changed(void **state)
{
	static const uint8_t bytes[] = { 0,   1,   7,	8,   9,	  32,	'"',  '\\', '0', '9',
					 '[', ']', '{', '}', ',', 0x7f, 0x80, 0xc3, 0xff };
	uint64_t seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		enum tensors_format format = (enum tensors_format)(round % TENSORS_FORMATS);
		struct bytes b = { 0 };
		bool accepted;

		tensors_seed(format, rig_random(&seed) % tensors_seed_count[format], &b);
		for (uint64_t change = rig_random(&seed) % 8; change; change--)
			b.data[rig_random(&seed) % b.length] =
				bytes[rig_random(&seed) % sizeof(bytes)];
		assert_null(tensors_check(b.data, b.length, &accepted));
		bytes_free(&b);
	}
}

/* ---- .npy ------------------------------------------------------------------------------- */

static void npy_refused(void **state)
{
	static const struct {
		int version;
		const char *descr, *shape;
		int code;
		const char *text;
	} cases[] = {
		{ 4, "<f4", "1,", -ENOTSUP, "x: has .npy format 4.0; 1.0, 2.0 and 3.0 are read" },
		{ 1, ">f4", "1,", -ENOTSUP,
		  "x: is big-endian ('>f4'): save it with .astype('<f4')" },
		{ 1, "<U4", "1,", -ENOTSUP,
		  "x: holds elements of type '<U4'; integers and floats are read" },
		{ 1, "<f4", "1, 1, 1, 1, 1, 1, 1, 1, 1", -ENOTSUP,
		  "x: has more than 8 dimensions" },
		{ 1, "<f4", "2,", -EBADMSG, "x: ends after 4 of 8 bytes of data" },
		{ 1, "<f2", "1,", -EBADMSG, "x: goes on after its 2 bytes of data" },
		{ 1, "<f4", "4294967296, 4294967296", -EBADMSG,
		  "x: is too large: its size overflows" },
		{ 1, "<f4", "1152921504606846976,", -EBADMSG,
		  "x: is too large: its size overflows" },
		{ 1, "<f4", "99999999999999999999,", -EBADMSG,
		  "x: is too large: its size overflows" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b = { 0 };

		npy_begin(&b, cases[i].version, cases[i].descr, cases[i].shape);
		bytes_f32(&b, 1);
		expect_refused(&b, cases[i].code, cases[i].text);
	}
}

/* ---- safetensors ------------------------------------------------------------------------ */

#define W(type, shape, offsets) \
	"\"w\":{\"dtype\":\"" type "\",\"shape\":[" shape "],\"data_offsets\":[" offsets "]}"
#define V(offsets) "\"v\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[" offsets "]}"

/* All have 8 bytes of data. */
static const struct {
	const char *header;
	int code;
	const char *text;
} safetensors_cases[] = {
	/* Punctuation and values. */
	{ "{", -EBADMSG, "x: has a damaged header: no '\"' at byte 1" },
	{ "{} x", -EBADMSG, "x: has a damaged header: something after the '}' at byte 3" },
	{ "{1:2}", -EBADMSG, "x: has a damaged header: no '\"' at byte 1" },
	{ "{\"w\" {}}", -EBADMSG, "x: has a damaged header: no ':' at byte 5" },
	{ "{\"w\":[]}", -EBADMSG, "x: has a damaged header: no '{' at byte 5" },
	{ "{\"w\":{}}", -EBADMSG, "x: has a damaged header: no '\"' at byte 6" },
	{ "{" W("F32", "2", "0,8") ",}", -EBADMSG, "x: has a damaged header: no '\"' at byte 54" },
	{ "{" W("F32", "2,", "0,8") "}", -EBADMSG,
	  "x: has a damaged header: no whole number at byte 31" },
	{ "{" W("F32", "02", "0,8") "}", -EBADMSG,
	  "x: has a damaged header: a number with a 0 in front at byte 31" },
	{ "{" W("F32", "-2", "0,8") "}", -EBADMSG,
	  "x: has a damaged header: no whole number at byte 29" },
	{ "{" W("F32", "2.0", "0,8") "}", -EBADMSG,
	  "x: has a damaged header: a number that is not whole at byte 30" },
	{ "{" W("F32", "18446744073709551616", "0,8") "}", -EBADMSG,
	  "x: has a damaged header: a number that is too large at byte 48" },
	{ "{" W("F32", "2", "0,8,9") "}", -EBADMSG, "x: has a damaged header: no ']' at byte 51" },
	/* Entries. */
	{ "{\"w\":{\"dtype\":\"F32\",\"shape\":[2]}}", -EBADMSG,
	  "x: has a damaged header: no 'dtype', 'shape' or 'data_offsets' at byte 32" },
	{ "{\"w\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", -EBADMSG,
	  "x: has a damaged header: an entry that was there before at byte 27" },
	{ "{\"w\":{\"strides\":[1]}}", -EBADMSG,
	  "x: has a damaged header: an unknown entry at byte 15" },
	{ "{\"w\":{\"dtype\\u0000\":\"F32\"}}", -EBADMSG,
	  "x: has a damaged header: a NUL at byte 18" },
	{ "{" W("F128", "2", "0,8") "}", -ENOTSUP, "x: tensor 0 is of a type that is not known" },
	{ "{" W("F32", "1,1,1,1,1,1,1,1,1", "0,4") "}", -ENOTSUP,
	  "x: tensor 0 has more than 8 dimensions" },
	{ "{\"__metadata__\":{},\"__metadata__\":{}}", -EBADMSG,
	  "x: has a damaged header: a second __metadata__ at byte 34" },
	{ "{\"__metadata__\":{\"a\":{}}}", -EBADMSG,
	  "x: has a damaged header: no '\"' at byte 21" },
	{ "{\"__metadata__\":{\"a\":\"\\u0000\"}}", -EBADMSG,
	  "x: has a damaged header: a NUL at byte 28" },
	{ "{\"__metadata__\":{\"a\":\"\n\"}}", -EBADMSG,
	  "x: has a damaged header: a control character at byte 22" },
	/* Behind one that is allowed there. */
	{ "{\"__metadata__\":{\"a\":\"\\n\xff\"}}", -EBADMSG,
	  "x: has a damaged header: a text that is not UTF-8 at byte 26" },
	{ "{\"__metadata__\":{\"\xc0\x80\":\"\"}}", -EBADMSG,
	  "x: has a damaged header: a text that is not UTF-8 at byte 21" },
	{ "{\"__metadata__\":{\"a\":\"\",\"b\":\"\",\"a\":\"\"}}", -EBADMSG,
	  "x: has two notes named 'a'" },
	{ "{\"__metadata__\":{\"a\":\"\"", -EBADMSG, "x: has a damaged header: no '}' at byte 23" },
	/* Strings. */
	{ "{\"w", -EBADMSG, "x: has a damaged header: an endless string at byte 3" },
	{ "{\"w\\", -EBADMSG, "x: has a damaged header: an endless string at byte 4" },
	{ "{\"w\\x\"", -EBADMSG, "x: has a damaged header: an unknown escape at byte 4" },
	{ "{\"w\n\"", -EBADMSG, "x: has a damaged header: a control character at byte 3" },
	{ "{\"\\u00g0\"", -EBADMSG, "x: has a damaged header: no hexadecimal digit at byte 6" },
	{ "{\"\\ud83d\"", -EBADMSG, "x: has a damaged header: half a character at byte 8" },
	{ "{\"\\ud83d\\u0041\"", -EBADMSG, "x: has a damaged header: half a character at byte 14" },
	{ "{\"\\ude00\"", -EBADMSG, "x: has a damaged header: half a character at byte 8" },
	{ "{\"\":{}}", -EBADMSG, "x: has a damaged header: a tensor without a name at byte 3" },
	/* Names. */
	{ "{\"\\n\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", -EBADMSG,
	  "x: the name of tensor 0 has a control character at byte 0" },
	{ "{\"a\\u009b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", -EBADMSG,
	  "x: the name of tensor 0 has a control character at byte 1" },
	{ "{\"a\xc0\x80\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", -EBADMSG,
	  "x: the name of tensor 0 has what is not UTF-8 at byte 1" },
	{ "{\"\xed\xa0\x80\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", -EBADMSG,
	  "x: the name of tensor 0 has what is not UTF-8 at byte 0" },
	{ "{\"\xe2\x82\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", -EBADMSG,
	  "x: the name of tensor 0 has what is not UTF-8 at byte 0" },
	{ "{" W("F32", "1", "0,4") "," W("F32", "1", "4,8") "}", -EBADMSG,
	  "x: has two tensors named 'w'" },
	/* Places. */
	{ "{" W("F32", "3", "0,8") "}", -EBADMSG,
	  "x: tensor 'w' has the bytes 0 to 8, but its shape and type take 12" },
	{ "{" W("F32", "2", "8,0") "}", -EBADMSG,
	  "x: tensor 'w' has the bytes 8 to 0, but its shape and type take 8" },
	{ "{" W("F32", "4294967296,4294967296", "0,0") "}", -EBADMSG,
	  "x: tensor 'w' is too large: its size overflows" },
	{ "{" W("F32", "1", "0,4") "," V("0,4") "}", -EBADMSG,
	  "x: tensor 'v' begins at 0 of the data, but what is before it ends at 4" },
	{ "{" W("F32", "1", "4,8") "}", -EBADMSG,
	  "x: tensor 'w' begins at 4 of the data, but what is before it ends at 0" },
	{ "{" W("F32", "1", "0,4") "}", -EBADMSG, "x: has 8 bytes of data, but tensors for 4" },
	{ "{" W("F32", "1", "0,4") "," V("4,8") ",\"u\":{\"dtype\":\"U8\",\"shape\":[1],"
						"\"data_offsets\":[8,9]}}",
	  -EBADMSG, "x: tensor 'u' has 1 bytes at 8 of the data, of which there are 8" },
};

static void safetensors_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(safetensors_cases) / sizeof(safetensors_cases[0]); i++) {
		struct bytes b = { 0 };

		safetensors_begin(&b, safetensors_cases[i].header);
		bytes_u64(&b, 0);
		expect_refused(&b, safetensors_cases[i].code, safetensors_cases[i].text);
	}
}

static void safetensors_that_claim_much(void **state)
{
	struct bytes b = { 0 };
	char name[NPU_FILE_MAX_NAME + 2];

	(void)state;
	bytes_u64(&b, UINT64_MAX);
	bytes_put(&b, "{}", 2);
	expect_refused(&b, -EBADMSG,
		       "x: has a header of 18446744073709551615 bytes, more than 100000000");
	bytes_u64(&b, 3);
	bytes_put(&b, "{}", 2);
	expect_refused(&b, -EBADMSG, "x: ends inside the header");

	memset(name, 'n', sizeof(name));
	bytes_u64(&b, sizeof(name) + 2);
	bytes_put(&b, "{\"", 2);
	bytes_put(&b, name, sizeof(name));
	expect_refused(&b, -EBADMSG,
		       "x: has a damaged header: a string that is too long at byte 514");
}

/* ---- GGUF ------------------------------------------------------------------------------- */

static void gguf_headers_refused(void **state)
{
	struct bytes b = { 0 };

	(void)state;
	gguf_begin(&b, 1, 0, 0);
	expect_refused(&b, -ENOTSUP, "x: has GGUF version 1; 2 and 3 are read");
	gguf_begin(&b, 4, 0, 0);
	expect_refused(&b, -ENOTSUP, "x: has GGUF version 4; 2 and 3 are read");
	gguf_begin(&b, 0x03000000, 0, 0);
	expect_refused(&b, -ENOTSUP, "x: is big-endian: convert it to little-endian");
	gguf_begin(&b, 3, UINT64_MAX, 0);
	expect_refused(&b, -EBADMSG,
		       "x: is to have 18446744073709551615 tensors, more than fit into it");
	gguf_begin(&b, 3, 0, UINT64_MAX);
	expect_refused(&b, -EBADMSG,
		       "x: is to have 18446744073709551615 pairs of metadata, more than fit into "
		       "it");
}

/* A header, and a key for what follows. */
static void begin_pair(struct bytes *b, const char *key, uint32_t type)
{
	gguf_begin(b, 3, 0, 1);
	gguf_string(b, key);
	bytes_u32(b, type);
}

static void gguf_metadata_refused(void **state)
{
	struct bytes b = { 0 };

	(void)state;
	begin_pair(&b, "a", 13);
	bytes_u32(&b, 0);
	expect_refused(&b, -EBADMSG, "x: a value of no known type ends at byte 37");
	begin_pair(&b, "a\tb", 4);
	bytes_u32(&b, 0);
	expect_refused(&b, -EBADMSG, "x: a key of metadata that is no text ends at byte 35");
	begin_pair(&b, "a", 8);
	bytes_u64(&b, UINT64_MAX);
	expect_refused(&b, -EBADMSG,
		       "x: ends inside a string, which is to have 18446744073709551615 bytes");
	begin_pair(&b, "a", 9);
	bytes_u32(&b, 12);
	bytes_u64(&b, UINT64_C(1) << 61);
	expect_refused(&b, -EBADMSG, "x: values go on behind the end of the file at byte 49");
	begin_pair(&b, "a", 9);
	bytes_u32(&b, 8);
	bytes_u64(&b, UINT64_MAX);
	expect_refused(&b, -EBADMSG, "x: ends inside a string");
	begin_pair(&b, "a", 9);
	for (int depth = 0; depth < 1000; depth++) {
		bytes_u32(&b, 9);
		bytes_u64(&b, 1);
	}
	expect_refused(&b, -EBADMSG, "x: arrays within arrays are too deep at byte 121");
	begin_pair(&b, "general.alignment", 5);
	bytes_u32(&b, 32);
	expect_refused(&b, -EBADMSG, "x: general.alignment is no uint32 at byte 53");
	begin_pair(&b, "general.alignment", 4);
	bytes_u32(&b, 0);
	expect_refused(&b, -EBADMSG, "x: general.alignment is 0, which is no multiple of 8");
	begin_pair(&b, "general.alignment", 4);
	bytes_u32(&b, 36);
	expect_refused(&b, -EBADMSG, "x: general.alignment is 36, which is no multiple of 8");
}

struct gguf_case {
	const char *name;
	uint32_t rank;
	uint64_t dim[2];
	uint32_t type;
	uint64_t offset;
	int code;
	const char *text;
};

/* All come after a tensor of 8 bytes at 0, and there are 64 bytes of data. */
static const struct gguf_case gguf_cases[] = {
	{ "", 1, { 1 }, GGUF_F32, 32, -EBADMSG, "x: a tensor without a name at byte 65" },
	{ "w", 9, { 1 }, GGUF_F32, 32, -EBADMSG, "x: tensor 1 has 9 dimensions, more than 8" },
	{ "w", 1, { 1 }, 4, 32, -ENOTSUP, "x: tensor 1 is of type 4, which is not known" },
	{ "w",
	  1,
	  { 1 },
	  0xffffffff,
	  32,
	  -ENOTSUP,
	  "x: tensor 1 is of type 4294967295, which is not known" },
	{ "a\x80",
	  1,
	  { 1 },
	  GGUF_F32,
	  32,
	  -EBADMSG,
	  "x: the name of tensor 1 has what is not UTF-8 at byte 1" },
	{ "v", 1, { 1 }, GGUF_F32, 32, -EBADMSG, "x: has two tensors named 'v'" },
	{ "w",
	  2,
	  { 48, 2 },
	  GGUF_Q8_0,
	  32,
	  -EBADMSG,
	  "x: tensor 'w' has rows of 48 elements, which are no whole blocks of 32 as Q8_0 has "
	  "them" },
	{ "w",
	  2,
	  { UINT64_MAX, 2 },
	  GGUF_F32,
	  32,
	  -EBADMSG,
	  "x: tensor 'w' is too large: its size overflows" },
	{ "w",
	  1,
	  { UINT64_C(1) << 61 },
	  GGUF_F32,
	  32,
	  -EBADMSG,
	  "x: tensor 'w' is too large: its size overflows" },
	{ "w",
	  1,
	  { 1 },
	  GGUF_F32,
	  4,
	  -EBADMSG,
	  "x: tensor 'w' is at 4 of the data, which is no multiple of 32" },
	{ "w",
	  1,
	  { 9 },
	  GGUF_F32,
	  32,
	  -EBADMSG,
	  "x: tensor 'w' has 36 bytes at 32 of the data, of which there are 64" },
	{ "w",
	  1,
	  { 1 },
	  GGUF_F32,
	  UINT64_MAX - 31,
	  -EBADMSG,
	  "x: tensor 'w' has 4 bytes at 18446744073709551584 of the data, of which there are 64" },
	{ "w", 1, { 3 }, GGUF_F32, 0, -EBADMSG, "x: tensors 'v' and 'w' overlap" },
};

static void gguf_tensors_refused(void **state)
{
	static const uint64_t two[] = { 2 };

	(void)state;
	for (size_t i = 0; i < sizeof(gguf_cases) / sizeof(gguf_cases[0]); i++) {
		const struct gguf_case *c = &gguf_cases[i];
		uint64_t dim[9] = { c->dim[0], c->dim[1] };
		struct bytes b = { 0 };

		gguf_begin(&b, 3, 2, 0);
		gguf_tensor(&b, "v", 1, two, GGUF_F32, 0);
		gguf_tensor(&b, c->name, c->rank, dim, c->type, c->offset);
		bytes_align(&b, 32);
		for (int j = 0; j < 8; j++)
			bytes_u64(&b, 0);
		expect_refused(&b, c->code, c->text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_format),
		cmocka_unit_test(cut_short_anywhere),
		cmocka_unit_test(any_bit_flipped),
		cmocka_unit_test(many_bytes_changed),
		cmocka_unit_test(npy_refused),
		cmocka_unit_test(safetensors_refused),
		cmocka_unit_test(safetensors_that_claim_much),
		cmocka_unit_test(gguf_headers_refused),
		cmocka_unit_test(gguf_metadata_refused),
		cmocka_unit_test(gguf_tensors_refused),
	};

	return cmocka_run_group_tests_name("refused files", tests, NULL, NULL);
}
