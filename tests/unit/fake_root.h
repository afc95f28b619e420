/* SPDX-License-Identifier: MIT */
/*
 * A folder that stands for the root of a machine: files of /sys and /proc as a test wants them.
 */
#ifndef TESTS_UNIT_FAKE_ROOT_H
#define TESTS_UNIT_FAKE_ROOT_H

#include <stddef.h>

/** Makes the folder, and removes it with all that is in it; for cmocka. */
int fake_root_create(void **state);
int fake_root_remove(void **state);

/** Its path. */
const char *fake_root(void);

/** Writes a file; folders on the way are made. @path begins with a slash, as all paths here. */
void fake_root_put(const char *path, const void *data, size_t size);
void fake_root_text(const char *path, const char *text);

/** Makes a symbolic link. */
void fake_root_link(const char *path, const char *target);

#endif /* TESTS_UNIT_FAKE_ROOT_H */
