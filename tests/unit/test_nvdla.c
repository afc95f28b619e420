// SPDX-License-Identifier: MIT
/*
 * The NVDLA backend above a fake kernel: every job passes the driver's validator, results are right
 * for engines of any limits, and whatever call fails, nothing is lost and nothing is leaked.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../expect.h"
#include "../../kmod/nvdla/nvdla_limits.h"
#include "../matmul_case.h"
#include "../submit.h"
#include "fake_npu.h"

static struct npu_device *dev;
static struct npu_queue *queue;

static void open_fake(void)
{
	expect_ok(npu_device_open("fake", &dev, &err));
	expect_ok(npu_queue_create(dev, NULL, &queue, &err));
}

static void close_fake(void)
{
	npu_queue_destroy(queue);
	npu_device_close(dev);
	assert_int_equal(fake.objects, 0);
}

static void check(struct rng *rng, uint32_t m, uint32_t k, uint32_t n, unsigned int form)
{
	struct matmul_case c;

	case_init(&c, rng, m, k, n, form);
	case_check(dev, queue, &c);
	case_free(&c);
}

/* ---- Results --------------------------------------------------------------------------- */

static void check_all_forms(uint32_t seed, unsigned int rounds)
{
	struct rng rng = { seed };

	open_fake();
	for (unsigned int i = 0; i < rounds * CASE_FORMS; i++)
		check(&rng, rng_range(&rng, 1, 40), rng_range(&rng, 1, 70), rng_range(&rng, 1, 40),
		      i % CASE_FORMS);
	close_fake();
}

static void small_engine(void **state)
{
	(void)state;
	fake_reset();
	check_all_forms(100, 2);
}

static void large_engine(void **state)
{
	(void)state;
	fake_reset();
	fake.limits = nvdla_large_limits;
	check_all_forms(101, 2);
}

/* Tiles in both directions, at sizes where all of them can be looked at. */
static void narrow_engine(void **state)
{
	(void)state;
	fake_reset();
	fake.limits.max_width = 5;
	fake.limits.max_n = 16;
	fake.limits.max_job_macs = 3 * 16 * 70;
	check_all_forms(102, 2);
}

/* Every K above 16 is split. */
static void short_engine(void **state)
{
	struct npu_queue_stats stats = { .size = sizeof(stats) };
	struct rng rng = { 103 };

	(void)state;
	fake_reset();
	fake.limits.max_k = 16;
	fake.limits.max_width = 7;
	check_all_forms(103, 2);

	open_fake();
	check(&rng, 4, 17, 9, CASE_BIAS);
	expect_ok(npu_queue_get_stats(queue, &stats, &err));
	assert_int_equal(stats.host_steps, 1);
	/* Two chunks, three passes each. */
	assert_int_equal(stats.jobs, 6);
	close_fake();
}

static void short_large_engine(void **state)
{
	(void)state;
	fake_reset();
	fake.limits = nvdla_large_limits;
	fake.limits.max_k = 64;
	check_all_forms(104, 1);
}

/* A CBUF so small that the longest row is not given by max_k. */
static void small_cbuf(void **state)
{
	struct rng rng = { 105 };

	(void)state;
	fake_reset();
	fake.limits.cbuf_banks = 4;
	fake.limits.cbuf_bank_entries = 32;
	open_fake();
	for (int i = 0; i < 40; i++)
		check(&rng, rng_range(&rng, 1, 30), rng_range(&rng, 1, 300), rng_range(&rng, 1, 30),
		      i);
	close_fake();
}

static void long_sums_of_large_weights(void **state)
{
	struct rng rng = { 106 };
	struct matmul_case c;

	(void)state;
	fake_reset();
	open_fake();
	/* The largest sums, of both signs: chunks end where the exact method's bound does. */
	case_init(&c, &rng, 3, 8200, 3, CASE_BIAS);
	for (uint32_t i = 0; i < 3 * c.k; i++) {
		c.a[i] = -128;
		c.w[i] = i < c.k ? -128 : 127;
	}
	c.multiplier[0] = 16384;
	c.epilogue.shift = 35;
	case_check(dev, queue, &c);
	case_free(&c);
	close_fake();
}

/* Weights of 4 bits, so that chunks could be longer than is fast; @large: but for a few. */
static void check_small_weights(struct rng *rng, bool large)
{
	struct matmul_case c;

	case_init(&c, rng, 5, 16400, 20, CASE_BIAS);
	for (uint32_t i = 0; i < 20 * c.k; i++)
		c.w[i] = large && i % c.k / 1200 == 4 ? c.w[i] | 64 : c.w[i] % 8;
	c.epilogue.shift -= 3;
	case_check(dev, queue, &c);
	case_free(&c);
}

static void long_sums_of_small_weights(void **state)
{
	struct rng rng = { 107 };

	(void)state;
	fake_reset();
	open_fake();
	check_small_weights(&rng, false);
	check_small_weights(&rng, true);
	close_fake();
}

/* ---- Submissions ----------------------------------------------------------------------- */

struct work {
	struct npu_matmul_desc desc;
	struct npu_matmul *matmul;
};

static void work_init(struct work *work, uint32_t k)
{
	struct rng rng = { 110 };
	struct matmul_case c;

	case_init(&c, &rng, 2, k, 3, 0);
	work->desc = (struct npu_matmul_desc){ .size = sizeof(work->desc) };
	expect_ok(npu_tensor_create(dev, NPU_TYPE_INT8, 2, k, &work->desc.a, &err));
	expect_ok(npu_tensor_create(dev, NPU_TYPE_INT8, 2, 3, &work->desc.c, &err));
	expect_ok(case_weights(dev, 3, k, c.w, &work->desc.weights, &err));
	expect_ok(npu_epilogue_create(dev, &c.epilogue, &work->desc.epilogue, &err));
	expect_ok(npu_matmul_create(dev, &work->desc, &work->matmul, &err));
	case_free(&c);
}

static void work_free(struct work *work)
{
	npu_matmul_destroy(work->matmul);
	npu_tensor_destroy(work->desc.a);
	npu_tensor_destroy(work->desc.c);
	npu_weights_destroy(work->desc.weights);
	npu_epilogue_destroy(work->desc.epilogue);
}

static void outcomes_go_to_their_tickets(void **state)
{
	uint64_t ticket[8];
	struct work work;

	(void)state;
	fake_reset();
	open_fake();
	work_init(&work, 8);
	fake.outcome = 0x24; /* the third and the sixth */
	fake.outcome_errno = ETIMEDOUT;
	for (int i = 0; i < 8; i++)
		expect_ok(submit_list(queue, &work.matmul, 1, &ticket[i], &err));
	/* Asked in an order that is not that of the ends, and twice. */
	expect_ok(npu_queue_wait(queue, ticket[1], -1, &err));
	expect_error(npu_queue_wait(queue, ticket[5], -1, &err), -ETIMEDOUT, "hung");
	expect_error(npu_queue_wait(queue, ticket[2], -1, &err), -ETIMEDOUT, "hung");
	expect_ok(npu_queue_wait(queue, ticket[3], -1, &err));
	expect_ok(npu_queue_wait(queue, ticket[7], -1, &err));
	expect_error(npu_queue_wait(queue, ticket[2], 0, &err), -ETIMEDOUT, "hung");
	work_free(&work);
	close_fake();
}

static void outcomes_have_their_own_words(void **state)
{
	static const struct {
		int code;
		const char *word;
	} outcomes[] = { { EIO, "bus error" },
			 { ECANCELED, "failed" },
			 { ENODEV, "gone" },
			 { ETIMEDOUT, "hung" } };
	struct work work;

	(void)state;
	fake_reset();
	open_fake();
	work_init(&work, 8);
	for (int i = 0; i < 4; i++) {
		fake.outcome = 1;
		fake.outcome_errno = outcomes[i].code;
		expect_error(npu_queue_run(queue, &work.matmul, 1, &err), -outcomes[i].code,
			     outcomes[i].word);
		expect_ok(npu_queue_run(queue, &work.matmul, 1, &err));
	}
	work_free(&work);
	close_fake();
}

static void waiting_has_a_limit(void **state)
{
	struct work work;
	uint64_t ticket;

	(void)state;
	fake_reset();
	open_fake();
	work_init(&work, 8);
	expect_ok(submit_list(queue, &work.matmul, 1, &ticket, &err));
	expect_error(npu_queue_wait(queue, ticket, 0, &err), -ETIME, "has not ended");
	/* So long that it comes to for ever. */
	expect_ok(npu_queue_wait(queue, ticket, INT64_MAX, &err));
	expect_ok(npu_queue_wait(queue, ticket, 0, &err));
	work_free(&work);
	close_fake();
}

/* The ring is full after 64: the 65th waits for the first. */
static void full_queue_waits_for_its_oldest(void **state)
{
	struct npu_queue_stats stats = { .size = sizeof(stats) };
	struct work work;
	uint64_t ticket = 0;

	(void)state;
	fake_reset();
	fake.max_pending = 1000;
	open_fake();
	work_init(&work, 8);
	fake.outcome = 2;
	fake.outcome_errno = ETIMEDOUT;
	for (int i = 0; i < 65; i++)
		expect_ok(submit_list(queue, &work.matmul, 1, &ticket, &err));
	expect_ok(npu_queue_get_stats(queue, &stats, &err));
	assert_int_equal(stats.jobs, 1);
	/* What was settled on the way is remembered. */
	expect_error(npu_queue_wait(queue, 2, -1, &err), -ETIMEDOUT, "hung");
	expect_ok(npu_queue_wait(queue, ticket, -1, &err));
	/* An outcome does not fall on the submission that takes its place. */
	fake.outcome = 1;
	for (int i = 0; i < 65; i++)
		expect_ok(submit_list(queue, &work.matmul, 1, &ticket, &err));
	expect_ok(npu_queue_wait(queue, ticket, -1, &err));
	expect_ok(npu_queue_wait(queue, ticket - 63, -1, &err));
	expect_error(npu_queue_wait(queue, ticket - 64, -1, &err), -EINVAL, "forgotten");
	work_free(&work);
	close_fake();
}

static void cap_of_the_kernel_is_waited_for(void **state)
{
	struct work work;
	uint64_t ticket;

	(void)state;
	fake_reset();
	fake.max_pending = 3;
	open_fake();
	work_init(&work, 8);
	for (int i = 0; i < 20; i++)
		expect_ok(submit_list(queue, &work.matmul, 1, &ticket, &err));
	assert_true(fake.refused > 0);
	expect_ok(npu_queue_wait(queue, ticket, -1, &err));
	work_free(&work);
	close_fake();
}

/* 150 jobs are three SUBMITs of 64: whichever fails, the submission did. */
static void long_submissions_have_one_outcome(void **state)
{
	struct npu_matmul *list[150];
	struct work work;

	(void)state;
	fake_reset();
	open_fake();
	work_init(&work, 8);
	for (int i = 0; i < 150; i++)
		list[i] = work.matmul;
	expect_ok(npu_queue_run(queue, list, 150, &err));
	assert_int_equal(fake.submits, 3);
	for (int part = 0; part < 3; part++) {
		fake.outcome = 1 << part;
		fake.outcome_errno = EIO;
		expect_error(npu_queue_run(queue, list, 150, &err), -EIO, "bus error");
		expect_ok(npu_queue_run(queue, list, 150, &err));
	}
	work_free(&work);
	close_fake();
}

/* A failure in the middle of a split matmul is the outcome, and what follows it is not run. */
static void failed_split_stops_a_submission(void **state)
{
	struct npu_matmul *list[2];
	struct work split, other;
	unsigned int before;
	uint64_t ticket;

	(void)state;
	fake_reset();
	fake.limits.max_k = 16;
	open_fake();
	work_init(&split, 40);
	work_init(&other, 8);
	list[0] = split.matmul;
	list[1] = other.matmul;
	expect_ok(npu_queue_run(queue, list, 2, &err));
	before = fake.submits;
	fake.outcome = 1;
	fake.outcome_errno = ETIMEDOUT;
	expect_ok(submit_list(queue, list, 2, &ticket, &err));
	expect_error(npu_queue_wait(queue, ticket, -1, &err), -ETIMEDOUT, "hung");
	assert_int_equal(fake.submits, before + 1);
	expect_ok(npu_queue_run(queue, list, 2, &err));
	work_free(&split);
	work_free(&other);
	close_fake();
}

/* ---- Failures -------------------------------------------------------------------------- */

/* What to do about it depends on who has to put the pieces together. */
static void lack_of_memory_is_told(void **state)
{
	struct npu_buffer *none;

	(void)state;
	for (int i = 0; i < 2; i++) {
		fake_reset();
		fake.caps = i ? DRM_NPU_CAP_IOMMU : 0;
		open_fake();
		fake.fail_after = 0;
		fake.fail_errno = ENOMEM;
		expect_error(npu_buffer_create(dev, 8192, &none, &err), -ENOMEM,
			     i ? "no memory for a buffer of 8192 bytes; free some"
			       : "no contiguous memory");
		close_fake();
	}
}

static void strange_drivers_are_refused(void **state)
{
	struct npu_device *none;

	(void)state;
	fake_reset();
	fake.family = 7;
	expect_error(npu_device_open("fake", &none, &err), -ENOTSUP, "family 7");
	fake_reset();
	fake.limits.mac_kernels = 0;
	expect_error(npu_device_open("fake", &none, &err), -ENOTSUP, "make no sense");
	fake_reset();
	fake.limits = (struct drm_npu_matmul_limits){ 0 };
	expect_error(npu_device_open("fake", &none, &err), -ENOTSUP, "make no sense");
	fake_reset();
	fake.max_syncs = 0;
	expect_error(npu_device_open("fake", &none, &err), -ENOTSUP, "0 syncs");
	fake_reset();
	fake.limits.atom_bytes = 128;
	expect_error(npu_device_open("fake", &none, &err), -ENOTSUP, "update libnpu");
	fake_reset();
	fake.limits.mac_kernels = 128;
	expect_error(npu_device_open("fake", &none, &err), -ENOTSUP, "update libnpu");
	fake_reset();
	fake.fail_after = 1;
	fake.fail_errno = EINVAL;
	expect_error(npu_device_open("fake", &none, &err), -ENOTSUP, "does not tell its limits");
}

static void lost_device_is_told(void **state)
{
	struct work work;

	(void)state;
	fake_reset();
	open_fake();
	work_init(&work, 8);
	fake.fail_after = 0;
	fake.fail_errno = EIO;
	expect_error(npu_queue_run(queue, &work.matmul, 1, &err), -EIO, "device is lost");
	fake.fail_after = 0;
	fake.fail_errno = ENODEV;
	expect_error(npu_queue_run(queue, &work.matmul, 1, &err), -ENODEV, "device is lost");
	work_free(&work);
	close_fake();
}

/* One whole life of everything; the first error ends it, and what was made goes. */
static int live(struct npu_error *err, uint32_t k, bool *wrong)
{
	struct npu_matmul_desc desc = { .size = sizeof(desc) };
	struct npu_device *own = NULL;
	struct npu_queue *q = NULL;
	struct npu_matmul *matmul = NULL;
	struct rng rng = { 120 };
	struct matmul_case c;
	int8_t got[6], *expected;
	int ret;

	case_init(&c, &rng, 2, k, 3, CASE_BIAS | CASE_PER_CHANNEL);
	ret = npu_device_open("fake", &own, err);
	ret = ret ? ret : npu_queue_create(own, NULL, &q, err);
	ret = ret ? ret : npu_tensor_create(own, NPU_TYPE_INT8, 2, k, &desc.a, err);
	ret = ret ? ret : npu_tensor_create(own, NPU_TYPE_INT8, 2, 3, &desc.c, err);
	ret = ret ? ret : case_weights(own, 3, k, c.w, &desc.weights, err);
	ret = ret ? ret : npu_epilogue_create(own, &c.epilogue, &desc.epilogue, err);
	ret = ret ? ret : npu_matmul_create(own, &desc, &matmul, err);
	ret = ret ? ret : npu_tensor_write(desc.a, 0, 2, c.a, 0, err);
	ret = ret ? ret : npu_queue_run(q, &matmul, 1, err);
	ret = ret ? ret : npu_tensor_read(desc.c, 0, 2, got, 0, err);
	expected = case_reference(&c);
	*wrong = !ret && memcmp(got, expected, 6);
	free(expected);
	npu_matmul_destroy(matmul);
	npu_epilogue_destroy(desc.epilogue);
	npu_weights_destroy(desc.weights);
	npu_tensor_destroy(desc.c);
	npu_tensor_destroy(desc.a);
	npu_queue_destroy(q);
	npu_device_close(own);
	case_free(&c);
	return ret;
}

/* Each call fails once; the sanitizers look for what was forgotten. */
static void fail_each_call(uint32_t k, int code)
{
	for (int i = 0;; i++) {
		struct npu_error err = { 0 };
		bool wrong;
		int ret;

		fake_reset();
		fake.limits.max_k = 16;
		fake.fail_after = i;
		fake.fail_errno = code;
		ret = live(&err, k, &wrong);
		assert_int_equal(fake.objects, 0);
		assert_false(wrong);
		if (fake.fail_after >= 0) {
			assert_int_equal(ret, 0);
			assert_true(i > 70);
			return;
		}
		/* Only what happens after the result is read can fail without a word. */
		if (ret)
			assert_true(err.code == ret && err.text[0]);
	}
}

static void any_call_may_fail(void **state)
{
	(void)state;
	fail_each_call(8, ENOMEM);
	fail_each_call(8, EIO);
	fail_each_call(40, ENOMEM);
	fail_each_call(40, ENODEV);
}

static void interrupted_calls_go_on(void **state)
{
	struct work work;

	(void)state;
	fake_reset();
	open_fake();
	work_init(&work, 8);
	fake.fail_after = 0;
	fake.fail_errno = EINTR;
	expect_ok(npu_queue_run(queue, &work.matmul, 1, &err));
	work_free(&work);
	close_fake();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_engine),
		cmocka_unit_test(large_engine),
		cmocka_unit_test(narrow_engine),
		cmocka_unit_test(short_engine),
		cmocka_unit_test(short_large_engine),
		cmocka_unit_test(small_cbuf),
		cmocka_unit_test(long_sums_of_large_weights),
		cmocka_unit_test(long_sums_of_small_weights),
		cmocka_unit_test(outcomes_go_to_their_tickets),
		cmocka_unit_test(outcomes_have_their_own_words),
		cmocka_unit_test(waiting_has_a_limit),
		cmocka_unit_test(full_queue_waits_for_its_oldest),
		cmocka_unit_test(cap_of_the_kernel_is_waited_for),
		cmocka_unit_test(long_submissions_have_one_outcome),
		cmocka_unit_test(failed_split_stops_a_submission),
		cmocka_unit_test(lack_of_memory_is_told),
		cmocka_unit_test(strange_drivers_are_refused),
		cmocka_unit_test(lost_device_is_told),
		cmocka_unit_test(any_call_may_fail),
		cmocka_unit_test(interrupted_calls_go_on),
	};

	return cmocka_run_group_tests_name("NVDLA backend", tests, NULL, NULL);
}
