/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the fake kernel driver know of each other. All of it with fake_lock: the
 * library has threads.
 */
#ifndef TESTS_FAKE_SYNCOBJ_H
#define TESTS_FAKE_SYNCOBJ_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/sync_file.h>

extern pthread_mutex_t fake_lock;
extern int fake_node;

/* True when it is this call's turn to fail; sets errno. */
bool fake_fails(void);

/* How a submission of a context ended: as SYNC_IOC_FILE_INFO tells it. */
int fake_ctx_status(uint32_t id, uint64_t number);

/* Ends everything in a context up to a submission. */
void fake_ctx_complete(uint32_t id, uint64_t number);

bool fake_syncobj_has_fence(uint32_t handle);

/* Gives a syncobj the fence of a submission. */
void fake_syncobj_set(uint32_t handle, uint32_t ctx, uint64_t number);

/* SYNC_IOC_FILE_INFO: 0 or a negative errno. */
int fake_sync_file_info(int fd, struct sync_file_info *info);

#endif /* TESTS_FAKE_SYNCOBJ_H */
