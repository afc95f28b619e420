/* SPDX-License-Identifier: MIT */
/*
 * Small files of /sys and /proc. Paths are built as by printf(), and begin with the root that a
 * test may have put elsewhere; "" is the machine's own.
 */
#ifndef NPU_RUN_SYSFS_H
#define NPU_RUN_SYSFS_H

#include <stdbool.h>
#include <stddef.h>

#define SYSFS_PATH 512

/* Reads a file of at most @size - 1 bytes, without the newline at its end; its length, or -1. */
long sysfs_read(char *text, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The last part of what a symbolic link points to; false, and "", if there is no such link. */
bool sysfs_link_name(char *name, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

bool sysfs_exists(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A number on the first line of a file; 0 if there is none. */
unsigned long long sysfs_number(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The number behind "KEY:" in text like /proc/meminfo; false if it has no such line. */
bool sysfs_key(const char *text, const char *key, unsigned long long *value);

#endif
