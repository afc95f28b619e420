// SPDX-License-Identifier: MIT
/*
 * Buffers of other drivers. vgem gives scattered pages; without an IOMMU the engine can use those
 * only where a buffer is one page.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <xf86drm.h>
#include <cmocka.h>

#include "drm_node.h"
#include "vgem.h"

#define PAGE 4096

static int setup(void **state)
{
	static int vgem;

	vgem = vgem_open();
	*state = vgem < 0 ? NULL : &vgem;
	return 0;
}

static int teardown(void **state)
{
	if (*state)
		close(*(int *)*state);
	return 0;
}

static void cpu_sync(int fd, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_RW | flags };

	assert_int_equal(ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync), 0);
}

/* A and W in a foreign page, C in another one: the engine reads and writes there. */
static void one_page_works(void **state)
{
	struct node node;
	struct node_bo bos[3];
	struct drm_npu_job_matmul job;
	unsigned int i, j;
	int fd[3];

	if (!*state)
		skip();
	node_open(&node);
	srandom(11);
	for (i = 0; i < 3; i++) {
		fd[i] = vgem_buffer(*(int *)*state, PAGE);
		bos[i].size = PAGE;
		bos[i].map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd[i], 0);
		assert_true(bos[i].map != MAP_FAILED);
		cpu_sync(fd[i], DMA_BUF_SYNC_START);
		for (j = 0; j < PAGE; j++)
			bos[i].map[j] = (uint8_t)random();
		cpu_sync(fd[i], DMA_BUF_SYNC_END);
		assert_int_equal(drmPrimeFDToHandle(node.fd, fd[i], &bos[i].handle), 0);
	}
	job = node_job(&node, 32, 32, 64, &bos[0], &bos[1], &bos[2]);
	job.cvt_shift = 8;
	assert_int_equal(node_run(&node, &job, 1), 0);
	node_check_result(&node, &job, bos, 3);
	/* One byte more is not there. */
	job.a.offset = PAGE - 32 * 64 + 8;
	assert_int_equal(node_submit(&node, 0, &job, 1, NULL), -EINVAL);
	for (i = 0; i < 3; i++) {
		node_bo_destroy(&node, &bos[i]);
		close(fd[i]);
	}
	node_close(&node);
}

static void scattered_pages_need_an_iommu(void **state)
{
	struct drm_npu_bo_info info = { 0 };
	struct node node;
	uint32_t handle = 0;
	int fd, err;

	if (!*state)
		skip();
	node_open(&node);
	fd = vgem_buffer(*(int *)*state, 256 * PAGE);
	err = drmPrimeFDToHandle(node.fd, fd, &handle) ? -errno : 0;
	if (node.info.caps & DRM_NPU_CAP_IOMMU) {
		assert_int_equal(err, 0);
		info.handle = handle;
		assert_int_equal(node_ioctl(&node, DRM_IOCTL_NPU_BO_INFO, &info), 0);
		assert_int_equal(info.size, 256 * PAGE);
	} else {
		assert_int_equal(err, -EINVAL);
	}
	close(fd);
	node_close(&node);
}

/* The other way: what the engine wrote is what the other driver's user maps. */
static void export_to_another_driver(void **state)
{
	struct node node;
	struct node_bo bos[3];
	struct drm_npu_job_matmul job;
	uint32_t handle;
	int fd;

	if (!*state)
		skip();
	node_open(&node);
	node_bos_create(&node, bos, 3, PAGE);
	job = node_job(&node, 32, 32, 64, &bos[0], &bos[1], &bos[2]);
	job.cvt_shift = 8;
	assert_int_equal(drmPrimeHandleToFD(node.fd, bos[2].handle, DRM_CLOEXEC | DRM_RDWR, &fd),
			 0);
	assert_int_equal(drmPrimeFDToHandle(*(int *)*state, fd, &handle), 0);
	assert_int_equal(node_run(&node, &job, 1), 0);
	node_check_result(&node, &job, bos, 3);
	assert_int_equal(drmCloseBufferHandle(*(int *)*state, handle), 0);
	close(fd);
	node_bos_destroy(&node, bos, 3);
	node_close(&node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_page_works),
		cmocka_unit_test(scattered_pages_need_an_iommu),
		cmocka_unit_test(export_to_another_driver),
	};

	return cmocka_run_group_tests_name("prime", tests, setup, teardown);
}
