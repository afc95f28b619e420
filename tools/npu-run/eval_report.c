// SPDX-License-Identifier: MIT
/* What "npu-run eval" prints. */
#include <inttypes.h>
#include <stdio.h>

#include "device.h"
#include "eval_json.h"
#include "eval_report.h"
#include "stages.h"

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* The layer's results: which sample, and which channel of it. */
static void print_place(const struct subject_layer *layer, uint32_t n, char *text, size_t room)
{
	snprintf(text, room, "%" PRIu64 ", %" PRIu64, layer->deviation.max_index / n,
		 layer->deviation.max_index % n);
}

static void print_clipped(const struct npu_clipping *clipping, bool clips, char *text, size_t room)
{
	if (clips)
		snprintf(text, room, "%.3f %%",
			 percent(clipping->below + clipping->above, clipping->count));
	else
		snprintf(text, room, "-");
}

static void print_layer(const struct quant_layer *layer, const struct subject_layer *found)
{
	char shape[32], type[TECHNIQUE_TEXT], place[48], clipped[16];

	snprintf(shape, sizeof(shape), "%u x %u", layer->n, layer->k);
	weight_type_print(&layer->type, type);
	print_place(found, layer->n, place, sizeof(place));
	print_clipped(&found->clipping, found->clips, clipped, sizeof(clipped));
	printf("%-12s  %-8s  %7.2f  %9.6f  %9.3g  %-10s  %10.2e  %9s  ", shape, type,
	       npu_deviation_sqnr(&found->deviation), npu_deviation_cosine(&found->deviation),
	       found->deviation.max_error, place, npu_deviation_mean(&found->deviation), clipped);
	if (found->stages)
		stages_print(found->stages);
	else
		putchar('-');
	printf("  %s\n", layer->name);
}

/* One network in full. */
static void print_subject(const struct eval_report *report, const struct subject *s)
{
	const struct npu_scores *scores = &s->scores;
	char clipped[16];

	printf("%-12s  %-8s  %7s  %9s  %9s  %-10s  %10s  %9s  %s  %s\n", "shape", "weights",
	       "SQNR dB", "cosine", "max error", "at", "mean error", "clipped", "on CPU", "name");
	for (uint32_t i = 0; i < s->network.count; i++)
		print_layer(&s->network.layer[i], &s->layer[i]);
	if (s->network.quantized_output) {
		print_clipped(&s->output, true, clipped, sizeof(clipped));
		printf("output clipped   %s\n", clipped);
	}
	printf("\n");
	if (report->labelled)
		printf("float top-1      %.2f %%\n"
		       "quantized top-1  %.2f %%\n"
		       "top-%u            %.2f %%, of float %.2f %%\n",
		       percent(scores->reference_top1, scores->reference_labelled),
		       percent(scores->top1, scores->labelled), scores->k,
		       percent(scores->topk, scores->labelled),
		       percent(scores->reference_topk, scores->reference_labelled));
	printf("agreement        %.2f %%\n", percent(scores->agreed, scores->compared));
	printf("weights          %.2f bits, %" PRIu64 " bytes in all\n", subject_bits(s),
	       quant_network_bytes(&s->network));
	printf("jobs             %" PRIu64 ", and %" PRIu64 " steps on the CPU\n", s->work.jobs,
	       s->work.library_steps);
	printf("edges            %" PRIu64 " times from real numbers to integers or back\n",
	       s->work.edge_steps);
	printf("logits           fnv1a-64 %016" PRIx64 "\n", s->hash);
}

/* Several networks, a line each. */
static void print_table(const struct eval_report *report)
{
	printf("%-5s  %9s  %7s  %9s  %8s  %9s  %9s  %-16s  %s\n", "bits", "bytes", "SQNR dB",
	       "agreement", "top-1", "CPU steps", "edges", "logits", "network");
	for (uint32_t i = 0; i < report->count; i++) {
		const struct subject *s = &report->subjects[i];
		const struct subject_layer *last = &s->layer[s->network.count - 1];
		char top1[16] = "-";

		if (report->labelled)
			snprintf(top1, sizeof(top1), "%.2f %%",
				 percent(s->scores.top1, s->scores.labelled));
		printf("%-5.2f  %9" PRIu64 "  %7.2f  %7.2f %%  %8s  %9" PRIu64 "  %9" PRIu64
		       "  %016" PRIx64 "  %s: %s\n",
		       subject_bits(s), quant_network_bytes(&s->network),
		       npu_deviation_sqnr(&last->deviation),
		       percent(s->scores.agreed, s->scores.compared), top1, s->work.library_steps,
		       s->work.edge_steps, s->hash, s->path, s->network.technique);
	}
}

static void print_text(const struct eval_report *report, const struct npu_device_info *info,
		       const struct float_network *network)
{
	const struct npu_scores *scores = &report->subjects[0].scores;

	printf("device           ");
	device_print(info);
	printf("samples          %u\n", report->samples);
	if (report->count == 1) {
		printf("network          %s: %s\n\n", report->subjects[0].path,
		       report->subjects[0].network.technique);
		print_subject(report, report->subjects);
		return;
	}
	printf("float            ");
	if (report->labelled)
		printf("%.2f %% top-1, ",
		       percent(scores->reference_top1, scores->reference_labelled));
	printf("%" PRIu64 " bytes in %s\n\n", float_network_bytes(network), report->model);
	print_table(report);
}

void eval_report(const struct eval_report *report, const struct npu_device_info *info,
		 const struct float_network *network)
{
	if (report->json)
		eval_json(report, info, network);
	else
		print_text(report, info, network);
}
