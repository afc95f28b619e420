// SPDX-License-Identifier: MIT
/* Parser of recorded runs: strict, so that a damaged vector is never a passing test. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vector.h"

struct parser {
	struct vector *v;
	struct vector_step *bytes; /* step whose hex lines are being read */
	size_t filled;
	size_t room;
	unsigned int line;
	bool begun; /* what has a beginning must have an end */
};

static int hex_digit(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static int parse_hex(struct parser *p, const char *s)
{
	while (*s == ' ')
		s++;
	while (*s && *s != '\n') {
		int hi = hex_digit(s[0]);
		int lo = hi < 0 ? -1 : hex_digit(s[1]);

		if (lo < 0 || !p->bytes || p->filled >= p->bytes->len)
			return -1;
		p->bytes->data[p->filled++] = hi << 4 | lo;
		s += 2;
	}
	return 0;
}

static struct vector_step *add_step(struct parser *p, enum vector_kind kind)
{
	struct vector *v = p->v;
	struct vector_step *step;

	if (v->count == p->room) {
		size_t room = p->room ? 2 * p->room : 256;

		step = realloc(v->steps, room * sizeof(*step));
		if (!step)
			return NULL;
		v->steps = step;
		p->room = room;
	}
	step = &v->steps[v->count++];
	*step = (struct vector_step){ .kind = kind, .line = p->line };
	return step;
}

static int add_bytes(struct parser *p, enum vector_kind kind, uint64_t addr, size_t len)
{
	struct vector_step *step = add_step(p, kind);

	if (!step)
		return -1;
	step->addr = addr;
	step->len = len;
	step->data = malloc(len ? len : 1);
	p->bytes = step;
	p->filled = 0;
	return step->data ? 0 : -1;
}

static int add_text(struct parser *p, const char *text)
{
	struct vector_step *step = add_step(p, VECTOR_FAULT);
	size_t len = strcspn(text, " \n");

	if (!step || !len)
		return -1;
	step->data = (uint8_t *)strndup(text, len);
	return step->data ? 0 : -1;
}

static int add_values(struct parser *p, enum vector_kind kind, uint32_t addr, uint32_t mask,
		      uint32_t value)
{
	struct vector_step *step = add_step(p, kind);

	if (!step)
		return -1;
	step->addr = addr;
	step->mask = mask;
	step->value = value;
	return 0;
}

static bool is_word(const char *s, const char *word)
{
	size_t len = strlen(word);

	return !strncmp(s, word, len) && strchr(" #\n", s[len]);
}

static int parse_registers(struct parser *p, const char *s)
{
	uint32_t a, b, c;

	if (sscanf(s, "w %" SCNx32 " %" SCNx32, &a, &b) == 2)
		return add_values(p, VECTOR_WRITE, a, 0, b);
	if (sscanf(s, "r %" SCNx32 " %" SCNx32, &a, &b) == 2)
		return add_values(p, VECTOR_READ, a, 0, b);
	if (sscanf(s, "peek %" SCNx32 " %" SCNx32, &a, &b) == 2)
		return add_values(p, VECTOR_PEEK, a, 0, b);
	if (sscanf(s, "poll %" SCNx32 " %" SCNx32 " %" SCNx32, &a, &b, &c) == 3)
		return add_values(p, VECTOR_POLL, a, b, c);
	if (sscanf(s, "wait %" SCNx32, &a) == 1)
		return add_values(p, VECTOR_WAIT, 0, a, 0);
	if (sscanf(s, "cycles %" SCNu32, &a) == 1)
		return add_values(p, VECTOR_CYCLES, 0, 0, a);
	return -1;
}

static int parse_line(struct parser *p, const char *s)
{
	uint64_t addr;
	size_t len;

	if (*s == ' ')
		return parse_hex(p, s);
	if (p->bytes && p->filled != p->bytes->len)
		return -1;
	p->bytes = NULL;
	if (*s == '#' || *s == '\n')
		return 0;
	if (p->v->ended)
		return -1;
	if (sscanf(s, "config %31s", p->v->config) == 1)
		return 0;
	if (sscanf(s, "mem %" SCNx64 " %zu", &addr, &len) == 2)
		return add_bytes(p, VECTOR_MEM, addr, len);
	if (sscanf(s, "out %" SCNx64 " %zu", &addr, &len) == 2)
		return add_bytes(p, VECTOR_OUT, addr, len);
	if (!strncmp(s, "fault ", 6))
		return add_text(p, s + 6);
	if (is_word(s, "reset"))
		return add_step(p, VECTOR_RESET) ? 0 : -1;
	if (is_word(s, "begin")) {
		p->begun = true;
		return 0;
	}
	if (is_word(s, "end")) {
		p->v->ended = true;
		return 0;
	}
	return parse_registers(p, s);
}

static int parse_file(struct parser *p, const char *path, FILE *f)
{
	const char *what = "not a line of a recording, or bytes missing";
	char *text = NULL;
	size_t size = 0;
	ssize_t len;
	int ret = 0;

	while (!ret && (len = getline(&text, &size, f)) > 0) {
		p->line++;
		ret = text[len - 1] == '\n' ? parse_line(p, text) : -1;
	}
	free(text);
	if (!ret && !p->v->config[0]) {
		what = "no config line";
		ret = -1;
	} else if (!ret &&
		   ((p->bytes && p->filled != p->bytes->len) || (p->begun && !p->v->ended))) {
		what = "the recording stops here, before its end";
		ret = -1;
	}
	if (ret)
		fprintf(stderr, "%s:%u: %s\n", path, p->line, what);
	return ret;
}

int vector_load(struct vector *v, const char *path)
{
	struct parser p = { .v = v };
	FILE *f;
	int ret;

	memset(v, 0, sizeof(*v));
	f = fopen(path, "r");
	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	ret = parse_file(&p, path, f);
	fclose(f);
	if (ret)
		vector_free(v);
	return ret;
}

void vector_free(struct vector *v)
{
	for (size_t i = 0; i < v->count; i++)
		free(v->steps[i].data);
	free(v->steps);
	memset(v, 0, sizeof(*v));
}
