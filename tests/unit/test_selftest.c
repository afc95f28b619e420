// SPDX-License-Identifier: MIT
/*
 * npu-run selftest on a device that is not quite well: which failures end it, which a soak goes
 * past, and what it sums up. The device is the CPU; multiply() is made to fail on the way.
 */
#include <errno.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/npu-run/command.h"
#include "../../tools/npu-run/error.h"
#include "../../tools/npu-run/multiply.h"

/* What multiply() does on its n-th call: flips a bit of the result, or fails with a code. */
static const struct mishap {
	int call, code;
} * mishaps;
static int calls;

static char out[16384], complaints[1024];

int __real_multiply(struct npu_device *dev, const struct problem *problem, void *c,
		    struct work *work, struct npu_error *err);
int __wrap_multiply(struct npu_device *dev, const struct problem *problem, void *c,
		    struct work *work, struct npu_error *err);

int __wrap_multiply(struct npu_device *dev, const struct problem *problem, void *c,
		    struct work *work, struct npu_error *err)
{
	int ret = __real_multiply(dev, problem, c, work, err);

	calls++;
	for (const struct mishap *mishap = mishaps; mishap->call; mishap++) {
		if (mishap->call != calls)
			continue;
		if (mishap->code)
			return error_set(err, mishap->code, "mishap %d", calls);
		((uint8_t *)c)[0] ^= 1;
	}
	return ret;
}

/* In place of main.c's. */
void complain(const char *who, const char *format, ...)
{
	size_t at = strlen(complaints);
	va_list args;

	assert_string_equal(who, "npu-run: selftest");
	va_start(args, format);
	vsnprintf(complaints + at, sizeof(complaints) - at, format, args);
	va_end(args);
	strncat(complaints, "\n", sizeof(complaints) - strlen(complaints) - 1);
}

/* Runs it with the CPU and seed 100, and keeps what it prints. */
static enum status selftest(const struct mishap *list, char *option, char *value, char *count)
{
	char *argv[] = {
		"npu-run: selftest",
		"-d",
		"cpu",
		"-s",
		"100",
		"-n",
		count,
		"--json",
		option,
		value,
		NULL,
	};
	FILE *file = tmpfile();
	enum status status;
	int saved;
	size_t n;

	assert_non_null(file);
	mishaps = list;
	calls = 0;
	complaints[0] = '\0';
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	assert_int_equal(dup2(fileno(file), STDOUT_FILENO), STDOUT_FILENO);
	optind = 0;
	status = cmd_selftest(option ? 10 : 8, argv);
	fflush(stdout);
	assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
	close(saved);
	rewind(file);
	n = fread(out, 1, sizeof(out) - 1, file);
	out[n] = '\0';
	fclose(file);
	return status;
}

static void says(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("'%s' does not say '%s'", text, words);
}

static void all_is_well(void **state)
{
	const struct mishap none[] = { { 0, 0 } };

	(void)state;
	assert_int_equal(selftest(none, NULL, NULL, "20"), STATUS_OK);
	assert_int_equal(calls, 20);
	says(out, "\"count\": 20, \"passed\": 20, ");
	assert_null(strstr(out, "faults"));
	assert_int_equal(selftest(none, "--soak", "1h", "20"), STATUS_OK);
	assert_int_equal(calls, 20);
	says(out, "\"passed\": 20, ");
	says(out, "\"faults\": {\"wrong\": 0, \"hangs\": 0, \"errors\": 0, \"first\": []}");
	assert_string_equal(complaints, "");
}

static void a_wrong_result_ends_it(void **state)
{
	const struct mishap wrong[] = { { 5, 0 }, { 0, 0 } };

	(void)state;
	assert_int_equal(selftest(wrong, NULL, NULL, "20"), STATUS_MISMATCH);
	assert_int_equal(calls, 5);
	says(out, "\"passed\": 4, ");
	says(out, "\"mismatch\": {\"seed\": 104, \"trial\": \"M ");
	says(out, "\"row\": 0, \"column\": 0, ");
	says(out, "\"wrong\": 1}");
	says(complaints, ": C[0,0] is ");
	says(complaints, "--seed 104 --count 1 does it again\n");
	assert_int_equal(strcspn(complaints, "\n"), strlen(complaints) - 1);
}

static void a_hang_ends_it(void **state)
{
	const struct mishap hang[] = { { 5, -ETIMEDOUT }, { 0, 0 } };

	(void)state;
	assert_int_equal(selftest(hang, NULL, NULL, "20"), STATUS_DEVICE);
	assert_int_equal(calls, 5);
	says(complaints, "seed 104, M ");
	says(complaints, ": mishap 5\n");
}

static void a_soak_goes_on(void **state)
{
	const struct mishap list[] = {
		{ 2, 0 }, { 3, -ETIMEDOUT }, { 7, -ECANCELED }, { 11, -ETIMEDOUT }, { 0, 0 },
	};

	(void)state;
	assert_int_equal(selftest(list, "--soak", "1h", "20"), STATUS_MISMATCH);
	assert_int_equal(calls, 20);
	says(out, "\"passed\": 16, ");
	says(out,
	     "\"faults\": {\"wrong\": 1, \"hangs\": 2, \"errors\": 1, \"first\": [{\"seed\": 101, ");
	says(out, "{\"seed\": 110, ");
	says(out, ": mishap 11\"}]}");
	says(complaints, "4 faults in ");
	/* Hangs only: the results are right. */
	assert_int_equal(selftest(list + 1, "--soak", "1h", "5"), STATUS_DEVICE);
	assert_int_equal(calls, 5);
	says(out, "\"passed\": 4, ");
}

static void a_lost_device_ends_a_soak(void **state)
{
	const struct mishap lost[] = { { 3, -ETIMEDOUT }, { 5, -EIO }, { 0, 0 } };

	(void)state;
	assert_int_equal(selftest(lost, "--soak", "1h", "20"), STATUS_DEVICE);
	assert_int_equal(calls, 5);
	says(out, "\"faults\": {\"wrong\": 0, \"hangs\": 1, \"errors\": 1, ");
	says(complaints, "seed 104, M ");
	assert_null(strstr(complaints, "faults"));
}

static void many_faults_are_counted(void **state)
{
	struct mishap list[31] = { { 0, 0 } };

	(void)state;
	for (int i = 0; i < 30; i++)
		list[i].call = i + 1;
	assert_int_equal(selftest(list, "--soak", "1h", "30"), STATUS_MISMATCH);
	says(out, "\"passed\": 0, ");
	says(out, "\"faults\": {\"wrong\": 30, ");
	says(out, "{\"seed\": 115, ");
	assert_null(strstr(out, "{\"seed\": 116, "));
}

static void the_time_ends_a_soak(void **state)
{
	const struct mishap none[] = { { 0, 0 } };

	(void)state;
	assert_int_equal(selftest(none, "--soak", "0.05s", "3000"), STATUS_OK);
	assert_in_range(calls, 1, 2999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_well),
		cmocka_unit_test(a_wrong_result_ends_it),
		cmocka_unit_test(a_hang_ends_it),
		cmocka_unit_test(a_soak_goes_on),
		cmocka_unit_test(a_lost_device_ends_a_soak),
		cmocka_unit_test(many_faults_are_counted),
		cmocka_unit_test(the_time_ends_a_soak),
	};

	return cmocka_run_group_tests_name("selftest", tests, NULL, NULL);
}
