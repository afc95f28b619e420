/* SPDX-License-Identifier: MIT */
/*
 * The digits of Alpaydin and Kaynak (1998), 1797 images of 8 x 8 pixels, as scikit-learn has them:
 * a line of text for each, 64 pixels of 0 to 16 and the digit, separated by commas.
 */
#ifndef DIGITS_DIGITS_H
#define DIGITS_DIGITS_H

#include <stddef.h>
#include <stdint.h>

#include "npu.h"

#define DIGITS_PIXELS (8 * 8)
#define DIGITS_PIXEL_MAX 16
#define DIGITS_CLASSES 10

/* The last so many images are for tests, all before them for training. */
#define DIGITS_TEST 500

struct digits {
	size_t count;
	uint8_t *pixels; /* [count][DIGITS_PIXELS] */
	uint8_t *labels; /* [count] */
};

/*
 * Reads the file, compressed with gzip or not. There are more than DIGITS_TEST images in what it
 * accepts. The text of an error goes after the path.
 */
int digits_load(const char *path, struct digits *digits, struct npu_error *err);

void digits_free(struct digits *digits);

#endif
