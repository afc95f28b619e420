/* SPDX-License-Identifier: MIT */
/*
 * The device model as the board sees it: a shared object, opened by name.
 */
#ifndef BOARD_MODEL_H
#define BOARD_MODEL_H

#include "npu_model.h"

struct board_model {
	struct npu_model *npu;
	void (*reset)(struct npu_model *npu);
	uint32_t (*read)(struct npu_model *npu, uint32_t offset);
	void (*write)(struct npu_model *npu, uint32_t offset, uint32_t value);
	int (*busy)(struct npu_model *npu);
	uint64_t (*run)(struct npu_model *npu, uint64_t max_cycles);

	/* Optional, see npu_fault.h. */
	int (*inject)(struct npu_model *npu, const char *fault);
	const char *(*stuck)(const struct npu_model *npu);
};

/* Opens the model in @path and connects it to @bus. False and @errp set when it cannot be used. */
bool board_model_open(struct board_model *model, const char *path, const char *config,
		      const struct npu_model_bus *bus, Error **errp);

/* Passes one fault to the model: 0, or a negative errno. */
int board_model_inject(struct board_model *model, const char *fault);

/* Logs why the model is stuck, if it is. */
void board_model_log_stuck(struct board_model *model);

#endif /* BOARD_MODEL_H */
