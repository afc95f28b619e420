/* SPDX-License-Identifier: MIT */
/*
 * Reads the recorded runs of the RTL in tests/vectors: see the README there for the format.
 */
#ifndef TESTS_UNIT_VECTOR_H
#define TESTS_UNIT_VECTOR_H

#include <stddef.h>
#include <stdint.h>

enum vector_kind {
	VECTOR_MEM,    /* write @data at @addr */
	VECTOR_WRITE,  /* write @value to register @addr */
	VECTOR_POLL,   /* read register @addr until (it & @mask) == @value */
	VECTOR_WAIT,   /* run until all bits of @mask have been seen in the interrupt status */
	VECTOR_CYCLES, /* the RTL took @value cycles to the interrupt just waited for */
	VECTOR_OUT,    /* memory at @addr now holds @data */
};

struct vector_step {
	enum vector_kind kind;
	unsigned int line;
	uint32_t addr;
	uint32_t mask;
	uint32_t value;
	uint8_t *data;
	size_t len;
};

struct vector {
	char config[32];
	struct vector_step *steps;
	size_t count;
};

/* Returns 0, or -1 with a message on stderr. A loaded vector is freed with vector_free(). */
int vector_load(struct vector *v, const char *path);
void vector_free(struct vector *v);

#endif /* TESTS_UNIT_VECTOR_H */
