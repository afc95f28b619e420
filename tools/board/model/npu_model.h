/* SPDX-License-Identifier: MIT */
/*
 * The interface of a device model: registers on one side, memory and an interrupt line on the
 * other, a clock in between. The board loads any shared object that has these functions.
 */
#ifndef NPU_MODEL_H
#define NPU_MODEL_H

#include <stddef.h>
#include <stdint.h>

/** Version of this interface; npu_model_abi() returns the one a model was built with. */
#define NPU_MODEL_ABI 1

struct npu_model;

/**
 * struct npu_model_bus - what a model is connected to
 * @opaque: Handed to every call.
 * @read: Copies @len bytes at bus address @addr to @buf; 0, or -1 on a bus error.
 * @write: Copies @len bytes from @buf to bus address @addr; 0, or -1 on a bus error.
 * @irq: Drives the level of the interrupt line.
 *
 * The functions are called only from inside npu_model_write() and npu_model_run().
 */
struct npu_model_bus {
	void *opaque;
	int (*read)(void *opaque, uint64_t addr, void *buf, size_t len);
	int (*write)(void *opaque, uint64_t addr, const void *buf, size_t len);
	void (*irq)(void *opaque, int level);
};

/** Returns the NPU_MODEL_ABI the model was built with. */
unsigned int npu_model_abi(void);

/**
 * Makes a model in its state after reset.
 * @config: Hardware configuration, "nv_small" or "nv_large"; with "+gated" behind it, a build with
 *the clock gating that loses weight releases.
 * @bus: Copied; what it points to must outlive the model.
 *
 * Returns NULL when the configuration is unknown or memory is out.
 */
struct npu_model *npu_model_new(const char *config, const struct npu_model_bus *bus);

/** Frees a model; NULL is allowed. */
void npu_model_free(struct npu_model *m);

/** Pulls the reset line: everything in flight is lost, the interrupt line falls. */
void npu_model_reset(struct npu_model *m);

/** Reads the register at byte @offset of the register window. */
uint32_t npu_model_read(struct npu_model *m, uint32_t offset);

/** Writes the register at byte @offset of the register window. */
void npu_model_write(struct npu_model *m, uint32_t offset, uint32_t value);

/** Non-zero while the model has work that needs clock cycles. */
int npu_model_busy(struct npu_model *m);

/**
 * Lets up to @max_cycles clock cycles pass. May stop earlier, for example at an interrupt.
 *
 * Returns the cycles that passed.
 */
uint64_t npu_model_run(struct npu_model *m, uint64_t max_cycles);

#endif /* NPU_MODEL_H */
