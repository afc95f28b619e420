/* SPDX-License-Identifier: MIT */
/*
 * Fences: sync_file descriptors, of this driver or any other.
 */
#ifndef LIBNPU_FENCE_H
#define LIBNPU_FENCE_H

/* In @status: 0 under way, 1 ended well, a negative errno if it failed. Fails if @fd has none. */
int npu_fence_status(int fd, int *status);

/* Sleeps until it has signalled: 0, or the negative errno it failed with. */
int npu_fence_wait(int fd);

#endif /* LIBNPU_FENCE_H */
