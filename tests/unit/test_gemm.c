// SPDX-License-Identifier: MIT
/*
 * Every kernel that this processor can run, against sums made one product at a time. The program
 * is also built for arm64 and run under emulation (make check-neon), with kernels this machine
 * has not.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../libnpu/backend/cpu/gemm.h"
#include "../matmul_case.h"

/* Most groups of K that a product here has. */
#define GROUPS 8

/* Operands, and what became of their sums. */
struct product {
	uint32_t m, n, k, group_size;
	enum npu_gemm_type type;
	size_t a_stride, w_stride;
	int8_t *a, *w;
	int64_t *sum, *a_sum; /* of each group by itself, GROUPS for each element */
	int64_t *expected_sum, *expected_a_sum;
	uint8_t *times; /* that a sum was handed over */
};

static struct npu_gemm_scratch *scratch;

static size_t element_size(const struct product *p)
{
	return p->type == NPU_GEMM_INT16 ? 2 : 1;
}

/* The last row ends where its last element does, so that ASAN sees a read behind it. */
static void product_init_typed(struct product *p, struct rng *rng, uint32_t m, uint32_t n,
			       uint32_t k, uint32_t gap, enum npu_gemm_type type)
{
	*p = (struct product){ .m = m, .n = n, .k = k, .group_size = k, .type = type };
	p->a_stride = (k + gap) * element_size(p);
	p->w_stride = k + gap;
	p->a = rng_int8(rng, (m - 1) * p->a_stride + k * element_size(p));
	p->w = rng_int8(rng, (n - 1) * p->w_stride + k);
	p->sum = calloc((size_t)m * n * GROUPS, sizeof(*p->sum));
	p->a_sum = calloc((size_t)m * n * GROUPS, sizeof(*p->a_sum));
	p->expected_sum = calloc((size_t)m * n * GROUPS, sizeof(*p->sum));
	p->expected_a_sum = calloc((size_t)m * n * GROUPS, sizeof(*p->a_sum));
	p->times = calloc((size_t)m * n, sizeof(*p->times));
	assert_true(p->sum && p->a_sum && p->expected_sum && p->expected_a_sum && p->times);
}

static void product_init(struct product *p, struct rng *rng, uint32_t m, uint32_t n, uint32_t k,
			 uint32_t gap)
{
	product_init_typed(p, rng, m, n, k, gap, NPU_GEMM_INT8);
}

static void product_free(struct product *p)
{
	free(p->a);
	free(p->w);
	free(p->sum);
	free(p->a_sum);
	free(p->expected_sum);
	free(p->expected_a_sum);
	free(p->times);
}

/* Keeps the sums of row @r by group; the number of the group before is at partial. */
static void take_row(struct product *p, const struct npu_gemm_strip *strip, uint32_t r)
{
	const size_t row = r * strip->stride;

	for (uint32_t i = 0; i < strip->count; i++) {
		size_t at = (size_t)(strip->row + r) * p->n + strip->first + i;
		float *partial = &strip->partial[row + i];

		assert_true(p->times[at] == strip->group && strip->group < GROUPS);
		assert_true(!strip->group || *partial == (float)(at + strip->group));
		*partial = (float)(at + strip->group + 1);
		p->sum[at * GROUPS + strip->group] =
			strip->sum32 ? strip->sum32[row + i] : strip->sum64[row + i];
		p->a_sum[at * GROUPS + strip->group] = strip->a_sum[r];
		p->times[at]++;
	}
}

static void take(void *ctx, const struct npu_gemm_strip *strip)
{
	struct product *p = ctx;
	bool wide = p->type == NPU_GEMM_INT16 || p->group_size > NPU_GEMM_K_INT32;

	assert_true(strip->first + strip->count <= p->n && strip->row + strip->rows <= p->m);
	assert_true(strip->rows && strip->count <= NPU_GEMM_STRIP);
	assert_true(strip->count >= 64 || strip->first + strip->count == p->n);
	assert_true(wide ? strip->sum64 && !strip->sum32 : strip->sum32 && !strip->sum64);
	for (uint32_t r = 0; r < strip->rows; r++)
		take_row(p, strip, r);
}

static void *pack(const struct npu_gemm_kernel *kernel, const struct product *p)
{
	const struct npu_gemm_pack pack = { kernel, p->n, p->k, p->group_size, p->w, p->w_stride };
	size_t bytes = npu_gemm_pack_bytes(&pack);
	void *packed = aligned_alloc(NPU_GEMM_ALIGN, (bytes + NPU_GEMM_ALIGN - 1) / NPU_GEMM_ALIGN *
							     NPU_GEMM_ALIGN);

	assert_non_null(packed);
	/* Nothing that packing leaves alone may count. */
	memset(packed, 0x55, bytes);
	npu_gemm_pack(&pack, 0, pack.n, packed);
	return packed;
}

static void multiply(const struct npu_gemm_kernel *kernel, struct product *p,
		     struct npu_gemm_scratch *own, struct npu_pool *pool)
{
	void *packed = pack(kernel, p);

	memset(p->times, 0, (size_t)p->m * p->n);
	npu_gemm_run(
		&(struct npu_gemm){
			.kernel = kernel,
			.m = p->m,
			.n = p->n,
			.k = p->k,
			.group_size = p->group_size,
			.a_type = p->type,
			.a_sums = true,
			.a = p->a,
			.a_stride = p->a_stride,
			.w = packed,
			.sink = take,
			.ctx = p,
		},
		own, pool);
	free(packed);
}

static int64_t element(const struct product *p, uint32_t row, uint32_t k)
{
	const int8_t *at = p->a + row * p->a_stride + k * element_size(p);
	int16_t word;

	switch (p->type) {
	case NPU_GEMM_INT8:
		return *at;
	case NPU_GEMM_UINT8:
		return (uint8_t)*at - 128;
	default:
		memcpy(&word, at, sizeof(word));
		return word - 128;
	}
}

/* What should come of the operands as they are now. */
static void expect(struct product *p)
{
	for (size_t at = 0; at < (size_t)p->m * p->n; at++) {
		int64_t *sum = p->expected_sum + at * GROUPS;
		int64_t *a_sum = p->expected_a_sum + at * GROUPS;

		memset(sum, 0, GROUPS * sizeof(*sum));
		memset(a_sum, 0, GROUPS * sizeof(*a_sum));
		for (uint32_t k = 0; k < p->k; k++) {
			int64_t a = element(p, at / p->n, k);

			sum[k / p->group_size] += a * p->w[at % p->n * p->w_stride + k];
			a_sum[k / p->group_size] += a;
		}
	}
}

static void compare(const struct npu_gemm_kernel *kernel, const struct product *p)
{
	const uint32_t groups = (p->k + p->group_size - 1) / p->group_size;

	for (size_t at = 0; at < (size_t)p->m * p->n; at++) {
		const size_t i = at * GROUPS, bytes = groups * sizeof(*p->sum);

		if (p->times[at] == groups && !memcmp(p->sum + i, p->expected_sum + i, bytes) &&
		    !memcmp(p->a_sum + i, p->expected_a_sum + i, bytes))
			continue;
		fail_msg("%s, %u x %u x %u by %u, type %d: element %zu came %d times, the first "
			 "sum is %lld, not %lld, the row's %lld, not %lld",
			 kernel->name, p->m, p->k, p->n, p->group_size, p->type, at, p->times[at],
			 (long long)p->sum[i], (long long)p->expected_sum[i],
			 (long long)p->a_sum[i], (long long)p->expected_a_sum[i]);
	}
}

/* With every kernel. */
static void check(struct product *p, struct npu_pool *pool)
{
	const struct npu_gemm_kernel *kernel;

	expect(p);
	for (size_t i = 0; (kernel = npu_gemm_kernel_get(i)); i++) {
		multiply(kernel, p, scratch, pool);
		compare(kernel, p);
	}
}

static void check_random(struct rng *rng, uint32_t m, uint32_t n, uint32_t k, uint32_t gap)
{
	struct product p;

	product_init(&p, rng, m, n, k, gap);
	check(&p, NULL);
	product_free(&p);
}

/* Sums that go straight to a C whose rows are @gap elements apart; these stay as they are. */
static void check_direct(const struct npu_gemm_kernel *kernel, const struct product *p,
			 uint32_t gap, struct npu_pool *pool)
{
	const size_t stride = p->n + gap, count = p->m * stride;
	int32_t *c = malloc(count * sizeof(*c));
	void *packed = pack(kernel, p);

	assert_non_null(c);
	memset(c, 0x55, count * sizeof(*c));
	npu_gemm_run(
		&(struct npu_gemm){
			.kernel = kernel,
			.m = p->m,
			.n = p->n,
			.k = p->k,
			.group_size = p->k,
			.a_type = p->type,
			.a = p->a,
			.a_stride = p->a_stride,
			.w = packed,
			.c = c,
			.c_stride = stride,
		},
		scratch, pool);
	for (size_t i = 0; i < count; i++) {
		const size_t col = i % stride, at = i / stride * p->n + col;

		if (c[i] != (col < p->n ? p->expected_sum[at * GROUPS] : 0x55555555))
			fail_msg("%s, %u x %u x %u: row %zu, column %zu is %d", kernel->name, p->m,
				 p->k, p->n, i / stride, col, c[i]);
	}
	free(packed);
	free(c);
}

/* ---- Sums -------------------------------------------------------------------------------- */

/* Rows enough for every height of a tile, and columns and k around every unit of the layouts. */
static void all_small_shapes(void **state)
{
	struct rng rng = { 20 };

	(void)state;
	for (uint32_t m = 1; m <= NPU_TILE_ROWS + 3; m++)
		check_random(&rng, m, rng_range(&rng, 1, 70), rng_range(&rng, 1, 200), 0);
	for (uint32_t k = 1; k <= 132; k++)
		check_random(&rng, rng_range(&rng, 1, 5), rng_range(&rng, 1, 40), k, k % 7);
	for (uint32_t n = 1; n <= 40; n++)
		check_random(&rng, 2, n, rng_range(&rng, 1, 100), 0);
}

static void shapes_of_many_groups_and_strips(void **state)
{
	struct rng rng = { 21 };

	(void)state;
	check_random(&rng, 300, 260, 70, 3);
	check_random(&rng, 130, 129, 4100, 0);
	check_random(&rng, 1, 1000, 64, 0);
	check_random(&rng, 1000, 1, 9, 0);
	check_random(&rng, 3, 5, NPU_GEMM_K_INT32, 0);
}

/* What saturates, or does not fit into an int16, an int32 or an unsigned byte, on the way. */
static void extremes_are_exact(void **state)
{
	const int8_t extreme[] = { INT8_MIN, INT8_MAX };
	struct rng rng = { 22 };
	struct product p;

	(void)state;
	product_init(&p, &rng, 17, 70, 300, 0);
	for (int i = 0; i < 4; i++) {
		memset(p.a, extreme[i & 1], p.m * p.a_stride);
		memset(p.w, extreme[i >> 1], p.n * p.w_stride);
		check(&p, NULL);
	}
	for (size_t i = 0; i < p.m * p.a_stride; i++)
		p.a[i] = extreme[rng_next(&rng) & 1];
	for (size_t i = 0; i < p.n * p.w_stride; i++)
		p.w[i] = extreme[rng_next(&rng) & 1];
	check(&p, NULL);
	product_free(&p);
}

/* 131072 products of -128 and -128 are 2^31: one more than an int32 holds. */
static void long_sums_are_exact(void **state)
{
	const uint32_t lengths[] = { NPU_GEMM_K_INT32 + 1, 2 * NPU_GEMM_K_INT32, 50003, 131072,
				     262147 };
	struct rng rng = { 23 };
	struct product p;

	(void)state;
	for (int i = 0; i < 5; i++) {
		product_init(&p, &rng, 3, 5, lengths[i], i);
		check(&p, NULL);
		memset(p.a, INT8_MIN, p.m * p.a_stride - i);
		memset(p.w, INT8_MIN, p.n * p.w_stride - i);
		check(&p, NULL);
		product_free(&p);
	}
	/* More than one group and strip of them. */
	check_random(&rng, 20, 135, NPU_GEMM_K_INT32 + 5, 0);
}

static void other_types_of_a(void **state)
{
	const uint32_t shapes[][3] = {
		{ 1, 40, 33 }, { 19, 140, 100 }, { 140, 3, 500 }, { 5, 33, NPU_GEMM_K_INT32 + 70 }
	};
	const enum npu_gemm_type types[] = { NPU_GEMM_UINT8, NPU_GEMM_INT16 };
	struct rng rng = { 26 };
	struct product p;

	(void)state;
	for (int type = 0; type < 2; type++)
		for (int i = 0; i < 4; i++) {
			product_init_typed(&p, &rng, shapes[i][0], shapes[i][1], shapes[i][2], i,
					   types[type]);
			check(&p, NULL);
			product_free(&p);
		}
	/* The largest sums there are. */
	product_init_typed(&p, &rng, 2, 3, 40000, 0, NPU_GEMM_INT16);
	for (size_t i = 0; i < 2 * 40000; i++)
		memcpy(p.a + 2 * i, &(int16_t){ INT16_MIN }, 2);
	memset(p.w, INT8_MIN, 3 * 40000);
	check(&p, NULL);
	product_free(&p);
}

static void sums_go_straight_to_c(void **state)
{
	const uint32_t shapes[][3] = {
		{ 1, 32, 64 },	 { 16, 128, 70 }, { 17, 129, 33 },
		{ 33, 31, 200 }, { 150, 300, 9 }, { 2, 64, NPU_GEMM_K_INT32 }
	};
	const struct npu_gemm_kernel *kernel;
	struct npu_pool *pool;
	struct rng rng = { 28 };
	struct product p;

	(void)state;
	assert_int_equal(npu_pool_create(2, &pool), 0);
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		product_init_typed(&p, &rng, shapes[i][0], shapes[i][1], shapes[i][2], 0,
				   i % 2 ? NPU_GEMM_UINT8 : NPU_GEMM_INT8);
		expect(&p);
		for (size_t j = 0; (kernel = npu_gemm_kernel_get(j)); j++) {
			check_direct(kernel, &p, i, NULL);
			check_direct(kernel, &p, i, pool);
		}
		product_free(&p);
	}
	npu_pool_destroy(pool);
}

static void groups_of_k_have_their_own_sums(void **state)
{
	const uint32_t shapes[][4] = { { 3, 40, 256, 32 },    { 20, 150, 100, 33 },
				       { 1, 7, 5, 1 },	      { 130, 9, 64, 63 },
				       { 2, 5, 40000, 5003 }, { 2, 5, 40000, 17001 } };
	struct rng rng = { 27 };
	struct product p;

	(void)state;
	for (int type = NPU_GEMM_INT8; type <= NPU_GEMM_INT16; type++)
		for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
			product_init_typed(&p, &rng, shapes[i][0], shapes[i][1], shapes[i][2], 1,
					   type);
			p.group_size = shapes[i][3];
			check(&p, NULL);
			product_free(&p);
		}
}

/* Large enough to be written past the caches, which must not show. */
static void large_weights(void **state)
{
	struct rng rng = { 28 };

	(void)state;
	check_random(&rng, 1, 1035, 4133, 5);
}

static void packed_sizes_that_cannot_be_are_none(void **state)
{
	struct npu_gemm_pack pack = { .kernel = npu_gemm_kernel_get(0), .n = 1, .k = 1 };

	(void)state;
	pack.group_size = 1;
	assert_true(npu_gemm_pack_bytes(&pack) > 0);
	pack.n = UINT32_MAX;
	for (uint32_t k = UINT32_MAX; k > UINT32_MAX / 2; k -= UINT32_MAX / 4) {
		pack.k = pack.group_size = k;
		assert_int_equal(npu_gemm_pack_bytes(&pack), 0);
	}
}

/* ---- Threads ----------------------------------------------------------------------------- */

static void threads_share_the_work(void **state)
{
	const uint32_t shapes[][3] = {
		{ 1, 700, 500 }, { 200, 300, 50 }, { 5000, 3, 40 }, { 1, 1, 1 }, { 30, 140, 20000 }
	};
	struct rng rng = { 24 };

	(void)state;
	for (unsigned int threads = 2; threads <= 5; threads++) {
		struct npu_pool *pool = NULL;

		assert_int_equal(npu_pool_create(threads, &pool), 0);
		assert_int_equal(npu_pool_threads(pool), threads);
		for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
			struct product p;

			product_init(&p, &rng, shapes[i][0], shapes[i][1], shapes[i][2], 0);
			check(&p, pool);
			product_free(&p);
		}
		npu_pool_destroy(pool);
	}
}

struct meeting {
	pthread_barrier_t barrier;
	unsigned int calls[3];
};

static void meet(void *ctx, unsigned int index, struct npu_gemm_scratch *own)
{
	struct meeting *meeting = ctx;

	assert_non_null(own);
	meeting->calls[index]++;
	pthread_barrier_wait(&meeting->barrier);
}

/* Each waits for the others, so all of them must have come. */
static void every_thread_of_a_pool_works(void **state)
{
	struct npu_pool *pool = NULL;
	struct meeting meeting = { .calls = { 0 } };

	(void)state;
	assert_int_equal(npu_pool_create(3, &pool), 0);
	assert_int_equal(pthread_barrier_init(&meeting.barrier, NULL, 3), 0);
	for (unsigned int i = 1; i <= 100; i++) {
		assert_true(npu_pool_run(pool, meet, &meeting, scratch));
		for (int t = 0; t < 3; t++)
			assert_int_equal(meeting.calls[t], i);
	}
	npu_pool_destroy(pool);
	pthread_barrier_destroy(&meeting.barrier);
}

static void run_inside(void *ctx, unsigned int index, struct npu_gemm_scratch *own)
{
	if (index == 0)
		assert_false(npu_pool_run(ctx, run_inside, ctx, own));
}

static void a_busy_pool_says_so(void **state)
{
	struct npu_pool *pool = NULL;

	(void)state;
	assert_int_equal(npu_pool_create(2, &pool), 0);
	assert_true(npu_pool_run(pool, run_inside, pool, scratch));
	assert_true(npu_pool_run(pool, run_inside, pool, scratch));
	npu_pool_destroy(pool);
}

struct caller {
	pthread_t thread;
	struct npu_pool *pool;
	struct npu_gemm_scratch *scratch;
	struct product p;
};

static void *call_often(void *arg)
{
	struct caller *caller = arg;

	for (int i = 0; i < 50; i++)
		multiply(npu_gemm_kernel_get(0), &caller->p, caller->scratch, caller->pool);
	return NULL;
}

/* One of them has the pool, the others do without; no sum goes astray. */
static void callers_may_share_a_pool(void **state)
{
	struct caller callers[3];
	struct npu_pool *pool = NULL;
	struct rng rng = { 25 };

	(void)state;
	assert_int_equal(npu_pool_create(3, &pool), 0);
	for (int i = 0; i < 3; i++) {
		callers[i].pool = pool;
		callers[i].scratch = npu_gemm_scratch_create();
		assert_non_null(callers[i].scratch);
		product_init(&callers[i].p, &rng, 20 + i, 400, 60, 0);
		assert_int_equal(pthread_create(&callers[i].thread, NULL, call_often, &callers[i]),
				 0);
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(callers[i].thread, NULL);
		expect(&callers[i].p);
		compare(npu_gemm_kernel_get(0), &callers[i].p);
		npu_gemm_scratch_destroy(callers[i].scratch);
		product_free(&callers[i].p);
	}
	npu_pool_destroy(pool);
}

/* Where it is known which ones there are: what is not found is not tested. */
static void kernels_are_found(void **state)
{
	const char *expected = getenv("NPU_TEST_KERNELS");
	const struct npu_gemm_kernel *kernel;
	char names[256] = "";

	(void)state;
	for (size_t i = 0; (kernel = npu_gemm_kernel_get(i)); i++)
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", i ? " " : "",
			 kernel->name);
	print_message("kernels: %s\n", names);
	assert_non_null(strstr(names, "portable"));
	if (expected)
		assert_string_equal(names, expected);
}

static int create_scratch(void **state)
{
	(void)state;
	scratch = npu_gemm_scratch_create();
	return !scratch;
}

static int destroy_scratch(void **state)
{
	(void)state;
	npu_gemm_scratch_destroy(scratch);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernels_are_found),
		cmocka_unit_test(all_small_shapes),
		cmocka_unit_test(shapes_of_many_groups_and_strips),
		cmocka_unit_test(extremes_are_exact),
		cmocka_unit_test(long_sums_are_exact),
		cmocka_unit_test(other_types_of_a),
		cmocka_unit_test(sums_go_straight_to_c),
		cmocka_unit_test(groups_of_k_have_their_own_sums),
		cmocka_unit_test(large_weights),
		cmocka_unit_test(packed_sizes_that_cannot_be_are_none),
		cmocka_unit_test(threads_share_the_work),
		cmocka_unit_test(every_thread_of_a_pool_works),
		cmocka_unit_test(a_busy_pool_says_so),
		cmocka_unit_test(callers_may_share_a_pool),
	};

	return cmocka_run_group_tests_name("products on the CPU", tests, create_scratch,
					   destroy_scratch);
}
