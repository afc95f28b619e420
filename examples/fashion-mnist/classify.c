// SPDX-License-Identifier: MIT
/*
 * Classifies the Fashion-MNIST test images with an int8 network on an NPU and compares the result
 * with the same network in float32 on the CPU.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataset.h"
#include "../perceptron/error.h"
#include "../perceptron/forward.h"
#include "../perceptron/model.h"
#include "network.h"
#include "quantize.h"
#include "report.h"
#include "../perceptron/score.h"

#define DEFAULT_BATCH 500
#define MAX_BATCH 10000

static const char help[] =
	"Usage: fashion-mnist [OPTION]... MODEL\n"
	"Classifies the Fashion-MNIST test images with an int8 network on an NPU.\n"
	"\n"
	"  -d, --device=DEVICE  device node, or cpu; otherwise the first NPU there is\n"
	"  -i, --images=FILE    IDX file of images, may be compressed with gzip\n"
	"  -l, --labels=FILE    IDX file of labels, may be compressed with gzip\n"
	"  -b, --batch=COUNT    images a submission carries (500)\n"
	"  -j, --json           print the result as one JSON object\n"
	"  -h, --help           print this text\n"
	"\n"
	"Example: fashion-mnist --device=cpu examples/fashion-mnist/model.safetensors\n"
	"\n"
	"The images and labels of Debian's package dataset-fashion-mnist are the default.\n"
	"The exit status is 0, or 1 when something failed, or 2 for a wrong command line.\n";

struct options {
	const char *device;
	const char *images;
	const char *labels;
	const char *model;
	uint32_t batch;
	bool json;
};

/* Logits of all images, and the classes they stand for. */
struct results {
	float *float_logits;
	int8_t *int8_logits;
	uint8_t *float_class;
	uint8_t *int8_class;
};

/* Returns the exit status when the program is to end here, otherwise -1. */
static int parse_options(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "images", required_argument, NULL, 'i' },
		{ "labels", required_argument, NULL, 'l' },
		{ "batch", required_argument, NULL, 'b' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	char *end;
	long batch;
	int c;

	while ((c = getopt_long(argc, argv, "d:i:l:b:jh", known, NULL)) != -1) {
		switch (c) {
		case 'd':
			options->device = optarg;
			break;
		case 'i':
			options->images = optarg;
			break;
		case 'l':
			options->labels = optarg;
			break;
		case 'b':
			batch = strtol(optarg, &end, 10);
			if (*end || end == optarg || batch < 1 || batch > MAX_BATCH) {
				fprintf(stderr, "fashion-mnist: --batch is 1 to %d, not '%s'\n",
					MAX_BATCH, optarg);
				return 2;
			}
			options->batch = (uint32_t)batch;
			break;
		case 'j':
			options->json = true;
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		default:
			return 2;
		}
	}
	if (argc - optind != 1) {
		fprintf(stderr, "fashion-mnist: one MODEL is needed, see --help\n");
		return 2;
	}
	options->model = argv[optind];
	return -1;
}

static int run_float(const struct model *model, const struct dataset *set, struct results *results,
		     struct npu_error *err)
{
	struct forward *forward;
	int ret;

	ret = forward_create(model, &forward, err);
	if (ret)
		return ret;
	forward_run(forward, dataset_image(set, 0), set->count, results->float_logits);
	forward_destroy(forward);
	score_float(results->float_logits, set->count, CLASS_COUNT, results->float_class);
	return 0;
}

static int run_int8(struct npu_device *dev, const struct model *model, uint32_t batch,
		    const struct dataset *set, struct results *results, struct network_work *work,
		    struct npu_error *err)
{
	struct quant_model quant;
	struct network *network;
	int ret;

	ret = quantize_model(model, &quant, err);
	if (ret)
		return ret;
	ret = network_create(dev, &quant, batch, &network, err);
	quant_model_free(&quant);
	if (ret)
		return ret;
	ret = network_run(network, dataset_image(set, 0), set->count, results->int8_logits, work,
			  err);
	network_destroy(network);
	if (!ret)
		score_int8(results->int8_logits, set->count, CLASS_COUNT, results->int8_class);
	return ret;
}

static int results_create(size_t images, struct results *results, struct npu_error *err)
{
	results->float_logits = malloc(images * CLASS_COUNT * sizeof(float));
	results->int8_logits = malloc(images * CLASS_COUNT);
	results->float_class = malloc(images);
	results->int8_class = malloc(images);
	if (!results->float_logits || !results->int8_logits || !results->float_class ||
	    !results->int8_class)
		return error_set(err, -ENOMEM, "out of memory for the results");
	return 0;
}

static void results_free(struct results *results)
{
	free(results->float_logits);
	free(results->int8_logits);
	free(results->float_class);
	free(results->int8_class);
}

static int compare(struct npu_device *dev, const struct model *model, uint32_t batch,
		   const struct dataset *set, struct report *report, struct npu_error *err)
{
	struct results results = { 0 };
	int ret;

	report->device.size = sizeof(report->device);
	ret = npu_device_get_info(dev, &report->device, err);
	if (!ret)
		ret = results_create(set->count, &results, err);
	if (!ret)
		ret = run_int8(dev, model, batch, set, &results, &report->work, err);
	if (!ret)
		ret = run_float(model, set, &results, err);
	if (ret)
		goto out;

	report->images = set->count;
	report->batch = batch;
	report->float_right = score_agreement(results.float_class, set->labels.data, set->count);
	report->int8_right = score_agreement(results.int8_class, set->labels.data, set->count);
	report->agree = score_agreement(results.float_class, results.int8_class, set->count);
	report->checksum = report_checksum(results.int8_logits, set->count * CLASS_COUNT);
out:
	results_free(&results);
	return ret;
}

/* On failure @what is the file that @err speaks of, NULL if it says so itself. */
static int run(const struct options *options, const char **what, struct npu_error *err)
{
	struct npu_device *dev = NULL;
	struct dataset set = { 0 };
	struct model model = { 0 };
	struct report report = { 0 };
	int ret;

	*what = NULL;
	ret = npu_device_open(options->device, &dev, err);
	if (ret)
		return ret;
	ret = model_load(options->model, IMAGE_PIXELS, PIXEL_MAX, CLASS_COUNT, &model, err);
	if (!ret)
		ret = dataset_load(options->images, options->labels, &set, what, err);
	if (ret)
		goto out;
	*what = options->model;
	ret = compare(dev, &model, options->batch, &set, &report, err);
	if (ret)
		goto out;
	if (options->json)
		report_print_json(&report);
	else
		report_print_text(&report);
out:
	dataset_free(&set);
	model_free(&model);
	npu_device_close(dev);
	return ret;
}

int main(int argc, char **argv)
{
	struct options options = {
		.images = DATASET_TEST_IMAGES,
		.labels = DATASET_TEST_LABELS,
		.batch = DEFAULT_BATCH,
	};
	struct npu_error err = { 0 };
	const char *what;
	int status;

	status = parse_options(argc, argv, &options);
	if (status >= 0)
		return status;
	if (run(&options, &what, &err)) {
		fprintf(stderr, "fashion-mnist: %s%s%s\n", what ? what : "", what ? ": " : "",
			err.text);
		return 1;
	}
	/* A full disk behind stdout shows only here. */
	return fflush(stdout) ? 1 : 0;
}
