// SPDX-License-Identifier: MIT
/* npu-run plan: how a multiplication would be carried out, and what it would cost. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "device.h"
#include "options.h"

static const char help[] =
	"Usage: npu-run plan M K N [OPTION]...\n"
	"Shows how C[M,N] = A[M,K] x W[N,K]^T would be carried out, and how long it would take.\n"
	"\n"
	"  -c, --config=NAME      plan for nv_small or nv_large, with or without an NPU\n"
	"  -e, --exact            int32 sums instead of int8 results\n"
	"  -f, --clock=MHZ        clock of the engine, instead of the device's\n" COMMON_HELP "\n"
	"Example: npu-run plan 128 1024 1024 --config nv_small --clock 100\n"
	"\n"
	"The exit status is 0, 2 (command line, or a shape beyond the device) or 3 (device).\n";

struct plan_options {
	struct common_options common;
	const char *config;
	float clock_mhz;
	struct npu_plan_desc desc;
};

/*
 * struct answer - what is to be shown
 * @info: The device; without one all is zero.
 * @clock_hz: Clock to tell times by, 0 if unknown.
 */
struct answer {
	struct npu_device_info info;
	uint64_t clock_hz;
	struct npu_plan plan;
};

static bool parse_shape(int argc, char **argv, struct npu_plan_desc *desc)
{
	static const char *const names[] = { "M", "K", "N" };
	uint32_t *const sides[] = { &desc->m, &desc->k, &desc->n };
	int64_t value;

	if (argc - optind != 3) {
		complain(argv[0], "three sizes are needed, M K N (see npu-run plan --help)");
		return false;
	}
	for (int i = 0; i < 3; i++) {
		if (!option_integer(argv[0], names[i], argv[optind + i], 1, UINT32_MAX, &value))
			return false;
		*sides[i] = value;
	}
	return true;
}

static bool parse_clock(const char *who, const char *text, float *mhz)
{
	if (!option_float(who, "--clock", text, mhz))
		return false;
	if (*mhz < 1e-6f || *mhz > 1e6f) {
		complain(who, "--clock is above 0 and at most 1000000 MHz, not '%s'", text);
		return false;
	}
	return true;
}

static bool parse_options(int argc, char **argv, struct plan_options *options, enum status *status)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "exact", no_argument, NULL, 'e' },
		{ "clock", required_argument, NULL, 'f' },
		COMMON_LONG,
		{ 0 },
	};
	bool ok = true;
	int c;

	while ((c = getopt_long(argc, argv, "c:ef:" COMMON_SHORT, known, NULL)) != -1) {
		*status = STATUS_USAGE;
		if (c == 'c')
			options->config = optarg;
		else if (c == 'e')
			options->desc.c_type = NPU_TYPE_INT32;
		else if (c == 'f')
			ok = parse_clock(argv[0], optarg, &options->clock_mhz);
		else
			ok = common_option(c, help, &options->common, status);
		if (!ok)
			return false;
	}
	*status = STATUS_USAGE;
	if (options->config && options->common.device) {
		complain(argv[0], "--config and --device exclude each other");
		return false;
	}
	return parse_shape(argc, argv, &options->desc);
}

/* Plans for the device that was named, or the first NPU. */
static enum status ask_device(const char *who, const struct plan_options *options,
			      struct answer *answer)
{
	const char *name = options->common.device;
	enum status status = STATUS_OK;
	struct npu_device *dev;
	struct npu_error err;

	if (name && !strcmp(name, "cpu")) {
		complain(who, "the CPU has no plan: name an NPU, or a configuration by --config");
		return STATUS_USAGE;
	}
	if (npu_device_open(name, &dev, &err)) {
		complain(who, "%s%s", err.text,
			 name ? "" : " (--config nv_small plans without one)");
		return STATUS_DEVICE;
	}
	if (npu_device_get_info(dev, &answer->info, &err))
		status = STATUS_DEVICE;
	else if (npu_plan_query(dev, &options->desc, &answer->plan, &err))
		status = STATUS_USAGE;
	if (status != STATUS_OK)
		complain(who, "%s", err.text);
	npu_device_close(dev);
	return status;
}

static enum status ask_config(const char *who, const struct plan_options *options,
			      struct answer *answer)
{
	struct npu_error err;

	if (!npu_plan_query_config(options->config, &options->desc, &answer->plan, &err))
		return STATUS_OK;
	complain(who, "%s", err.text);
	return STATUS_USAGE;
}

/* ---- Output ---------------------------------------------------------------------------- */

static double utilisation(const struct npu_plan *plan, uint64_t cycles)
{
	return (double)plan->limit_cycles / (double)cycles;
}

static void print_cycles(const char *title, const struct answer *answer, uint64_t cycles)
{
	printf("%-9s %" PRIu64 " cycles, %.1f %% of the limit", title, cycles,
	       100.0 * utilisation(&answer->plan, cycles));
	if (answer->clock_hz)
		printf(", %.6f s at %.1f MHz", (double)cycles / (double)answer->clock_hz,
		       (double)answer->clock_hz * 1e-6);
	putchar('\n');
}

static void print_tiles(const struct npu_plan *plan)
{
	printf("jobs      %u: %u x %u tiles of C", plan->jobs, plan->m_tiles, plan->n_tiles);
	if (plan->lead_rows)
		printf(", the first of %u rows", plan->lead_rows);
	if (plan->k_parts > 1)
		printf(", K in %u parts", plan->k_parts);
	if (plan->passes > 1)
		printf(", each in %u passes", plan->passes);
	putchar('\n');
	if (plan->host_steps)
		printf("CPU       adds up what the passes gave, %u time%s\n", plan->host_steps,
		       plan->host_steps > 1 ? "s" : "");
}

static void print_text(const struct plan_options *options, const struct answer *answer)
{
	const struct npu_plan *plan = &answer->plan;

	if (options->config) {
		printf("config    %s\n", options->config);
	} else {
		printf("device    ");
		device_print(&answer->info);
	}
	printf("shape     M %u x K %u x N %u, %s\n", plan->m, plan->k, plan->n,
	       options->desc.c_type ? "int32 sums" : "int8 results");
	print_tiles(plan);
	printf("banks     %u for A, %u for weights\n", plan->data_banks, plan->weight_banks);
	printf("fetches   A %u x, weights %u x\n", plan->a_fetches, plan->weight_fetches);
	printf("limit     %" PRIu64 " cycles: MACs take %" PRIu64 ", bytes %" PRIu64 "\n",
	       plan->limit_cycles, plan->mac_cycles, plan->bus_cycles);
	print_cycles("call", answer, plan->cycles);
	print_cycles("stream", answer, plan->stream_cycles);
}

static void json_cycles(struct json *json, const char *key, const struct answer *answer,
			uint64_t cycles)
{
	json_open(json, key, '{');
	json_uint(json, "cycles", cycles);
	json_float(json, "utilisation", utilisation(&answer->plan, cycles));
	if (answer->clock_hz)
		json_float(json, "seconds", (double)cycles / (double)answer->clock_hz);
	json_close(json, '}');
}

static void json_plan(struct json *json, const struct npu_plan *plan)
{
	json_uint(json, "m", plan->m);
	json_uint(json, "k", plan->k);
	json_uint(json, "n", plan->n);
	json_uint(json, "macs", plan->macs);
	json_uint(json, "bytes", plan->bytes);
	json_uint(json, "jobs", plan->jobs);
	json_uint(json, "m_tiles", plan->m_tiles);
	json_uint(json, "n_tiles", plan->n_tiles);
	json_uint(json, "lead_rows", plan->lead_rows);
	json_uint(json, "k_parts", plan->k_parts);
	json_uint(json, "passes", plan->passes);
	json_uint(json, "host_steps", plan->host_steps);
	json_uint(json, "data_banks", plan->data_banks);
	json_uint(json, "weight_banks", plan->weight_banks);
	json_uint(json, "a_fetches", plan->a_fetches);
	json_uint(json, "weight_fetches", plan->weight_fetches);
	json_uint(json, "mac_cycles", plan->mac_cycles);
	json_uint(json, "bus_cycles", plan->bus_cycles);
	json_uint(json, "limit_cycles", plan->limit_cycles);
}

static void print_json(const struct plan_options *options, const struct answer *answer)
{
	struct json json = { 0 };

	json_open(&json, NULL, '{');
	if (options->config) {
		json_string(&json, "config", options->config);
	} else {
		json_open(&json, "device", '{');
		device_json(&json, &answer->info);
		json_close(&json, '}');
	}
	json_bool(&json, "exact", options->desc.c_type != 0);
	json_plan(&json, &answer->plan);
	if (answer->clock_hz)
		json_uint(&json, "clock_hz", answer->clock_hz);
	json_cycles(&json, "call", answer, answer->plan.cycles);
	json_cycles(&json, "stream", answer, answer->plan.stream_cycles);
	json_end(&json, '}');
}

enum status cmd_plan(int argc, char **argv)
{
	struct plan_options options = { .desc.size = sizeof(options.desc) };
	struct answer answer = {
		.info.size = sizeof(answer.info),
		.plan.size = sizeof(answer.plan),
	};
	enum status status;

	if (!parse_options(argc, argv, &options, &status))
		return status;
	if (options.config)
		status = ask_config(argv[0], &options, &answer);
	else
		status = ask_device(argv[0], &options, &answer);
	if (status != STATUS_OK)
		return status;

	answer.clock_hz = answer.info.clock_hz;
	if (options.clock_mhz > 0)
		answer.clock_hz = (uint64_t)((double)options.clock_mhz * 1e6);
	if (options.common.json)
		print_json(&options, &answer);
	else
		print_text(&options, &answer);
	return STATUS_OK;
}
