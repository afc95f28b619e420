// SPDX-License-Identifier: MIT
/* The file for container runtimes: devices, their groups, and the version that goes with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/npu-run/cdi.h"

#define NODE(path) "{\"path\": \"" path "\", \"type\": \"c\", \"permissions\": \"rw\"}"
#define A NODE("/dev/accel/accel0")
#define B NODE("/dev/dri/renderD129")

static void writes(const struct cdi_device *devices, size_t count, const char *expected)
{
	char text[2048];
	FILE *file = tmpfile();
	size_t n;

	assert_non_null(file);
	cdi_write(file, "example.com/npu", devices, count);
	rewind(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	text[n] = '\0';
	fclose(file);
	assert_string_equal(text, expected);
}

static void one_device(void **state)
{
	const struct cdi_device device = { "/dev/accel/accel0", 105 };

	(void)state;
	writes(&device, 1,
	       "{\"cdiVersion\": \"0.7.0\", \"kind\": \"example.com/npu\", \"devices\": ["
	       "{\"name\": \"0\", \"containerEdits\": {\"deviceNodes\": [" A
	       "], \"additionalGids\": [105]}}, "
	       "{\"name\": \"all\", \"containerEdits\": {\"deviceNodes\": [" A
	       "], \"additionalGids\": [105]}}]}\n");
}

static void several_devices(void **state)
{
	const struct cdi_device devices[] = {
		{ "/dev/accel/accel0", 105 },
		{ "/dev/dri/renderD129", 105 },
	};

	(void)state;
	writes(devices, 2,
	       "{\"cdiVersion\": \"0.7.0\", \"kind\": \"example.com/npu\", \"devices\": ["
	       "{\"name\": \"0\", \"containerEdits\": {\"deviceNodes\": [" A
	       "], \"additionalGids\": [105]}}, "
	       "{\"name\": \"1\", \"containerEdits\": {\"deviceNodes\": [" B
	       "], \"additionalGids\": [105]}}, "
	       "{\"name\": \"all\", \"containerEdits\": {\"deviceNodes\": [" A ", " B
	       "], \"additionalGids\": [105]}}]}\n");
}

static void the_group_of_root(void **state)
{
	const struct cdi_device device = { "/dev/accel/accel0", 0 };

	(void)state;
	writes(&device, 1,
	       "{\"cdiVersion\": \"0.6.0\", \"kind\": \"example.com/npu\", \"devices\": ["
	       "{\"name\": \"0\", \"containerEdits\": {\"deviceNodes\": [" A "]}}, "
	       "{\"name\": \"all\", \"containerEdits\": {\"deviceNodes\": [" A "]}}]}\n");
}

static void kinds(void **state)
{
	static const char *const good[] = { CDI_KIND, "a/b", "vendor.com/class-1_b.c" };
	static const char *const bad[] = { "",	   "npu",  "/npu", "npu/", "a/b/c",  "a b/c",
					   "1a/b", "a/1b", "a-/b", "a/b.", "a/b\"c", "\xc3\xa4/b" };
	char text[400];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!cdi_kind_is_valid(good[i]))
			fail_msg("'%s' is refused", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (cdi_kind_is_valid(bad[i]))
			fail_msg("'%s' is taken", bad[i]);
	memset(text, 'a', sizeof(text));
	memcpy(text + 253, "/b", 3);
	assert_true(cdi_kind_is_valid(text));
	memcpy(text + 253, "a/b", 4);
	assert_false(cdi_kind_is_valid(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_device),
		cmocka_unit_test(several_devices),
		cmocka_unit_test(the_group_of_root),
		cmocka_unit_test(kinds),
	};

	return cmocka_run_group_tests_name("cdi", tests, NULL, NULL);
}
