// SPDX-License-Identifier: MIT
/*
 * Arenas: slices that never overlap, few buffers for many of them, and waiting only where the
 * engine may still read what was there before.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../libnpu/object.h"
#include "../expect.h"
#include "../matmul_case.h"
#include "fake_npu.h"

static struct npu_device *dev;

static int open_fake(void **state)
{
	(void)state;
	fake_reset();
	return npu_device_open("fake", &dev, NULL);
}

static int close_fake(void **state)
{
	(void)state;
	npu_device_close(dev);
	return fake.objects;
}

/* ---- Slices ----------------------------------------------------------------------------- */

static void take(struct npu_device *on, struct npu_slice *slice, size_t bytes, uint8_t mark)
{
	void *data;

	expect_ok(npu_slice_alloc(on, bytes, slice, &err));
	assert_int_equal(slice->bytes, bytes);
	assert_int_equal(slice->offset % 128, 0);
	assert_true(slice->offset + bytes <= slice->buf->bytes);
	expect_ok(npu_slice_begin_fill(slice, &data, &err));
	memset(data, mark, bytes);
	expect_ok(npu_slice_end_fill(slice, &err));
}

/* Gives a slice back, in which there must still be what was put there. */
static void give_back(struct npu_device *on, struct npu_slice *slice, uint8_t mark)
{
	const void *data;

	expect_ok(npu_slice_begin_read(slice, &data, &err));
	for (size_t i = 0; i < slice->bytes; i++)
		assert_int_equal(((const uint8_t *)data)[i], mark);
	expect_ok(npu_slice_end_read(slice, &err));
	npu_slice_free(on, slice);
	assert_null(slice->buf);
}

#define SLOTS 61

static void play(struct npu_device *on, uint32_t seed, unsigned int rounds, uint32_t largest)
{
	struct npu_slice slot[SLOTS] = { 0 };
	struct rng rng = { seed };

	for (unsigned int i = 0; i < rounds; i++) {
		unsigned int at = rng_range(&rng, 0, SLOTS - 1);
		uint32_t limit = rng_range(&rng, 0, 9) ? 500 : largest;

		if (slot[at].buf)
			give_back(on, &slot[at], at);
		else
			take(on, &slot[at], rng_range(&rng, 1, limit), at);
	}
	for (unsigned int i = 0; i < SLOTS; i++)
		if (slot[i].buf)
			give_back(on, &slot[i], i);
}

static void slices_never_overlap(void **state)
{
	(void)state;
	play(dev, 1, 2000, 1500000);
	/* All memory is given back with the last slice. */
	assert_int_equal(fake.buffers, 0);
}

static void *play_on_cpu(void *cpu)
{
	play(cpu, (uint32_t)((uintptr_t)pthread_self() >> 12), 20000, 3000);
	return NULL;
}

static void threads_share_an_arena(void **state)
{
	struct npu_device *cpu;
	pthread_t thread[4];

	(void)state;
	expect_ok(npu_device_open("cpu", &cpu, &err));
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, play_on_cpu, cpu), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	npu_device_close(cpu);
}

/* ---- Buffers ---------------------------------------------------------------------------- */

#define MANY 10000

static void many_weights_need_few_buffers(void **state)
{
	static struct npu_weights *weights[MANY];
	const int8_t values[8 * 40] = { 1, -2, 3 };

	(void)state;
	for (int i = 0; i < MANY; i++)
		expect_ok(case_weights(dev, 8, 40, values, &weights[i], &err));
	/* 6 MB of images in chunks of 256 KiB, doubling up to 4 MiB. */
	assert_in_range(fake.buffers, 1, 6);
	/* Fresh memory, and nothing to wait for. */
	assert_int_equal(fake.preps, 0);
	for (int i = 0; i < MANY; i++)
		npu_weights_destroy(weights[i * 7 % MANY]);
	assert_int_equal(fake.buffers, 0);
}

static void large_slices_have_their_own_buffer(void **state)
{
	struct npu_slice small, large;

	(void)state;
	take(dev, &small, 100, 1);
	assert_int_equal(fake.buffers, 1);
	take(dev, &large, 1 << 20, 2);
	assert_int_equal(fake.buffers, 2);
	assert_null(large.range);
	give_back(dev, &large, 2);
	assert_int_equal(fake.buffers, 1);
	give_back(dev, &small, 1);
}

/* A chunk that does not fit in one piece: the slice alone may. */
static void short_memory_gets_a_short_chunk(void **state)
{
	struct npu_slice slice;

	(void)state;
	fake.fail_after = 0;
	fake.fail_errno = ENOMEM;
	expect_ok(npu_slice_alloc(dev, 5000, &slice, &err));
	assert_int_equal(slice.buf->bytes, 8192);
	npu_slice_free(dev, &slice);
}

static void used_memory_is_waited_for(void **state)
{
	struct npu_slice first, second, third;
	unsigned int before = fake.preps;
	void *data;

	(void)state;
	/* Together they are the first chunk. */
	expect_ok(npu_slice_alloc(dev, 200 << 10, &first, &err));
	expect_ok(npu_slice_alloc(dev, 56 << 10, &second, &err));
	assert_ptr_equal(first.buf, second.buf);
	npu_slice_free(dev, &first);
	expect_ok(npu_slice_alloc(dev, 100 << 10, &third, &err));
	assert_ptr_equal(third.buf, second.buf);
	expect_ok(npu_slice_begin_fill(&second, &data, &err));
	expect_ok(npu_slice_end_fill(&second, &err));
	assert_int_equal(fake.preps, before);
	expect_ok(npu_slice_begin_fill(&third, &data, &err));
	expect_ok(npu_slice_end_fill(&third, &err));
	assert_int_equal(fake.preps, before + 1);
	npu_slice_free(dev, &second);
	npu_slice_free(dev, &third);
}

/* What is given back in pieces can be had in one. */
static void neighbours_join(void **state)
{
	struct npu_slice piece[8], all;

	(void)state;
	for (int i = 0; i < 8; i++)
		expect_ok(npu_slice_alloc(dev, 32 << 10, &piece[i], &err));
	assert_int_equal(fake.buffers, 1);
	for (int i = 1; i < 8; i += 2)
		npu_slice_free(dev, &piece[i]);
	for (int i = 2; i < 8; i += 2)
		npu_slice_free(dev, &piece[i]);
	expect_ok(npu_slice_alloc(dev, 7 * (32 << 10), &all, &err));
	assert_int_equal(fake.buffers, 1);
	npu_slice_free(dev, &all);
	npu_slice_free(dev, &piece[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(slices_never_overlap, open_fake, close_fake),
		cmocka_unit_test(threads_share_an_arena),
		cmocka_unit_test_setup_teardown(many_weights_need_few_buffers, open_fake,
						close_fake),
		cmocka_unit_test_setup_teardown(large_slices_have_their_own_buffer, open_fake,
						close_fake),
		cmocka_unit_test_setup_teardown(short_memory_gets_a_short_chunk, open_fake,
						close_fake),
		cmocka_unit_test_setup_teardown(used_memory_is_waited_for, open_fake, close_fake),
		cmocka_unit_test_setup_teardown(neighbours_join, open_fake, close_fake),
	};

	return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
