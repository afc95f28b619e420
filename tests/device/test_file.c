// SPDX-License-Identifier: MIT
/*
 * What /proc says about an open file.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xf86drm.h>
#include <cmocka.h>

#include "drm_node.h"

#define MIB (1u << 20)

/* Text behind a key; empty if there is no such key. */
static const char *fdinfo_text(int fd, const char *key)
{
	static char text[128];
	char path[64], line[128];
	const size_t length = strlen(key);
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	assert_non_null(f);
	text[0] = 0;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, key, length) && !strncmp(line + length, ":\t", 2))
			snprintf(text, sizeof(text), "%s", line + length + 2);
	fclose(f);
	text[strcspn(text, "\n")] = 0;
	return text;
}

static uint64_t fdinfo_number(int fd, const char *key, const char *unit)
{
	char *end;
	uint64_t value = strtoull(fdinfo_text(fd, key), &end, 10);

	if (strcmp(end, unit) != 0)
		fail_msg("%s ends in \"%s\", not in \"%s\"", key, end, unit);
	return value;
}

static void fdinfo_names_the_file(void **state)
{
	struct node node, other;
	uint64_t id;
	int copy;

	(void)state;
	node_open(&node);
	node_open(&other);
	assert_string_equal(fdinfo_text(node.fd, "drm-driver"), "npu");
	id = fdinfo_number(node.fd, "drm-client-id", "");
	assert_int_not_equal(id, fdinfo_number(other.fd, "drm-client-id", ""));
	copy = dup(node.fd);
	assert_int_equal(id, fdinfo_number(copy, "drm-client-id", ""));
	close(copy);
	node_close(&other);
	node_close(&node);
}

static void fdinfo_counts_time(void **state)
{
	struct drm_npu_ctx_create ctx = { 0 };
	struct drm_npu_job_matmul job;
	struct node node;
	struct node_bo bos[3];
	uint64_t ns, in_ctx;
	uint32_t done;

	(void)state;
	node_open(&node);
	node_bos_create(&node, bos, 3, 65536);
	assert_int_equal(fdinfo_number(node.fd, "drm-engine-npu", " ns"), 0);
	assert_int_equal(node_ioctl(&node, DRM_IOCTL_NPU_CTX_CREATE, &ctx), 0);
	job = node_job(&node, 64, 64, 64, &bos[0], &bos[1], &bos[2]);
	assert_int_equal(node_run(&node, &job, 1), 0);
	assert_int_equal(node_submit_sync(&node, ctx.id, &job, 1, &done), 0);
	assert_int_equal(node_finish(&node, done), 0);

	ns = fdinfo_number(node.fd, "drm-engine-npu", " ns");
	in_ctx = node_ctx_state(&node, ctx.id).engine_ns;
	assert_true(in_ctx > 0);
	assert_int_equal(ns, node_ctx_state(&node, 0).engine_ns + in_ctx);
	assert_int_equal(node_ioctl(&node, DRM_IOCTL_NPU_CTX_DESTROY,
				    &(struct drm_npu_ctx_destroy){ .id = ctx.id }),
			 0);
	assert_int_equal(ns, fdinfo_number(node.fd, "drm-engine-npu", " ns"));

	if (node.info.clock_hz) {
		const uint64_t cycles = fdinfo_number(node.fd, "drm-cycles-npu", "");
		const uint64_t hz = fdinfo_number(node.fd, "drm-maxfreq-npu", " Hz");

		assert_int_equal(hz, node.info.clock_hz);
		assert_true(cycles > 0);
		assert_true(llabs((int64_t)(cycles - (uint64_t)(1e-9 * ns * hz))) <= 1);
	}
	node_bos_destroy(&node, bos, 3);
	node_close(&node);
}

static void fdinfo_counts_memory(void **state)
{
	struct node node;
	struct node_bo bos[2];
	int fd;

	(void)state;
	node_open(&node);
	assert_int_equal(fdinfo_number(node.fd, "drm-total-memory", " KiB"), 0);
	node_bo_create(&node, &bos[0], 3 * MIB);
	node_bo_create(&node, &bos[1], 2 * MIB);
	assert_int_equal(fdinfo_number(node.fd, "drm-total-memory", " KiB"), 5 * 1024);
	assert_int_equal(fdinfo_number(node.fd, "drm-resident-memory", " KiB"), 5 * 1024);
	assert_int_equal(fdinfo_number(node.fd, "drm-shared-memory", " KiB"), 0);
	assert_int_equal(fdinfo_number(node.fd, "drm-active-memory", " KiB"), 0);
	assert_int_equal(drmPrimeHandleToFD(node.fd, bos[1].handle, DRM_CLOEXEC, &fd), 0);
	assert_int_equal(fdinfo_number(node.fd, "drm-shared-memory", " KiB"), 2 * 1024);
	close(fd);
	node_bos_destroy(&node, bos, 2);
	assert_int_equal(fdinfo_number(node.fd, "drm-total-memory", " KiB"), 0);
	node_close(&node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fdinfo_names_the_file),
		cmocka_unit_test(fdinfo_counts_time),
		cmocka_unit_test(fdinfo_counts_memory),
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
