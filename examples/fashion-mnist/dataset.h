/* SPDX-License-Identifier: MIT */
/* Fashion-MNIST: images of 28 x 28 grey pixels and their classes. */
#ifndef FASHION_MNIST_DATASET_H
#define FASHION_MNIST_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include "idx.h"

#define IMAGE_SIDE 28
#define IMAGE_PIXELS (IMAGE_SIDE * IMAGE_SIDE)
#define PIXEL_MAX 255
#define CLASS_COUNT 10

/* Where Debian's package dataset-fashion-mnist has the files. */
#define DATASET_DIR "/usr/share/datasets/fashion-mnist"
#define DATASET_TRAIN_IMAGES DATASET_DIR "/train-images-idx3-ubyte.gz"
#define DATASET_TRAIN_LABELS DATASET_DIR "/train-labels-idx1-ubyte.gz"
#define DATASET_TEST_IMAGES DATASET_DIR "/t10k-images-idx3-ubyte.gz"
#define DATASET_TEST_LABELS DATASET_DIR "/t10k-labels-idx1-ubyte.gz"

struct dataset {
	size_t count;
	struct idx images;
	struct idx labels;
};

/*
 * Reads a pair of files and checks that they belong together. Of the two paths, *@culprit is the
 * one that @err speaks of.
 */
int dataset_load(const char *images, const char *labels, struct dataset *set, const char **culprit,
		 struct npu_error *err);

void dataset_free(struct dataset *set);

/* The 28 x 28 pixels of an image, 0 to 255. */
static inline const uint8_t *dataset_image(const struct dataset *set, size_t index)
{
	return set->images.data + index * IMAGE_PIXELS;
}

/* The class of an image, 0 to 9. */
static inline unsigned int dataset_label(const struct dataset *set, size_t index)
{
	return set->labels.data[index];
}

#endif
