// SPDX-License-Identifier: MIT
/*
 * Images of packed weights. Whoever reads one believes nothing: every number is a copy, and is
 * checked before it is used. What the errors say goes to a person who has a file in hand.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "checksum.h"
#include "error.h"
#include "packed.h"

static const uint8_t magic[8] = { 0x89, 'N', 'P', 'U', 'W', '\r', '\n', 0x1a };

size_t npu_packed_layout(struct npu_packed *packed)
{
	size_t front = sizeof(struct npu_packed_header) + NPU_PACKED_ALIGN - 1, size;

	if (__builtin_add_overflow(front, packed->count * sizeof(*packed->numbers), &front))
		return 0;
	packed->offset = front / NPU_PACKED_ALIGN * NPU_PACKED_ALIGN;
	if (__builtin_add_overflow(packed->offset, packed->bytes, &size) || size > PTRDIFF_MAX)
		return 0;
	return size;
}

static void seal(struct npu_packed_header *header)
{
	header->header_checksum =
		htole64(npu_checksum(header, offsetof(struct npu_packed_header, header_checksum)));
}

static struct npu_packed_header header_of(const struct npu_packed *packed)
{
	struct npu_packed_header header = {
		.version = htole32(NPU_PACKED_VERSION),
		.header_bytes = htole32(sizeof(header)),
		.type = htole32(NPU_PACKED_INT8),
		.n = htole32(packed->n),
		.k = htole32(packed->k),
		.batch = htole32(1),
		.numbers = htole32(packed->count),
		.packed_offset = htole64(packed->offset),
		.packed_bytes = htole64(packed->bytes),
	};

	memcpy(header.magic, magic, sizeof(magic));
	memcpy(header.form, packed->form, sizeof(header.form));
	return header;
}

void npu_packed_begin(const struct npu_packed *packed, void *image)
{
	struct npu_packed_header header = header_of(packed);
	uint8_t *at = image;

	seal(&header);
	memset(at, 0, packed->offset);
	memcpy(at, &header, sizeof(header));
	at += sizeof(header);
	for (uint32_t i = 0; i < packed->count; i++, at += sizeof(uint32_t))
		memcpy(at, &(uint32_t){ htole32(packed->numbers[i]) }, sizeof(uint32_t));
}

static uint64_t body_checksum(const void *image, size_t bytes)
{
	return npu_checksum((const uint8_t *)image + sizeof(struct npu_packed_header),
			    bytes - sizeof(struct npu_packed_header));
}

void npu_packed_sum(const void *image, const struct npu_packed *packed,
		    struct npu_packed_header *header)
{
	*header = header_of(packed);
	header->flags = htole32(NPU_PACKED_SUMMED);
	header->body_checksum = htole64(body_checksum(image, packed->offset + packed->bytes));
	seal(header);
}

/* ---- Reading ---------------------------------------------------------------------------- */

static int damaged(const struct npu_image *image, const char *what, struct npu_error *err)
{
	return npu_fail(err, -EBADMSG, "%s: damaged, %s; copy it again or pack the weights again",
			image->name, what);
}

static int cut_short(const struct npu_image *image, struct npu_error *err)
{
	return npu_fail(err, -EBADMSG,
			"%s: packed weights, but it ends too early, after %zu bytes; copy it again "
			"or pack the weights again",
			image->name, image->bytes);
}

/* A copy of the header, from before the first byte was looked at, in the machine's byte order. */
static int read_header(const struct npu_image *image, struct npu_packed_header *header,
		       struct npu_error *err)
{
	size_t have = image->bytes < sizeof(*header) ? image->bytes : sizeof(*header);
	size_t sealed = offsetof(struct npu_packed_header, header_checksum);

	memset(header, 0, sizeof(*header));
	memcpy(header, image->data, have);
	if (!have || memcmp(header->magic, magic, have < sizeof(magic) ? have : sizeof(magic)))
		return npu_fail(err, -EBADMSG, "%s: not packed weights, see npu_weights_save()",
				image->name);
	if (have < sizeof(*header))
		return cut_short(image, err);
	if (le32toh(header->version) != NPU_PACKED_VERSION)
		return npu_fail(err, -ENOTSUP,
				"%s: packed weights of version %u, this library has version %d; "
				"pack the weights again with this library",
				image->name, le32toh(header->version), NPU_PACKED_VERSION);
	if (npu_checksum(header, sealed) != le64toh(header->header_checksum))
		return damaged(image, "the checksum of the header is wrong", err);

	header->flags = le32toh(header->flags);
	header->n = le32toh(header->n);
	header->k = le32toh(header->k);
	header->numbers = le32toh(header->numbers);
	header->packed_offset = le64toh(header->packed_offset);
	header->packed_bytes = le64toh(header->packed_bytes);
	header->body_checksum = le64toh(header->body_checksum);
	return 0;
}

/* A name that can be shown to a person. */
static bool is_name(const char *form)
{
	size_t length = strnlen(form, NPU_PACKED_FORM);

	for (size_t i = 0; i < length; i++)
		if (form[i] < ' ' || form[i] > '~')
			return false;
	return length && length < NPU_PACKED_FORM;
}

/* True if the fields, whose checksum is right, are what this version writes. */
static bool makes_sense(const struct npu_packed_header *header)
{
	uint64_t front = sizeof(*header) + (uint64_t)header->numbers * sizeof(uint32_t), end;
	uint8_t reserved = 0;

	for (size_t i = 0; i < sizeof(header->reserved); i++)
		reserved |= header->reserved[i];
	return !reserved && le32toh(header->header_bytes) == sizeof(*header) &&
	       is_name(header->form) && !(header->flags & ~NPU_PACKED_SUMMED) &&
	       le32toh(header->type) == NPU_PACKED_INT8 && le32toh(header->batch) == 1 &&
	       header->n && header->k && header->packed_offset >= front &&
	       header->packed_offset % NPU_PACKED_ALIGN == 0 &&
	       !__builtin_add_overflow(header->packed_offset, header->packed_bytes, &end) &&
	       end <= PTRDIFF_MAX;
}

static int check_body(const struct npu_image *image, const struct npu_packed_header *header,
		      const char *form, struct npu_error *err)
{
	uint64_t end = header->packed_offset + header->packed_bytes;

	if (image->bytes < end)
		return cut_short(image, err);
	if (image->file && image->bytes > end)
		return damaged(image, "there are bytes behind its end", err);
	if (strcmp(header->form, form))
		return npu_fail(err, -ENOTSUP,
				"%s: weights packed as \"%s\", this device takes \"%s\"; pack the "
				"weights again for this device",
				image->name, header->form, form);
	if (image->file && (!(header->flags & NPU_PACKED_SUMMED) ||
			    body_checksum(image->data, end) != header->body_checksum))
		return damaged(image, "the checksum of the weights is wrong", err);
	return 0;
}

static uint32_t *copy_numbers(const struct npu_image *image, uint32_t count)
{
	const uint8_t *at = (const uint8_t *)image->data + sizeof(struct npu_packed_header);
	uint32_t *numbers = malloc((count ? count : 1) * sizeof(*numbers));

	if (!numbers)
		return NULL;
	memcpy(numbers, at, count * sizeof(*numbers));
	for (uint32_t i = 0; i < count; i++)
		numbers[i] = le32toh(numbers[i]);
	return numbers;
}

int npu_packed_read(const struct npu_image *image, const char *form, struct npu_packed *packed,
		    struct npu_error *err)
{
	struct npu_packed_header header;
	int ret = read_header(image, &header, err);

	if (ret)
		return ret;
	if (!makes_sense(&header))
		return damaged(image, "its header contradicts itself", err);
	ret = check_body(image, &header, form, err);
	if (ret)
		return ret;

	*packed = (struct npu_packed){
		.n = header.n,
		.k = header.k,
		.count = header.numbers,
		.offset = header.packed_offset,
		.bytes = header.packed_bytes,
		.numbers = copy_numbers(image, header.numbers),
	};
	if (!packed->numbers)
		return npu_fail(err, -ENOMEM, "%s: no memory to read it", image->name);
	memcpy(packed->form, header.form, sizeof(packed->form));
	return 0;
}
