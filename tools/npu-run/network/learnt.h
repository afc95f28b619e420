/* SPDX-License-Identifier: MIT */
/*
 * Scales that were learnt elsewhere, by training for quantization for example: tensors of a file
 * that are called "LAYER.weight_scale", "LAYER.weight_zero_point", "LAYER.input_scale",
 * "LAYER.input_zero_point", "LAYER.output_scale" and "LAYER.output_zero_point". All functions work
 * on NULL as on a file without any. Errors begin with the path.
 */
#ifndef NPU_RUN_LEARNT_H
#define NPU_RUN_LEARNT_H

#include <stdbool.h>
#include <stdint.h>

#include "float_network.h"

struct learnt;

int learnt_open(const char *path, struct learnt **learnt, struct npu_error *err);

void learnt_close(struct learnt *learnt);

/* Fails if the file has nothing for any layer of @network. */
int learnt_check(const struct learnt *learnt, const struct float_network *network,
		 struct npu_error *err);

/* Whether the file has such a tensor. */
bool learnt_has(const struct learnt *learnt, const char *layer, const char *what);

/* Reads @count scales, which are positive and finite. */
int learnt_scales(const struct learnt *learnt, const char *layer, const char *what, uint32_t count,
		  float *scale, struct npu_error *err);

/* Reads @count whole numbers. All are 0 if there is no such tensor. */
int learnt_zero_points(const struct learnt *learnt, const char *layer, const char *what,
		       uint32_t count, int32_t *zero_point, struct npu_error *err);

#endif
