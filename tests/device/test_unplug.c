// SPDX-License-Identifier: MIT
/*
 * The driver is unbound while files, mappings, dma-bufs and jobs are there, and bound again.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/dma-buf.h>
#include <linux/userfaultfd.h>
#include <xf86drm.h>
#include <cmocka.h>

#include "driver.h"
#include "drm_node.h"
#include "vgem.h"

#define PAGE 4096

static void device_works(void)
{
	struct drm_npu_job_matmul job;
	struct node_bo bos[3];
	struct node node;
	unsigned int i;

	node_open(&node);
	for (i = 0; i < 3; i++) {
		node_bo_create(&node, &bos[i], 8192);
		node_bo_randomize(&node, &bos[i]);
	}
	job = node_job(&node, 30, 40, 50, &bos[0], &bos[1], &bos[2]);
	job.cvt_shift = 7;
	assert_int_equal(node_run(&node, &job, 1), 0);
	node_check_result(&node, &job, bos, 3);
	for (i = 0; i < 3; i++)
		node_bo_destroy(&node, &bos[i]);
	node_close(&node);
}

/* Nothing works on a file of a device that is gone, and nothing hangs. */
static void file_is_dead(const struct node *node, const struct drm_npu_job_matmul *job)
{
	struct drm_npu_bo_create create = { .size = 4096 };

	assert_int_equal(node_submit(node, 0, job, 1, NULL), -ENODEV);
	assert_int_equal(node_ioctl(node, DRM_IOCTL_NPU_BO_CREATE, &create), -ENODEV);
}

static void unbind_under_load(void **state)
{
	enum {
		JOBS = 64,
		SUBMITS = 8
	};
	struct drm_npu_job_matmul jobs[JOBS];
	uint32_t sync[SUBMITS];
	struct node_bo bos[3];
	struct node node;
	struct driver_binding binding;
	unsigned int i, round;
	int exported;

	(void)state;
	driver_find(&binding);
	for (round = 0; round < 4; round++) {
		node_open(&node);
		for (i = 0; i < 3; i++)
			node_bo_create(&node, &bos[i], 65536);
		assert_int_equal(drmPrimeHandleToFD(node.fd, bos[0].handle, O_CLOEXEC, &exported),
				 0);
		for (i = 0; i < JOBS; i++)
			jobs[i] = node_job(&node, 128, 64, 256, &bos[0], &bos[1], &bos[2]);
		for (i = 0; i < SUBMITS; i++)
			assert_int_equal(node_submit_sync(&node, 0, jobs, JOBS, &sync[i]), 0);

		driver_unbind(&binding);
		file_is_dead(&node, jobs);
		/* The memory stays for those who have it mapped. */
		memset(bos[2].map, 1, bos[2].size);
		for (i = 0; i < 3; i++)
			munmap(bos[i].map, bos[i].size);
		if (round % 2)
			node_close(&node);
		driver_bind(&binding);
		device_works();
		if (round % 2 == 0)
			node_close(&node);
		close(exported);
	}
	device_works();
}

/* ---- Memory outlives the binding -------------------------------------------------------- */

/**
 * struct keepsake - ways to the result of a job that do not end with the binding
 * @node: The file.
 * @bos: A, W and C of the job; C has the result.
 * @job: The job.
 * @dma_buf: C, exported.
 * @map: C, mapped through @dma_buf.
 * @expected: What is in C.
 */
struct keepsake {
	struct node node;
	struct node_bo bos[3];
	struct drm_npu_job_matmul job;
	int dma_buf;
	uint8_t *map;
	uint8_t expected[PAGE];
};

static void keepsake_make(struct keepsake *k)
{
	node_open(&k->node);
	node_bos_create(&k->node, k->bos, 3, PAGE);
	k->job = node_job(&k->node, 32, 32, 64, &k->bos[0], &k->bos[1], &k->bos[2]);
	k->job.cvt_shift = 8;
	assert_int_equal(drmPrimeHandleToFD(k->node.fd, k->bos[2].handle, DRM_CLOEXEC | DRM_RDWR,
					    &k->dma_buf),
			 0);
	k->map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, k->dma_buf, 0);
	assert_true(k->map != MAP_FAILED);
	assert_int_equal(node_run(&k->node, &k->job, 1), 0);
	node_check_result(&k->node, &k->job, k->bos, 3);
	memcpy(k->expected, k->bos[2].map, PAGE);
}

/* By the maps there were and by a new one. */
static void keepsake_check(const struct keepsake *k)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_READ | DMA_BUF_SYNC_START };
	uint8_t *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, k->dma_buf, 0);

	assert_true(map != MAP_FAILED);
	assert_int_equal(ioctl(k->dma_buf, DMA_BUF_IOCTL_SYNC, &sync), 0);
	assert_memory_equal(k->bos[2].map, k->expected, PAGE);
	assert_memory_equal(k->map, k->expected, PAGE);
	assert_memory_equal(map, k->expected, PAGE);
	sync.flags = DMA_BUF_SYNC_READ | DMA_BUF_SYNC_END;
	assert_int_equal(ioctl(k->dma_buf, DMA_BUF_IOCTL_SYNC, &sync), 0);
	munmap(map, PAGE);
}

static void keepsake_lose(struct keepsake *k)
{
	unsigned int i;

	munmap(k->map, PAGE);
	for (i = 0; i < 3; i++)
		munmap(k->bos[i].map, k->bos[i].size);
	close(k->dma_buf);
	node_close(&k->node);
}

/* The device, bound again, gets the result as another one would: as A of a job. */
static void multiply_again(const struct keepsake *k)
{
	struct node_bo bos[3];
	struct drm_npu_job_matmul job;
	struct node node;
	uint32_t a;

	node_open(&node);
	node_bos_create(&node, bos, 3, PAGE);
	memcpy(bos[0].map, k->expected, PAGE);
	assert_int_equal(drmPrimeFDToHandle(node.fd, k->dma_buf, &a), 0);
	assert_int_equal(drmCloseBufferHandle(node.fd, bos[0].handle), 0);
	bos[0].handle = a;
	job = node_job(&node, 32, 32, 32, &bos[0], &bos[1], &bos[2]);
	job.cvt_shift = 7;
	assert_int_equal(node_run(&node, &job, 1), 0);
	node_check_result(&node, &job, bos, 3);
	node_bos_destroy(&node, bos, 3);
	node_close(&node);
}

/* A result can be read by whoever has it mapped, also through another bind and its memory. */
static void result_stays(void **state)
{
	struct driver_binding binding;
	struct keepsake k;

	(void)state;
	driver_find(&binding);
	keepsake_make(&k);
	driver_unbind(&binding);
	file_is_dead(&k.node, &k.job);
	keepsake_check(&k);
	driver_bind(&binding);
	device_works();
	keepsake_check(&k);
	multiply_again(&k);
	/* It is one memory, whichever way it is seen. */
	k.bos[2].map[1] ^= 1;
	k.expected[1] ^= 1;
	keepsake_check(&k);
	keepsake_lose(&k);
	device_works();
}

/* Another driver that has the memory keeps it, and one that comes later still gets it. */
static void importer_keeps_it(void **state)
{
	struct driver_binding binding;
	uint32_t early, late = 0;
	int vgem = vgem_open(), other = vgem_open();
	struct keepsake k;

	(void)state;
	if (vgem < 0)
		skip();
	driver_find(&binding);
	keepsake_make(&k);
	assert_int_equal(drmPrimeFDToHandle(vgem, k.dma_buf, &early), 0);
	driver_unbind(&binding);
	keepsake_check(&k);
	assert_int_equal(drmPrimeFDToHandle(other, k.dma_buf, &late), 0);
	driver_bind(&binding);
	keepsake_check(&k);
	keepsake_lose(&k);
	assert_int_equal(drmCloseBufferHandle(vgem, early), 0);
	/* The other one is the last of all that had to do with the first binding. */
	device_works();
	assert_int_equal(drmCloseBufferHandle(other, late), 0);
	close(other);
	close(vgem);
	device_works();
}

/* How many attachments to dma-bufs the device has; -1 where the kernel does not tell. */
static int attachments(const char *device)
{
	static char text[65536];
	char line[300], *at = text;
	int n = 0;

	if (driver_read("/sys/kernel/debug/dma_buf/bufinfo", text, sizeof(text)) < 0)
		return -1;
	snprintf(line, sizeof(line), "\n\t%s\n", device);
	while ((at = strstr(at, line))) {
		n++;
		at++;
	}
	return n;
}

/* Memory of another driver: the device lets go of it, its owner and whoever maps it do not notice.
 */
static void import_is_detached(void **state)
{
	struct driver_binding binding;
	int vgem = vgem_open(), fd, again;
	uint8_t *map, *through;
	struct drm_npu_bo_info info = { 0 };
	struct node node;

	(void)state;
	if (vgem < 0)
		skip();
	driver_find(&binding);
	if (attachments(binding.device) < 0)
		skip();
	node_open(&node);
	fd = vgem_buffer(vgem, PAGE);
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(map != MAP_FAILED);
	assert_int_equal(drmPrimeFDToHandle(node.fd, fd, &info.handle), 0);
	assert_int_equal(node_ioctl(&node, DRM_IOCTL_NPU_BO_INFO, &info), 0);
	through = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, node.fd, (off_t)info.mmap_offset);
	assert_true(through != MAP_FAILED);
	assert_int_equal(attachments(binding.device), 1);

	driver_unbind(&binding);
	assert_int_equal(attachments(binding.device), 0);
	map[0] = 77;
	assert_int_equal(through[0], 77);
	assert_int_not_equal(drmPrimeHandleToFD(node.fd, info.handle, DRM_CLOEXEC, &again), 0);
	assert_int_equal(errno, ENODEV);
	close(fd);
	close(vgem);
	munmap(map, PAGE);
	assert_int_equal(through[0], 77);
	munmap(through, PAGE);
	node_close(&node);
	driver_bind(&binding);
	device_works();
}

/* ---- Memory of user space that does not answer ------------------------------------------ */

/**
 * struct silent_page - a page that is not there until a test puts it there
 * @fd: userfaultfd.
 * @at: The page.
 */
struct silent_page {
	int fd;
	uint8_t *at;
};

/* Skips the test where the kernel has no userfaultfd. */
static void silent_page_make(struct silent_page *page)
{
	struct uffdio_register reg = { .range.len = PAGE, .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };

	page->fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (page->fd < 0)
		skip();
	page->at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(page->at != MAP_FAILED);
	reg.range.start = (uintptr_t)page->at;
	assert_int_equal(ioctl(page->fd, UFFDIO_API, &api), 0);
	assert_int_equal(ioctl(page->fd, UFFDIO_REGISTER, &reg), 0);
}

/* Returns when somebody wants to look at the page. */
static void silent_page_is_wanted(const struct silent_page *page)
{
	struct uffd_msg msg;

	assert_int_equal(read(page->fd, &msg, sizeof(msg)), sizeof(msg));
	assert_int_equal(msg.event, UFFD_EVENT_PAGEFAULT);
}

static void silent_page_answers(const struct silent_page *page, const void *content)
{
	struct uffdio_copy copy = {
		.dst = (uintptr_t)page->at,
		.src = (uintptr_t)content,
		.len = PAGE,
	};

	assert_int_equal(ioctl(page->fd, UFFDIO_COPY, &copy), 0);
}

static void silent_page_end(const struct silent_page *page)
{
	munmap(page->at, PAGE);
	close(page->fd);
}

/* Whether a process ends in time. */
static int ends(pid_t child)
{
	long long left = NODE_PATIENCE_NS;
	int status;

	while (waitpid(child, &status, WNOHANG) != child && left > 0) {
		usleep(10000);
		left -= 10000000;
	}
	return left > 0 && WIFEXITED(status) && !WEXITSTATUS(status);
}

/**
 * struct silent_call - an ioctl that reads such a page
 * @node: The file.
 * @page: The page.
 * @err: What the ioctl returned.
 */
struct silent_call {
	struct node node;
	struct silent_page page;
	int err;
};

static void *submit_silently(void *arg)
{
	struct silent_call *s = arg;

	s->err = node_submit(&s->node, 0, (struct drm_npu_job_matmul *)s->page.at, 1, NULL);
	return NULL;
}

static void *export_silently(void *arg)
{
	struct silent_call *s = arg;

	s->err = node_ioctl(&s->node, DRM_IOCTL_PRIME_HANDLE_TO_FD, s->page.at);
	return NULL;
}

static void unbind_while(void *(*call)(void *), const struct silent_call *template,
			 const void *content)
{
	struct driver_binding binding;
	struct silent_call s = *template;
	pthread_t thread;
	pid_t child;
	int ended;

	driver_find(&binding);
	silent_page_make(&s.page);
	assert_int_equal(pthread_create(&thread, NULL, call, &s), 0);
	silent_page_is_wanted(&s.page);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		driver_unbind(&binding);
		_exit(0);
	}
	ended = ends(child);
	silent_page_answers(&s.page, content);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(ended);
	assert_int_equal(s.err, -ENODEV);
	silent_page_end(&s.page);
	node_close(&s.node);
	driver_bind(&binding);
	device_works();
}

/* An unbind waits for ioctls, but not for memory that one of them reads. */
static void unbind_while_memory_is_read(void **state)
{
	static union {
		struct drm_npu_job_matmul job;
		struct drm_prime_handle prime;
		uint8_t page[PAGE];
	} content;
	struct silent_call s = { 0 };
	struct node_bo bos[3];
	unsigned int i;

	(void)state;
	node_open(&s.node);
	node_bos_create(&s.node, bos, 3, PAGE);
	for (i = 0; i < 3; i++)
		munmap(bos[i].map, PAGE);
	content.job = node_job(&s.node, 32, 32, 64, &bos[0], &bos[1], &bos[2]);
	unbind_while(submit_silently, &s, &content);

	node_open(&s.node);
	content.prime = (struct drm_prime_handle){ .handle = 1 };
	unbind_while(export_silently, &s, &content);
}

/* ---- At any moment ---------------------------------------------------------------------- */

/* Success, or what a device that is gone says. */
static int may_be_gone(int err)
{
	if (err)
		assert_int_equal(err, -ENODEV);
	return err;
}

static int prime(int err)
{
	return may_be_gone(err ? -errno : 0);
}

/* Makes a BO and uses it in every way that has to do with its memory; each may be the last. */
static void use_memory(const struct node *node, int foreign)
{
	struct drm_npu_bo_create create = { .size = 16 * PAGE };
	struct drm_npu_bo_prep prep = { .flags = DRM_NPU_ACCESS_READ | DRM_NPU_ACCESS_WRITE };
	uint32_t handle = 0;
	int fd = -1;
	uint8_t *map;

	if (may_be_gone(node_ioctl(node, DRM_IOCTL_NPU_BO_CREATE, &create)))
		return;
	map = mmap(NULL, create.size, PROT_READ | PROT_WRITE, MAP_SHARED, node->fd,
		   (off_t)create.mmap_offset);
	if (map != MAP_FAILED)
		memset(map, 1, create.size);
	prep.handle = create.handle;
	may_be_gone(node_ioctl(node, DRM_IOCTL_NPU_BO_PREP, &prep));
	if (!prime(drmPrimeHandleToFD(node->fd, create.handle, DRM_CLOEXEC, &fd)))
		close(fd);
	if (foreign >= 0 && !prime(drmPrimeFDToHandle(node->fd, foreign, &handle)) &&
	    !prime(drmPrimeHandleToFD(node->fd, handle, DRM_CLOEXEC, &fd)))
		close(fd);
	if (handle)
		drmCloseBufferHandle(node->fd, handle);
	if (map != MAP_FAILED) {
		memset(map, 2, create.size);
		munmap(map, create.size);
	}
	drmCloseBufferHandle(node->fd, create.handle);
}

/* A process that uses one file until that is dead, then opens the next one. Does not return. */
static void use_for_ever(void)
{
	int vgem = vgem_open(), foreign = vgem < 0 ? -1 : vgem_buffer(vgem, PAGE);
	struct drm_npu_bo_create probe = { .size = PAGE };
	struct node node;

	for (;;) {
		node.fd = node_try_open();
		if (node.fd < 0) {
			usleep(1000);
			continue;
		}
		while (!node_ioctl(&node, DRM_IOCTL_NPU_BO_CREATE, &probe)) {
			drmCloseBufferHandle(node.fd, probe.handle);
			use_memory(&node, foreign);
		}
		node_close(&node);
	}
}

static void at_any_moment(void **state)
{
	enum {
		USERS = 3,
		ROUNDS = 12
	};
	struct driver_binding binding;
	pid_t user[USERS];
	unsigned int i;
	int status;

	(void)state;
	driver_find(&binding);
	for (i = 0; i < USERS; i++) {
		user[i] = fork();
		assert_true(user[i] >= 0);
		if (!user[i])
			use_for_ever();
	}
	srandom(5);
	for (i = 0; i < ROUNDS; i++) {
		usleep(20000 + random() % 20000);
		driver_unbind(&binding);
		driver_bind(&binding);
	}
	for (i = 0; i < USERS; i++) {
		/* A failed assertion has ended it before. */
		assert_int_equal(kill(user[i], SIGKILL), 0);
		assert_int_equal(waitpid(user[i], &status, 0), user[i]);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	device_works();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unbind_under_load),	       cmocka_unit_test(result_stays),
		cmocka_unit_test(importer_keeps_it),	       cmocka_unit_test(import_is_detached),
		cmocka_unit_test(unbind_while_memory_is_read), cmocka_unit_test(at_any_moment),
	};

	return cmocka_run_group_tests_name("unplug", tests, NULL, NULL);
}
