// SPDX-License-Identifier: MIT
/*
 * Fences: sync_file descriptors, of this driver or any other.
 */
#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <linux/sync_file.h>

#include "fence.h"

int npu_fence_status(int fd, int *status)
{
	struct sync_file_info info = { 0 };
	int ret;

	do
		ret = ioctl(fd, SYNC_IOC_FILE_INFO, &info);
	while (ret < 0 && errno == EINTR);
	if (ret < 0)
		return -errno;
	*status = info.status;
	return 0;
}

int npu_fence_wait(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	int status = 0, ret;

	do
		ret = poll(&poll_fd, 1, -1);
	while (ret < 0 && errno == EINTR);
	if (ret < 0)
		return -errno;
	ret = npu_fence_status(fd, &status);
	if (ret)
		return ret;
	return status < 0 ? status : 0;
}
