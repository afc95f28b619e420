/* SPDX-License-Identifier: MIT */
/*
 * The NPUs that a machine has, whether a driver serves them or not: what its device tree, its buses
 * and its classes of devices say in sysfs.
 */
#ifndef NPU_RUN_HARDWARE_H
#define NPU_RUN_HARDWARE_H

#include <stdbool.h>
#include <stddef.h>

/* Name of the kernel driver, and of its module. */
#define NPU_DRIVER "npu"

/* The oldest kernel it builds on. */
#define NPU_KERNEL_MAJOR 6
#define NPU_KERNEL_MINOR 1

#define HARDWARE_MAX 32
#define HARDWARE_TEXT 128

/*
 * struct hardware - an NPU
 * @name: Of the device on its bus, or the path in the device tree of one that is not enabled.
 * @bus: "platform" or "pci".
 * @config: What it is, for example "nv_small".
 * @known: The driver serves this configuration.
 * @disabled: The device tree says that it is not to be used.
 * @driver: What is bound to it, "" for none.
 * @override: The only driver that may be, "" if any.
 * @node: Path of its device node, "" if there is none.
 */
struct hardware {
	char name[HARDWARE_TEXT];
	char bus[16];
	char config[32];
	bool known;
	bool disabled;
	char driver[64];
	char override[64];
	char node[64];
};

/*
 * Finds up to HARDWARE_MAX of them. @root: where the machine's root folder is, "" for its own.
 * Returns how many.
 */
size_t hardware_find(const char *root, struct hardware *found);

/* The driver behind a node such as /dev/dri/renderD128; false if sysfs does not tell. */
bool hardware_node_driver(const char *root, const char *node, char *driver, size_t size);

#endif
