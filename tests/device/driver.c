// SPDX-License-Identifier: MIT
/*
 * The driver from outside, through sysfs.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "driver.h"

/* The driver's folder has a link for each of its devices. */
static size_t find_devices_of(const char *driver, struct driver_binding *bindings, size_t max)
{
	DIR *dir = opendir(driver);
	struct dirent *entry;
	size_t found = 0;

	if (!dir)
		return 0;
	while (found < max && (entry = readdir(dir))) {
		if (entry->d_type != DT_LNK || !strcmp(entry->d_name, "module"))
			continue;
		bindings[found].driver = driver;
		snprintf(bindings[found].device, sizeof(bindings[found].device), "%s",
			 entry->d_name);
		found++;
	}
	closedir(dir);
	return found;
}

static int by_name(const void *a, const void *b)
{
	const struct driver_binding *first = a, *second = b;

	return strcmp(first->device, second->device);
}

size_t driver_find_all(struct driver_binding *bindings, size_t max)
{
	size_t found = find_devices_of("/sys/bus/platform/drivers/npu", bindings, max);

	if (!found)
		found = find_devices_of("/sys/bus/pci/drivers/npu", bindings, max);
	qsort(bindings, found, sizeof(*bindings), by_name);
	return found;
}

void driver_find(struct driver_binding *binding)
{
	assert_int_equal(driver_find_all(binding, 1), 1);
	if (geteuid())
		skip();
}

static void tell(const struct driver_binding *binding, const char *file)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", binding->driver, file);
	assert_int_equal(driver_write(path, binding->device), 0);
}

void driver_unbind(const struct driver_binding *binding)
{
	tell(binding, "unbind");
}

void driver_bind(const struct driver_binding *binding)
{
	tell(binding, "bind");
}

void driver_set_autosuspend(const struct driver_binding *binding, int on)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s/power/control", binding->driver, binding->device);
	assert_int_equal(driver_write(path, on ? "auto" : "on"), 0);
}

int driver_unload(void)
{
	return syscall(SYS_delete_module, "npu", O_NONBLOCK) ? -errno : 0;
}

int driver_load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, "", 0))
		err = -errno;
	close(fd);
	return err;
}

unsigned int driver_set_param(const char *name, unsigned int value)
{
	char path[128], text[32];
	unsigned int before;

	snprintf(path, sizeof(path), "/sys/module/npu/parameters/%s", name);
	assert_true(driver_read(path, text, sizeof(text)) > 0);
	before = (unsigned int)strtoul(text, NULL, 10);
	snprintf(text, sizeof(text), "%u", value);
	assert_int_equal(driver_write(path, text), 0);
	return before;
}

int driver_read(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t got = 0;

	if (fd < 0)
		return -1;
	while (len < size - 1 && (got = read(fd, buf + len, size - 1 - len)) > 0)
		len += (size_t)got;
	close(fd);
	if (got < 0)
		return -1;
	if (len && buf[len - 1] == '\n')
		len--;
	buf[len] = 0;
	return (int)len;
}

int driver_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t put;
	int err = 0;

	if (fd < 0)
		return -errno;
	put = write(fd, text, strlen(text));
	if (put < 0)
		err = -errno;
	close(fd);
	return err;
}
