/* SPDX-License-Identifier: MIT */
/*
 * Packed weights outside of the library: in a file, or in memory that is shared with another
 * process. Both hold the same image, so a file is used where it is mapped and memory is written to
 * a file as it is.
 *
 * All numbers are little-endian. An image is
 *
 *	offset				bytes
 *	0				192		struct npu_packed_header
 *	192				4 * numbers	what the form has to know, see below
 *	behind it			8 * sums	sums of weights, signed; one for each
 *							group of columns: [batch][n][groups]
 *	behind it			2 * zero points	what is left of them, [n][groups], signed
 *	packed_offset			packed_bytes	weights as the device reads them
 *
 * with zeroes before the weights, and ends with them. packed_offset is a multiple of 128. There are
 * zero points only if NPU_PACKED_ZERO_POINTS is set.
 *
 * A form is a way to pack, and the name of it says all that a device must agree with:
 *
 *	"cpu int8 CxD"		panels of C rows; in a panel, group by group of columns; in a
 *				group, blocks of D columns; in a block, row by row. Rows and groups
 *				are filled up with zeroes to whole panels and blocks, matrices to a
 *				multiple of 128 bytes; no numbers. With "+128" behind it the top
 *				bit of each element is flipped, with " long" at the end there are
 *				zeroes behind the last panel, which is read beyond its end.
 *	"nvdla int8 GxC"	groups of G kernels; in a group, blocks of C channels; in a block,
 *				kernel by kernel, tails not padded. The numbers are the lengths of
 *				the parts that K is cut into, one at least, which do not cross a
 *				group of columns; the parts follow each other, each as if it was a
 *				matrix of its own, rounded up to 128 bytes. With zero points there
 *				is one more row, all ones. Matrices follow each other.
 */
#ifndef LIBNPU_PACKED_H
#define LIBNPU_PACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct npu_error;

#define NPU_PACKED_VERSION 1

/* Every part of an image that has to be aligned is aligned to this. */
#define NPU_PACKED_ALIGN 128

/* Room for the name of a form, its NUL included. */
#define NPU_PACKED_FORM 64

/* In @flags: body_checksum is that of the body. Weights in use have none. */
#define NPU_PACKED_SUMMED (1u << 0)

/* In @flags: there are zero points. */
#define NPU_PACKED_ZERO_POINTS (1u << 1)

/**
 * struct npu_packed_header - beginning of an image
 * @magic: That of packed.c. Its bytes do not survive being copied as text.
 * @version: NPU_PACKED_VERSION. Others have another meaning altogether and are refused.
 * @header_bytes: 192.
 * @form: Name, padded with NULs.
 * @flags: NPU_PACKED_* bits.
 * @n: Rows, at least 1.
 * @k: Columns, at least 1.
 * @batch: Matrices, at least 1.
 * @group_size: Columns of a group, at most @k; a multiple of NPU_GROUP_UNIT, or @k.
 * @numbers: How many follow the header.
 * @packed_offset: First byte of the weights.
 * @packed_bytes: Size of the weights.
 * @body_checksum: XXH64 of everything behind the header.
 * @reserved: Zero.
 * @header_checksum: XXH64 of everything before it.
 */
struct npu_packed_header {
	uint8_t magic[8];
	uint32_t version;
	uint32_t header_bytes;
	char form[NPU_PACKED_FORM];
	uint32_t flags;
	uint32_t n;
	uint32_t k;
	uint32_t batch;
	uint32_t group_size;
	uint32_t numbers;
	uint64_t packed_offset;
	uint64_t packed_bytes;
	uint64_t body_checksum;
	uint8_t reserved[56];
	uint64_t header_checksum;
};

_Static_assert(sizeof(struct npu_packed_header) == 192, "images begin with 192 bytes");

/**
 * struct npu_packed - packed weights, as the library sees them
 * @form: How they are packed.
 * @n, @k, @batch, @group_size: Shape.
 * @numbers, @count: What the form has to know.
 * @sum: Sums of each group, see struct npu_weights.
 * @zero_point: Zero points of each group, or NULL.
 * @offset: Of the weights in the image.
 * @bytes: Size of the weights.
 */
struct npu_packed {
	char form[NPU_PACKED_FORM];
	uint32_t n;
	uint32_t k;
	uint32_t batch;
	uint32_t group_size;
	uint32_t *numbers;
	uint32_t count;
	int64_t *sum;
	int16_t *zero_point;
	size_t offset;
	size_t bytes;
};

/* Sets @packed->offset and returns the size of the image, 0 if there cannot be one. */
size_t npu_packed_layout(struct npu_packed *packed);

/* Writes all that comes before the weights, without a checksum of the body. */
void npu_packed_begin(const struct npu_packed *packed, void *image);

/* Computes a header that has the checksum of the body of a complete image. */
void npu_packed_sum(const void *image, const struct npu_packed *packed,
		    struct npu_packed_header *header);

/**
 * struct npu_image - bytes that are said to be an image
 * @data, @bytes: They may be anything, and while they are read somebody may change them.
 * @name: Where they come from, for error messages.
 * @file: They are a file: with a checksum, and nothing behind the end.
 */
struct npu_image {
	const void *data;
	size_t bytes;
	const char *name;
	bool file;
};

/*
 * Reads an image for a device that wants @form. On success the arrays of @packed are the caller's
 * to free. What the numbers mean, and if they fit the weights, is for the backend to check.
 *
 * Errors: -EBADMSG not an image, cut short or damaged; -ENOTSUP a version or a form that the
 * device does not have; -ENOMEM.
 */
int npu_packed_read(const struct npu_image *image, const char *form, struct npu_packed *packed,
		    struct npu_error *err);

/* Frees the arrays that npu_packed_read() has made. */
void npu_packed_free(struct npu_packed *packed);

#endif /* LIBNPU_PACKED_H */
