// SPDX-License-Identifier: MIT
/* npu-run eval: holds quantized networks, on a device, against the float one they were made of. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "device.h"
#include "error.h"
#include "eval_chart.h"
#include "eval_report.h"
#include "model_options.h"
#include "network/matrix.h"
#include "save.h"

static const char help[] =
	"Usage: npu-run eval FLOAT QUANTIZED... --samples X.npy [OPTION]...\n"
	"Runs quantized networks on an NPU, and the float one they were made of on the CPU, and\n"
	"tells how far they are apart: layer by layer, or with several networks in one table.\n"
	"\n"
	"  -s, --samples=FILE     .npy matrix of inputs, one a row\n"
	"      --input-scale=S    what they are multiplied with: 0.5, 1/255 (1)\n"
	"      --tensor=NAME      the one of FLOAT that was quantized\n"
	"  -l, --labels=FILE      .npy vector of their classes, for top-1\n"
	"  -n, --count=COUNT      take so many of them, the first ones\n"
	"  -b, --batch=COUNT      samples of a submission (500)\n"
	"      --packed=PREFIX    take weights from the files that quantize packed\n"
	"  -p, --plot             draw: accuracy against bits, or with one network where values lie\n"
	"                         in their ranges\n"
	"      --svg=FILE         the same as a file\n" COMMON_HELP "\n"
	"Example: npu-run eval model.safetensors q8.safetensors q4.safetensors -s X.npy -l Y.npy\n"
	"\n"
	"The exit status is 0, 2 (command line), 3 (device) or 4 (file).\n";

#define DEFAULT_BATCH 500
#define MAX_BATCH 65536

enum {
	OPTION_PACKED = MODEL_OPTION_END,
	OPTION_SVG,
};

/*
 * struct eval_options - what the command line says
 * @model: FLOAT.
 * @paths: @count of QUANTIZED.
 * @limit: Most samples to take.
 */
struct eval_options {
	struct common_options common;
	struct model_options model;
	const char *const *paths;
	uint32_t count;
	const char *labels;
	const char *packed;
	const char *svg;
	bool plot;
	uint32_t batch;
	uint32_t limit;
};

/* Returns false when the command is to end with *@status. */
static bool take_option(int c, const char *who, struct eval_options *options, enum status *status)
{
	int64_t number = 0;
	bool ok;

	*status = STATUS_USAGE;
	switch (c) {
	case 's':
	case MODEL_OPTION_TENSOR:
	case MODEL_OPTION_INPUT_SCALE:
		return model_option(c, who, &options->model);
	case 'l':
		options->labels = optarg;
		return true;
	case 'p':
		options->plot = true;
		return true;
	case OPTION_PACKED:
		options->packed = optarg;
		return true;
	case OPTION_SVG:
		options->svg = optarg;
		return true;
	case 'n':
		ok = option_integer(who, "--count", optarg, 1, INT32_MAX, &number);
		options->limit = (uint32_t)number;
		return ok;
	case 'b':
		ok = option_integer(who, "--batch", optarg, 1, MAX_BATCH, &number);
		options->batch = (uint32_t)number;
		return ok;
	default:
		return common_option(c, help, &options->common, status);
	}
}

static bool check_options(const char *who, const struct eval_options *options, int files)
{
	if (files < 2) {
		complain(who, "a float network and a quantized one are needed (see npu-run eval "
			      "--help)");
		return false;
	}
	if (!options->model.samples) {
		complain(who, "--samples says what the networks are to be tried on: -s X.npy");
		return false;
	}
	if (options->packed && files != 2) {
		complain(who, "--packed goes with one quantized network");
		return false;
	}
	if (options->plot && options->common.json) {
		complain(who, "--plot and --json exclude each other");
		return false;
	}
	return true;
}

static bool parse_options(int argc, char **argv, struct eval_options *options, enum status *status)
{
	static const struct option known[] = {
		MODEL_LONG,
		{ "labels", required_argument, NULL, 'l' },
		{ "count", required_argument, NULL, 'n' },
		{ "batch", required_argument, NULL, 'b' },
		{ "packed", required_argument, NULL, OPTION_PACKED },
		{ "plot", no_argument, NULL, 'p' },
		{ "svg", required_argument, NULL, OPTION_SVG },
		COMMON_LONG,
		{ 0 },
	};
	int c;

	*options = (struct eval_options){ .model.input_scale = 1,
					  .batch = DEFAULT_BATCH,
					  .limit = INT32_MAX };
	while ((c = getopt_long(argc, argv, "l:n:b:p" MODEL_SHORT COMMON_SHORT, known, NULL)) !=
	       -1) {
		if (!take_option(c, argv[0], options, status))
			return false;
	}
	*status = STATUS_USAGE;
	if (!check_options(argv[0], options, argc - optind))
		return false;
	options->model.path = argv[optind];
	options->paths = (const char *const *)argv + optind + 1;
	options->count = (uint32_t)(argc - optind - 1);
	return true;
}

/* All that is read from files. */
struct material {
	struct float_network network;
	struct samples *samples;
	uint32_t rows;
	int32_t *labels;
	struct subject *subjects;
	uint32_t count;
};

static int load(const struct eval_options *options, struct material *m, struct npu_error *err)
{
	uint32_t classes;
	int ret = model_load(&options->model, &m->network, &m->samples, err);

	if (ret)
		return ret;
	m->rows = samples_rows(m->samples);
	if (m->rows > options->limit)
		m->rows = options->limit;
	classes = m->network.layer[m->network.count - 1].n;
	if (options->labels)
		ret = labels_read(options->labels, samples_rows(m->samples), classes, &m->labels,
				  err);
	for (uint32_t i = 0; i < options->count && !ret; i++) {
		m->count = i + 1;
		ret = subject_load(options->paths[i], options->model.path, &m->network,
				   &m->subjects[i], err);
	}
	/* A run may take hours. */
	if (!ret && (options->plot || options->svg))
		ret = eval_chart_check(m->subjects, m->count, err);
	return ret;
}

static void unload(struct material *m)
{
	for (uint32_t i = 0; i < m->count; i++)
		subject_free(&m->subjects[i]);
	free(m->subjects);
	free(m->labels);
	samples_close(m->samples);
	float_network_free(&m->network);
}

/* A batch through all networks. @fault: Whose error it is. */
static int run_batch(struct material *m, struct float_runner *reference, float *x, uint32_t first,
		     uint32_t rows, const char **fault, struct npu_error *err)
{
	const int32_t *labels = m->labels ? m->labels + first : NULL;
	int ret = samples_read(m->samples, first, rows, x, err);

	if (ret)
		return ret;
	float_runner_run(reference, x, rows);
	for (uint32_t i = 0; i < m->count && !ret; i++) {
		*fault = m->subjects[i].path;
		ret = subject_run(&m->subjects[i], x, rows, reference, labels, err);
	}
	if (!ret)
		*fault = NULL;
	return ret;
}

static int run(struct material *m, struct float_runner *reference, uint32_t batch,
	       const char **fault, struct npu_error *err)
{
	const uint32_t count = m->rows;
	float *x = matrix_alloc(batch, m->network.layer[0].k, sizeof(*x));
	int ret = x ? 0 : error_set(err, -ENOMEM, "out of memory for a batch of %u samples", batch);

	for (uint32_t first = 0; first < count && !ret; first += batch)
		ret = run_batch(m, reference, x, first,
				count - first < batch ? count - first : batch, fault, err);
	for (uint32_t i = 0; i < m->count && !ret; i++)
		ret = subject_finish(&m->subjects[i], err);
	free(x);
	return ret;
}

static int run_all(const struct eval_options *options, struct npu_device *dev, struct material *m,
		   const char **fault, struct npu_error *err)
{
	uint32_t batch = options->batch;
	struct float_runner *reference;
	int ret;

	if (batch > m->rows)
		batch = m->rows;
	ret = float_runner_create(&m->network, batch, &reference, err);
	if (ret)
		return ret;
	for (uint32_t i = 0; i < m->count && !ret; i++) {
		*fault = m->subjects[i].path;
		ret = subject_start(&m->subjects[i], dev, batch, options->packed, err);
	}
	if (!ret) {
		*fault = NULL;
		ret = run(m, reference, batch, fault, err);
	}
	float_runner_destroy(reference);
	return ret;
}

/* Whether the library speaks of the device, and not of what it was given. */
static bool is_device_error(int code)
{
	return code == -EIO || code == -ENODEV || code == -ETIMEDOUT || code == -ETIME ||
	       code == -ENOMEM || code == -EDQUOT;
}

static enum status evaluate(const char *who, const struct eval_options *options, struct material *m)
{
	const struct eval_report report = {
		.model = options->model.path,
		.samples = m->rows,
		.labelled = m->labels != NULL,
		.subjects = m->subjects,
		.count = m->count,
		.json = options->common.json,
	};
	const char *fault = NULL;
	struct device device;
	struct npu_error err;
	enum status status = STATUS_OK;
	int ret;

	if (device_open(who, options->common.device, &device))
		return STATUS_DEVICE;
	ret = run_all(options, device.dev, m, &fault, &err);
	if (ret) {
		complain(who, "%s%s%s", fault ? fault : "", fault ? ": " : "", err.text);
		status = is_device_error(ret) ? STATUS_DEVICE : STATUS_FILE;
	} else {
		eval_report(&report, &device.info, &m->network);
		if ((options->plot || options->svg) &&
		    eval_chart(&report, options->plot, options->svg, &err)) {
			complain(who, "%s", err.text);
			status = STATUS_FILE;
		}
	}
	device_close(&device);
	return status;
}

enum status cmd_eval(int argc, char **argv)
{
	struct eval_options options;
	struct material material = { 0 };
	struct npu_error err;
	enum status status;

	if (!parse_options(argc, argv, &options, &status))
		return status;
	if (options.svg && save_check(options.svg, &err)) {
		complain(argv[0], "%s: %s", options.svg, err.text);
		return STATUS_FILE;
	}
	material.subjects = calloc(options.count, sizeof(*material.subjects));
	if (!material.subjects) {
		complain(argv[0], "out of memory");
		return STATUS_DEVICE;
	}
	if (load(&options, &material, &err)) {
		complain(argv[0], "%s", err.text);
		status = STATUS_FILE;
	} else {
		status = evaluate(argv[0], &options, &material);
	}
	unload(&material);
	return status;
}
