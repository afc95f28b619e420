/* SPDX-License-Identifier: MIT */
/*
 * Sample inputs of a network and their classes, from .npy files or any others with one tensor. Rows
 * are converted as they are asked for, so that a set never has to be in memory as a whole. Errors
 * begin with the path.
 */
#ifndef NPU_RUN_SAMPLES_H
#define NPU_RUN_SAMPLES_H

#include <stdint.h>

#include "npu.h"

struct samples;

/*
 * Opens a matrix of samples x inputs.
 * @scale: What every value is multiplied with: 1.0 / 255 for pixels of 0 to 255.
 */
int samples_open(const char *path, double scale, struct samples **samples, struct npu_error *err);

void samples_close(struct samples *samples);

uint32_t samples_rows(const struct samples *samples);

/* Fails unless there are @inputs values in a sample. @model is what wants so many. */
int samples_check(const struct samples *samples, uint32_t inputs, const char *model,
		  struct npu_error *err);

/* Reads rows, of finite values. */
int samples_read(const struct samples *samples, uint32_t first, uint32_t rows, float *x,
		 struct npu_error *err);

/*
 * Reads @count classes, from a vector of whole numbers.
 * @labels: The caller's to free.
 */
int labels_read(const char *path, uint32_t count, uint32_t classes, int32_t **labels,
		struct npu_error *err);

#endif
