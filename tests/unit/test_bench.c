// SPDX-License-Identifier: MIT
/*
 * What npu-run bench is made of: ranks of measurements, figures that follow from them, conditions
 * of a machine. Nothing here depends on how long something took.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/npu-run/bench.h"
#include "../../tools/npu-run/conditions.h"
#include "../../tools/npu-run/interrupt.h"
#include "fake_root.h"

static void ranks(void **state)
{
	uint64_t ns[200];
	struct distribution d;

	(void)state;
	/* 1 to 200 in disorder: 73 has no factor in common with 200. */
	for (uint64_t i = 0; i < 200; i++)
		ns[i] = i * 73 % 200 + 1;
	distribution_of(ns, 200, &d);
	assert_int_equal(d.min, 1);
	assert_int_equal(d.p50, 100);
	assert_int_equal(d.p90, 180);
	assert_int_equal(d.p99, 198);
	assert_int_equal(d.max, 200);
	assert_true(d.mean == 100.5);

	/* Of few measurements the highest ranks are the largest one. */
	ns[0] = UINT64_MAX;
	ns[1] = 7;
	ns[2] = 8;
	distribution_of(ns, 3, &d);
	assert_int_equal(d.min, 7);
	assert_int_equal(d.p50, 8);
	assert_true(d.p90 == UINT64_MAX && d.p99 == UINT64_MAX && d.max == UINT64_MAX);
	ns[0] = 5;
	distribution_of(ns, 1, &d);
	assert_true(d.min == 5 && d.p50 == 5 && d.p99 == 5 && d.max == 5 && d.mean == 5);
}

static void figures(void **state)
{
	const struct measurement m = {
		.plan = { .macs = 64 * 256 * 64, .bytes = 64 * 256 * 2 + 64 * 64 },
		.streamed = 10,
		.seconds = 0.002,
		.engine_ns = 1000000,
	};

	(void)state;
	/* 2 * 2^20 operations and 36864 bytes, 5000 times a second. */
	assert_true(bench_gops(&m) > 10.48575 && bench_gops(&m) < 10.48577);
	assert_true(bench_gbytes(&m) > 0.18431 && bench_gbytes(&m) < 0.18433);
	assert_true(bench_intensity(&m) > 56.888 && bench_intensity(&m) < 56.889);
	/* 100 us of engine for each, at 100 MHz. */
	assert_true(bench_cycles(&m, 100000000) > 9999 && bench_cycles(&m, 100000000) < 10001);
	assert_true(bench_cycles(&m, 0) == 0);
	assert_true(bench_busy(&m) > 0.4999 && bench_busy(&m) < 0.5001);
}

static struct measurement measure(const char *name, const struct shape *shape, uint32_t count)
{
	const struct effort effort = { .warm_up = 1, .count = count, .seconds = 0.001 };
	struct measurement m;
	struct npu_device *dev;

	assert_int_equal(npu_device_open(name, &dev, NULL), 0);
	assert_int_equal(bench_measure(dev, shape, &effort, &m, NULL), 0);
	npu_device_close(dev);
	return m;
}

static void a_measurement(void **state)
{
	const struct shape shape = { 70, 300, 33 }, other = { 70, 301, 33 };
	struct measurement one, two;

	(void)state;
	one = measure("cpu", &shape, 20);
	two = measure("cpu:2", &shape, 0);
	assert_int_equal(one.calls, 20);
	assert_int_equal(one.streamed, 20);
	assert_true(two.calls >= 10 && two.calls <= 10000);
	assert_int_equal(one.plan.macs, 70 * 300 * 33);
	assert_true(one.latency.min > 0 && one.latency.min <= one.latency.p50);
	assert_true(one.seconds > 0);
	assert_int_equal(one.engine_ns, 0);
	assert_true(one.checksum == two.checksum);
	assert_true(one.checksum != measure("cpu", &other, 1).checksum);
}

static void a_machine(void **state)
{
	struct conditions c;

	(void)state;
	fake_root_text("/proc/cpuinfo",
		       "processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\nflags\t: x\n");
	fake_root_text("/proc/loadavg", "1.25 0.50 0.10 1/100 1000\n");
	fake_root_put("/sys/firmware/devicetree/base/model", "ZynqMP ZCU102", 14);
	fake_root_text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "schedutil\n");
	fake_root_text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "600000\n");
	fake_root_text("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "1200000\n");
	fake_root_text("/sys/module/npu/srcversion", "0123456789ABCDEF\n");
	conditions_take(fake_root(), &c);
	assert_string_equal(c.processor, "Some CPU @ 2 GHz");
	assert_string_equal(c.board, "ZynqMP ZCU102");
	assert_string_equal(c.governor, "schedutil");
	assert_int_equal(c.cpu_hz, 600000000);
	assert_int_equal(c.cpu_max_hz, 1200000000);
	assert_true(c.load == 1.25);
	assert_string_equal(c.module, "0123456789ABCDEF");
	if (c.processors < 2)
		return;
	fake_root_text("/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "performance\n");
	conditions_take(fake_root(), &c);
	assert_string_equal(c.governor, "mixed");
}

static void a_machine_that_says_nothing(void **state)
{
	struct conditions c;

	(void)state;
	fake_root_text("/proc/cpuinfo", "processor\t: 0\nBogoMIPS\t: 125.00\n");
	conditions_take(fake_root(), &c);
	assert_string_equal(c.processor, "");
	assert_string_equal(c.board, "");
	assert_string_equal(c.governor, "");
	assert_string_equal(c.module, "");
	assert_int_equal(c.cpu_hz, 0);
	assert_true(c.kernel[0] && c.processors > 0);
}

/* The last one: what has come does not go away. */
static void an_interruption(void **state)
{
	const struct effort effort = { .seconds = 1000 };
	const struct shape shape = { 8, 8, 8 };
	struct npu_device *dev;
	struct npu_error err;
	struct measurement m;

	(void)state;
	assert_false(interrupted());
	interrupt_catch();
	assert_false(interrupt_sleep(0.001));
	raise(SIGTERM);
	assert_true(interrupted());
	/* Ends the sleep that has not begun. */
	assert_true(interrupt_sleep(1e6));
	assert_int_equal(npu_device_open("cpu", &dev, NULL), 0);
	assert_int_equal(bench_measure(dev, &shape, &effort, &m, &err), -EINTR);
	assert_string_equal(err.text, "interrupted");
	npu_device_close(dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranks),
		cmocka_unit_test(figures),
		cmocka_unit_test(a_measurement),
		cmocka_unit_test_setup_teardown(a_machine, fake_root_create, fake_root_remove),
		cmocka_unit_test_setup_teardown(a_machine_that_says_nothing, fake_root_create,
						fake_root_remove),
		cmocka_unit_test(an_interruption),
	};

	return cmocka_run_group_tests_name("bench", tests, NULL, NULL);
}
