// SPDX-License-Identifier: MIT
/* npu-run selftest: random multiplications on a device against plain C, bit for bit. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "device.h"
#include "options.h"
#include "trial.h"

#define DEFAULT_COUNT 100

static const char help[] =
	"Usage: npu-run selftest [OPTION]...\n"
	"Multiplies random matrices on a device and compares with plain C, bit for bit.\n"
	"\n"
	"  -n, --count=COUNT      number of multiplications (100)\n"
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
 * @macs: Multiply-accumulates of all.
 */
struct totals {
	int64_t passed;
	uint64_t jobs;
	uint64_t host_steps;
	uint64_t engine_ns;
	uint64_t macs;
};

/*
 * struct mismatch - the first wrong result
 * @seed: Gives the same multiplication again.
 * @row, @col: Of the first wrong element.
 * @wrong, @elements: How many elements are wrong, of how many.
 */
struct mismatch {
	int64_t seed;
	uint32_t m, k, n;
	size_t row, col;
	int got, expected;
	size_t wrong, elements;
};

static bool parse_options(int argc, char **argv, struct selftest_options *options,
			  enum status *status)
{
	static const struct option known[] = {
		{ "count", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		COMMON_LONG,
		{ 0 },
	};
	bool ok;
	int c;

	while ((c = getopt_long(argc, argv, "n:s:" COMMON_SHORT, known, NULL)) != -1) {
		*status = STATUS_USAGE;
		if (c == 'n')
			ok = option_integer(argv[0], "--count", optarg, 1, INT32_MAX,
					    &options->count);
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
static size_t compare(const struct trial *trial, const int8_t *c, struct mismatch *mismatch)
{
	const struct problem *p = &trial->problem;
	size_t wrong = 0;

	mismatch->m = p->m;
	mismatch->k = p->k;
	mismatch->n = p->n;
	mismatch->elements = (size_t)p->m * p->n;
	for (size_t i = 0; i < mismatch->elements; i++) {
		if (c[i] == trial->expected[i])
			continue;
		if (!wrong++) {
			mismatch->row = i / p->n;
			mismatch->col = i % p->n;
			mismatch->got = c[i];
			mismatch->expected = trial->expected[i];
		}
	}
	mismatch->wrong = wrong;
	return wrong;
}

static enum status run_trial(const char *who, struct npu_device *dev, int64_t seed,
			     struct totals *totals, struct mismatch *mismatch)
{
	enum status status = STATUS_DEVICE;
	struct npu_error err;
	struct trial trial;
	struct work work;
	int8_t *c;

	if (trial_create((uint64_t)seed, &trial, &err)) {
		complain(who, "%s", err.text);
		return STATUS_DEVICE;
	}
	c = malloc((size_t)trial.problem.m * trial.problem.n);
	if (!c) {
		complain(who, "out of memory");
	} else if (multiply(dev, &trial.problem, c, &work, &err)) {
		complain(who, "seed %" PRId64 ", M %u x K %u x N %u: %s", seed, trial.problem.m,
			 trial.problem.k, trial.problem.n, err.text);
	} else if (compare(&trial, c, mismatch)) {
		mismatch->seed = seed;
		status = STATUS_MISMATCH;
	} else {
		status = STATUS_OK;
		totals->passed++;
		totals->jobs += work.stats.jobs;
		totals->host_steps += work.stats.host_steps;
		totals->engine_ns += work.stats.engine_ns;
		totals->macs += work.plan.macs;
	}
	free(c);
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
		printf("engine    %" PRIu64 " jobs, %" PRIu64 " steps on the CPU, %.6f s\n",
		       totals->jobs, totals->host_steps, (double)totals->engine_ns * 1e-9);
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
		json_uint(&json, "jobs", totals->jobs);
		json_uint(&json, "host_steps", totals->host_steps);
		json_uint(&json, "engine_ns", totals->engine_ns);
	}
	if (mismatch) {
		json_open(&json, "mismatch", '{');
		json_int(&json, "seed", mismatch->seed);
		json_uint(&json, "m", mismatch->m);
		json_uint(&json, "k", mismatch->k);
		json_uint(&json, "n", mismatch->n);
		json_uint(&json, "row", mismatch->row);
		json_uint(&json, "column", mismatch->col);
		json_int(&json, "got", mismatch->got);
		json_int(&json, "expected", mismatch->expected);
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
			 "M %u x K %u x N %u: C[%zu,%zu] is %d and should be %d; %zu of %zu "
			 "elements are wrong; --seed %" PRId64 " --count 1 does it again",
			 mismatch.m, mismatch.k, mismatch.n, mismatch.row, mismatch.col,
			 mismatch.got, mismatch.expected, mismatch.wrong, mismatch.elements,
			 mismatch.seed);
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
