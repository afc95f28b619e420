// SPDX-License-Identifier: MIT
/* How a network is to be quantized, checked and in words. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../error.h"
#include "technique.h"

const char *const weight_form_names[3] = { "int", "kmeans", "log" };
const char *const granularity_names[3] = { "tensor", "channel", "group" };
const char *const input_mode_names[4] = { "static", "dynamic", "dynamic-row", "adaptive" };
const char *const observer_names[5] = { "min-max", "moving-average", "percentile", "mse",
					"entropy" };
const char *const scaling_names[5] = { "fixed16", "tflite", "tflite-double", "float", "none" };

/* Bits of each form. */
static const struct {
	uint32_t min, max;
} form_bits[] = { { 2, 8 }, { 1, 8 }, { 2, 4 } };

int name_index(const char *const *names, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(names[i], text))
			return (int)i;
	return -1;
}

bool weight_type_parse(const char *text, struct weight_type *type)
{
	size_t length = strcspn(text, "0123456789");
	const char *digits = text + length;

	/* One digit, and nothing behind it. */
	if (!digits[0] || digits[1])
		return false;
	for (int form = 0; form < 3; form++) {
		if (strlen(weight_form_names[form]) != length ||
		    strncmp(text, weight_form_names[form], length))
			continue;
		type->form = (enum weight_form)form;
		type->bits = (uint32_t)(digits[0] - '0');
		return type->bits >= form_bits[form].min && type->bits <= form_bits[form].max;
	}
	return false;
}

void weight_type_print(const struct weight_type *type, char *text)
{
	snprintf(text, TECHNIQUE_TEXT, "%s%u", weight_form_names[type->form], type->bits);
}

static void append(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(char *text, const char *format, ...)
{
	size_t length = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + length, TECHNIQUE_TEXT - length, format, args);
	va_end(args);
}

void technique_print(const struct technique *technique, char *text)
{
	const struct technique *t = technique;

	text[0] = '\0';
	if (t->granularity == NPU_QUANT_PER_GROUP)
		append(text, "group %u", t->group_size);
	else
		append(text, "%s", granularity_names[t->granularity]);
	if (t->asymmetric)
		append(text, " asymmetric");
	if (t->compensate)
		append(text, ", compensated");
	if (t->has_budget)
		append(text, ", bits by layer");
	if (t->smooth)
		append(text, ", smooth %g", (double)t->alpha);
	if (t->rotate)
		append(text, ", rotated");
	append(text, "; %s int%u", input_mode_names[t->mode], t->input_bits);
	if (t->symmetric_inputs)
		append(text, " symmetric");
	if (t->mode == INPUT_STATIC)
		append(text, " %s, %s", observer_names[t->observer], scaling_names[t->scaling]);
}

static const char *fault(const struct technique *t)
{
	bool codebook = t->weights.form != FORM_UNIFORM;

	for (int i = 0; i < NETWORK_MAX_LAYERS; i++)
		codebook |= t->has_layer[i] && t->layer[i].form != FORM_UNIFORM;
	if (codebook && t->granularity == NPU_QUANT_PER_GROUP)
		return "a codebook is for the tensor or for each channel, not for groups";
	if (codebook && t->asymmetric)
		return "a codebook has no zero points: leave out --asymmetric";
	if (codebook && t->compensate)
		return "--round compensate rounds to even steps, not to a codebook";
	if (t->granularity == NPU_QUANT_PER_GROUP && t->has_scaling &&
	    t->scaling != NPU_SCALING_FLOAT)
		return "groups have scales of their own, which goes with --scaling float";
	if (t->mode != INPUT_STATIC && t->has_scaling)
		return "--scaling is for static inputs: the sums of others are exact";
	if (t->mode == INPUT_ADAPTIVE && t->input_bits > 8)
		return "adaptive inputs have at most 8 bits";
	return NULL;
}

int technique_check(struct technique *technique, struct npu_error *err)
{
	struct technique *t = technique;
	const char *what = fault(t);

	if (what)
		return error_set(err, -EINVAL, "%s", what);
	if (!t->has_scaling)
		t->scaling = t->granularity == NPU_QUANT_PER_GROUP ? NPU_SCALING_FLOAT
								   : NPU_SCALING_FIXED16;
	/* Zero points of 16 bits would win nothing, and per-group sums have no place for them. */
	if (t->input_bits == 16 ||
	    (t->mode != INPUT_STATIC && t->granularity == NPU_QUANT_PER_GROUP))
		t->symmetric_inputs = true;
	return 0;
}
