// SPDX-License-Identifier: MIT
/*
 * What debugfs tells about the engine, in rest and after a hang.
 */
#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "board_control.h"
#include "drm_node.h"

/* Opens a file of the first NPU; on kernels without DRM_ACCEL it is below dri. */
static FILE *debugfs_open(const char *name)
{
	static const char *const folders[] = { "/sys/kernel/debug/accel/*.npu/%s",
					       "/sys/kernel/debug/accel/[0-9]*/%s",
					       "/sys/kernel/debug/dri/[0-9]*/%s" };
	char pattern[96];
	glob_t found = { 0 };
	FILE *f = NULL;
	unsigned int i;

	for (i = 0; !f && i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(pattern, sizeof(pattern), folders[i], name);
		if (!glob(pattern, 0, NULL, &found))
			f = fopen(found.gl_pathv[0], "r");
		globfree(&found);
	}
	return f;
}

/* The text behind a key of the file state. */
static const char *state_text(const char *key)
{
	static char text[128];
	char line[128];
	FILE *f = debugfs_open("state");

	if (!f)
		skip();
	text[0] = 0;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':')
			snprintf(text, sizeof(text), "%s", line + strlen(key) + 2);
	fclose(f);
	text[strcspn(text, "\n")] = 0;
	return text;
}

/* Interrupts may have been lost before, by another test that tries that: none is while a job runs.
 */
static void idle(void **state)
{
	struct drm_npu_job_matmul job;
	struct node_bo bos[3];
	struct node node;
	int lost;

	(void)state;
	node_open(&node);
	node_bos_create(&node, bos, 3, 4096);
	assert_string_equal(state_text("state"), "idle");
	assert_string_equal(state_text("submissions"), "0");
	assert_true(atoi(state_text("contexts")) >= 1);
	lost = atoi(state_text("lost interrupts"));
	job = node_job(&node, 16, 17, 18, &bos[0], &bos[1], &bos[2]);
	assert_int_equal(node_run(&node, &job, 1), 0);
	assert_int_equal(atoi(state_text("lost interrupts")), lost);
	node_bos_destroy(&node, bos, 3);
	node_close(&node);
}

static void hang(void **state)
{
	static const char what[] = "job 0 of 1, 16x17x18, enabled";
	struct board_control *board = board_control_open();
	struct drm_npu_job_matmul job;
	struct node_bo bos[3];
	struct node node;
	int resets;

	(void)state;
	if (!board)
		skip();
	resets = atoi(state_text("resets"));
	node_open(&node);
	node_bos_create(&node, bos, 3, 4096);
	job = node_job(&node, 16, 17, 18, &bos[0], &bos[1], &bos[2]);
	assert_int_equal(board_control_inject(board, "hang:1"), 0);
	assert_int_equal(node_submit(&node, 0, &job, 1, NULL), 0);
	assert_string_equal(state_text("state"), "busy");
	assert_string_equal(state_text("submissions"), "1");
	if (!state_text("group 0")[0])
		assert_non_null(strstr(state_text("group 1"), what));
	else
		assert_non_null(strstr(state_text("group 0"), what));
	node_bo_prep(&node, &bos[2]);
	node_bo_fini(&node, &bos[2]);
	assert_string_equal(state_text("state"), "idle");
	assert_int_equal(atoi(state_text("resets")), resets + 1);
	node_bos_destroy(&node, bos, 3);
	node_close(&node);
	board_control_close(board);
}

/* The sizes of the last job stand in the registers. */
static void registers(void **state)
{
	struct drm_npu_job_matmul job;
	struct node_bo bos[3];
	struct node node;
	unsigned int reg, value, last = 0, n = 0, found = 0;
	char line[64];
	FILE *f;

	(void)state;
	node_open(&node);
	node_bos_create(&node, bos, 3, 65536);
	job = node_job(&node, 33, 34, 35, &bos[0], &bos[1], &bos[2]);
	assert_int_equal(node_run(&node, &job, 1), 0);
	f = debugfs_open("regs");
	if (!f)
		skip();
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%x: %x", &reg, &value) != 2)
			break;
		assert_true(reg > last);
		last = reg;
		n++;
		found += value == 32; /* sizes are minus one */
	}
	fclose(f);
	if (n) {
		assert_true(n > 100);
		assert_true(found > 0);
	}
	node_bos_destroy(&node, bos, 3);
	node_close(&node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idle),
		cmocka_unit_test(hang),
		cmocka_unit_test(registers),
	};

	return cmocka_run_group_tests_name("debugfs", tests, NULL, NULL);
}
