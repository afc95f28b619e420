// SPDX-License-Identifier: MIT
/*
 * What npu-run top is made of: who has an NPU open, and who used it between two looks. Processes
 * are folders with the files that /proc would have.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/npu-run/usage.h"
#include "fake_root.h"

#define NODE "/dev/dri/renderD128"
#define OTHER "/dev/accel/accel0"

static const char text[] = "pos:\t0\nflags:\t02100002\n"
			   "drm-driver:\tnpu\n"
			   "drm-client-id:\t7\n"
			   "drm-engine-npu:\t1500000 ns\n"
			   "drm-cycles-npu:\t150000\n"
			   "drm-maxfreq-npu:\t100000000 Hz\n"
			   "drm-total-memory:\t20 KiB\n"
			   "drm-shared-memory:\t3 MiB\n"
			   "drm-resident-memory:\t1 KiB\n"
			   "drm-active-memory:\t5\n";

static void keys(void **state)
{
	struct client client;

	(void)state;
	memset(&client, 0xff, sizeof(client));
	assert_true(fdinfo_parse(text, &client));
	assert_int_equal(client.id, 7);
	assert_int_equal(client.engine_ns, 1500000);
	assert_int_equal(client.total, 20 << 10);
	assert_int_equal(client.shared, 3 << 20);
	assert_int_equal(client.active, 5);
	/* What is missing is nothing. */
	assert_true(fdinfo_parse("drm-driver:\tnpu", &client));
	assert_int_equal(client.total, 0);
	assert_false(fdinfo_parse("drm-driver:\tnpu2\ndrm-client-id:\t7\n", &client));
	assert_false(fdinfo_parse("drm-driver:\ti915\n", &client));
	assert_false(fdinfo_parse("xdrm-driver:\tnpu\n", &client));
	assert_false(fdinfo_parse("", &client));
}

static void put_file(int pid, int fd, const char *node, unsigned long id, unsigned long engine_ns,
		     unsigned long kib)
{
	char path[64], info[256];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	fake_root_link(path, node);
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
	snprintf(info, sizeof(info),
		 "drm-driver:\tnpu\ndrm-client-id:\t%lu\ndrm-engine-npu:\t%lu ns\n"
		 "drm-total-memory:\t%lu KiB\n",
		 id, engine_ns, kib);
	fake_root_text(path, info);
}

static void open_files(void **state)
{
	struct clients clients = { 0 };

	(void)state;
	fake_root_text("/proc/2/comm", "late\n");
	fake_root_text("/proc/10/comm", "inference\n");
	fake_root_text("/proc/self/comm", "me\n");
	put_file(10, 3, NODE, 5, 1000, 4);
	put_file(10, 4, NODE, 5, 1000, 4);  /* a copy of the descriptor */
	put_file(10, 5, OTHER, 5, 2000, 8); /* another node, whose numbers are its own */
	put_file(2, 9, NODE, 6, 3000, 16);
	put_file(11, 3, NODE, 5, 1000, 4); /* a child of 10 */
	/* Files that are none of an NPU. */
	fake_root_link("/proc/10/fd/0", "/dev/null");
	fake_root_link("/proc/10/fd/1", "socket:[1234]");
	fake_root_text("/proc/10/fdinfo/1", "drm-driver:\tnpu\n");
	fake_root_link("/proc/10/fd/6", "/dev/dri/renderD129");
	fake_root_text("/proc/10/fdinfo/6", "drm-driver:\tpanfrost\n");
	/* One that is closed meanwhile. */
	fake_root_link("/proc/10/fd/7", NODE);

	assert_int_equal(fdinfo_scan(fake_root(), &clients), 0);
	assert_int_equal(clients.count, 3);
	assert_int_equal(clients.client[0].pid, 2);
	assert_int_equal(clients.client[0].id, 6);
	assert_string_equal(clients.client[0].command, "late");
	assert_string_equal(clients.client[0].node, NODE);
	assert_int_equal(clients.client[0].uid, geteuid());
	assert_int_equal(clients.client[1].pid, 10);
	assert_int_equal(clients.client[2].pid, 10);
	assert_string_equal(clients.client[1].command, "inference");
	assert_int_equal(clients.hidden, 0);
	fdinfo_free(&clients);
}

static void processes_of_others(void **state)
{
	struct clients clients = { 0 };
	char path[128];

	(void)state;
	put_file(10, 3, NODE, 5, 1000, 4);
	put_file(11, 3, NODE, 6, 1000, 4);
	chmod(fake_root(), 0755);
	snprintf(path, sizeof(path), "%s/proc/10/fd", fake_root());
	assert_int_equal(chmod(path, 0), 0);
	if (!geteuid())
		assert_int_equal(seteuid(65534), 0);
	assert_int_equal(fdinfo_scan(fake_root(), &clients), 0);
	assert_int_equal(seteuid(getuid()), 0);
	chmod(path, 0755);
	assert_int_equal(clients.count, 1);
	assert_int_equal(clients.client[0].pid, 11);
	assert_int_equal(clients.hidden, 1);
	fdinfo_free(&clients);
}

static void no_proc(void **state)
{
	struct clients clients = { 0 };

	(void)state;
	assert_int_equal(fdinfo_scan("/nonexistent", &clients), -ENOENT);
	fdinfo_free(&clients);
}

#define CLIENT(p, number, path, ns, bytes)                                            \
	{                                                                             \
		.pid = p, .id = number, .node = path, .engine_ns = ns, .total = bytes \
	}

static void an_interval(void **state)
{
	struct client old[] = {
		CLIENT(10, 1, NODE, 5000, 0),
		CLIENT(11, 2, NODE, 9000, 0),
		CLIENT(12, 3, NODE, 100, 0),
	};
	struct client new[] = {
		CLIENT(10, 1, NODE, 5600, 10),	/* worked 600 */
		CLIENT(10, 4, NODE, 100, 20),	/* is new, and worked 100 */
		CLIENT(10, 2, OTHER, 50, 5),	/* of another node, and worked 50 */
		CLIENT(11, 2, NODE, 9000, 100), /* did nothing */
		CLIENT(13, 3, NODE, 90, 1),	/* went from 12, and cannot have worked backwards */
	};
	const struct clients before = { .time_ns = 1000, .client = old, .count = 3 };
	const struct clients after = { .time_ns = 2000, .client = new, .count = 5 };
	struct usage usage = { 0 };

	(void)state;
	assert_int_equal(usage_between(&before, &after, USAGE_BY_ENGINE, &usage), 0);
	assert_true(usage.seconds > 0.999e-6 && usage.seconds < 1.001e-6);
	assert_int_equal(usage.count, 4);
	assert_int_equal(usage.user[0].client.pid, 10);
	assert_int_equal(usage.user[0].files, 2);
	assert_int_equal(usage.user[0].worked_ns, 700);
	assert_int_equal(usage.user[0].client.engine_ns, 5700);
	assert_int_equal(usage.user[0].client.total, 30);
	assert_string_equal(usage.user[1].client.node, OTHER);
	assert_int_equal(usage.user[1].worked_ns, 50);
	/* Of those that did nothing, who has done more. */
	assert_int_equal(usage.user[2].client.pid, 11);
	assert_int_equal(usage.user[3].client.pid, 13);
	assert_int_equal(usage.user[3].worked_ns, 0);
	assert_true(usage_busy(&usage, NODE) > 0.6999 && usage_busy(&usage, NODE) < 0.7001);
	assert_true(usage_busy(&usage, OTHER) > 0.0499 && usage_busy(&usage, OTHER) < 0.0501);
	assert_true(usage_busy(&usage, "/dev/dri/renderD1") == 0);

	assert_int_equal(usage_between(&before, &after, USAGE_BY_MEMORY, &usage), 0);
	assert_int_equal(usage.user[0].client.pid, 11);
	assert_int_equal(usage.user[1].client.total, 30);
	assert_int_equal(usage_between(&before, &after, USAGE_BY_PID, &usage), 0);
	assert_string_equal(usage.user[0].client.node, OTHER);
	assert_int_equal(usage.user[3].client.pid, 13);
	usage_free(&usage);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, fake_root_create, fake_root_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),	       CASE(open_files),
		CASE(processes_of_others),     cmocka_unit_test(no_proc),
		cmocka_unit_test(an_interval),
	};

	return cmocka_run_group_tests_name("top", tests, NULL, NULL);
}
