/* SPDX-License-Identifier: MIT */
/*
 * Measures one multiplication on one device: how long a call takes, and how many get done when the
 * device always has the next one.
 */
#ifndef NPU_RUN_BENCH_H
#define NPU_RUN_BENCH_H

#include <stdint.h>

#include "distribution.h"
#include "npu.h"

/* int8 x int8 -> int8. */
struct shape {
	uint32_t m, k, n;
};

/*
 * struct effort - how much is measured
 * @warm_up: Calls before the first that counts.
 * @count: Calls that count, 0 for as many as take @seconds, within reason.
 * @seconds: Of each of the two measurements.
 */
struct effort {
	uint32_t warm_up;
	uint32_t count;
	double seconds;
};

/*
 * struct measurement - of one shape on one device
 * @plan: How the library does it.
 * @calls: Single calls that were measured: each submits, and waits until it is done.
 * @latency: Of a call, from submission until the result is there.
 * @streamed: Matmuls of the second measurement, several of which are always under way.
 * @seconds: From the first submission of these to the end of the last.
 * @engine_ns: Time that the engine worked for them, 0 on the CPU.
 * @checksum: FNV-1a of the result; the same on every device.
 */
struct measurement {
	struct npu_plan plan;
	uint32_t calls;
	struct distribution latency;
	uint32_t streamed;
	double seconds;
	uint64_t engine_ns;
	uint64_t checksum;
};

/* Errors: those of the library, -ENOMEM, and -EINTR when the user wants it to end. */
int bench_measure(struct npu_device *dev, const struct shape *shape, const struct effort *effort,
		  struct measurement *measurement, struct npu_error *err);

/* Billions of operations a second, a multiply-accumulate being two. */
double bench_gops(const struct measurement *measurement);

/* Billions of bytes a second, every operand and the result counted once. */
double bench_gbytes(const struct measurement *measurement);

/* Operations for each byte. */
double bench_intensity(const struct measurement *measurement);

/* Engine cycles of one matmul in the stream, 0 if they are not known. */
double bench_cycles(const struct measurement *measurement, uint64_t clock_hz);

/* Share of the time in which the engine worked, 0 to 1. */
double bench_busy(const struct measurement *measurement);

#endif
