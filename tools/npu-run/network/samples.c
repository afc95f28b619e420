// SPDX-License-Identifier: MIT
/* Sample inputs of a network and their classes, from files. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <npu_file.h>

#include "../error.h"
#include "samples.h"

struct samples {
	struct npu_file *file;
	char *path;
	double scale;
	uint32_t rows;
	uint32_t cols;
};

/* Opens a file with one tensor, of so many dimensions. */
static int open_array(const char *path, uint32_t rank, const char *needed, struct npu_file **file,
		      struct npu_error *err)
{
	const struct npu_file_tensor *tensor;
	int ret = npu_file_open(path, file, err);

	if (ret)
		return ret;
	tensor = npu_file_tensor(*file, 0);
	if (npu_file_count(*file) != 1)
		ret = error_set(err, -EINVAL, "%s: has %zu tensors where one is needed", path,
				npu_file_count(*file));
	else if (tensor->rank != rank)
		ret = error_set(err, -EINVAL, "%s: has %u dimensions where %s is needed", path,
				tensor->rank, needed);
	else if (!tensor->elements || tensor->shape[0] > INT32_MAX || tensor->shape[1] > INT32_MAX)
		ret = error_set(err, -EINVAL, "%s: is of %" PRIu64 " x %" PRIu64 " values", path,
				tensor->shape[0], tensor->shape[1]);
	if (ret) {
		npu_file_close(*file);
		*file = NULL;
	}
	return ret;
}

int samples_open(const char *path, double scale, struct samples **samples, struct npu_error *err)
{
	struct samples *s = calloc(1, sizeof(*s));
	const struct npu_file_tensor *tensor;
	int ret;

	if (!s)
		return error_set(err, -ENOMEM, "%s: out of memory", path);
	s->path = strdup(path);
	s->scale = scale;
	ret = s->path ? open_array(path, 2, "a matrix of samples x inputs", &s->file, err)
		      : error_set(err, -ENOMEM, "%s: out of memory", path);
	if (!ret) {
		tensor = npu_file_tensor(s->file, 0);
		s->rows = (uint32_t)tensor->shape[0];
		s->cols = (uint32_t)tensor->shape[1];
		if (!tensor->readable)
			ret = error_set(err, -EINVAL,
					"%s: holds elements of type '%s', which are not read", path,
					tensor->type);
	}
	if (ret) {
		samples_close(s);
		return ret;
	}
	*samples = s;
	return 0;
}

void samples_close(struct samples *samples)
{
	if (!samples)
		return;
	npu_file_close(samples->file);
	free(samples->path);
	free(samples);
}

uint32_t samples_rows(const struct samples *samples)
{
	return samples->rows;
}

int samples_check(const struct samples *samples, uint32_t inputs, const char *model,
		  struct npu_error *err)
{
	if (samples->cols == inputs)
		return 0;
	return error_set(err, -EINVAL, "%s: has %u values a sample, but %s has %u inputs",
			 samples->path, samples->cols, model, inputs);
}

int samples_read(const struct samples *samples, uint32_t first, uint32_t rows, float *x,
		 struct npu_error *err)
{
	const uint64_t count = (uint64_t)rows * samples->cols;
	int ret;

	ret = npu_file_read(samples->file, 0, (uint64_t)first * samples->cols, count, x, err);
	if (ret)
		return ret;
	for (uint64_t i = 0; i < count; i++) {
		x[i] = (float)((double)x[i] * samples->scale);
		if (!isfinite(x[i]))
			return error_set(err, -EINVAL,
					 "%s: value %" PRIu64 " of sample %" PRIu64 " is %f",
					 samples->path, i % samples->cols,
					 first + i / samples->cols, (double)x[i]);
	}
	return 0;
}

/* Labels as NumPy has them by default, or as any type that is exact in float. */
static int read_whole(const struct npu_file *file, uint32_t count, double *value,
		      struct npu_error *err)
{
	const struct npu_file_tensor *tensor = npu_file_tensor(file, 0);
	int ret = 0;

	if (!strcmp(tensor->type, "<i8")) {
		const char *data = npu_file_data(file, 0);

		for (uint32_t i = 0; i < count; i++) {
			int64_t number;

			memcpy(&number, data + i * sizeof(number), sizeof(number));
			value[i] = (double)number;
		}
		return 0;
	}
	for (uint32_t i = 0; i < count && !ret; i++) {
		float number;

		ret = npu_file_read(file, 0, i, 1, &number, err);
		value[i] = (double)number;
	}
	return ret;
}

static int to_classes(const char *path, const double *value, uint32_t count, uint32_t classes,
		      int32_t *labels, struct npu_error *err)
{
	for (uint32_t i = 0; i < count; i++) {
		if (!(value[i] >= 0 && value[i] < classes && value[i] == floor(value[i])))
			return error_set(err, -EINVAL,
					 "%s: label %u is %g, which is none of the classes 0 to %u",
					 path, i, value[i], classes - 1);
		labels[i] = (int32_t)value[i];
	}
	return 0;
}

int labels_read(const char *path, uint32_t count, uint32_t classes, int32_t **labels,
		struct npu_error *err)
{
	double *value = reallocarray(NULL, count, sizeof(*value));
	int32_t *list = reallocarray(NULL, count, sizeof(*list));
	struct npu_file *file = NULL;
	int ret = 0;

	if (!value || !list)
		ret = error_set(err, -ENOMEM, "%s: out of memory", path);
	if (!ret)
		ret = open_array(path, 1, "a vector of labels", &file, err);
	if (!ret && npu_file_tensor(file, 0)->elements != count)
		ret = error_set(err, -EINVAL, "%s: has %" PRIu64 " labels for %u samples", path,
				npu_file_tensor(file, 0)->elements, count);
	if (!ret)
		ret = read_whole(file, count, value, err);
	if (!ret)
		ret = to_classes(path, value, count, classes, list, err);
	npu_file_close(file);
	free(value);
	if (ret) {
		free(list);
		return ret;
	}
	*labels = list;
	return 0;
}
