/* SPDX-License-Identifier: MIT */
/*
 * Plays a recording to a device model and finds the first thing that is not as it was recorded.
 */
#ifndef NPU_RECORD_REPLAY_H
#define NPU_RECORD_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "library.h"
#include "vector.h"

struct replay_options {
	uint64_t limit;	   /* clock cycles that one wait or poll may take */
	double cycles_off; /* percent that an op may be off the recorded cycles; below 0: any */
};

/* What a difference is one of; replay_kind_name() has their names. */
enum replay_kind {
	REPLAY_EQUAL,
	REPLAY_REGISTER,  /* a register reads as something else */
	REPLAY_INTERRUPT, /* an interrupt does not come, or its line does not rise */
	REPLAY_MEMORY,	  /* a result is another one */
	REPLAY_STRAY,	  /* the engine writes where no result is recorded */
	REPLAY_CYCLES,	  /* an op takes another time */
};

struct replay_result {
	enum replay_kind kind;
	unsigned int line; /* of the recording */
	uint64_t cycle;	   /* clock cycles since the beginning */
	uint64_t ops;	   /* that have ended */
	uint64_t address;  /* of the register or the byte */
	uint32_t got, wanted;
	char text[256]; /* the difference, or why nothing could be played, in a sentence */

	uint64_t accesses;	/* of registers */
	uint64_t bytes;		/* of memory compared */
	uint64_t peeks_off;	/* registers of the moment with another value; no difference */
	uint64_t bytes_unknown; /* read by the engine and not in the recording; they were 0 */
	uint64_t timed, timed_recorded; /* cycles of the ops that the recording has cycles of */
};

/* Returns 0 when it was played, equal or not; -1 when the model cannot be used with it. */
int replay_run(struct replay_result *result, const struct vector *v, const struct library *library,
	       const struct replay_options *options);

const char *replay_kind_name(enum replay_kind kind);

#endif /* NPU_RECORD_REPLAY_H */
