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

#include "board_control.h"
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

static int prep(const struct node *node, uint32_t handle, uint32_t flags)
{
	struct drm_npu_bo_prep prep = { .handle = handle, .flags = flags };

	return node_ioctl(node, DRM_IOCTL_NPU_BO_PREP, &prep);
}

/* Who reads an import waits neither for others who read it nor longer than it said. */
static void readers_of_an_import(void **state)
{
	struct drm_npu_bo_fini fini = { .flags = DRM_NPU_ACCESS_READ };
	struct node node;
	uint32_t fence;
	int vgem, fd;

	if (!*state)
		skip();
	vgem = *(int *)*state;
	node_open(&node);
	fd = vgem_buffer(vgem, PAGE);
	assert_int_equal(drmPrimeFDToHandle(node.fd, fd, &fini.handle), 0);
	fence = vgem_begin_read(vgem, fd);
	assert_int_equal(prep(&node, fini.handle, DRM_NPU_ACCESS_READ | DRM_NPU_ACCESS_NOWAIT), 0);
	assert_int_equal(node_ioctl(&node, DRM_IOCTL_NPU_BO_FINI, &fini), 0);
	assert_int_equal(prep(&node, fini.handle, DRM_NPU_ACCESS_WRITE), -ETIME);
	vgem_end_read(vgem, fence);

	fence = vgem_begin_write(vgem, fd);
	assert_int_equal(prep(&node, fini.handle, DRM_NPU_ACCESS_READ | DRM_NPU_ACCESS_NOWAIT),
			 -EBUSY);
	vgem_end_write(vgem, fence);
	assert_int_equal(drmCloseBufferHandle(node.fd, fini.handle), 0);
	close(fd);
	node_close(&node);
}

/* A page of vgem that somebody writes, until vgem_end_write(). */
static uint32_t vgem_page_in_use(int vgem, const struct node *node, uint32_t *fence)
{
	int fd = vgem_buffer(vgem, PAGE);
	uint32_t handle;

	*fence = vgem_begin_write(vgem, fd);
	assert_int_equal(drmPrimeFDToHandle(node->fd, fd, &handle), 0);
	close(fd);
	return handle;
}

static int result_is_busy(const struct node *node, const struct node_bo *c)
{
	return prep(node, c->handle, DRM_NPU_ACCESS_READ | DRM_NPU_ACCESS_NOWAIT) == -EBUSY;
}

/*
 * A submission that is cancelled ends in its turn: its fence has taken the place of an older one on
 * C, which the engine still writes.
 */
static void cancelled_in_its_turn(void **state)
{
	struct board_control *control = board_control_open();
	struct drm_npu_ctx_create ctx = { 0 };
	struct drm_npu_ctx_destroy destroy = { 0 };
	struct drm_npu_job_matmul job, waiting;
	uint32_t fence, guilty, cancelled;
	struct node_bo bos[3];
	struct node node;
	int busy;

	if (!*state || !control)
		skip();
	node_open(&node);
	if (!(node.info.caps & DRM_NPU_CAP_RESET))
		skip();
	node_bos_create(&node, bos, 3, PAGE);
	job = node_job(&node, 32, 32, 64, &bos[0], &bos[1], &bos[2]);
	waiting = job;
	waiting.a.handle = vgem_page_in_use(*(int *)*state, &node, &fence);
	assert_int_equal(node_ioctl(&node, DRM_IOCTL_NPU_CTX_CREATE, &ctx), 0);

	assert_int_equal(board_control_inject(control, "hang:1"), 0);
	assert_int_equal(node_submit_sync(&node, ctx.id, &job, 1, &guilty), 0);
	assert_int_equal(node_submit_sync(&node, ctx.id, &waiting, 1, &cancelled), 0);
	destroy.id = ctx.id;
	assert_int_equal(node_ioctl(&node, DRM_IOCTL_NPU_CTX_DESTROY, &destroy), 0);
	vgem_end_write(*(int *)*state, fence);
	do {
		busy = result_is_busy(&node, &bos[2]);
		usleep(1000);
	} while (busy);
	/* If it is free the engine is done with it, so the fence has signalled by now. */
	assert_int_equal(drmSyncobjWait(node.fd, &guilty, 1, 0, 0, NULL), 0);
	assert_int_equal(node_finish(&node, guilty), -ETIMEDOUT);
	assert_int_equal(node_finish(&node, cancelled), -ECANCELED);

	assert_int_equal(drmCloseBufferHandle(node.fd, waiting.a.handle), 0);
	node_bos_destroy(&node, bos, 3);
	node_close(&node);
	board_control_close(control);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_page_works),
		cmocka_unit_test(scattered_pages_need_an_iommu),
		cmocka_unit_test(export_to_another_driver),
		cmocka_unit_test(readers_of_an_import),
		cmocka_unit_test(cancelled_in_its_turn),
	};

	return cmocka_run_group_tests_name("prime", tests, setup, teardown);
}
