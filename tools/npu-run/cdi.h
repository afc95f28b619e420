/* SPDX-License-Identifier: MIT */
/*
 * The Container Device Interface (CDI): a JSON file by which podman, Docker, containerd and CRI-O
 * give a device to a container by name.
 */
#ifndef NPU_RUN_CDI_H
#define NPU_RUN_CDI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Vendor and class, if nothing else is asked for. */
#define CDI_KIND "libnpu/npu"

/*
 * struct cdi_device - an NPU for containers
 * @node: Path of its device node.
 * @gid: Group that may use the node; 0 for none but root's.
 */
struct cdi_device {
	char node[64];
	unsigned int gid;
};

/* Whether a kind is one by the specification: "VENDOR/CLASS". */
bool cdi_kind_is_valid(const char *kind);

/* Writes the file: devices are called by their number, "0" and up, and all of them "all". */
void cdi_write(FILE *file, const char *kind, const struct cdi_device *devices, size_t count);

#endif
