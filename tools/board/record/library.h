/* SPDX-License-Identifier: MIT */
/*
 * A device model in a shared object, opened by name, where QEMU is not: see npu_model.h.
 */
#ifndef NPU_RECORD_LIBRARY_H
#define NPU_RECORD_LIBRARY_H

#include <stdbool.h>

#include "../model/npu_model.h"

struct library {
	void *handle;
	struct npu_model *(*new)(const char *config, const struct npu_model_bus *bus);
	void (*free)(struct npu_model *npu);
	void (*reset)(struct npu_model *npu);
	uint32_t (*read)(struct npu_model *npu, uint32_t offset);
	void (*write)(struct npu_model *npu, uint32_t offset, uint32_t value);
	int (*busy)(struct npu_model *npu);
	uint64_t (*run)(struct npu_model *npu, uint64_t max_cycles);

	/* Optional: npu_fault.h and npu_memory.h */
	int (*inject)(struct npu_model *npu, const char *fault);
	const char *(*stuck)(const struct npu_model *npu);
	int (*load)(struct npu_model *npu, uint64_t addr, const void *data, size_t len);
	int (*store)(struct npu_model *npu, uint64_t addr, void *data, size_t len);
};

#define LIBRARY_ERROR_MAX 256

/* False, and a sentence in @error, when it cannot be used. */
bool library_open(struct library *library, const char *path, char error[LIBRARY_ERROR_MAX]);

void library_close(struct library *library);

#endif /* NPU_RECORD_LIBRARY_H */
