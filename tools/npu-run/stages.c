// SPDX-License-Identifier: MIT
/* The NPU_STAGE_* bits of a plan in words. */
#include <stdio.h>

#include "stages.h"

/* In the order of the bits. */
static const char *const names[] = { "sums",	 "zero points", "bias",	 "scaling",
				     "residual", "activation",	"clamp", "output" };

#define COUNT (sizeof(names) / sizeof(names[0]))

void stages_print(uint32_t stages)
{
	const char *separator = "";

	for (size_t i = 0; i < COUNT; i++) {
		if (!(stages >> i & 1))
			continue;
		printf("%s%s", separator, names[i]);
		separator = ", ";
	}
}

void stages_json(struct json *json, const char *key, uint32_t stages)
{
	json_open(json, key, '[');
	for (size_t i = 0; i < COUNT; i++)
		if (stages >> i & 1)
			json_string(json, NULL, names[i]);
	json_close(json, ']');
}
