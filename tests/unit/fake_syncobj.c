// SPDX-License-Identifier: MIT
/*
 * Syncobjs of the fake kernel driver, and the sync_files that are made of them.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_fence.h"
#include "fake_npu.h"
#include "fake_syncobj.h"

#define MAX_SYNCOBJS 4096
#define MAX_EXPORTED 64 /* the oldest are forgotten */

/* Submission @number of context @ctx, or one of fake_fence.h. */
struct fence {
	bool exists;
	ino_t outside;
	uint32_t ctx;
	uint64_t number;
};

static struct fence syncobjs[MAX_SYNCOBJS];

/* sync_files that were made of syncobjs. */
static struct {
	ino_t id;
	struct fence fence;
} exported[MAX_EXPORTED];
static unsigned int exports;

int __wrap_drmSyncobjCreate(int fd, uint32_t flags, uint32_t *handle);
int __wrap_drmSyncobjDestroy(int fd, uint32_t handle);
int __wrap_drmSyncobjWait(int fd, uint32_t *handles, unsigned int count, int64_t deadline,
			  unsigned int flags, uint32_t *first);
int __wrap_drmSyncobjExportSyncFile(int fd, uint32_t handle, int *sync_file);
int __wrap_drmSyncobjImportSyncFile(int fd, uint32_t handle, int sync_file);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);

static int syncobj_create(uint32_t *handle)
{
	uint32_t i = 1;

	if (fake_fails())
		return -1;
	while (syncobjs[i].exists)
		i++;
	assert_true(i < MAX_SYNCOBJS);
	syncobjs[i] = (struct fence){ .exists = true };
	*handle = i;
	fake.objects++;
	return 0;
}

int __wrap_drmSyncobjCreate(int fd, uint32_t flags, uint32_t *handle)
{
	int ret;

	assert_true(fd == fake_node && !flags);
	pthread_mutex_lock(&fake_lock);
	ret = syncobj_create(handle);
	pthread_mutex_unlock(&fake_lock);
	return ret;
}

int __wrap_drmSyncobjDestroy(int fd, uint32_t handle)
{
	pthread_mutex_lock(&fake_lock);
	assert_true(fd == fake_node && syncobjs[handle].exists);
	syncobjs[handle].exists = false;
	fake.objects--;
	pthread_mutex_unlock(&fake_lock);
	return 0;
}

static int syncobj_wait(const struct fence *fence, int64_t deadline)
{
	assert_true(fence->exists && fence->number);
	if (fake_fails())
		return -errno;
	if (fake_ctx_status(fence->ctx, fence->number))
		return 0;
	if (deadline != INT64_MAX)
		return -ETIME;
	fake_ctx_complete(fence->ctx, fence->number);
	return 0;
}

int __wrap_drmSyncobjWait(int fd, uint32_t *handles, unsigned int count, int64_t deadline,
			  unsigned int flags, uint32_t *first)
{
	int ret;

	assert_true(fd == fake_node && count == 1 && !flags && !first);
	pthread_mutex_lock(&fake_lock);
	ret = syncobj_wait(&syncobjs[handles[0]], deadline);
	pthread_mutex_unlock(&fake_lock);
	return ret;
}

/* The read end of a pipe with no other end: it can always be polled with success. */
static int export(const struct fence *fence)
{
	struct stat st;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	close(ends[1]);
	assert_int_equal(fstat(ends[0], &st), 0);
	exported[exports % MAX_EXPORTED].id = st.st_ino;
	exported[exports++ % MAX_EXPORTED].fence = *fence;
	return ends[0];
}

int __wrap_drmSyncobjExportSyncFile(int fd, uint32_t handle, int *sync_file)
{
	int ret = 0;

	pthread_mutex_lock(&fake_lock);
	assert_true(fd == fake_node && syncobjs[handle].exists);
	if (fake_fails())
		ret = -1;
	else
		*sync_file = export(&syncobjs[handle]);
	pthread_mutex_unlock(&fake_lock);
	return ret;
}

/* The fence that was made a sync_file, or NULL. */
static const struct fence *find_exported(int fd)
{
	struct stat st;

	if (fstat(fd, &st) || !S_ISFIFO(st.st_mode))
		return NULL;
	for (unsigned int i = exports; i > 0 && i + MAX_EXPORTED > exports; i--)
		if (exported[(i - 1) % MAX_EXPORTED].id == st.st_ino)
			return &exported[(i - 1) % MAX_EXPORTED].fence;
	return NULL;
}

int __wrap_drmSyncobjImportSyncFile(int fd, uint32_t handle, int sync_file)
{
	const struct fence *fence;
	int ret = 0;

	pthread_mutex_lock(&fake_lock);
	assert_true(fd == fake_node && syncobjs[handle].exists);
	fence = find_exported(sync_file);
	if (fake_fails()) {
		ret = -1;
	} else if (fence) {
		syncobjs[handle] = *fence;
	} else {
		assert_true(fake_fence_id(sync_file));
		syncobjs[handle] = (struct fence){
			.exists = true,
			.outside = fake_fence_id(sync_file),
		};
	}
	pthread_mutex_unlock(&fake_lock);
	return ret;
}

int fake_sync_file_info(int fd, struct sync_file_info *info)
{
	const struct fence *fence = find_exported(fd);

	if (!fence)
		return fake_fence_info(fd, info) ? -errno : 0;
	info->status = fence->outside ? fake_fence_status(fence->outside)
				      : fake_ctx_status(fence->ctx, fence->number);
	return 0;
}

bool fake_syncobj_has_fence(uint32_t handle)
{
	return syncobjs[handle].number || syncobjs[handle].outside;
}

void fake_syncobj_set(uint32_t handle, uint32_t ctx, uint64_t number)
{
	assert_true(syncobjs[handle].exists);
	syncobjs[handle] = (struct fence){ .exists = true, .ctx = ctx, .number = number };
}

/* Somebody waits without a limit for a job. */
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	const struct fence *fence;

	pthread_mutex_lock(&fake_lock);
	assert_true(count == 1 && timeout == -1);
	fence = find_exported(fds[0].fd);
	if (fence && !fence->outside)
		fake_ctx_complete(fence->ctx, fence->number);
	pthread_mutex_unlock(&fake_lock);
	return __real_poll(fds, count, timeout);
}
