/* SPDX-License-Identifier: MIT */
/*
 * The driver from outside, through sysfs: its parameters, and its way off the device, out of the
 * kernel and back.
 */
#ifndef TESTS_DEVICE_DRIVER_H
#define TESTS_DEVICE_DRIVER_H

#include <stddef.h>

/**
 * struct driver_binding - where a device meets its driver
 * @driver: The driver's folder in sysfs.
 * @device: Name of the device on its bus.
 */
struct driver_binding {
	const char *driver;
	char device[256];
};

/** Finds up to @max NPUs, in the order of their names; how many. */
size_t driver_find_all(struct driver_binding *bindings, size_t max);
/** Finds an NPU; skips the test for whoever may not unbind it. */
void driver_find(struct driver_binding *binding);
void driver_unbind(const struct driver_binding *binding);
void driver_bind(const struct driver_binding *binding);

/** Removes npu.ko from the kernel, and loads it from a file; 0 or a negative errno. */
int driver_unload(void);
int driver_load(const char *path);

/** Whether the device goes off when it is idle; a bind makes it do so again. */
void driver_set_autosuspend(const struct driver_binding *binding, int on);

/** Sets a parameter of npu.ko and returns the value it had. */
unsigned int driver_set_param(const char *name, unsigned int value);

/** Reads a text file whole, without the line's end; its length, or -1. */
int driver_read(const char *path, char *buf, size_t size);
/** Writes a text to a file; 0 or a negative errno. */
int driver_write(const char *path, const char *text);

#endif /* TESTS_DEVICE_DRIVER_H */
