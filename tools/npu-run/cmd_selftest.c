// SPDX-License-Identifier: MIT
/* npu-run selftest: random multiplications on a device against plain C, bit for bit. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "device.h"
#include "multiply.h"
#include "options.h"
#include "reference.h"
#include "trial.h"

#define DEFAULT_COUNT 100

/* Multiplications of each form with --exhaustive. */
#define EXHAUSTIVE_ROUNDS 2

static const char help[] =
	"Usage: npu-run selftest [OPTION]...\n"
	"Multiplies random matrices on a device and compares with plain C, bit for bit.\n"
	"\n"
	"  -n, --count=COUNT      number of multiplications (100)\n"
	"  -e, --exhaustive       every combination of types, scalings, activations and\n"
	"                         residuals twice, and as many that NVDLA does alone\n"
	"  -s, --seed=SEED        where to begin; otherwise a new place each time\n" COMMON_HELP
	"\n"
	"Example: npu-run selftest --count 1000 --seed 42\n"
	"\n"
	"The exit status is 0, 1 (a result is wrong), 2 (command line) or 3 (device).\n";

struct selftest_options {
	struct common_options common;
	int64_t count;
	int64_t seed;
};

/*
 * struct totals - what has been done
 * @passed: Multiplications that were right.
 * @fused: Those of them that the engine did all of.
 * @macs: Multiply-accumulates of all.
 */
struct totals {
	int64_t passed;
	int64_t fused;
	uint64_t jobs;
	uint64_t host_steps;
	uint64_t engine_ns;
	uint64_t macs;
};

/*
 * struct mismatch - the first wrong result
 * @seed: Gives the same multiplication again.
 * @text: What it was.
 * @row, @col: Of the first wrong element.
 * @wrong, @elements: How many elements are wrong, of how many.
 */
struct mismatch {
	int64_t seed;
	char text[TRIAL_TEXT];
	size_t row, col;
	double got, expected;
	size_t wrong, elements;
};

static bool parse_options(int argc, char **argv, struct selftest_options *options,
			  enum status *status)
{
	static const struct option known[] = {
		{ "count", required_argument, NULL, 'n' },
		{ "exhaustive", no_argument, NULL, 'e' },
		{ "seed", required_argument, NULL, 's' },
		COMMON_LONG,
		{ 0 },
	};
	bool ok;
	int c;

	while ((c = getopt_long(argc, argv, "n:es:" COMMON_SHORT, known, NULL)) != -1) {
		*status = STATUS_USAGE;
		if (c == 'n')
			ok = option_integer(argv[0], "--count", optarg, 1, INT32_MAX,
					    &options->count);
		else if (c == 'e')
			ok = (options->count = EXHAUSTIVE_ROUNDS * TRIAL_FORMS);
		else if (c == 's')
			ok = option_integer(argv[0], "--seed", optarg, 0, INT64_MAX / 2,
					    &options->seed);
		else
			ok = common_option(c, help, &options->common, status);
		if (!ok)
			return false;
	}
	*status = STATUS_USAGE;
	if (optind < argc)
		complain(argv[0], "there is nothing to do with '%s'", argv[optind]);
	return optind == argc;
}

/* Returns the number of wrong elements and describes the first. */
static size_t compare(const struct trial *trial, const uint8_t *c, const uint8_t *expected,
		      struct mismatch *mismatch)
{
	const struct problem *p = &trial->problem;
	const size_t size = npu_type_size(p->c_type);

	trial_describe(trial, mismatch->text);
	mismatch->elements = problem_results(p);
	mismatch->wrong = 0;
	for (size_t i = 0; i < mismatch->elements; i++) {
		if (!memcmp(c + i * size, expected + i * size, size))
			continue;
		if (!mismatch->wrong++) {
			mismatch->row = i / p->n;
			mismatch->col = i % p->n;
			mismatch->got = reference_value(p->c_type, c + i * size);
			mismatch->expected = reference_value(p->c_type, expected + i * size);
		}
	}
	return mismatch->wrong;
}

static enum status judge(const char *who, struct npu_device *dev, int64_t seed,
			 const struct trial *trial, struct totals *totals,
			 struct mismatch *mismatch)
{
	size_t bytes = problem_results(&trial->problem) * npu_type_size(trial->problem.c_type);
	uint8_t *c = malloc(2 * bytes);
	enum status status = STATUS_DEVICE;
	struct npu_error err;
	struct work work;

	if (!c) {
		complain(who, "out of memory");
		return STATUS_DEVICE;
	}
	reference_results(&trial->problem, c + bytes);
	if (multiply(dev, &trial->problem, c, &work, &err)) {
		trial_describe(trial, mismatch->text);
		complain(who, "seed %" PRId64 ", %s: %s", seed, mismatch->text, err.text);
	} else if (compare(trial, c, c + bytes, mismatch)) {
		mismatch->seed = seed;
		status = STATUS_MISMATCH;
	} else {
		status = STATUS_OK;
		totals->passed++;
		totals->fused += work.stats.jobs && !work.plan.host_steps;
		totals->jobs += work.stats.jobs;
		totals->host_steps += work.stats.host_steps;
		totals->engine_ns += work.stats.engine_ns;
		totals->macs += work.plan.macs;
	}
	free(c);
	return status;
}

static enum status run_trial(const char *who, struct npu_device *dev, int64_t seed,
			     struct totals *totals, struct mismatch *mismatch)
{
	enum status status;
	struct npu_error err;
	struct trial trial;

	if (trial_create((uint64_t)seed, &trial, &err)) {
		complain(who, "%s", err.text);
		return STATUS_DEVICE;
	}
	status = judge(who, dev, seed, &trial, totals, mismatch);
	trial_free(&trial);
	return status;
}

/* Stops at the first failure: what follows a wrong result is rarely news. */
static enum status run_trials(const char *who, const struct selftest_options *options,
			      struct npu_device *dev, struct totals *totals,
			      struct mismatch *mismatch)
{
	bool progress = isatty(STDERR_FILENO);
	enum status status = STATUS_OK;

	for (int64_t i = 0; i < options->count && status == STATUS_OK; i++) {
		if (progress)
			fprintf(stderr, "\r%" PRId64 " of %" PRId64, i + 1, options->count);
		status = run_trial(who, dev, options->seed + i, totals, mismatch);
	}
	if (progress)
		fputs("\r\033[K", stderr);
	return status;
}

static void print_text(const struct selftest_options *options, const struct device *device,
		       const struct totals *totals)
{
	printf("device    ");
	device_print(&device->info);
	printf("seed      %" PRId64 "\n", options->seed);
	if (totals->engine_ns)
		printf("engine    %" PRIu64 " jobs, %" PRIu64 " steps on the CPU, %.6f s\n"
		       "fused     %" PRId64 " without a step on the CPU\n",
		       totals->jobs, totals->host_steps, (double)totals->engine_ns * 1e-9,
		       totals->fused);
	printf("passed    %" PRId64 " of %" PRId64 "\n", totals->passed, options->count);
}

static void print_json(const struct selftest_options *options, const struct device *device,
		       const struct totals *totals, const struct mismatch *mismatch)
{
	struct json json = { 0 };

	json_open(&json, NULL, '{');
	json_open(&json, "device", '{');
	device_json(&json, &device->info);
	json_close(&json, '}');
	json_int(&json, "seed", options->seed);
	json_int(&json, "count", options->count);
	json_int(&json, "passed", totals->passed);
	json_uint(&json, "macs", totals->macs);
	if (totals->engine_ns) {
		json_int(&json, "fused", totals->fused);
		json_uint(&json, "jobs", totals->jobs);
		json_uint(&json, "host_steps", totals->host_steps);
		json_uint(&json, "engine_ns", totals->engine_ns);
	}
	if (mismatch) {
		json_open(&json, "mismatch", '{');
		json_int(&json, "seed", mismatch->seed);
		json_string(&json, "trial", mismatch->text);
		json_uint(&json, "row", mismatch->row);
		json_uint(&json, "column", mismatch->col);
		json_float(&json, "got", mismatch->got);
		json_float(&json, "expected", mismatch->expected);
		json_uint(&json, "wrong", mismatch->wrong);
		json_close(&json, '}');
	}
	json_end(&json, '}');
}

static enum status selftest(const char *who, const struct selftest_options *options,
			    const struct device *device)
{
	struct mismatch mismatch = { 0 };
	struct totals totals = { 0 };
	enum status status;

	status = run_trials(who, options, device->dev, &totals, &mismatch);
	if (options->common.json)
		print_json(options, device, &totals, status == STATUS_MISMATCH ? &mismatch : NULL);
	else
		print_text(options, device, &totals);
	if (status == STATUS_MISMATCH)
		complain(who,
			 "%s: C[%zu,%zu] is %.9g and should be %.9g; %zu of %zu elements are "
			 "wrong; --seed %" PRId64 " --count 1 does it again",
			 mismatch.text, mismatch.row, mismatch.col, mismatch.got, mismatch.expected,
			 mismatch.wrong, mismatch.elements, mismatch.seed);
	return status;
}

/* 32 bits, which are easy to type again. */
static int64_t new_seed(void)
{
	uint32_t seed = 0;

	while (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		;
	return seed;
}

enum status cmd_selftest(int argc, char **argv)
{
	struct selftest_options options = { .count = DEFAULT_COUNT, .seed = new_seed() };
	struct device device;
	enum status status;

	if (!parse_options(argc, argv, &options, &status))
		return status;
	if (device_open(argv[0], options.common.device, &device))
		return STATUS_DEVICE;
	status = selftest(argv[0], &options, &device);
	device_close(&device);
	return status;
}
