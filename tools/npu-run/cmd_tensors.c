// SPDX-License-Identifier: MIT
/* npu-run tensors: what is in a file of tensors. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <npu_file.h>

#include "json.h"
#include "options.h"

static const char help[] = "Usage: npu-run tensors FILE [OPTION]...\n"
			   "Lists the tensors in an .npy, safetensors or GGUF file.\n"
			   "\n"
			   "  -j, --json             print the list as one JSON object\n"
			   "  -h, --help             print this text\n"
			   "  -V, --version          print the version\n"
			   "\n"
			   "Example: npu-run tensors model.safetensors\n"
			   "\n"
			   "A type with a * is listed, but not read as float.\n"
			   "The exit status is 0, 2 (command line) or 4 (file).\n";

static bool parse_options(int argc, char **argv, struct common_options *common, enum status *status)
{
	static const struct option known[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "jhV", known, NULL)) != -1)
		if (!common_option(c, help, common, status))
			return false;
	if (argc - optind != 1) {
		complain(argv[0], "one file is needed (see npu-run tensors --help)");
		*status = STATUS_USAGE;
		return false;
	}
	return true;
}

/* "2 x 3", or "-" for a single value. */
static void print_shape(char *text, size_t room, const struct npu_file_tensor *tensor)
{
	size_t length = 0;

	snprintf(text, room, "-");
	for (uint32_t i = 0; i < tensor->rank && length < room; i++)
		length += snprintf(text + length, room - length, "%s%" PRIu64, i ? " x " : "",
				   tensor->shape[i]);
}

/* Sizes of the type and shape columns; names come last, because they may have any length. */
struct widths {
	int type;
	int shape;
};

static void widen(struct widths *widths, const struct npu_file_tensor *tensor)
{
	char shape[NPU_FILE_MAX_RANK * 24];
	int type = (int)strlen(tensor->type) + !tensor->readable;

	print_shape(shape, sizeof(shape), tensor);
	if (widths->type < type)
		widths->type = type;
	if (widths->shape < (int)strlen(shape))
		widths->shape = (int)strlen(shape);
}

static void print_text(const struct npu_file *file)
{
	size_t count = npu_file_count(file);
	struct widths widths = { 4, 5 };

	for (size_t i = 0; i < count; i++)
		widen(&widths, npu_file_tensor(file, i));
	printf("%s, %zu tensor%s\n", npu_file_format(file), count, count == 1 ? "" : "s");
	if (count)
		printf("%-*s  %-*s  %12s  %s\n", widths.type, "type", widths.shape, "shape",
		       "bytes", "name");
	for (size_t i = 0; i < count; i++) {
		const struct npu_file_tensor *tensor = npu_file_tensor(file, i);
		char shape[NPU_FILE_MAX_RANK * 24], type[40];

		print_shape(shape, sizeof(shape), tensor);
		snprintf(type, sizeof(type), "%s%s", tensor->type, tensor->readable ? "" : "*");
		printf("%-*s  %-*s  %12" PRIu64 "  %s\n", widths.type, type, widths.shape, shape,
		       tensor->bytes, tensor->name[0] ? tensor->name : "-");
	}
}

static void json_tensor(struct json *json, const struct npu_file_tensor *tensor)
{
	json_open(json, NULL, '{');
	json_string(json, "name", tensor->name);
	json_string(json, "type", tensor->type);
	json_open(json, "shape", '[');
	for (uint32_t i = 0; i < tensor->rank; i++)
		json_uint(json, NULL, tensor->shape[i]);
	json_close(json, ']');
	json_uint(json, "elements", tensor->elements);
	json_uint(json, "bytes", tensor->bytes);
	json_bool(json, "readable", tensor->readable);
	json_close(json, '}');
}

static void print_json(const char *path, const struct npu_file *file)
{
	struct json json = { 0 };

	json_open(&json, NULL, '{');
	json_string(&json, "file", path);
	json_string(&json, "format", npu_file_format(file));
	json_open(&json, "tensors", '[');
	for (size_t i = 0; i < npu_file_count(file); i++)
		json_tensor(&json, npu_file_tensor(file, i));
	json_close(&json, ']');
	json_end(&json, '}');
}

enum status cmd_tensors(int argc, char **argv)
{
	struct common_options common = { 0 };
	struct npu_file *file;
	struct npu_error err;
	enum status status;

	if (!parse_options(argc, argv, &common, &status))
		return status;
	if (npu_file_open(argv[optind], &file, &err)) {
		complain(argv[0], "%s", err.text);
		return STATUS_FILE;
	}
	if (common.json)
		print_json(argv[optind], file);
	else
		print_text(file);
	npu_file_close(file);
	return STATUS_OK;
}
