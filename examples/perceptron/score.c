// SPDX-License-Identifier: MIT
/* From logits to classes, and how often two lists of classes agree. */
#include "score.h"

void score_float(const float *logits, size_t count, uint32_t classes, uint8_t *result)
{
	for (size_t i = 0; i < count; i++) {
		const float *row = logits + i * classes;
		uint32_t best = 0;

		for (uint32_t n = 1; n < classes; n++)
			best = row[n] > row[best] ? n : best;
		result[i] = (uint8_t)best;
	}
}

void score_int8(const int8_t *logits, size_t count, uint32_t classes, uint8_t *result)
{
	for (size_t i = 0; i < count; i++) {
		const int8_t *row = logits + i * classes;
		uint32_t best = 0;

		for (uint32_t n = 1; n < classes; n++)
			best = row[n] > row[best] ? n : best;
		result[i] = (uint8_t)best;
	}
}

size_t score_agreement(const uint8_t *a, const uint8_t *b, size_t count)
{
	size_t same = 0;

	for (size_t i = 0; i < count; i++)
		same += a[i] == b[i];
	return same;
}
