// SPDX-License-Identifier: MIT
/* npu-run plan: how a multiplication would be carried out, and what it would cost. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "choices.h"
#include "device.h"
#include "plan_request.h"
#include "stages.h"

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

/* Plans for the device that was named, or the first NPU. */
static enum status ask_device(const char *who, const struct plan_request *request,
			      struct answer *answer)
{
	const char *name = request->common.device;
	enum status status = STATUS_OK;
	struct npu_device *dev;
	struct npu_error err;

	if (npu_device_open(name, &dev, &err)) {
		complain(who, "%s%s", err.text,
			 name ? "" : " (--config nv_small plans without one)");
		return STATUS_DEVICE;
	}
	if (npu_device_get_info(dev, &answer->info, &err)) {
		complain(who, "%s", err.text);
		status = STATUS_DEVICE;
	} else if (!answer->info.macs_per_cycle) {
		complain(who, "the CPU has no plan: name an NPU, or a configuration by --config");
		status = STATUS_USAGE;
	} else if (npu_plan_query(dev, &request->desc, &answer->plan, &err)) {
		complain(who, "%s", err.text);
		status = STATUS_USAGE;
	}
	npu_device_close(dev);
	return status;
}

static enum status ask_config(const char *who, const struct plan_request *request,
			      struct answer *answer)
{
	struct npu_error err;

	if (!npu_plan_query_config(request->config, &request->desc, &answer->plan, &err))
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

static void print_shape(const struct npu_plan_desc *desc, bool exact)
{
	printf("shape     M %u x K %u x N %u, %s %s\n", desc->m, desc->k, desc->n,
	       type_word(desc->c_type), exact ? "sums" : "results");
	printf("operands  A %s, weights %s", type_word(desc->a_type), w_type_word(desc->w_type));
	if (desc->batch > 1)
		printf(", %u matrices of them", desc->batch);
	if (desc->epilogue->groups > 1)
		printf(", groups of %u columns", desc->group_size);
	putchar('\n');
}

static void print_stages(const char *title, uint32_t stages)
{
	if (!stages)
		return;
	printf("%-9s ", title);
	stages_print(stages);
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
	print_stages("on engine", plan->engine_stages);
	print_stages("on CPU", plan->host_stages);
}

static void print_text(const struct plan_request *request, const struct answer *answer)
{
	const struct npu_plan *plan = &answer->plan;

	if (request->config) {
		printf("config    %s\n", request->config);
	} else {
		printf("device    ");
		device_print(&answer->info);
	}
	print_shape(&request->desc, request->exact);
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

static void json_operands(struct json *json, const struct npu_plan_desc *desc)
{
	json_string(json, "a_type", type_word(desc->a_type));
	json_string(json, "w_type", w_type_word(desc->w_type));
	json_string(json, "c_type", type_word(desc->c_type));
	json_uint(json, "batch", desc->batch ? desc->batch : 1);
	json_uint(json, "groups", desc->epilogue->groups);
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
	stages_json(json, "engine_stages", plan->engine_stages);
	stages_json(json, "host_stages", plan->host_stages);
	json_uint(json, "data_banks", plan->data_banks);
	json_uint(json, "weight_banks", plan->weight_banks);
	json_uint(json, "a_fetches", plan->a_fetches);
	json_uint(json, "weight_fetches", plan->weight_fetches);
	json_uint(json, "mac_cycles", plan->mac_cycles);
	json_uint(json, "bus_cycles", plan->bus_cycles);
	json_uint(json, "limit_cycles", plan->limit_cycles);
}

static void print_json(const struct plan_request *request, const struct answer *answer)
{
	struct json json = { 0 };

	json_open(&json, NULL, '{');
	if (request->config) {
		json_string(&json, "config", request->config);
	} else {
		json_open(&json, "device", '{');
		device_json(&json, &answer->info);
		json_close(&json, '}');
	}
	json_bool(&json, "exact", request->exact);
	json_plan(&json, &answer->plan);
	json_operands(&json, &request->desc);
	if (answer->clock_hz)
		json_uint(&json, "clock_hz", answer->clock_hz);
	json_cycles(&json, "call", answer, answer->plan.cycles);
	json_cycles(&json, "stream", answer, answer->plan.stream_cycles);
	json_end(&json, '}');
}

static enum status plan(const char *who, const struct plan_request *request)
{
	struct answer answer = {
		.info.size = sizeof(answer.info),
		.plan.size = sizeof(answer.plan),
	};
	enum status status;

	if (request->config)
		status = ask_config(who, request, &answer);
	else
		status = ask_device(who, request, &answer);
	if (status != STATUS_OK)
		return status;

	answer.clock_hz = answer.info.clock_hz;
	if (request->clock_mhz > 0)
		answer.clock_hz = (uint64_t)((double)request->clock_mhz * 1e6);
	if (request->common.json)
		print_json(request, &answer);
	else
		print_text(request, &answer);
	return STATUS_OK;
}

enum status cmd_plan(int argc, char **argv)
{
	struct plan_request request;
	enum status status;

	if (!plan_request_parse(argc, argv, &request, &status))
		return status;
	status = plan(argv[0], &request);
	plan_request_free(&request);
	return status;
}
