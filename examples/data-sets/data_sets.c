// SPDX-License-Identifier: MIT
/*
 * Writes images and labels of a data set as .npy, for npu-run: those of the test set to judge by,
 * and images of the training set to find ranges with.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "../digits/digits.h"
#include "../fashion-mnist/dataset.h"
#include "../perceptron/error.h"
#include "npy.h"

/* As many as ranges need. */
#define TRAINING_IMAGES 2048

static const char usage[] =
	"usage: data-sets fashion-mnist DIR\n"
	"       data-sets digits DIGITS.csv.gz DIR\n"
	"Writes NAME-test-images.npy, NAME-test-labels.npy, NAME-training-images.npy and\n"
	"NAME-training-labels.npy to DIR: uint8, [images, pixels] and [images].\n"
	"Example: data-sets digits \"$(scripts/digits.sh)\" build/data-sets\n";

/* Images of a set, and what its files are called. */
struct part {
	const char *name;
	const uint8_t *pixels;
	const uint8_t *labels;
	size_t count;
	size_t width;
};

static int write_part(const char *dir, const struct part *part, struct npu_error *err)
{
	char images[PATH_MAX], labels[PATH_MAX];
	int ret;

	if (snprintf(images, sizeof(images), "%s/%s-images.npy", dir, part->name) >=
		    (int)sizeof(images) ||
	    snprintf(labels, sizeof(labels), "%s/%s-labels.npy", dir, part->name) >=
		    (int)sizeof(labels))
		return error_set(err, -ENAMETOOLONG, "%s: %s", dir, strerror(ENAMETOOLONG));
	ret = npy_write_bytes(images, part->pixels, part->count, part->width, err);
	return ret ? ret : npy_write_bytes(labels, part->labels, part->count, 0, err);
}

static size_t at_most(size_t count)
{
	return count < TRAINING_IMAGES ? count : TRAINING_IMAGES;
}

/* Of a pair of IDX files. */
static int write_fashion_part(const char *dir, const char *name, const char *images,
			      const char *labels, size_t most, struct npu_error *err)
{
	const char *culprit;
	struct dataset set;
	char text[NPU_ERROR_TEXT];
	int ret = dataset_load(images, labels, &set, &culprit, err);

	if (ret) {
		memcpy(text, err->text, sizeof(text));
		return error_set(err, ret, "%s: %s", culprit, text);
	}
	ret = write_part(dir,
			 &(struct part){ name, set.images.data, set.labels.data,
					 set.count < most ? set.count : most, IMAGE_PIXELS },
			 err);
	dataset_free(&set);
	return ret;
}

static int write_fashion(const char *dir, struct npu_error *err)
{
	int ret = write_fashion_part(dir, "fashion-mnist-test", DATASET_TEST_IMAGES,
				     DATASET_TEST_LABELS, SIZE_MAX, err);

	return ret ? ret
		   : write_fashion_part(dir, "fashion-mnist-training", DATASET_TRAIN_IMAGES,
					DATASET_TRAIN_LABELS, TRAINING_IMAGES, err);
}

static int write_digits(const char *path, const char *dir, struct npu_error *err)
{
	char text[NPU_ERROR_TEXT];
	struct digits digits;
	size_t training;
	int ret = digits_load(path, &digits, err);

	if (ret) {
		memcpy(text, err->text, sizeof(text));
		return error_set(err, ret, "%s: %s", path, text);
	}
	training = digits.count - DIGITS_TEST;
	ret = write_part(dir,
			 &(struct part){ "digits-test", digits.pixels + training * DIGITS_PIXELS,
					 digits.labels + training, DIGITS_TEST, DIGITS_PIXELS },
			 err);
	if (!ret)
		ret = write_part(dir,
				 &(struct part){ "digits-training", digits.pixels, digits.labels,
						 at_most(training), DIGITS_PIXELS },
				 err);
	digits_free(&digits);
	return ret;
}

int main(int argc, char **argv)
{
	struct npu_error err;
	int ret;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		fputs(usage, stdout);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "fashion-mnist")) {
		ret = write_fashion(argv[2], &err);
	} else if (argc == 4 && !strcmp(argv[1], "digits")) {
		ret = write_digits(argv[2], argv[3], &err);
	} else {
		fputs(usage, stderr);
		return 2;
	}
	if (ret)
		fprintf(stderr, "data-sets: %s\n", err.text);
	return ret ? 1 : 0;
}
