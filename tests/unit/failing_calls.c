// SPDX-License-Identifier: MIT
/*
 * System calls that fail when it is their turn. Those of files have the names that they are linked
 * with where file offsets have 64 bits.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "failing.h"

#define CALL(type, name, parameters, arguments, failure) \
	type __real_##name parameters;                   \
	type __wrap_##name parameters;                   \
	type __wrap_##name parameters                    \
	{                                                \
		if (failing_turn(&failing_calls))        \
			return failure;                  \
		return __real_##name arguments;          \
	}

CALL(void *, mmap64, (void *at, size_t bytes, int prot, int flags, int fd, off_t offset),
     (at, bytes, prot, flags, fd, offset), MAP_FAILED)
CALL(int, memfd_create, (const char *name, unsigned int flags), (name, flags), -1)
CALL(int, ftruncate64, (int fd, off_t bytes), (fd, bytes), -1)
CALL(int, fstat64, (int fd, struct stat *st), (fd, st), -1)
CALL(int, stat64, (const char *path, struct stat *st), (path, st), -1)
CALL(off_t, lseek64, (int fd, off_t offset, int whence), (fd, offset, whence), -1)
CALL(ssize_t, read, (int fd, void *data, size_t bytes), (fd, data, bytes), -1)
CALL(ssize_t, write, (int fd, const void *data, size_t bytes), (fd, data, bytes), -1)
CALL(int, fsync, (int fd), (fd), -1)
CALL(int, rename, (const char *from, const char *to), (from, to), -1)
CALL(ssize_t, getrandom, (void *data, size_t bytes, unsigned int flags), (data, bytes, flags), -1)

/* The ones that take one more argument, or none. */
int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __real_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...);

int __wrap_open64(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	return failing_turn(&failing_calls) ? -1 : __real_open64(path, flags, mode);
}

int __wrap_fcntl64(int fd, int command, ...)
{
	va_list args;
	long argument;

	va_start(args, command);
	argument = va_arg(args, long);
	va_end(args);
	/* The others fail only where there is no such file. */
	if ((command == F_DUPFD_CLOEXEC || command == F_ADD_SEALS) && failing_turn(&failing_calls))
		return -1;
	return __real_fcntl64(fd, command, argument);
}

/* Its error is what it returns. */
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
			  void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
			  void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
			  void *arg)
{
	return failing_turn(&failing_calls) ? errno : __real_pthread_create(thread, attr, run, arg);
}
