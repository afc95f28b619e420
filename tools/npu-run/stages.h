/* SPDX-License-Identifier: MIT */
/* The NPU_STAGE_* bits of a plan in words. */
#ifndef NPU_RUN_STAGES_H
#define NPU_RUN_STAGES_H

#include <stdint.h>

#include "json.h"

/* "sums, scaling, output". */
void stages_print(uint32_t stages);

/* An array of these words. */
void stages_json(struct json *json, const char *key, uint32_t stages);

#endif
