/* SPDX-License-Identifier: MIT */
/*
 * The register front: seven units, each with two register groups that take turns. The producer
 * pointer says which group software sees, the consumer pointer which one the hardware works on.
 */
#ifndef NPU_MODEL_REGFILE_H
#define NPU_MODEL_REGFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum unit_id {
	UNIT_CDMA,
	UNIT_CSC,
	UNIT_CMAC_A,
	UNIT_CMAC_B,
	UNIT_CACC,
	UNIT_SDP_RDMA,
	UNIT_SDP,
	UNITS
};

#define UNIT_WORDS 64

struct regmap_entry {
	uint16_t offset;
	const char *name;
	uint32_t mask;
	uint32_t reset;
};

extern const struct regmap_entry regmap[];
extern const size_t regmap_size;

/* The name of a register as in regs.h; "no register" where none is. */
const char *regmap_name(uint32_t offset);

struct unit {
	uint32_t mask[UNIT_WORDS];
	uint32_t single[UNIT_WORDS];
	uint32_t group[2][UNIT_WORDS];
	bool enabled[2];
	bool taken[2]; /* an op is using the group */
	unsigned int producer;
	unsigned int consumer;
	unsigned int next; /* group that the next op to start will take */
};

struct regfile {
	uint32_t mcif_mask[UNIT_WORDS];
	uint32_t mcif[UNIT_WORDS];
	struct unit unit[UNITS];
};

void regfile_reset(struct regfile *rf);

/* Offsets that belong to no unit of the front read as zero and swallow writes. */
uint32_t regfile_read(const struct regfile *rf, uint32_t offset);
void regfile_write(struct regfile *rf, uint32_t offset, uint32_t value);

/* The D_ register at @offset in a group, whatever the pointers say. */
uint32_t regfile_get(const struct regfile *rf, uint32_t offset, unsigned int group);

/* What the hardware itself leaves there. */
void regfile_set(struct regfile *rf, uint32_t offset, unsigned int group, uint32_t value);

/* Is the group enabled that this unit would use for the next op? */
bool regfile_ready(const struct regfile *rf, enum unit_id unit);

/* Takes that group for an op; it stays enabled, and locked, until the unit is done with it. */
unsigned int regfile_take(struct regfile *rf, enum unit_id unit);
void regfile_done(struct regfile *rf, enum unit_id unit);

#endif /* NPU_MODEL_REGFILE_H */
