/* SPDX-License-Identifier: MIT */
/*
 * Reads recorded runs: docs/cosim.md has the format.
 */
#ifndef NPU_RECORD_VECTOR_H
#define NPU_RECORD_VECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vector_kind {
	VECTOR_MEM,    /* write @data at @addr */
	VECTOR_WRITE,  /* write @value to register @addr */
	VECTOR_POLL,   /* read register @addr until (it & @mask) == @value */
	VECTOR_WAIT,   /* run until all bits of @mask have been seen in the interrupt status */
	VECTOR_CYCLES, /* the RTL took @value cycles to the interrupt just waited for */
	VECTOR_OUT,    /* memory at @addr now holds @data */
	VECTOR_READ,   /* register @addr reads as @value */
	VECTOR_PEEK,   /* register @addr was read and was @value, which is a matter of time */
	VECTOR_RESET,  /* pull the reset line */
	VECTOR_FAULT,  /* inject the fault @data, a text */
};

struct vector_step {
	enum vector_kind kind;
	unsigned int line;
	uint64_t addr;
	uint32_t mask;
	uint32_t value;
	uint8_t *data;
	size_t len;
};

struct vector {
	char config[32];
	struct vector_step *steps;
	size_t count;
	bool ended; /* has an end line, as what the board records */
};

/* Returns 0, or -1 with a message on stderr. A loaded vector is freed with vector_free(). */
int vector_load(struct vector *v, const char *path);
void vector_free(struct vector *v);

#endif /* NPU_RECORD_VECTOR_H */
