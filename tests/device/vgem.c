// SPDX-License-Identifier: MIT
/*
 * vgem: a driver that has memory and nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <xf86drm.h>
#include <cmocka.h>

#include "vgem.h"

/* Part of the kernel's interface of vgem, whose header libdrm does not carry. */
struct vgem_attach {
	uint32_t handle;
	uint32_t flags;
	uint32_t out_fence;
	uint32_t pad;
};

struct vgem_signal {
	uint32_t fence;
	uint32_t flags;
};

#define VGEM_ATTACH DRM_IOWR(DRM_COMMAND_BASE + 1, struct vgem_attach)
#define VGEM_ATTACH_WRITE 1
#define VGEM_SIGNAL DRM_IOW(DRM_COMMAND_BASE + 2, struct vgem_signal)

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

static uint32_t begin(int vgem, int dma_buf, uint32_t flags)
{
	struct vgem_attach attach = { .flags = flags };

	assert_int_equal(drmPrimeFDToHandle(vgem, dma_buf, &attach.handle), 0);
	assert_int_equal(drmIoctl(vgem, VGEM_ATTACH, &attach), 0);
	assert_int_equal(drmCloseBufferHandle(vgem, attach.handle), 0);
	return attach.out_fence;
}

uint32_t vgem_begin_write(int vgem, int dma_buf)
{
	return begin(vgem, dma_buf, VGEM_ATTACH_WRITE);
}

uint32_t vgem_begin_read(int vgem, int dma_buf)
{
	return begin(vgem, dma_buf, 0);
}

bool vgem_release(int vgem, uint32_t fence)
{
	struct vgem_signal signal = { .fence = fence };
	const int ret = drmIoctl(vgem, VGEM_SIGNAL, &signal);

	assert_true(!ret || errno == ETIMEDOUT);
	return !ret;
}

void vgem_end_write(int vgem, uint32_t fence)
{
	assert_true(vgem_release(vgem, fence));
}

void vgem_end_read(int vgem, uint32_t fence)
{
	vgem_end_write(vgem, fence);
}

int vgem_hold(int vgem, uint32_t *fence)
{
	struct dma_buf_export_sync_file fences = { .flags = DMA_BUF_SYNC_READ };
	int buffer = vgem_buffer(vgem, 4096);

	*fence = vgem_begin_write(vgem, buffer);
	assert_int_equal(ioctl(buffer, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &fences), 0);
	close(buffer);
	return fences.fd;
}
