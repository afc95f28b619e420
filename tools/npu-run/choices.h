/* SPDX-License-Identifier: MIT */
/* Values of options that are one of some words, or that describe an output stage. */
#ifndef NPU_RUN_CHOICES_H
#define NPU_RUN_CHOICES_H

#include <stdbool.h>

#include "npu.h"

/* Read the value of an option; complain and return false if it is not one of the words. */
bool choose_type(const char *who, const char *option, const char *text, enum npu_type *type);
bool choose_a_type(const char *who, const char *option, const char *text, enum npu_type *type);
bool choose_w_type(const char *who, const char *option, const char *text,
		   enum npu_weight_type *type);
bool choose_scaling(const char *who, const char *option, const char *text,
		    enum npu_scaling *scaling);
bool choose_activation(const char *who, const char *option, const char *text,
		       enum npu_activation *activation);

/* The value of --output-scale. */
bool choose_output_scale(const char *who, const char *text, float *scale);

/* "MIN,MAX", the value of --clamp. */
bool choose_clamp(const char *who, const char *text, double *min, double *max);

/* The words, of values there are. */
const char *type_word(enum npu_type type);
const char *w_type_word(enum npu_weight_type type);
const char *scaling_word(enum npu_scaling scaling);

#endif
