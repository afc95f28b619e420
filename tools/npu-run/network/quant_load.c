// SPDX-License-Identifier: MIT
/* Reads a quantized network; quant_file.h has the format. Nothing in the file is believed. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <npu_file.h>

#include "../error.h"
#include "matrix.h"
#include "quant_file.h"

#define SHOWN 64

/* A file and the layer that is being read. */
struct reader {
	const char *path;
	struct npu_file *file;
	struct quant_layer *layer;
	struct npu_error *err;
};

/* "PATH: LAYER.WHAT is WRONG" */
static int damaged(const struct reader *r, const char *what, const char *wrong)
{
	return error_set(r->err, -EBADMSG, "%s: %.*s.%s %s", r->path, SHOWN, r->layer->name, what,
			 wrong);
}

static const char *find_note(const struct reader *r, const char *what)
{
	char key[NPU_FILE_MAX_NAME + 32];

	snprintf(key, sizeof(key), "%s.%s", r->layer->name, what);
	return npu_file_find_note(r->file, key);
}

static size_t find_tensor(const struct reader *r, const char *what)
{
	char name[NPU_FILE_MAX_NAME + 32];

	snprintf(name, sizeof(name), "%s.%s", r->layer->name, what);
	return npu_file_find(r->file, name);
}

static bool has_tensor(const struct reader *r, const char *what)
{
	return find_tensor(r, what) != NPU_FILE_NONE;
}

/* Finds a tensor, which has to have so many elements. */
static int find_values(const struct reader *r, const char *what, const char *type, uint64_t count,
		       size_t *index)
{
	*index = find_tensor(r, what);
	if (*index == NPU_FILE_NONE)
		return damaged(r, what, "is missing");
	if (npu_file_tensor(r->file, *index)->elements != count ||
	    strcmp(npu_file_tensor(r->file, *index)->type, type))
		return error_set(r->err, -EBADMSG, "%s: %.*s.%s is not %" PRIu64 " values of %s",
				 r->path, SHOWN, r->layer->name, what, count, type);
	return 0;
}

/* Reads all of it. */
static int read_tensor(const struct reader *r, const char *what, const char *type, uint64_t count,
		       void *dst)
{
	size_t index;
	int ret = find_values(r, what, type, count, &index);

	return ret ? ret : npu_file_copy(r->file, index, type, 0, count, dst, r->err);
}

/* The same into new memory, which is asked for when it is clear that the file has as much. */
static int read_new(const struct reader *r, const char *what, const char *type, size_t size,
		    uint64_t count, void *place)
{
	size_t index;
	int ret = find_values(r, what, type, count, &index);
	void *data;

	if (ret)
		return ret;
	data = matrix_alloc(count, 1, size);
	if (!data)
		return error_set(r->err, -ENOMEM, "%s: out of memory", r->path);
	ret = npu_file_copy(r->file, index, type, 0, count, data, r->err);
	if (ret)
		free(data);
	else
		*(void **)place = data;
	return ret;
}

static int check_floats(const struct reader *r, const char *what, const float *x, uint32_t count,
			bool positive)
{
	for (uint32_t i = 0; i < count; i++)
		if (!isfinite(x[i]) || (positive && x[i] <= 0))
			return error_set(r->err, -EBADMSG, "%s: value %u of %.*s.%s is %g", r->path,
					 i, SHOWN, r->layer->name, what, (double)x[i]);
	return 0;
}

/* ---- What the notes say ----------------------------------------------------------------- */

static bool read_number(const char *text, uint64_t max, uint64_t *number)
{
	char *end;

	if (!text || text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	*number = strtoull(text, &end, 10);
	return !*end && !errno && *number <= max;
}

static int read_granularity(const struct reader *r)
{
	const char *text = find_note(r, "granularity");
	uint64_t group;
	int index;

	if (!text)
		return damaged(r, "granularity", "is missing");
	index = name_index(granularity_names, NPU_QUANT_PER_GROUP, text);
	if (index >= 0) {
		r->layer->granularity = (enum npu_quant_granularity)index;
		return 0;
	}
	if (!read_number(text, INT32_MAX, &group) || !group || group % NPU_GROUP_UNIT ||
	    r->layer->type.form != FORM_UNIFORM)
		return damaged(r, "granularity", "is none that is known");
	r->layer->granularity = NPU_QUANT_PER_GROUP;
	r->layer->group_size = (uint32_t)group;
	return 0;
}

static int read_inputs(const struct reader *r)
{
	const char *text = find_note(r, "inputs");
	struct quant_layer *layer = r->layer;
	char mode[16], symmetry[16];
	int index;

	if (!text)
		return damaged(r, "inputs", "is missing");
	if (sscanf(text, "%15s int%2u %15s", mode, &layer->input_bits, symmetry) != 3)
		return damaged(r, "inputs", "is none that is known");
	index = name_index(input_mode_names, 4, mode);
	layer->mode = (enum input_mode)index;
	layer->asymmetric_input = !strcmp(symmetry, "asymmetric");
	if (index < 0 || (!layer->asymmetric_input && strcmp(symmetry, "symmetric")) ||
	    layer->input_bits < 2 ||
	    (layer->input_bits > 8 && (layer->input_bits != 16 || layer->asymmetric_input ||
				       layer->mode == INPUT_ADAPTIVE)) ||
	    (layer->mode != INPUT_STATIC && layer->asymmetric_input &&
	     layer->granularity == NPU_QUANT_PER_GROUP))
		return damaged(r, "inputs", "is none that is known");
	return 0;
}

static int read_scaling(const struct reader *r)
{
	const char *text = find_note(r, "scaling");
	int index = text ? name_index(scaling_names, NPU_SCALING_NONE, text) : -1;

	if (index < 0 ||
	    (r->layer->granularity == NPU_QUANT_PER_GROUP && index != NPU_SCALING_FLOAT))
		return damaged(r, "scaling", text ? "does not go with the rest" : "is missing");
	r->layer->scaling = (enum npu_scaling)index;
	return 0;
}

static int read_adaptive(const struct reader *r)
{
	const char *momentum = find_note(r, "momentum"), *range = find_note(r, "input_range");
	struct quant_layer *layer = r->layer;

	if (!momentum || sscanf(momentum, "%f", &layer->momentum) != 1 ||
	    !(layer->momentum > 0 && layer->momentum <= 1))
		return damaged(r, "momentum", "is not above 0 and at most 1");
	if (!range || sscanf(range, "%f %f", &layer->input_low, &layer->input_high) != 2 ||
	    !(layer->input_low <= 0 && layer->input_high >= 0) || !isfinite(layer->input_low) ||
	    !isfinite(layer->input_high))
		return damaged(r, "input_range", "is no range with 0 in it");
	return 0;
}

static int read_notes(const struct reader *r)
{
	const char *type = find_note(r, "weights"), *rotation = find_note(r, "rotation");
	struct quant_layer *layer = r->layer;
	uint64_t k;
	int ret;

	if (!type || !weight_type_parse(type, &layer->type))
		return damaged(r, "weights", type ? "is no type that is known" : "is missing");
	if (!read_number(find_note(r, "columns"), INT32_MAX, &k) || !k)
		return damaged(r, "columns", "is no number of columns");
	layer->k = (uint32_t)k;
	layer->rotated = rotation != NULL;
	if (rotation && !read_number(rotation, UINT64_MAX, &layer->seed))
		return damaged(r, "rotation", "is no seed");
	ret = read_granularity(r);
	if (!ret)
		ret = read_inputs(r);
	if (!ret && layer->mode == INPUT_STATIC)
		ret = read_scaling(r);
	if (!ret && layer->mode == INPUT_ADAPTIVE)
		ret = read_adaptive(r);
	return ret;
}

/* ---- Tensors ---------------------------------------------------------------------------- */

/* N is what the tensor of weights has; its bytes are there, so no more memory is asked for. */
static int read_weights(const struct reader *r)
{
	struct quant_layer *layer = r->layer;
	const bool bytes = layer->type.form == FORM_UNIFORM && layer->type.bits == 8;
	const uint64_t row = npu_quant_packed_bytes(1, layer->k, layer->type.bits);
	size_t index = find_tensor(r, "weight");
	const struct npu_file_tensor *tensor;

	if (index == NPU_FILE_NONE)
		return damaged(r, "weight", "is missing");
	tensor = npu_file_tensor(r->file, index);
	if (tensor->rank != 2 || strcmp(tensor->type, bytes ? "I8" : "U8") ||
	    tensor->shape[1] != row || !tensor->elements || tensor->shape[0] > INT32_MAX)
		return damaged(r, "weight", "has not the type or the shape that was promised");
	layer->n = (uint32_t)tensor->shape[0];
	if ((uint64_t)layer->n * quant_groups(layer) > UINT32_MAX ||
	    (uint64_t)layer->n * layer->k > PTRDIFF_MAX)
		return damaged(r, "weight", "has more rows and groups than can be");
	if (bytes)
		return read_new(r, "weight", "I8", 1, tensor->elements, &layer->weight);
	layer->weight = malloc((size_t)layer->n * layer->k);
	if (!layer->weight)
		return error_set(r->err, -ENOMEM, "%s: out of memory", r->path);
	return read_new(r, "weight", "U8", 1, tensor->elements, &layer->index);
}

static int read_zero_points(const struct reader *r, uint32_t count)
{
	struct quant_layer *layer = r->layer;
	int ret;

	layer->asymmetric = has_tensor(r, "weight_zero_point");
	if (!layer->asymmetric)
		return 0;
	if (layer->type.form != FORM_UNIFORM)
		return damaged(r, "weight_zero_point", "goes with uniform weights only");
	ret = read_new(r, "weight_zero_point", "I32", sizeof(int32_t), count, &layer->weight_zero);
	for (uint32_t i = 0; i < count && !ret; i++)
		if (layer->weight_zero[i] < INT8_MIN || layer->weight_zero[i] > INT8_MAX)
			ret = damaged(r, "weight_zero_point",
				      "has a value that is not in -128 to 127");
	return ret;
}

static int read_scales(const struct reader *r)
{
	struct quant_layer *layer = r->layer;
	const uint32_t count = layer->scale_count = quant_scale_count(layer);
	int ret;

	ret = read_new(r, "weight_scale", "F32", sizeof(float), count, &layer->weight_scale);
	if (!ret)
		ret = check_floats(r, "weight_scale", layer->weight_scale, count, true);
	if (!ret)
		ret = read_zero_points(r, count);
	if (!ret && layer->type.form != FORM_UNIFORM)
		ret = read_new(r, "codebook", "I8", 1,
			       (uint64_t)count * quant_codebook_entries(layer), &layer->codebook);
	return ret;
}

/* Makes bytes of the packed weights, which only codebooks need any longer. */
static int unpack(const struct reader *r)
{
	struct quant_layer *layer = r->layer;
	struct npu_error why;

	if (!layer->index)
		return 0;
	if (quant_unpack(layer, layer->index, &why))
		return damaged(r, "weight", why.text);
	if (layer->type.form == FORM_UNIFORM) {
		free(layer->index);
		layer->index = NULL;
	}
	return 0;
}

/* Values that a layer need not have. */
static int read_optional(const struct reader *r, const char *what, uint32_t count, bool positive,
			 float **values)
{
	int ret;

	if (!has_tensor(r, what))
		return 0;
	ret = read_new(r, what, "F32", sizeof(float), count, values);
	return ret ? ret : check_floats(r, what, *values, count, positive);
}

static int read_real(const struct reader *r)
{
	struct quant_layer *layer = r->layer;
	int ret = 0;

	ret = read_optional(r, "bias", layer->n, false, &layer->bias);
	if (!ret)
		ret = read_optional(r, "input_factor", layer->k, true, &layer->input_factor);
	if (!ret)
		ret = read_optional(r, "output_factor", layer->n, true, &layer->output_factor);
	if (ret || layer->mode != INPUT_STATIC)
		return ret;
	ret = read_tensor(r, "input_scale", "F32", 1, &layer->input_scale);
	if (!ret)
		ret = check_floats(r, "input_scale", &layer->input_scale, 1, true);
	if (!ret)
		ret = read_tensor(r, "input_zero_point", "I32", 1, &layer->input_zero);
	return ret;
}

static int read_layer(const struct reader *r)
{
	int ret = read_notes(r);

	if (!ret)
		ret = read_weights(r);
	if (!ret)
		ret = read_scales(r);
	if (!ret)
		ret = unpack(r);
	return ret ? ret : read_real(r);
}

/* ---- The network ------------------------------------------------------------------------ */

static int read_output(const struct reader *r, struct quant_network *network)
{
	int ret;

	network->quantized_output = has_tensor(r, "output_scale");
	if (!network->quantized_output)
		return 0;
	if (r->layer->mode != INPUT_STATIC)
		return damaged(r, "output_scale", "goes with static inputs only");
	ret = read_tensor(r, "output_scale", "F32", 1, &network->output_scale);
	if (!ret)
		ret = check_floats(r, "output_scale", &network->output_scale, 1, true);
	if (!ret)
		ret = read_tensor(r, "output_zero_point", "I32", 1, &network->output_zero);
	return ret;
}

/* Tensors go by the name of their layer. Each is read once, or a short file would take much memory.
 */
static int check_name(const struct reader *r, const char *name, size_t length,
		      const struct quant_network *network)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			return error_set(r->err, -EBADMSG,
					 "%s: the name of layer %u has a control character",
					 r->path, network->count);
	for (uint32_t i = 0; i < network->count; i++)
		if (strlen(network->layer[i].name) == length &&
		    !memcmp(network->layer[i].name, name, length))
			return error_set(r->err, -EBADMSG, "%s: has layer %.*s twice", r->path,
					 length < SHOWN ? (int)length : SHOWN, name);
	return 0;
}

static int read_layers(struct reader *r, const char *names, struct quant_network *network)
{
	int ret = 0;

	while (*names && !ret) {
		size_t length = strcspn(names, "\n");

		if (network->count == NETWORK_MAX_LAYERS || length > NPU_FILE_MAX_NAME)
			return error_set(r->err, -EBADMSG,
					 "%s: has more than %d layers, or a longer name of one "
					 "than can be",
					 r->path, NETWORK_MAX_LAYERS);
		ret = check_name(r, names, length, network);
		if (ret)
			return ret;
		r->layer = &network->layer[network->count++];
		r->layer->name = strndup(names, length);
		if (!r->layer->name)
			return error_set(r->err, -ENOMEM, "%s: out of memory", r->path);
		ret = read_layer(r);
		if (!ret && network->count > 1 && r->layer[-1].n != r->layer->k)
			ret = damaged(r, "weight",
				      "has not as many columns as the layer before has rows");
		names += length + (names[length] == '\n');
	}
	if (!ret && !network->count)
		return error_set(r->err, -EBADMSG, "%s: has no layers", r->path);
	return ret ? ret : read_output(r, network);
}

/* Copies text of a stranger for a terminal. */
static void copy_text(const char *text, char *copy, size_t room)
{
	snprintf(copy, room, "%s", text);
	for (; *copy; copy++)
		if (*copy < ' ' || *copy > '~')
			*copy = '?';
}

static int read_network(struct reader *r, struct quant_network *network)
{
	char shown[17];

	const char *version = npu_file_find_note(r->file, "npu_quantized");
	const char *names = npu_file_find_note(r->file, "layers");
	const char *technique = npu_file_find_note(r->file, "technique");

	if (!version)
		return error_set(r->err, -EINVAL,
				 "%s: is not a quantized network: npu-run quantize makes one",
				 r->path);
	copy_text(version, shown, sizeof(shown));
	if (strcmp(version, QUANT_FILE_VERSION))
		return error_set(r->err, -ENOTSUP,
				 "%s: is a quantized network of version '%s', this program reads "
				 "version " QUANT_FILE_VERSION,
				 r->path, shown);
	if (!names)
		return error_set(r->err, -EBADMSG, "%s: does not say its layers", r->path);
	copy_text(technique ? technique : "", network->technique, sizeof(network->technique));
	return read_layers(r, names, network);
}

int quant_file_load(const char *path, struct quant_network *network, struct npu_error *err)
{
	struct reader reader = { .path = path, .err = err };
	int ret;

	memset(network, 0, sizeof(*network));
	ret = npu_file_open(path, &reader.file, err);
	if (ret)
		return ret;
	ret = read_network(&reader, network);
	npu_file_close(reader.file);
	if (ret)
		quant_network_free(network);
	return ret;
}
