// SPDX-License-Identifier: MIT
/* Values of options that are one of some words, or that describe an output stage. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "choices.h"
#include "options.h"

/* In the order of the values. Of the first three A may be. */
static const char *const types[] = { "int8", "uint8", "int16", "int32", "float16", "float32" };
static const char *const w_types[] = { "int8", "int4", "codebook" };
static const char *const scalings[] = { "fixed16", "tflite", "tflite-double", "float", "none" };
static const char *const activations[] = { "none", "relu", "relu6" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Index of the value of an option in a list of words, or -1. */
static int choose(const char *who, const char *option, const char *text, const char *const *words,
		  size_t count)
{
	char list[80] = "";

	for (size_t i = 0; i < count; i++) {
		if (!strcmp(text, words[i]))
			return (int)i;
		if (i)
			strcat(list, i + 1 < count ? ", " : " or ");
		strcat(list, words[i]);
	}
	complain(who, "%s is %s, not '%s'", option, list, text);
	return -1;
}

bool choose_type(const char *who, const char *option, const char *text, enum npu_type *type)
{
	int index = choose(who, option, text, types, COUNT(types));

	*type = (enum npu_type)(NPU_TYPE_INT8 + index);
	return index >= 0;
}

bool choose_a_type(const char *who, const char *option, const char *text, enum npu_type *type)
{
	int index = choose(who, option, text, types, 3);

	*type = (enum npu_type)(NPU_TYPE_INT8 + index);
	return index >= 0;
}

bool choose_w_type(const char *who, const char *option, const char *text,
		   enum npu_weight_type *type)
{
	int index = choose(who, option, text, w_types, COUNT(w_types));

	*type = (enum npu_weight_type)index;
	return index >= 0;
}

bool choose_scaling(const char *who, const char *option, const char *text,
		    enum npu_scaling *scaling)
{
	int index = choose(who, option, text, scalings, COUNT(scalings));

	*scaling = (enum npu_scaling)index;
	return index >= 0;
}

bool choose_activation(const char *who, const char *option, const char *text,
		       enum npu_activation *activation)
{
	int index = choose(who, option, text, activations, COUNT(activations));

	*activation = (enum npu_activation)index;
	return index >= 0;
}

bool choose_output_scale(const char *who, const char *text, float *scale)
{
	if (!option_float(who, "--output-scale", text, scale))
		return false;
	if (isfinite(*scale))
		return true;
	complain(who, "--output-scale is at most %g, not '%s'", (double)FLT_MAX, text);
	return false;
}

bool choose_clamp(const char *who, const char *text, double *min, double *max)
{
	char *comma, *end;

	*min = strtod(text, &comma);
	if (comma != text && *comma == ',') {
		*max = strtod(comma + 1, &end);
		if (end != comma + 1 && !*end && *min <= *max)
			return true;
	}
	complain(who, "--clamp is two numbers, the smaller one first, as in 0,100, not '%s'", text);
	return false;
}

const char *type_word(enum npu_type type)
{
	return types[type - NPU_TYPE_INT8];
}

const char *w_type_word(enum npu_weight_type type)
{
	return w_types[type];
}

const char *scaling_word(enum npu_scaling scaling)
{
	return scalings[scaling];
}
