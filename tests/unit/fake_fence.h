/* SPDX-License-Identifier: MIT */
/*
 * sync_files of no driver, which a test signals when it likes. What is passed around are the read
 * ends of pipes, so they can be polled and duplicated like the real ones.
 */
#ifndef TESTS_FAKE_FENCE_H
#define TESTS_FAKE_FENCE_H

#include <linux/sync_file.h>
#include <sys/types.h>

/* A fence that has not signalled. */
int fake_fence_create(void);

/* Signals it; @error is 0 or a positive errno. The descriptor stays the caller's. */
void fake_fence_signal(int fd, int error);

/* Signals all that have not, so that a failed test can be cleaned up after. */
void fake_fence_signal_all(void);

/* Which fence @fd, or a duplicate of it, is; 0 if it is none. */
ino_t fake_fence_id(int fd);

/* As SYNC_IOC_FILE_INFO tells it: 0, 1, or a negative errno. */
int fake_fence_status(ino_t id);

/* SYNC_IOC_FILE_INFO: 0, or -1 and errno. */
int fake_fence_info(int fd, struct sync_file_info *info);

/* Open descriptors of the process. */
unsigned int open_fds(void);

#endif /* TESTS_FAKE_FENCE_H */
