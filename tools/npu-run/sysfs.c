// SPDX-License-Identifier: MIT
/* Small files of /sys and /proc. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sysfs.h"

/* A path that is too long is one of no file. */
static void make_path(char path[SYSFS_PATH], const char *format, va_list args)
{
	if (vsnprintf(path, SYSFS_PATH, format, args) >= SYSFS_PATH)
		path[0] = '\0';
}

static long read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;
	ssize_t n = 0;

	text[0] = '\0';
	if (fd < 0)
		return -1;
	while (length < size - 1 && (n = read(fd, text + length, size - 1 - length)) > 0)
		length += (size_t)n;
	close(fd);
	if (n < 0)
		return -1;
	text[length] = '\0';
	if (length && text[length - 1] == '\n')
		text[--length] = '\0';
	return (long)length;
}

long sysfs_read(char *text, size_t size, const char *format, ...)
{
	char path[SYSFS_PATH];
	va_list args;

	va_start(args, format);
	make_path(path, format, args);
	va_end(args);
	return read_file(path, text, size);
}

bool sysfs_link_name(char *name, size_t size, const char *format, ...)
{
	char path[SYSFS_PATH], target[SYSFS_PATH];
	const char *slash;
	va_list args;
	ssize_t n;

	name[0] = '\0';
	va_start(args, format);
	make_path(path, format, args);
	va_end(args);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	slash = strrchr(target, '/');
	snprintf(name, size, "%s", slash ? slash + 1 : target);
	return true;
}

bool sysfs_exists(const char *format, ...)
{
	char path[SYSFS_PATH];
	va_list args;

	va_start(args, format);
	make_path(path, format, args);
	va_end(args);
	return !access(path, F_OK);
}

unsigned long long sysfs_number(const char *format, ...)
{
	char path[SYSFS_PATH], text[32];
	va_list args;

	va_start(args, format);
	make_path(path, format, args);
	va_end(args);
	return read_file(path, text, sizeof(text)) > 0 ? strtoull(text, NULL, 0) : 0;
}

bool sysfs_key(const char *text, const char *key, unsigned long long *value)
{
	const size_t length = strlen(key);

	while (text) {
		if (!strncmp(text, key, length) && text[length] == ':') {
			*value = strtoull(text + length + 1, NULL, 10);
			return true;
		}
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	return false;
}
