// SPDX-License-Identifier: MIT
/*
 * vgem: a driver that has memory and nothing else.
 */
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <xf86drm.h>
#include <cmocka.h>

#include "vgem.h"

int vgem_open(void)
{
	glob_t nodes = { 0 };
	drmVersionPtr version;
	int fd = -1, match;
	size_t i;

	glob("/dev/dri/card*", 0, NULL, &nodes);
	for (i = 0; i < nodes.gl_pathc; i++) {
		fd = open(nodes.gl_pathv[i], O_RDWR | O_CLOEXEC);
		version = fd < 0 ? NULL : drmGetVersion(fd);
		match = version && !strcmp(version->name, "vgem");
		drmFreeVersion(version);
		if (match)
			break;
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	globfree(&nodes);
	return fd;
}

int vgem_buffer(int vgem, uint32_t bytes)
{
	struct drm_mode_create_dumb dumb = { .width = bytes / 4, .height = 1, .bpp = 32 };
	int fd;

	assert_int_equal(drmIoctl(vgem, DRM_IOCTL_MODE_CREATE_DUMB, &dumb), 0);
	assert_int_equal(drmPrimeHandleToFD(vgem, dumb.handle, DRM_CLOEXEC | DRM_RDWR, &fd), 0);
	assert_int_equal(drmCloseBufferHandle(vgem, dumb.handle), 0);
	return fd;
}
