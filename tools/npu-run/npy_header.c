// SPDX-License-Identifier: MIT
/*
 * Parses the header of an .npy file:
 *
 *	{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
 *
 * It is a Python literal, but only ever this one, so this knows strings, True, False, tuples of
 * numbers, and nothing more.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "error.h"
#include "npy_header.h"

struct parser {
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
	struct npy *npy;
};

static const struct {
	enum npy_type type;
	const char *descr;
	const char *name;
	size_t size;
} types[] = {
	{ NPY_INT8, "|i1", "int8", 1 },	      { NPY_UINT8, "|u1", "uint8", 1 },
	{ NPY_INT16, "<i2", "int16", 2 },     { NPY_INT32, "<i4", "int32", 4 },
	{ NPY_FLOAT16, "<f2", "float16", 2 }, { NPY_FLOAT32, "<f4", "float32", 4 },
	{ NPY_FLOAT64, "<f8", "float64", 8 },
};

#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))

const char *npy_type_name(enum npy_type type)
{
	return types[type].name;
}

size_t npy_type_size(enum npy_type type)
{
	return types[type].size;
}

const char *npy_type_descr(enum npy_type type)
{
	return types[type].descr;
}

static int damaged(struct parser *p, const char *what)
{
	return error_set(p->err, -EINVAL, "has a damaged header: %s at character %zu", what,
			 (size_t)(p->at - p->start));
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
		return error_set(p->err, -EINVAL, "has a structured type; plain numbers are read");
	ret = parse_string(p, descr, sizeof(descr));
	if (ret)
		return ret;
	for (size_t i = 0; i < TYPE_COUNT; i++) {
		if (!strcmp(descr, types[i].descr)) {
			header->npy->type = types[i].type;
			return 0;
		}
	}
	if (descr[0] == '>')
		return error_set(p->err, -EINVAL,
				 "is big-endian ('%s'): save it with .astype('<%s')", descr,
				 descr + 1);
	return error_set(p->err, -EINVAL,
			 "holds elements of type '%s'; int8, uint8, int16, int32, float16, "
			 "float32 and float64 are read",
			 descr);
}

static int parse_order(struct parser *p, struct header *header)
{
	header->fortran = accept_word(p, "True");
	if (!header->fortran && !accept_word(p, "False"))
		return damaged(p, "neither True nor False");
	return 0;
}

static int parse_number(struct parser *p, size_t *number)
{
	size_t value = 0;

	skip_space(p);
	if (p->at == p->end || *p->at < '0' || *p->at > '9')
		return damaged(p, "no size");
	for (; p->at < p->end && *p->at >= '0' && *p->at <= '9'; p->at++) {
		if (__builtin_mul_overflow(value, (size_t)10, &value) ||
		    __builtin_add_overflow(value, (size_t)(*p->at - '0'), &value))
			return error_set(p->err, -EINVAL, "is too large: its size overflows");
	}
	/* Python 2 wrote long integers as 12L. */
	accept(p, 'L');
	*number = value;
	return 0;
}

static int parse_shape(struct parser *p, struct header *header)
{
	struct npy *npy = header->npy;
	int ret;

	if (!accept(p, '('))
		return damaged(p, "no '('");
	while (!accept(p, ')')) {
		if (npy->rank == NPY_MAX_RANK)
			return error_set(p->err, -EINVAL, "has more than %d dimensions",
					 NPY_MAX_RANK);
		ret = parse_number(p, &npy->dim[npy->rank++]);
		if (ret)
			return ret;
		if (accept(p, ','))
			continue;
		/* "(3)" is a number in parentheses, not a shape. */
		if (npy->rank == 1)
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
	return 0;
}

int npy_header_parse(const char *text, size_t length, struct npy *npy, struct npu_error *err)
{
	struct parser p = { .start = text, .at = text, .end = text + length, .err = err };
	struct header header = { .npy = npy };
	size_t bytes;
	int ret;

	npy->rank = 0;
	ret = parse_dictionary(&p, &header);
	if (ret)
		return ret;
	if (header.fortran && npy->rank > 1)
		return error_set(err, -EINVAL,
				 "is in Fortran order: save numpy.ascontiguousarray() of it");

	npy->count = 1;
	for (unsigned int i = 0; i < NPY_MAX_RANK; i++) {
		if (i >= npy->rank)
			npy->dim[i] = 1;
		if (__builtin_mul_overflow(npy->count, npy->dim[i], &npy->count))
			return error_set(err, -EINVAL, "is too large: its size overflows");
	}
	if (__builtin_mul_overflow(npy->count, npy_type_size(npy->type), &bytes))
		return error_set(err, -EINVAL, "is too large: its size overflows");
	return 0;
}
