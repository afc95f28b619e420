/* SPDX-License-Identifier: MIT */
/*
 * npu_file - tensors in files: read as float32 or as they are, and written.
 *
 * A file is what others made: an array of NumPy (.npy), a model in safetensors or in GGUF. Which
 * one it is its first bytes say. The file is mapped and checked when it is opened, so that a list
 * of its tensors costs no reading of their data; values are converted as they are asked for, so
 * that a tensor never has to be in memory as a whole.
 *
 * Nothing in a file is believed: every name, size and offset is checked against the file, and no
 * more memory is taken than its length justifies. What is refused is refused when it is opened,
 * with a sentence that begins with the path (of a long one its last 64 bytes or more), a colon and
 * a space.
 *
 * A file that is open must not be cut short: a read beyond its new end raises SIGBUS, as with every
 * mapped file.
 *
 * Threads: a file that is open may be used from any number of threads.
 */
#ifndef NPU_FILE_H
#define NPU_FILE_H

#include "npu.h"

#if defined(__cplusplus)
extern "C" {
#endif

/** Most dimensions of a tensor. */
#define NPU_FILE_MAX_RANK 8

/** Longest name of a tensor in bytes, without the NUL. */
#define NPU_FILE_MAX_NAME 511

/** What npu_file_find() returns if there is no such tensor. */
#define NPU_FILE_NONE ((size_t)-1)

struct npu_file;

/**
 * struct npu_file_tensor - a tensor in a file
 * @name: UTF-8 without control characters, unique in the file; "" for the array of an .npy file.
 * @type: Of its elements, as the format calls it: "<f4" in .npy, "BF16" in safetensors, "Q4_K" in
 *	GGUF.
 * @rank: Number of dimensions, 0 for a single value.
 * @shape: Size of each, the one whose elements lie side by side last, as NumPy has it; 1 where
 *	there is none. GGUF has them the other way round.
 * @elements: Product of the shape.
 * @bytes: That the elements take in the file.
 * @readable: Whether npu_file_read() knows the type.
 */
struct npu_file_tensor {
	const char *name;
	const char *type;
	uint32_t rank;
	uint64_t shape[NPU_FILE_MAX_RANK];
	uint64_t elements;
	uint64_t bytes;
	bool readable;
};

/**
 * Opens a file and checks all of it but the values.
 * @path: A file, or a pipe, which is read to its end.
 *
 * Formats:
 *	.npy 1.0 to 3.0 (NumPy, NEP 1): little-endian integers and floats in C order.
 *	safetensors: all types of its specification are listed.
 *	GGUF 2 and 3: little-endian; all types of ggml that models are stored in are listed.
 *
 * Errors: -EINVAL not a file of any of these formats; -EBADMSG damaged, cut short, or against the
 * format's rules; -ENOTSUP a part of a format that is not read (the text says what to do); -EISDIR,
 * -ENOENT, -EACCES, -EIO, ... what open() and read() say; -ENOMEM.
 */
int npu_file_open(const char *path, struct npu_file **file, struct npu_error *err);

/** Closes a file; its tensors' descriptions and data are gone. */
void npu_file_close(struct npu_file *file);

/** "npy", "safetensors" or "gguf". */
const char *npu_file_format(const struct npu_file *file);

/** Number of tensors, 0 in a file without any. */
size_t npu_file_count(const struct npu_file *file);

/**
 * Describes a tensor, until npu_file_close().
 * @index: In the order of the file's own list. NULL if there are not so many.
 */
const struct npu_file_tensor *npu_file_tensor(const struct npu_file *file, size_t index);

/** Index of the tensor of this name, or NPU_FILE_NONE. */
size_t npu_file_find(const struct npu_file *file, const char *name);

/**
 * The bytes of a tensor as they lie in the file: little-endian, at any address, until
 * npu_file_close(). NULL if there are not so many tensors.
 */
const void *npu_file_data(const struct npu_file *file, size_t index);

/**
 * Reads elements of a tensor, row-major, as float32.
 * @first, @count: Which elements; any range, not only whole blocks of a quantized type.
 * @dst: Room for @count floats.
 *
 * Read are 8, 16 and 32 bit integers (but unsigned ones of 32), F16, BF16, F32 and F64, and of GGUF
 * Q4_0, Q4_1, Q8_0, Q4_K and Q6_K. Half and bfloat16 are exact; int32 and float64 are rounded to
 * nearest, ties to even. With halves d, m and dmin of a block, q its small unsigned integers and s,
 * t its 6 and 8 bit scales (ggml-quants.c of the ggml project, since 2023):
 *
 *	Q8_0	x = d q			q is int8
 *	Q4_0	x = d (q - 8)		q is 4 bits
 *	Q4_1	x = d q + m		q is 4 bits
 *	Q4_K	x = (d s) q - dmin t	q is 4 bits, s and t for each 32 elements
 *	Q6_K	x = (d s) (q - 32)	q is 6 bits, s is int8 for each 16 elements
 *
 * All products are exact in float32, and each x is rounded once, so that every machine gives the
 * same bits. Values are not judged: NaN and infinity come out as they are in the file, and of a
 * block whose d is one of them.
 *
 * Errors: -EINVAL there is no such tensor, or the range is not inside it; -ENOTSUP its type is not
 * read.
 */
int npu_file_read(const struct npu_file *file, size_t index, uint64_t first, uint64_t count,
		  float *dst, struct npu_error *err);

/**
 * Copies elements of a tensor as they are in the file.
 * @type: What the caller takes them for, as the format calls it: "I8". Quantized types of GGUF
 *	have no elements of their own; see npu_file_data().
 * @first, @count: Which elements, row-major.
 * @dst: Room for @count of them.
 *
 * Errors: -EINVAL there is no such tensor, it is of another type (the text names both), or the
 * range is not inside it; -ENOTSUP the type has no elements of whole bytes.
 */
int npu_file_copy(const struct npu_file *file, size_t index, const char *type, uint64_t first,
		  uint64_t count, void *dst, struct npu_error *err);

/* ---- Notes, and writing safetensors ----------------------------------------------------- */

/**
 * struct npu_safetensors_note - a pair of texts, of the __metadata__ of safetensors
 * @key: UTF-8, unique in the file.
 * @value: UTF-8. What comes from strangers may hold control characters, in either: not for a
 *	terminal as they are.
 */
struct npu_safetensors_note {
	const char *key;
	const char *value;
};

/** Number of notes, 0 in other formats. */
size_t npu_file_note_count(const struct npu_file *file);

/** A note, until npu_file_close(), in the order of their keys. NULL if there are not so many. */
const struct npu_safetensors_note *npu_file_note(const struct npu_file *file, size_t index);

/** Value of the note with this key, until npu_file_close(), or NULL. */
const char *npu_file_find_note(const struct npu_file *file, const char *key);

/**
 * struct npu_safetensors_entry - a tensor to be written
 * @name: 1 to NPU_FILE_MAX_NAME bytes of UTF-8 without control characters, unique.
 * @type: "F32", "F16", "BF16", "I8", "U8", "I16", "U16", "I32" or "I64".
 * @rank: Number of dimensions, 0 for a single value.
 * @shape: Size of each, the one whose elements lie side by side last; beyond @rank not used.
 * @data: The elements, row-major; F16 and BF16 are their bits in a uint16_t. NULL if there are
 *	none.
 */
struct npu_safetensors_entry {
	const char *name;
	const char *type;
	uint32_t rank;
	uint64_t shape[NPU_FILE_MAX_RANK];
	const void *data;
};

/**
 * Writes a safetensors file. It appears under its name when it is complete and on the disk, or not
 * at all; until then it is beside its place under a temporary name, which a program that is killed
 * leaves behind.
 * @path: Of a file that is replaced, or of none.
 * @tensors, @count: What npu_file_open() lists, in this order. Data are at multiples of their
 *	elements' size.
 * @notes, @n_notes: Written as __metadata__; none is written if @n_notes is 0.
 *
 * The same arguments give the same bytes.
 *
 * Errors: -EINVAL a name, a type, a shape or a note is not valid or there twice (the text names
 * it), the header would be above the 100 MB of the specification, or @path is something else than a
 * file; -EACCES, -ENOENT, -ENOSPC, ... what open(), write(), fsync() and rename() say; -ENOMEM.
 */
int npu_safetensors_write(const char *path, const struct npu_safetensors_entry *tensors,
			  size_t count, const struct npu_safetensors_note *notes, size_t n_notes,
			  struct npu_error *err);

#if defined(__cplusplus)
}
#endif

#endif /* NPU_FILE_H */
