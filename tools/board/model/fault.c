// SPDX-License-Identifier: MIT
/* Fault texts and their countdown; npu_fault.h says what they mean. */
#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"

static const struct {
	const char *name;
	enum fault_kind kind;
	unsigned int numbers;
} names[] = {
	{ "hang", FAULT_HANG, 1 },
	{ "bus-error", FAULT_BUS_ERROR, 1 },
	{ "lost-irq", FAULT_LOST_IRQ, 1 },
	{ "late-irq", FAULT_LATE_IRQ, 2 },
	{ "spurious-irq", FAULT_SPURIOUS_IRQ, 0 },
	{ "no-flush", FAULT_NO_FLUSH, 0 },
};

/* Reads ":NUMBER", at least 1, and moves on behind it. */
static int parse_number(const char **text, uint64_t *number)
{
	char *end;

	if ((*text)[0] != ':' || !isdigit((unsigned char)(*text)[1]))
		return -1;
	*number = strtoull(*text + 1, &end, 10);
	*text = end;
	/* A few thousand years of cycles; the clock must not wrap. */
	return *number >= 1 && *number <= INT64_MAX ? 0 : -1;
}

int fault_parse(const char *text, struct fault *fault)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i].name);
		const char *rest = text + len;

		if (strncmp(text, names[i].name, len) || (*rest && *rest != ':'))
			continue;
		*fault = (struct fault){ .kind = names[i].kind };
		if (names[i].numbers > 0 && parse_number(&rest, &fault->op))
			return -1;
		if (names[i].numbers > 1 && parse_number(&rest, &fault->cycles))
			return -1;
		return *rest ? -1 : 0;
	}
	return -1;
}

int fault_add(struct faults *f, const struct fault *fault)
{
	for (int i = 0; i < MAX_FAULTS; i++) {
		if (f->waiting[i].kind != FAULT_NONE)
			continue;
		f->waiting[i] = *fault;
		return 0;
	}
	return -1;
}

struct fault fault_next_op(struct faults *f)
{
	struct fault strikes = { .kind = FAULT_NONE };

	for (int i = 0; i < MAX_FAULTS; i++) {
		struct fault *w = &f->waiting[i];

		if (w->kind == FAULT_NONE || --w->op)
			continue;
		/* The first one asked for wins when two are meant for the same op. */
		if (strikes.kind == FAULT_NONE)
			strikes = *w;
		w->kind = FAULT_NONE;
	}
	return strikes;
}
