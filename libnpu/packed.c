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
#include "object.h"
#include "packed.h"

static const uint8_t magic[8] = { 0x89, 'N', 'P', 'U', 'W', '\r', '\n', 0x1a };

/* Of groups: sums, and zero points. False where a size_t cannot count them. */
static bool count_groups(const struct npu_packed *packed, size_t *sums, size_t *zero_points)
{
	size_t groups = (packed->k - 1) / packed->group_size + 1;

	*sums = 0;
	return !__builtin_mul_overflow(groups, packed->n, zero_points) &&
	       !__builtin_mul_overflow(*zero_points, packed->batch, sums) &&
	       *sums <= PTRDIFF_MAX / (2 * sizeof(*packed->sum));
}

/* Bytes of all that comes before the weights, or 0. */
static size_t front_bytes(const struct npu_packed *packed, bool has_zero_points)
{
	size_t sums, zero_points, bytes;

	if (!count_groups(packed, &sums, &zero_points))
		return 0;
	bytes = sums * sizeof(*packed->sum);
	if (has_zero_points)
		bytes += zero_points * sizeof(*packed->zero_point);
	if (__builtin_add_overflow(bytes, packed->count * sizeof(*packed->numbers), &bytes) ||
	    __builtin_add_overflow(bytes, sizeof(struct npu_packed_header), &bytes))
		return 0;
	return bytes;
}

size_t npu_packed_layout(struct npu_packed *packed)
{
	size_t front = front_bytes(packed, packed->zero_point), size;

	if (!front || __builtin_add_overflow(front, NPU_PACKED_ALIGN - 1, &front))
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
		.flags = htole32(packed->zero_point ? NPU_PACKED_ZERO_POINTS : 0),
		.n = htole32(packed->n),
		.k = htole32(packed->k),
		.batch = htole32(packed->batch),
		.group_size = htole32(packed->group_size),
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
	size_t sums, zero_points;
	uint8_t *at = image;

	count_groups(packed, &sums, &zero_points);
	seal(&header);
	memset(at, 0, packed->offset);
	memcpy(at, &header, sizeof(header));
	at += sizeof(header);
	for (uint32_t i = 0; i < packed->count; i++, at += sizeof(uint32_t))
		memcpy(at, &(uint32_t){ htole32(packed->numbers[i]) }, sizeof(uint32_t));
	for (size_t i = 0; i < sums; i++, at += sizeof(uint64_t))
		memcpy(at, &(uint64_t){ htole64(packed->sum[i]) }, sizeof(uint64_t));
	for (size_t i = 0; packed->zero_point && i < zero_points; i++, at += sizeof(uint16_t))
		memcpy(at, &(uint16_t){ htole16(packed->zero_point[i]) }, sizeof(uint16_t));
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
	header->flags |= htole32(NPU_PACKED_SUMMED);
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
	header->batch = le32toh(header->batch);
	header->group_size = le32toh(header->group_size);
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

static bool is_shape(const struct npu_packed_header *header)
{
	size_t weights;

	return header->n && header->k && header->batch && header->group_size &&
	       header->group_size <= header->k &&
	       (header->group_size == header->k || header->group_size % NPU_GROUP_UNIT == 0) &&
	       !__builtin_mul_overflow((size_t)header->n * 16, header->k, &weights) &&
	       !__builtin_mul_overflow(weights, header->batch, &weights);
}

/* For offsets that are checked to lie inside an image, or are about to be. */
static struct npu_packed packed_of(const struct npu_packed_header *header)
{
	return (struct npu_packed){
		.n = header->n,
		.k = header->k,
		.batch = header->batch,
		.group_size = header->group_size,
		.count = header->numbers,
		.offset = (size_t)header->packed_offset,
		.bytes = (size_t)header->packed_bytes,
	};
}

/* True if the fields, whose checksum is right, are what this version writes. */
static bool makes_sense(const struct npu_packed_header *header)
{
	struct npu_packed packed = packed_of(header);
	uint8_t reserved = 0;
	uint64_t end;
	size_t front;

	for (size_t i = 0; i < sizeof(header->reserved); i++)
		reserved |= header->reserved[i];
	if (!is_shape(header))
		return false;
	front = front_bytes(&packed, header->flags & NPU_PACKED_ZERO_POINTS);
	return !reserved && le32toh(header->header_bytes) == sizeof(*header) &&
	       is_name(header->form) &&
	       !(header->flags & ~(NPU_PACKED_SUMMED | NPU_PACKED_ZERO_POINTS)) && front &&
	       header->packed_offset >= front && header->packed_offset % NPU_PACKED_ALIGN == 0 &&
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
			    body_checksum(image->data, (size_t)end) != header->body_checksum))
		return damaged(image, "the checksum of the weights is wrong", err);
	return 0;
}

/* The arrays between header and weights; false without memory. */
static bool copy_arrays(const struct npu_image *image, bool has_zero_points,
			struct npu_packed *packed)
{
	const uint8_t *at = (const uint8_t *)image->data + sizeof(struct npu_packed_header);
	size_t sums, zero_points;

	count_groups(packed, &sums, &zero_points);
	packed->numbers = malloc((packed->count ? packed->count : 1) * sizeof(*packed->numbers));
	packed->sum = malloc(sums * sizeof(*packed->sum));
	if (has_zero_points)
		packed->zero_point = malloc(zero_points * sizeof(*packed->zero_point));
	if (!packed->numbers || !packed->sum || (has_zero_points && !packed->zero_point))
		return false;
	memcpy(packed->numbers, at, packed->count * sizeof(*packed->numbers));
	at += packed->count * sizeof(*packed->numbers);
	memcpy(packed->sum, at, sums * sizeof(*packed->sum));
	at += sums * sizeof(*packed->sum);
	if (has_zero_points)
		memcpy(packed->zero_point, at, zero_points * sizeof(*packed->zero_point));
	for (uint32_t i = 0; i < packed->count; i++)
		packed->numbers[i] = le32toh(packed->numbers[i]);
	for (size_t i = 0; i < sums; i++)
		packed->sum[i] = le64toh(packed->sum[i]);
	for (size_t i = 0; has_zero_points && i < zero_points; i++)
		packed->zero_point[i] = le16toh(packed->zero_point[i]);
	return true;
}

/* Sums and zero points that there can be. With others, arithmetic could overflow. */
static bool are_possible(const struct npu_packed *packed)
{
	const int64_t most = (int64_t)packed->group_size * 128;
	size_t sums, zero_points;

	count_groups(packed, &sums, &zero_points);
	for (size_t i = 0; i < sums; i++)
		if (packed->sum[i] < -most || packed->sum[i] > most)
			return false;
	for (size_t i = 0; packed->zero_point && i < zero_points; i++)
		if (packed->zero_point[i] < INT8_MIN || packed->zero_point[i] > INT8_MAX)
			return false;
	return true;
}

void npu_packed_free(struct npu_packed *packed)
{
	free(packed->numbers);
	free(packed->sum);
	free(packed->zero_point);
}

int npu_packed_read(const struct npu_image *image, const char *form, struct npu_packed *out,
		    struct npu_error *err)
{
	struct npu_packed_header header;
	struct npu_packed packed;
	int ret = read_header(image, &header, err);

	if (ret)
		return ret;
	if (!makes_sense(&header))
		return damaged(image, "its header contradicts itself", err);
	ret = check_body(image, &header, form, err);
	if (ret)
		return ret;

	packed = packed_of(&header);
	memcpy(packed.form, header.form, sizeof(packed.form));
	if (!copy_arrays(image, header.flags & NPU_PACKED_ZERO_POINTS, &packed))
		ret = npu_fail(err, -ENOMEM, "%s: no memory to read it", image->name);
	else if (!are_possible(&packed))
		ret = damaged(image, "no weights have such sums or zero points", err);
	if (ret)
		npu_packed_free(&packed);
	else
		*out = packed;
	return ret;
}
