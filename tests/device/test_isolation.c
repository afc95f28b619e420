// SPDX-License-Identifier: MIT
/*
 * What one user of an NPU can find out about another one, or do to him: nothing. Each test is an
 * attempt.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xf86drm.h>
#include <cmocka.h>

#include "drm_node.h"

enum {
	GUESSES = 4096
};

static int is_filled(const struct node_bo *bo, uint8_t with)
{
	size_t i;

	for (i = 0; i < bo->size; i++)
		if (bo->map[i] != with)
			return 0;
	return 1;
}

/* Memory that others have just given back, in sizes that the allocator finds in different ways. */
static void new_memory_is_zero(void **state)
{
	static const size_t sizes[] = { 4096, 12288, 65536, 1 << 20, 2 << 20 };
	struct node_bo bos[8];
	struct node victim, thief;
	unsigned int i, s;

	(void)state;
	node_open(&thief);
	for (s = 0; s < sizeof(sizes) / sizeof(*sizes); s++) {
		node_open(&victim);
		for (i = 0; i < 8; i++) {
			node_bo_create(&victim, &bos[i], sizes[s]);
			node_bo_prep(&victim, &bos[i]);
			memset(bos[i].map, 0x5e, bos[i].size);
			node_bo_fini(&victim, &bos[i]);
		}
		node_bos_destroy(&victim, bos, 8);
		node_close(&victim);
		for (i = 0; i < 8; i++) {
			node_bo_create(&thief, &bos[i], sizes[s]);
			node_bo_prep(&thief, &bos[i]);
			assert_true(is_filled(&bos[i], 0));
			node_bo_fini(&thief, &bos[i]);
		}
		node_bos_destroy(&thief, bos, 8);
	}
	node_close(&thief);
}

/* A job with the thief's own operands but for the one that is guessed. */
static int submit_guess(const struct node *node, const struct node_bo *own, unsigned int operand,
			uint32_t guess)
{
	struct drm_npu_job_matmul job = node_job(node, 4, 8, 8, &own[0], &own[1], &own[2]);

	if (operand == 0)
		job.a.handle = guess;
	else if (operand == 1)
		job.w.handle = guess;
	else
		job.c.handle = guess;
	return node_submit(node, 0, &job, 1, NULL);
}

static void handles_of_others(void **state)
{
	struct drm_npu_bo_prep prep = { .flags = DRM_NPU_ACCESS_WRITE };
	struct drm_npu_bo_info info = { 0 };
	struct node_bo secrets[8], own[3];
	struct node victim, thief;
	uint32_t guess, operand;
	int fd;

	(void)state;
	node_open(&victim);
	node_open(&thief);
	node_bos_create(&thief, own, 3, 4096);
	node_bos_create(&victim, secrets, 8, 4096);
	for (guess = own[2].handle + 1; guess < GUESSES; guess++) {
		info.handle = guess;
		prep.handle = guess;
		assert_int_equal(node_ioctl(&thief, DRM_IOCTL_NPU_BO_INFO, &info), -ENOENT);
		assert_int_equal(node_ioctl(&thief, DRM_IOCTL_NPU_BO_PREP, &prep), -ENOENT);
		for (operand = 0; operand < 3; operand++)
			assert_int_equal(submit_guess(&thief, own, operand, guess), -ENOENT);
		assert_true(drmPrimeHandleToFD(thief.fd, guess, O_CLOEXEC, &fd));
	}
	node_bos_destroy(&victim, secrets, 8);
	node_bos_destroy(&thief, own, 3);
	node_close(&thief);
	node_close(&victim);
}

static void contexts_and_perfmons_of_others(void **state)
{
	struct drm_npu_perfmon_create perfmon = { .counters = 1 };
	struct drm_npu_ctx_create create = { 0 };
	struct node victim, thief;
	uint32_t guess;

	(void)state;
	node_open(&victim);
	node_open(&thief);
	assert_int_equal(node_ioctl(&victim, DRM_IOCTL_NPU_CTX_CREATE, &create), 0);
	assert_int_equal(node_ioctl(&victim, DRM_IOCTL_NPU_PERFMON_CREATE, &perfmon), 0);
	for (guess = 1; guess < GUESSES; guess++) {
		struct drm_npu_perfmon_destroy end_perfmon = { .id = guess };
		struct drm_npu_ctx_destroy end = { .id = guess };
		struct drm_npu_ctx_state look = { .id = guess };

		assert_int_equal(node_ioctl(&thief, DRM_IOCTL_NPU_CTX_STATE, &look), -ENOENT);
		assert_int_equal(node_ioctl(&thief, DRM_IOCTL_NPU_CTX_DESTROY, &end), -ENOENT);
		assert_int_equal(node_ioctl(&thief, DRM_IOCTL_NPU_PERFMON_DESTROY, &end_perfmon),
				 -ENOENT);
	}
	assert_int_equal(node_ctx_state(&victim, create.id).last_error, 0);
	node_close(&thief);
	node_close(&victim);
}

static int cannot_map(const struct node *node, uint64_t offset, size_t size)
{
	void *map = mmap(NULL, size, PROT_READ, MAP_SHARED, node->fd, (off_t)offset);

	if (map == MAP_FAILED)
		return 1;
	munmap(map, size);
	return 0;
}

/* Offsets for mmap() are the same in all files of a device, so only the right to them differs. */
static void mappings_of_others(void **state)
{
	struct drm_npu_bo_info info = { 0 };
	struct node_bo secret, own;
	struct node victim, thief;

	(void)state;
	node_open(&victim);
	node_open(&thief);
	node_bo_create(&victim, &secret, 16384);
	node_bo_create(&thief, &own, 16384);
	info.handle = secret.handle;
	assert_int_equal(node_ioctl(&victim, DRM_IOCTL_NPU_BO_INFO, &info), 0);
	assert_true(cannot_map(&thief, info.mmap_offset, 4096));
	assert_true(cannot_map(&thief, info.mmap_offset + 4096, 4096));
	assert_false(cannot_map(&victim, info.mmap_offset, 16384));

	info.handle = own.handle;
	assert_int_equal(node_ioctl(&thief, DRM_IOCTL_NPU_BO_INFO, &info), 0);
	assert_false(cannot_map(&thief, info.mmap_offset, 16384));
	assert_true(cannot_map(&thief, info.mmap_offset, 20480));
	assert_true(cannot_map(&thief, info.mmap_offset - 4096, 8192));
	assert_true(cannot_map(&thief, 0, 4096));
	node_bo_destroy(&victim, &secret);
	node_bo_destroy(&thief, &own);
	node_close(&thief);
	node_close(&victim);
}

/* The last byte an operand may take is the BO's last; one atom further is refused. */
static void beyond_the_end(void **state)
{
	struct drm_npu_job_matmul job, over;
	struct node_bo bos[3];
	struct node node;
	unsigned int i;

	(void)state;
	node_open(&node);
	for (i = 0; i < 3; i++)
		node_bo_create(&node, &bos[i], 4096);
	job = node_job(&node, 64, 8, 64, &bos[0], &bos[1], &bos[2]);
	job.w.offset = bos[1].size - node_weight_bytes(&node, 8, 64);
	job.c.offset = bos[2].size - node_cube_bytes(&node, 64, 8);
	assert_int_equal(node_run(&node, &job, 1), 0);

	for (i = 0; i < 3; i++) {
		struct drm_npu_tensor *t = i == 0 ? &over.a : i == 1 ? &over.w : &over.c;

		over = job;
		t->offset += node.limits.atom_bytes;
		assert_int_equal(node_submit(&node, 0, &over, 1, NULL), -EINVAL);
		t->offset = UINT64_MAX - node.limits.atom_bytes + 1;
		assert_int_equal(node_submit(&node, 0, &over, 1, NULL), -EINVAL);
	}
	for (i = 0; i < 3; i++)
		node_bo_destroy(&node, &bos[i]);
	node_close(&node);
}

/*
 * The engine's buffer keeps what earlier ops brought into it. Two users take turns with shapes
 * whose last entries are partly filled: what one left there must never count in the other's result.
 */
static void nothing_stays_in_the_engine(void **state)
{
	struct drm_npu_job_matmul secret, job;
	struct node_bo secrets[3], own[3];
	struct node victim, thief;
	uint32_t k;

	(void)state;
	node_open(&victim);
	node_open(&thief);
	node_bos_create(&victim, secrets, 3, 65536);
	node_bos_create(&thief, own, 3, 65536);
	secret = node_job(&victim, 32, 64, 512, &secrets[0], &secrets[1], &secrets[2]);
	for (k = 1; k < 40; k++) {
		assert_int_equal(node_run(&victim, &secret, 1), 0);
		job = node_job(&thief, 1 + k % 7, 1 + k % 19, k, &own[0], &own[1], &own[2]);
		assert_int_equal(node_run(&thief, &job, 1), 0);
		node_check_result(&thief, &job, own, 3);
	}
	node_bos_destroy(&victim, secrets, 3);
	node_bos_destroy(&thief, own, 3);
	node_close(&thief);
	node_close(&victim);
}

/**
 * struct swap - a handle that changes hands
 * @node: The file.
 * @handle: BO that the handle names at the moment; sometimes none.
 * @end: No more of it.
 */
struct swap {
	const struct node *node;
	atomic_uint handle;
	atomic_bool end;
};

/* Closes a BO and makes another one, which gets the same handle, large and small without a rule. */
static void *swap_handles(void *arg)
{
	struct drm_npu_bo_create create = { 0 };
	struct swap *swap = arg;
	unsigned int i;

	for (i = 0; !swap->end; i++) {
		drmCloseBufferHandle(swap->node->fd, swap->handle);
		create = (struct drm_npu_bo_create){ .size = i * 2654435761U >> 31 ? 4096 : 65536 };
		if (node_ioctl(swap->node, DRM_IOCTL_NPU_BO_CREATE, &create))
			return "cannot create a BO";
		swap->handle = create.handle;
		/* Or a single processor turns to the other thread only while there is no BO. */
		sched_yield();
	}
	return NULL;
}

/* Whatever the handle names when it is looked up is what is checked, held and used. */
static void close_races_submit(void **state)
{
	struct drm_npu_bo_create create = { .size = 4096 };
	unsigned int i, ran = 0, refused = 0;
	struct drm_npu_job_matmul job;
	struct node_bo own[3], bystander;
	struct swap swap = { 0 };
	struct node node;
	pthread_t thread;
	void *why;
	int err;

	(void)state;
	node_open(&node);
	node_bos_create(&node, own, 3, 65536);
	node_bo_create(&node, &bystander, 65536);
	memset(bystander.map, 0x77, bystander.size);
	node_bo_fini(&node, &bystander);
	assert_int_equal(node_ioctl(&node, DRM_IOCTL_NPU_BO_CREATE, &create), 0);
	swap.node = &node;
	swap.handle = create.handle;
	assert_int_equal(pthread_create(&thread, NULL, swap_handles, &swap), 0);
	for (i = 0; i < 2000 || (i < 200000 && !(ran && refused)); i++) {
		job = node_job(&node, 64, 64, 64, &own[0], &own[1], &own[2]);
		job.c.handle = swap.handle;
		job.c.offset = 16384;
		err = node_submit(&node, 0, &job, 1, NULL);
		if (err == -EBUSY)
			continue;
		assert_true(err == 0 || err == -EINVAL || err == -ENOENT);
		ran += !err;
		refused += !!err;
	}
	swap.end = 1;
	assert_int_equal(pthread_join(thread, &why), 0);
	assert_null(why);
	print_message("%u ran, %u were refused\n", ran, refused);
	assert_true(ran && refused);

	job = node_job(&node, 64, 64, 64, &own[0], &own[1], &own[2]);
	assert_int_equal(node_run(&node, &job, 1), 0);
	node_check_result(&node, &job, own, 3);
	node_bo_prep(&node, &bystander);
	assert_true(is_filled(&bystander, 0x77));
	node_bo_destroy(&node, &bystander);
	node_bos_destroy(&node, own, 3);
	node_close(&node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_memory_is_zero),
		cmocka_unit_test(handles_of_others),
		cmocka_unit_test(contexts_and_perfmons_of_others),
		cmocka_unit_test(mappings_of_others),
		cmocka_unit_test(beyond_the_end),
		cmocka_unit_test(nothing_stays_in_the_engine),
		cmocka_unit_test(close_races_submit),
	};

	return cmocka_run_group_tests_name("isolation", tests, NULL, NULL);
}
