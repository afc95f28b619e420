// SPDX-License-Identifier: MIT
/* Scales that were learnt elsewhere. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <npu_file.h>

#include "../error.h"
#include "learnt.h"

#define SHOWN 64

struct learnt {
	struct npu_file *file;
	char *path;
};

int learnt_open(const char *path, struct learnt **learnt, struct npu_error *err)
{
	struct learnt *l = calloc(1, sizeof(*l));
	int ret;

	if (!l)
		return error_set(err, -ENOMEM, "%s: out of memory", path);
	l->path = strdup(path);
	ret = l->path ? npu_file_open(path, &l->file, err)
		      : error_set(err, -ENOMEM, "%s: out of memory", path);
	if (ret) {
		learnt_close(l);
		return ret;
	}
	*learnt = l;
	return 0;
}

void learnt_close(struct learnt *learnt)
{
	if (!learnt)
		return;
	npu_file_close(learnt->file);
	free(learnt->path);
	free(learnt);
}

static size_t find(const struct learnt *learnt, const char *layer, const char *what)
{
	char name[NPU_FILE_MAX_NAME + 32];

	if (!learnt)
		return NPU_FILE_NONE;
	snprintf(name, sizeof(name), "%s.%s", layer, what);
	return npu_file_find(learnt->file, name);
}

bool learnt_has(const struct learnt *learnt, const char *layer, const char *what)
{
	return find(learnt, layer, what) != NPU_FILE_NONE;
}

int learnt_check(const struct learnt *learnt, const struct float_network *network,
		 struct npu_error *err)
{
	static const char *const scales[] = { "weight_scale", "input_scale", "output_scale" };

	for (uint32_t i = 0; i < network->count; i++)
		for (size_t j = 0; j < sizeof(scales) / sizeof(scales[0]); j++)
			if (learnt_has(learnt, network->layer[i].name, scales[j]))
				return 0;
	return error_set(err, -EINVAL,
			 "%s: has no scale of a layer of this network, as %.64s.weight_scale would "
			 "be",
			 learnt->path, network->layer[0].name);
}

static int read_values(const struct learnt *learnt, size_t index, uint32_t count, float *value,
		       struct npu_error *err)
{
	const struct npu_file_tensor *tensor = npu_file_tensor(learnt->file, index);

	if (tensor->elements != count)
		return error_set(err, -EINVAL,
				 "%s: %.*s has %" PRIu64 " values where the layer and its "
				 "granularity want %u",
				 learnt->path, SHOWN, tensor->name, tensor->elements, count);
	if (!tensor->readable)
		return error_set(err, -EINVAL, "%s: %.*s is %s, which is not read", learnt->path,
				 SHOWN, tensor->name, tensor->type);
	return npu_file_read(learnt->file, index, 0, count, value, err);
}

int learnt_scales(const struct learnt *learnt, const char *layer, const char *what, uint32_t count,
		  float *scale, struct npu_error *err)
{
	int ret = read_values(learnt, find(learnt, layer, what), count, scale, err);

	for (uint32_t i = 0; i < count && !ret; i++)
		if (!(scale[i] > 0 && isfinite(scale[i])))
			ret = error_set(err, -EINVAL,
					"%s: value %u of %.*s.%s is %g, a scale is above 0 and "
					"finite",
					learnt->path, i, SHOWN, layer, what, (double)scale[i]);
	return ret;
}

int learnt_zero_points(const struct learnt *learnt, const char *layer, const char *what,
		       uint32_t count, int32_t *zero_point, struct npu_error *err)
{
	size_t index = find(learnt, layer, what);
	float *value;
	int ret;

	memset(zero_point, 0, count * sizeof(*zero_point));
	if (index == NPU_FILE_NONE)
		return 0;
	value = malloc(count * sizeof(*value));
	if (!value)
		return error_set(err, -ENOMEM, "%s: out of memory", learnt->path);
	ret = read_values(learnt, index, count, value, err);
	for (uint32_t i = 0; i < count && !ret; i++) {
		if (!(fabsf(value[i]) <= INT16_MAX && value[i] == floorf(value[i])))
			ret = error_set(err, -EINVAL,
					"%s: value %u of %.*s.%s is %g, a zero point is a whole "
					"number of 16 bits",
					learnt->path, i, SHOWN, layer, what, (double)value[i]);
		else
			zero_point[i] = (int32_t)value[i];
	}
	free(value);
	return ret;
}
