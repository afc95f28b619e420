// SPDX-License-Identifier: MIT
/* npu-run selftest: random multiplications on a device against plain C, bit for bit. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "device.h"
#include "error.h"
#include "faults.h"
#include "interrupt.h"
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
	"  -k, --soak=DURATION    go on for 90s, 5m, 2h or 1d, or up to --count, past wrong\n"
	"                         results and hangs that are recovered, and sum them up\n"
	"  -s, --seed=SEED        where to begin; otherwise a new place each time\n" COMMON_HELP
	"\n"
	"Example: npu-run selftest --soak 8h --json >night.json\n"
	"\n"
	"The exit status is 0, 1 (a result is wrong), 2 (command line), 3 (device), 4 (standard\n"
	"output) or 130 (interrupted, with nothing wrong until then).\n";

/*
 * struct selftest_options
 * @count: Multiplications, 0 for no limit.
 * @exhaustive: There is every combination, which is so many.
 * @soak: Seconds to go on for, 0 for a test that ends with the first failure.
 */
struct selftest_options {
	struct common_options common;
	int64_t count;
	bool exhaustive;
	double soak;
	int64_t seed;
};

/*
 * struct totals - what has been done
 * @passed: Multiplications that were right.
 * @fused: Those of them that the engine did all of.
 * @macs: Multiply-accumulates of all.
 * @seconds: How long it took.
 * @faults: What went wrong, if the test went on.
 */
struct totals {
	int64_t passed;
	int64_t fused;
	uint64_t jobs;
	uint64_t host_steps;
	uint64_t engine_ns;
	uint64_t macs;
	double seconds;
	struct faults faults;
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

/* And fills in the count. @extra: An argument that is no option, or NULL. */
static bool check_options(struct selftest_options *options, const char *who, const char *extra)
{
	if (extra) {
		complain(who, "there is nothing to do with '%s'", extra);
		return false;
	}
	if (options->exhaustive && options->count) {
		complain(who, "--exhaustive and --count exclude each other");
		return false;
	}
	if (options->exhaustive)
		options->count = EXHAUSTIVE_ROUNDS * TRIAL_FORMS;
	else if (!options->count && options->soak <= 0)
		options->count = DEFAULT_COUNT;
	return true;
}

static bool parse_options(int argc, char **argv, struct selftest_options *options,
			  enum status *status)
{
	static const struct option known[] = {
		{ "count", required_argument, NULL, 'n' },
		{ "exhaustive", no_argument, NULL, 'e' },
		{ "soak", required_argument, NULL, 'k' },
		{ "seed", required_argument, NULL, 's' },
		COMMON_LONG,
		{ 0 },
	};
	bool ok;
	int c;

	while ((c = getopt_long(argc, argv, "n:ek:s:" COMMON_SHORT, known, NULL)) != -1) {
		*status = STATUS_USAGE;
		if (c == 'n')
			ok = option_integer(argv[0], "--count", optarg, 1, INT32_MAX,
					    &options->count);
		else if (c == 'e')
			ok = options->exhaustive = true;
		else if (c == 'k')
			ok = option_duration(argv[0], "--soak", optarg, &options->soak);
		else if (c == 's')
			ok = option_integer(argv[0], "--seed", optarg, 0, INT64_MAX / 2,
					    &options->seed);
		else
			ok = common_option(c, help, &options->common, status);
		if (!ok)
			return false;
	}
	*status = STATUS_USAGE;
	return check_options(options, argv[0], optind < argc ? argv[optind] : NULL);
}

/* Returns the number of wrong elements and describes the first. */
static size_t compare(const struct trial *trial, const uint8_t *c, const uint8_t *expected,
		      struct mismatch *mismatch)
{
	const struct problem *p = &trial->problem;
	const size_t size = npu_type_size(p->c_type);

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

/* Wrong is what a message says of it. */
static void describe_mismatch(const struct mismatch *m, char text[2 * NPU_ERROR_TEXT])
{
	snprintf(text, 2 * NPU_ERROR_TEXT,
		 "%s: C[%zu,%zu] is %.9g and should be %.9g; %zu of %zu elements are wrong",
		 m->text, m->row, m->col, m->got, m->expected, m->wrong, m->elements);
}

static void add_up(struct totals *totals, const struct work *work)
{
	totals->passed++;
	totals->fused += work->stats.jobs && !work->plan.host_steps;
	totals->jobs += work->stats.jobs;
	totals->host_steps += work->stats.host_steps;
	totals->engine_ns += work->stats.engine_ns;
	totals->macs += work->plan.macs;
}

/* STATUS_DEVICE comes with @err. */
static enum status judge(struct npu_device *dev, const struct trial *trial, struct totals *totals,
			 struct mismatch *mismatch, struct npu_error *err)
{
	size_t bytes = problem_results(&trial->problem) * npu_type_size(trial->problem.c_type);
	uint8_t *c = malloc(2 * bytes);
	enum status status = STATUS_OK;
	struct work work;

	if (!c) {
		error_set(err, -ENOMEM, "out of memory");
		return STATUS_DEVICE;
	}
	reference_results(&trial->problem, c + bytes);
	if (multiply(dev, &trial->problem, c, &work, err))
		status = STATUS_DEVICE;
	else if (compare(trial, c, c + bytes, mismatch))
		status = STATUS_MISMATCH;
	else
		add_up(totals, &work);
	free(c);
	return status;
}

static enum status run_trial(struct npu_device *dev, int64_t seed, struct totals *totals,
			     struct mismatch *mismatch, struct npu_error *err)
{
	enum status status;
	struct trial trial;

	if (trial_create((uint64_t)seed, &trial, err))
		return STATUS_DEVICE;
	mismatch->seed = seed;
	status = judge(dev, &trial, totals, mismatch, err);
	trial_describe(&trial, mismatch->text);
	trial_free(&trial);
	return status;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void show_progress(const struct selftest_options *options, const struct totals *totals,
			  int64_t i)
{
	if (!isatty(STDERR_FILENO))
		return;
	if (options->soak <= 0)
		fprintf(stderr, "\r%" PRId64 " of %" PRId64, i + 1, options->count);
	else
		fprintf(stderr, "\r\033[K%.0f of %.0f s, %" PRId64 " right, %" PRIu64 " faults",
			totals->seconds, options->soak, totals->passed,
			faults_total(&totals->faults));
}

/*
 * Notes a failure, and returns what to end with: STATUS_OK for a test that goes on, which it does
 * after a wrong result and after a hang that cost one submission.
 */
static enum status note(const char *who, const struct selftest_options *options, enum status status,
			const struct mismatch *mismatch, const struct npu_error *err,
			struct totals *totals)
{
	char text[2 * NPU_ERROR_TEXT];
	int code = status == STATUS_MISMATCH ? 0 : err->code;

	if (options->soak <= 0 && !code)
		return status;
	if (!code)
		describe_mismatch(mismatch, text);
	else
		snprintf(text, sizeof(text), "%s: %s", mismatch->text, err->text);
	if (options->soak > 0) {
		faults_add(&totals->faults, mismatch->seed, code, "%s", text);
		if (!code || code == -ETIMEDOUT || code == -ECANCELED)
			return STATUS_OK;
	}
	complain(who, "seed %" PRId64 ", %s", mismatch->seed, text);
	return status;
}

/* Goes on until the count or the time is reached, or to the first failure. */
static enum status run_trials(const char *who, const struct selftest_options *options,
			      struct npu_device *dev, struct totals *totals,
			      struct mismatch *mismatch)
{
	const double start = now();
	enum status status = STATUS_OK;
	struct npu_error err;

	for (int64_t i = 0; status == STATUS_OK && (!options->count || i < options->count); i++) {
		totals->seconds = now() - start;
		/* Nothing is right if nothing was tried, however short the time. */
		if (i && options->soak > 0 && totals->seconds >= options->soak)
			break;
		show_progress(options, totals, i);
		if (interrupted())
			status = STATUS_INTERRUPTED;
		else
			status = run_trial(dev, options->seed + i, totals, mismatch, &err);
		if (status == STATUS_DEVICE || status == STATUS_MISMATCH)
			status = note(who, options, status, mismatch, &err, totals);
	}
	totals->seconds = now() - start;
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	return status;
}

/* What a test that went on ends with: what was worst. */
static enum status soak_status(const struct totals *totals, enum status status)
{
	if (totals->faults.wrong)
		return STATUS_MISMATCH;
	return faults_total(&totals->faults) ? STATUS_DEVICE : status;
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
	if (options->soak <= 0) {
		printf("passed    %" PRId64 " of %" PRId64 "\n", totals->passed, options->count);
		return;
	}
	printf("soak      %.0f s, %.1f multiplications a second\n", totals->seconds,
	       (double)totals->passed / totals->seconds);
	printf("passed    %" PRId64 "\n", totals->passed);
	faults_print(&totals->faults);
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
	if (options->count)
		json_int(&json, "count", options->count);
	json_int(&json, "passed", totals->passed);
	json_float(&json, "seconds", totals->seconds);
	json_uint(&json, "macs", totals->macs);
	if (totals->engine_ns) {
		json_int(&json, "fused", totals->fused);
		json_uint(&json, "jobs", totals->jobs);
		json_uint(&json, "host_steps", totals->host_steps);
		json_uint(&json, "engine_ns", totals->engine_ns);
	}
	if (options->soak > 0)
		faults_json(&json, &totals->faults);
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
	char text[2 * NPU_ERROR_TEXT];
	enum status status;

	status = run_trials(who, options, device->dev, &totals, &mismatch);
	if (options->common.json)
		print_json(options, device, &totals, status == STATUS_MISMATCH ? &mismatch : NULL);
	else
		print_text(options, device, &totals);
	if (status == STATUS_MISMATCH) {
		describe_mismatch(&mismatch, text);
		complain(who, "%s; --seed %" PRId64 " --count 1 does it again", text,
			 mismatch.seed);
	}
	if (status == STATUS_INTERRUPTED)
		complain(who, "interrupted");
	else if (status == STATUS_OK && faults_total(&totals.faults))
		complain(who, "%" PRIu64 " faults in %.0f s", faults_total(&totals.faults),
			 totals.seconds);
	return soak_status(&totals, status);
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
	struct selftest_options options = { .seed = new_seed() };
	struct device device;
	enum status status;

	if (!parse_options(argc, argv, &options, &status))
		return status;
	interrupt_catch();
	if (device_open(argv[0], options.common.device, &device))
		return STATUS_DEVICE;
	status = selftest(argv[0], &options, &device);
	device_close(&device);
	return status;
}
