// SPDX-License-Identifier: MIT
/*
 * Reads .npy files: NumPy's format for one array, versions 1.0, 2.0 and 3.0. The data follows a
 * header that is text:
 *
 *	{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
 *
 * It is a Python literal, but only ever this one, so this knows strings, True, False, tuples of
 * numbers, and nothing more.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "file.h"

#define MAX_HEADER 65535u

static const uint8_t magic[] = { 0x93, 'N', 'U', 'M', 'P', 'Y' };

static const struct npu_file_type types[] = {
	{ "|i1", 1, 8, npu_file_decode_i8 },
	{ "|u1", 1, 8, npu_file_decode_u8 },
	{ "<i2", 1, 16, npu_file_decode_i16 },
	{ "<u2", 1, 16, npu_file_decode_u16 },
	{ "<i4", 1, 32, npu_file_decode_i32 },
	{ "<u4", 1, 32, NULL },
	{ "<i8", 1, 64, NULL },
	{ "<u8", 1, 64, NULL },
	{ "<f2", 1, 16, npu_file_decode_f16 },
	{ "<f4", 1, 32, npu_file_decode_f32 },
	{ "<f8", 1, 64, npu_file_decode_f64 },
	{ "<c8", 1, 64, NULL },
	{ "<c16", 1, 128, NULL },
	{ "|b1", 1, 8, NULL },
};

struct parser {
	const struct npu_file *file;
	const char *start;
	const char *at;
	const char *end;
	struct npu_error *err;
};

/* What has been found so far; each entry must come exactly once. */
struct header {
	bool has_type;
	bool has_order;
	bool has_shape;
	bool fortran;
	struct npu_file_entry entry;
};

static int damaged(struct parser *p, const char *what)
{
	return npu_file_fail(p->file, p->err, -EBADMSG, "has a damaged header: %s at character %zu",
			     what, (size_t)(p->at - p->start));
}

static void skip_space(struct parser *p)
{
	while (p->at < p->end && strchr(" \t\r\n", *p->at) && *p->at)
		p->at++;
}

/* Takes one character if it is the next one. */
static bool accept(struct parser *p, char c)
{
	skip_space(p);
	if (p->at == p->end || *p->at != c)
		return false;
	p->at++;
	return true;
}

static bool accept_word(struct parser *p, const char *word)
{
	size_t length = strlen(word);

	skip_space(p);
	if ((size_t)(p->end - p->at) < length || memcmp(p->at, word, length))
		return false;
	p->at += length;
	return true;
}

/* A quoted string of printable characters, without escapes: none of ours needs one. */
static int parse_string(struct parser *p, char *text, size_t room)
{
	size_t length = 0;
	char quote;

	skip_space(p);
	if (p->at == p->end || (*p->at != '\'' && *p->at != '"'))
		return damaged(p, "no string");
	quote = *p->at++;
	while (p->at < p->end && *p->at != quote) {
		if (*p->at < ' ' || *p->at > '~' || *p->at == '\\' || length + 1 == room)
			return damaged(p, "an unknown string");
		text[length++] = *p->at++;
	}
	if (p->at == p->end)
		return damaged(p, "an endless string");
	p->at++;
	text[length] = '\0';
	return 0;
}

static int parse_type(struct parser *p, struct header *header)
{
	char descr[32];
	int ret;

	skip_space(p);
	if (p->at < p->end && *p->at == '[')
		return npu_file_fail(p->file, p->err, -ENOTSUP,
				     "has a structured type; plain numbers are read");
	ret = parse_string(p, descr, sizeof(descr));
	if (ret)
		return ret;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (!strcmp(descr, types[i].name)) {
			header->entry.type = &types[i];
			return 0;
		}
	}
	if (descr[0] == '>')
		return npu_file_fail(p->file, p->err, -ENOTSUP,
				     "is big-endian ('%s'): save it with .astype('<%s')", descr,
				     descr + 1);
	return npu_file_fail(p->file, p->err, -ENOTSUP,
			     "holds elements of type '%s'; integers and floats are read", descr);
}

static int parse_order(struct parser *p, struct header *header)
{
	header->fortran = accept_word(p, "True");
	if (!header->fortran && !accept_word(p, "False"))
		return damaged(p, "neither True nor False");
	return 0;
}

static int parse_number(struct parser *p, uint64_t *number)
{
	uint64_t value = 0;

	skip_space(p);
	if (p->at == p->end || *p->at < '0' || *p->at > '9')
		return damaged(p, "no size");
	for (; p->at < p->end && *p->at >= '0' && *p->at <= '9'; p->at++) {
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p->at - '0'), &value))
			return npu_file_fail(p->file, p->err, -EBADMSG,
					     "is too large: its size overflows");
	}
	/* Python 2 wrote long integers as 12L. */
	accept(p, 'L');
	*number = value;
	return 0;
}

static int parse_shape(struct parser *p, struct header *header)
{
	struct npu_file_tensor *tensor = &header->entry.tensor;
	int ret;

	if (!accept(p, '('))
		return damaged(p, "no '('");
	while (!accept(p, ')')) {
		if (tensor->rank == NPU_FILE_MAX_RANK)
			return npu_file_fail(p->file, p->err, -ENOTSUP,
					     "has more than %d dimensions", NPU_FILE_MAX_RANK);
		ret = parse_number(p, &tensor->shape[tensor->rank++]);
		if (ret)
			return ret;
		if (accept(p, ','))
			continue;
		/* "(3)" is a number in parentheses, not a shape. */
		if (tensor->rank == 1)
			return damaged(p, "no ','");
		if (!accept(p, ')'))
			return damaged(p, "neither ',' nor ')'");
		break;
	}
	return 0;
}

static int parse_entry(struct parser *p, struct header *header)
{
	char key[32];
	typeof(parse_shape) *parse_value;
	bool *seen;
	int ret;

	ret = parse_string(p, key, sizeof(key));
	if (ret)
		return ret;
	if (!strcmp(key, "descr")) {
		seen = &header->has_type;
		parse_value = parse_type;
	} else if (!strcmp(key, "fortran_order")) {
		seen = &header->has_order;
		parse_value = parse_order;
	} else if (!strcmp(key, "shape")) {
		seen = &header->has_shape;
		parse_value = parse_shape;
	} else {
		return damaged(p, "an unknown entry");
	}
	if (*seen)
		return damaged(p, "an entry that was there before");
	*seen = true;
	if (!accept(p, ':'))
		return damaged(p, "no ':'");
	return parse_value(p, header);
}

static int parse_dictionary(struct parser *p, struct header *header)
{
	int ret;

	if (!accept(p, '{'))
		return damaged(p, "no '{'");
	while (!accept(p, '}')) {
		ret = parse_entry(p, header);
		if (ret)
			return ret;
		if (accept(p, ','))
			continue;
		if (!accept(p, '}'))
			return damaged(p, "neither ',' nor '}'");
		break;
	}
	skip_space(p);
	if (p->at != p->end)
		return damaged(p, "something after the '}'");
	if (!header->has_type || !header->has_order || !header->has_shape)
		return damaged(p, "no 'descr', 'fortran_order' or 'shape'");
	/* What has one dimension is in both orders. */
	if (header->fortran && header->entry.tensor.rank > 1)
		return npu_file_fail(p->file, p->err, -ENOTSUP,
				     "is in Fortran order: save numpy.ascontiguousarray() of it");
	return 0;
}

/* ---- The file --------------------------------------------------------------------------- */

bool npu_file_is_npy(const struct npu_file *file)
{
	return file->bytes >= sizeof(magic) && !memcmp(file->data, magic, sizeof(magic));
}

/* Where the text is: behind magic, version, and its length. */
static int find_header(struct npu_file *file, size_t *start, uint32_t *length,
		       struct npu_error *err)
{
	const uint8_t *head = file->data;

	if (file->bytes < 10)
		return npu_file_fail(file, err, -EBADMSG, "ends inside the header");
	if (head[6] < 1 || head[6] > 3 || head[7] != 0)
		return npu_file_fail(file, err, -ENOTSUP,
				     "has .npy format %u.%u; 1.0, 2.0 and 3.0 are read", head[6],
				     head[7]);
	*start = head[6] == 1 ? 10 : 12;
	if (file->bytes < *start)
		return npu_file_fail(file, err, -EBADMSG, "ends inside the header");
	*length = head[6] == 1 ? npu_file_u16(head + 8) : npu_file_u32(head + 8);
	if (*length > MAX_HEADER)
		return npu_file_fail(file, err, -EBADMSG, "has a header of %u bytes, more than %u",
				     *length, MAX_HEADER);
	if (*length > file->bytes - *start)
		return npu_file_fail(file, err, -EBADMSG, "ends inside the header");
	return 0;
}

int npu_file_parse_npy(struct npu_file *file, struct npu_error *err)
{
	struct header header = { .fortran = false };
	struct parser p = { .file = file, .err = err };
	uint64_t bytes, have;
	uint32_t length = 0;
	size_t start = 0;
	int ret;

	ret = find_header(file, &start, &length, err);
	if (ret)
		return ret;
	p.start = p.at = (const char *)file->data + start;
	p.end = p.start + length;
	ret = parse_dictionary(&p, &header);
	if (ret)
		return ret;
	header.entry.offset = start + length;
	ret = npu_file_add(file, "", 0, &header.entry, err);
	if (ret)
		return ret;

	bytes = header.entry.tensor.bytes;
	have = file->bytes - header.entry.offset;
	if (have < bytes)
		return npu_file_fail(file, err, -EBADMSG,
				     "ends after %" PRIu64 " of %" PRIu64 " bytes of data", have,
				     bytes);
	if (have > bytes)
		return npu_file_fail(file, err, -EBADMSG,
				     "goes on after its %" PRIu64 " bytes of data", bytes);
	return 0;
}
