/* SPDX-License-Identifier: MIT */
/*
 * The convolution buffer: what its entries hold, and the books CDMA and CSC keep about it.
 *
 * Features lie at the front, in the data banks; behind them the weight banks form a ring into
 * which CDMA writes one kernel group after the other and from which CSC reads. Neither of the two
 * knows what the other has stored or used: when their counts differ, ops read each other's
 * weights, as they do in the hardware.
 */
#ifndef NPU_MODEL_CBUF_H
#define NPU_MODEL_CBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "op.h"

/* Contents, moved forward when an op is fetched */
struct cbuf {
	uint8_t *mem;
	uint32_t entries; /* in all banks */
	uint32_t bank_entries;
	uint32_t entry_bytes;
	uint32_t ring_base;
	uint32_t ring_entries;
	uint32_t write;	       /* in the ring: next entry CDMA writes */
	uint32_t read;	       /* in the ring: first entry of the next op */
	uint32_t held_entries; /* weights of the last op, if it skipped their release */
	struct cbuf_seen {
		uint32_t data_banks, weight_banks;
		uint32_t height, kernels;
		bool skip_data, skip_weights;
	} last;
};

/* What an op does to the buffer, given the op before it */
struct cbuf_plan {
	bool flush_data, flush_weights; /* banks changed: drain, start at the first entry */
	bool fetch_data, fetch_weights;
	bool drop_data, drop_weights; /* release what the op before had kept */
};

int cbuf_init(struct cbuf *c, const struct npu_config *cfg);
void cbuf_fini(struct cbuf *c);
void cbuf_reset(struct cbuf *c);

/* The books' view of the next op; shared by the contents here and by the clock in timing.c. */
struct cbuf_plan cbuf_plan(const struct cbuf_seen *last, const struct op *op);
struct cbuf_seen cbuf_seen(const struct op *op);

/* Before an op touches its weights: flushes and releases as planned. */
void cbuf_begin(struct cbuf *c, const struct op *op, const struct cbuf_plan *plan);

/* Appends @count entries to the ring. */
void cbuf_push(struct cbuf *c, const uint8_t *bytes, uint32_t count);

/* Copies @count entries to @bytes, starting @first entries into the weights of this op. */
void cbuf_peek(const struct cbuf *c, uint32_t first, uint8_t *bytes, uint32_t count);

/* After the last kernel group: releases @used entries unless the op keeps them. */
void cbuf_end(struct cbuf *c, const struct op *op, uint32_t used, const struct npu_config *cfg);

/* The features from byte @offset on. */
uint8_t *cbuf_data(struct cbuf *c, size_t offset);

#endif /* NPU_MODEL_CBUF_H */
