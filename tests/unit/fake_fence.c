// SPDX-License-Identifier: MIT
/*
 * sync_files of no driver, which a test signals when it likes.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_fence.h"

#define MAX_FENCES 512

struct fence {
	ino_t id;
	int write_end;
	int status;
};

/* Fences are never forgotten: no two pipes of a process's life need to have the same number. */
static struct fence fences[MAX_FENCES];
static unsigned int used;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct fence *find(ino_t id)
{
	for (unsigned int i = used; i > 0; i--)
		if (fences[i - 1].id == id)
			return &fences[i - 1];
	return NULL;
}

ino_t fake_fence_id(int fd)
{
	struct stat st;
	ino_t id = 0;

	if (fstat(fd, &st) || !S_ISFIFO(st.st_mode))
		return 0;
	pthread_mutex_lock(&lock);
	if (find(st.st_ino))
		id = st.st_ino;
	pthread_mutex_unlock(&lock);
	return id;
}

int fake_fence_create(void)
{
	struct stat st;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(fstat(ends[0], &st), 0);
	pthread_mutex_lock(&lock);
	assert_true(used < MAX_FENCES);
	fences[used++] = (struct fence){ .id = st.st_ino, .write_end = ends[1] };
	pthread_mutex_unlock(&lock);
	return ends[0];
}

/* A pipe whose write end is closed can be read from: there is its end. */
static void signal_with(struct fence *fence, int status)
{
	fence->status = status;
	close(fence->write_end);
}

void fake_fence_signal(int fd, int error)
{
	ino_t id = fake_fence_id(fd);
	struct fence *fence;

	assert_true(id);
	pthread_mutex_lock(&lock);
	fence = find(id);
	assert_int_equal(fence->status, 0);
	signal_with(fence, error ? -error : 1);
	pthread_mutex_unlock(&lock);
}

void fake_fence_signal_all(void)
{
	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < used; i++)
		if (!fences[i].status)
			signal_with(&fences[i], 1);
	pthread_mutex_unlock(&lock);
}

int fake_fence_status(ino_t id)
{
	int status;

	pthread_mutex_lock(&lock);
	status = find(id)->status;
	pthread_mutex_unlock(&lock);
	return status;
}

int fake_fence_info(int fd, struct sync_file_info *info)
{
	struct stat st;
	ino_t id = fake_fence_id(fd);

	if (!id) {
		errno = fstat(fd, &st) ? EBADF : ENOTTY;
		return -1;
	}
	info->status = fake_fence_status(id);
	return 0;
}

unsigned int open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}
