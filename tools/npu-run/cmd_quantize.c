// SPDX-License-Identifier: MIT
/* npu-run quantize: makes integers of a network of floats. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "device.h"
#include "network/pack.h"
#include "network/quant_file.h"
#include "network/quantize.h"
#include "quantize_options.h"
#include "quantize_report.h"
#include "save.h"

/* The files that go in. */
struct inputs {
	struct float_network network;
	struct samples *samples;
	struct learnt *learnt;
};

static int open_inputs(const struct quantize_options *options, struct inputs *in,
		       struct npu_error *err)
{
	int ret = model_load(&options->model, &in->network, &in->samples, err);

	if (!ret && options->scales) {
		ret = learnt_open(options->scales, &in->learnt, err);
		if (!ret)
			ret = learnt_check(in->learnt, &in->network, err);
	}
	if (!ret && options->pack)
		ret = pack_check(&in->network, options->pack, err);
	return ret;
}

static void close_inputs(struct inputs *in)
{
	learnt_close(in->learnt);
	samples_close(in->samples);
	float_network_free(&in->network);
}

static enum status pack(const char *who, const struct quantize_options *options,
			const struct quant_network *quant)
{
	struct npu_error err;
	struct device device;
	int ret;

	if (device_open(who, options->common.device, &device))
		return STATUS_DEVICE;
	ret = pack_write(device.dev, quant, options->pack, &err);
	device_close(&device);
	if (!ret)
		return STATUS_OK;
	complain(who, "%s", err.text);
	return ret == -EIO || ret == -ENODEV ? STATUS_DEVICE : STATUS_FILE;
}

static enum status save(const char *who, const struct quantize_options *options,
			const struct quant_network *quant)
{
	struct npu_error err;

	/* Where one fails there is nothing of the other. */
	if (options->pack) {
		enum status status = pack(who, options, quant);

		if (status != STATUS_OK)
			return status;
	}
	if (!quant_file_save(options->output, quant, &err))
		return STATUS_OK;
	complain(who, "%s", err.text);
	if (options->pack)
		pack_remove(quant, options->pack);
	return STATUS_FILE;
}

static enum status quantize(const char *who, struct quantize_options *options, struct inputs *in)
{
	struct findings *findings = calloc(1, sizeof(*findings));
	struct quant_network *quant = calloc(1, sizeof(*quant));
	struct npu_error err;
	enum status status = STATUS_FILE;
	int ret;

	if (!findings || !quant) {
		complain(who, "out of memory");
	} else if (!quantize_take_layers(who, options, &in->network)) {
		status = STATUS_USAGE;
	} else {
		ret = network_quantize(&options->technique, &in->network, in->samples, in->learnt,
				       quant, findings, &err);
		if (ret) {
			complain(who, "%s", err.text);
			status = ret == -EDOM ? STATUS_USAGE : STATUS_FILE;
		} else {
			status = save(who, options, quant);
		}
		if (status == STATUS_OK)
			quantize_report(options, &in->network, quant, findings);
		quant_network_free(quant);
	}
	free(quant);
	free(findings);
	return status;
}

enum status cmd_quantize(int argc, char **argv)
{
	struct quantize_options options;
	struct inputs inputs = { 0 };
	struct npu_error err;
	enum status status;

	if (!quantize_parse(argc, argv, &options, &status))
		return status;
	if (save_check(options.output, &err)) {
		complain(argv[0], "%s: %s", options.output, err.text);
		return STATUS_FILE;
	}
	if (open_inputs(&options, &inputs, &err)) {
		complain(argv[0], "%s", err.text);
		status = STATUS_FILE;
	} else {
		status = quantize(argv[0], &options, &inputs);
	}
	close_inputs(&inputs);
	return status;
}
