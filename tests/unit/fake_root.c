// SPDX-License-Identifier: MIT
/* A folder that stands for the root of a machine. */
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_root.h"

static char root[32];

int fake_root_create(void **state)
{
	(void)state;
	strcpy(root, "/tmp/fake-root.XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int fake_root_remove(void **state)
{
	(void)state;
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *fake_root(void)
{
	return root;
}

/* The path in the folder, with every folder on the way to it. */
static void make_path(char full[512], const char *path)
{
	char *slash;

	assert_true(snprintf(full, 512, "%s%s", root, path) < 512);
	for (slash = strchr(full + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
}

void fake_root_put(const char *path, const void *data, size_t size)
{
	char full[512];
	FILE *file;

	make_path(full, path);
	file = fopen(full, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

void fake_root_text(const char *path, const char *text)
{
	fake_root_put(path, text, strlen(text));
}

void fake_root_link(const char *path, const char *target)
{
	char full[512];

	make_path(full, path);
	assert_int_equal(symlink(target, full), 0);
}
