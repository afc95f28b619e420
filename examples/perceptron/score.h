/* SPDX-License-Identifier: MIT */
/* From logits to classes, and how often two lists of classes agree. */
#ifndef PERCEPTRON_SCORE_H
#define PERCEPTRON_SCORE_H

#include <stddef.h>
#include <stdint.h>

/* The class of each row of @classes logits is the largest one; of equals, the first. */
void score_float(const float *logits, size_t count, uint32_t classes, uint8_t *result);
void score_int8(const int8_t *logits, size_t count, uint32_t classes, uint8_t *result);

/* Number of places where two lists have the same class. */
size_t score_agreement(const uint8_t *a, const uint8_t *b, size_t count);

#endif
