// SPDX-License-Identifier: MIT
/* Loads Fashion-MNIST and refuses what is not Fashion-MNIST. */
#include <errno.h>
#include <string.h>

#include "dataset.h"
#include "../perceptron/error.h"

static int check_images(const struct dataset *set, struct npu_error *err)
{
	const uint32_t *dim = set->images.dim;

	if (dim[1] != 28 || dim[2] != 28)
		return error_set(err, -EINVAL, "has images of %u x %u pixels, not 28 x 28", dim[1],
				 dim[2]);
	if (dim[0] == 0)
		return error_set(err, -EINVAL, "has no images");
	return 0;
}

static int check_labels(const struct dataset *set, struct npu_error *err)
{
	if (set->labels.dim[0] != set->images.dim[0])
		return error_set(err, -EINVAL, "has %u labels for %u images", set->labels.dim[0],
				 set->images.dim[0]);
	for (size_t i = 0; i < set->count; i++) {
		if (dataset_label(set, i) >= CLASS_COUNT)
			return error_set(err, -EINVAL, "has label %u for image %zu, not 0 to %d",
					 dataset_label(set, i), i, CLASS_COUNT - 1);
	}
	return 0;
}

int dataset_load(const char *images, const char *labels, struct dataset *set, const char **culprit,
		 struct npu_error *err)
{
	int ret;

	memset(set, 0, sizeof(*set));
	*culprit = images;
	ret = idx_read(images, 3, &set->images, err);
	if (!ret)
		ret = check_images(set, err);
	if (ret)
		goto fail;

	set->count = set->images.dim[0];
	*culprit = labels;
	ret = idx_read(labels, 1, &set->labels, err);
	if (!ret)
		ret = check_labels(set, err);
	if (ret)
		goto fail;
	return 0;

fail:
	dataset_free(set);
	return ret;
}

void dataset_free(struct dataset *set)
{
	idx_free(&set->images);
	idx_free(&set->labels);
	set->count = 0;
}
