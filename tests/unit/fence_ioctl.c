// SPDX-License-Identifier: MIT
/*
 * The one ioctl() of the library on the CPU: what a sync_file says, of which those of fake_fence.c
 * are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fake_fence.h"

int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	void *arg;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	assert_true(request == SYNC_IOC_FILE_INFO);
	return fake_fence_info(fd, arg);
}
