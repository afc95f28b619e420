/* SPDX-License-Identifier: MIT */
/*
 * Device nodes: which file in /dev is the NPU.
 */
#ifndef LIBNPU_NODE_H
#define LIBNPU_NODE_H

#include <stddef.h>

struct npu_error;

/* Opens the DRM node @path of driver @driver; a file descriptor or an error. */
int npu_node_open(const char *path, const char *driver, struct npu_error *err);

/*
 * Opens the first DRM node of driver @driver and tells its path. @root is where /dev and /sys are:
 * "", but for tests.
 */
int npu_node_find(const char *root, const char *driver, char *path, size_t path_size,
		  struct npu_error *err);

#endif /* LIBNPU_NODE_H */
