/* SPDX-License-Identifier: MIT */
/*
 * What the readers of the formats share: the bytes of a file, the list of tensors they fill, and
 * the types of elements. A reader sees a file as one piece of memory, which may hold anything.
 */
#ifndef LIBNPU_FILE_H
#define LIBNPU_FILE_H

#pragma GCC visibility push(default)
#include <npu_file.h>
#pragma GCC visibility pop

/* Most elements in a block of any type, and the most bytes of a name that an error shows. */
#define NPU_FILE_MAX_BLOCK 256
#define NPU_FILE_SHOWN_NAME 64

/*
 * struct npu_file_type - a type of elements
 * @name: As the format has it.
 * @block: Elements in a block; 1 but for quantized types.
 * @bits: Size of a block; whole bytes where it is readable.
 * @decode: Converts @blocks blocks; NULL if the type is only listed.
 */
struct npu_file_type {
	const char *name;
	uint16_t block;
	uint16_t bits;
	void (*decode)(const uint8_t *src, size_t blocks, float *dst);
};

/* A tensor with what only this library needs of it. @offset is from the start of the file. */
struct npu_file_entry {
	struct npu_file_tensor tensor;
	const struct npu_file_type *type;
	uint64_t offset;
};

/*
 * struct npu_file - a file
 * @shown: What errors call it: the path, or the end of a long one.
 * @data, @bytes: All of it, mapped or (@heap) read from a pipe.
 * @entries, @count, @room: Its tensors in the order of its list.
 * @by_name: Indices of all tensors, sorted by name.
 * @notes, @note_count, @note_room: Its notes, sorted by key.
 * @note_text: All their texts.
 */
struct npu_file {
	char shown[96];
	const uint8_t *data;
	size_t bytes;
	bool heap;
	const char *format;
	struct npu_file_entry *entries;
	size_t count;
	size_t room;
	size_t *by_name;
	struct npu_safetensors_note *notes;
	size_t note_count;
	size_t note_room;
	char *note_text;
};

struct npu_json;

/*
 * Finds out the format of @data and fills the rest of @file. The caller frees with
 * npu_file_free_entries() whatever the result is.
 */
int npu_file_parse(struct npu_file *file, struct npu_error *err);
void npu_file_free_entries(struct npu_file *file);

/* Whether the first bytes are those of a format. */
bool npu_file_is_known(const struct npu_file *file);

/* The readers. Each is called when the first bytes are its own, and fills the list. */
bool npu_file_is_npy(const struct npu_file *file);
bool npu_file_is_safetensors(const struct npu_file *file);
bool npu_file_is_gguf(const struct npu_file *file);
int npu_file_parse_npy(struct npu_file *file, struct npu_error *err);
int npu_file_parse_safetensors(struct npu_file *file, struct npu_error *err);
int npu_file_parse_gguf(struct npu_file *file, struct npu_error *err);

/* Errors have little room: of a long path they show the end, which tells more than its beginning.
 */
void npu_file_set_shown(struct npu_file *file, const char *path);

/* Fills @err with the file's name and a sentence, and returns @code. */
int npu_file_fail(const struct npu_file *file, struct npu_error *err, int code, const char *fmt,
		  ...) __attribute__((format(printf, 4, 5)));

/*
 * Adds a tensor to the list. @entry has rank, shape and type; number of elements and bytes are
 * worked out from them.
 * @name, @length: Any bytes; checked and copied.
 */
int npu_file_add(struct npu_file *file, const char *name, size_t length,
		 struct npu_file_entry *entry, struct npu_error *err);

/* Sorts the names of the tensors, and refuses one that is there twice. */
int npu_file_index_names(struct npu_file *file, struct npu_error *err);

/* Gives the tensors in order of offset, small ones first; the caller frees. */
int npu_file_sort(const struct npu_file *file, struct npu_file_entry ***order,
		  struct npu_error *err);

/* Where the first thing is in @text that is not UTF-8 or a control character; @length if none. */
size_t npu_file_bad_text(const char *text, size_t length, const char **what);
bool npu_file_is_utf8(const char *text, size_t length);

/* ---- notes.c ---------------------------------------------------------------------------- */

/* Reads an object of strings. */
int npu_file_parse_notes(struct npu_json *json, struct npu_file *file);
/* Sorts the notes, and refuses a key that is there twice. */
int npu_file_sort_notes(struct npu_file *file, struct npu_error *err);
void npu_file_free_notes(struct npu_file *file);

/* ---- safetensors.c ---------------------------------------------------------------------- */

/* The specification's, so that no reader is kept busy for ever. */
#define NPU_SAFETENSORS_MAX_HEADER 100000000u
#define NPU_SAFETENSORS_NOTES "__metadata__"

/* The type of this name, or NULL. */
const struct npu_file_type *npu_safetensors_type(const char *name);

/* ---- decode.c, blocks.c ------------------------------------------------------------------ */

#define NPU_FILE_DECODER(name) void name(const uint8_t *src, size_t blocks, float *dst)

NPU_FILE_DECODER(npu_file_decode_i8);
NPU_FILE_DECODER(npu_file_decode_u8);
NPU_FILE_DECODER(npu_file_decode_i16);
NPU_FILE_DECODER(npu_file_decode_u16);
NPU_FILE_DECODER(npu_file_decode_i32);
NPU_FILE_DECODER(npu_file_decode_f16);
NPU_FILE_DECODER(npu_file_decode_bf16);
NPU_FILE_DECODER(npu_file_decode_f32);
NPU_FILE_DECODER(npu_file_decode_f64);
NPU_FILE_DECODER(npu_file_decode_q4_0);
NPU_FILE_DECODER(npu_file_decode_q4_1);
NPU_FILE_DECODER(npu_file_decode_q8_0);
NPU_FILE_DECODER(npu_file_decode_q4_k);
NPU_FILE_DECODER(npu_file_decode_q6_k);

/* ---- little-endian numbers at any address ----------------------------------------------- */

static inline uint16_t npu_file_u16(const uint8_t *at)
{
	return at[0] | (uint16_t)(at[1] << 8);
}

static inline uint32_t npu_file_u32(const uint8_t *at)
{
	return npu_file_u16(at) | (uint32_t)npu_file_u16(at + 2) << 16;
}

static inline uint64_t npu_file_u64(const uint8_t *at)
{
	return npu_file_u32(at) | (uint64_t)npu_file_u32(at + 4) << 32;
}

#endif /* LIBNPU_FILE_H */
