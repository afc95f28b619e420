// SPDX-License-Identifier: MIT
/*
 * The validator against the engine, exhaustively where shapes are small and at the borders where
 * they are not. What is accepted keeps to its extents, ends, and computes what it should; what is
 * refused because it would hang does hang.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "../../kmod/nvdla/nvdla_limits.h"
#include "../fuzz/jobs.h"
#include "../fuzz/oracle.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Of the configuration that is being tested. */
static const char *config;
static const struct drm_npu_matmul_limits *lim;

static int setup(void **state)
{
	*state = oracle_new(config, lim, UINT64_MAX);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	oracle_free(*state);
	return 0;
}

/* The job is accepted, and nothing is wrong with it or those before it. */
static void must_run(struct oracle *oracle, const struct drm_npu_job_matmul *job)
{
	uint64_t refused = oracle_count(oracle)->refused;
	const char *why = oracle_submit(oracle, job);

	if (!why && oracle_count(oracle)->refused == refused)
		return;
	job_print(stderr, why ? oracle_guilty(oracle) : job);
	fail_msg("%s", why ? why : "refused");
}

static void all_done(struct oracle *oracle)
{
	const struct oracle_count *count = oracle_count(oracle);
	const char *why = oracle_drain(oracle);

	if (why)
		job_print(stderr, oracle_guilty(oracle));
	assert_null(why);
	assert_int_equal(count->refused + count->too_big, 0);
	print_message("%llu jobs ran, C of %llu compared, %llu bytes on the bus, slowest %.1f\n",
		      (unsigned long long)count->ran, (unsigned long long)count->compared,
		      (unsigned long long)count->bytes, count->slowest);
}

/* ---- small shapes ------------------------------------------------------------------------ */

enum layout {
	PACKED,
	GAPS,	      /* between lines and between planes */
	PLANES_MIXED, /* planes side by side in one line */
	ONE_LINE,     /* all lines at one place; of A and operands only */
	LAYOUTS
};

static void lay_out(const struct drm_npu_job_matmul *job, struct drm_npu_tensor *t, enum layout how,
		    uint32_t channels, uint32_t size)
{
	const uint32_t atom = lim->atom_bytes;
	uint32_t line = job->m / job->height * atom * size;

	if (how == GAPS) {
		t->row_stride += atom;
		t->plane_stride = job->height * t->row_stride + 3 * atom;
	} else if (how == PLANES_MIXED) {
		t->row_stride = line * ((channels + atom - 1) / atom);
		t->plane_stride = line;
	} else if (how == ONE_LINE) {
		t->row_stride = 0;
		t->plane_stride = line;
	}
	/* The planes of a single row cannot be told apart. */
	if (job->m == 1)
		t->plane_stride = atom * size;
}

/* Every form of operand in memory, and none. */
#define FORMS 13

static struct drm_npu_stage form_of_stage(unsigned int form)
{
	static const uint8_t uses[][2] = { { 1, 0 }, { 0, 1 }, { 1, 1 } };
	struct drm_npu_stage st = { 0 };
	uint8_t src;

	if (!form)
		return st;
	src = (form - 1) % 2 ? DRM_NPU_OPERAND_ELEMENT : DRM_NPU_OPERAND_CHANNEL;
	st.operand_bytes = 1 + (form - 1) / 2 % 2;
	st.operand.handle = 4;
	st.alu_op = uses[(form - 1) / 4][0] ? DRM_NPU_ALU_ADD : DRM_NPU_ALU_NONE;
	st.alu_src = uses[(form - 1) / 4][0] ? src : DRM_NPU_OPERAND_NONE;
	st.mul_src = uses[(form - 1) / 4][1] ? src : DRM_NPU_OPERAND_NONE;
	st.mul_shift = st.mul_src ? 4 * st.operand_bytes : 0;
	st.act = form % 3;
	if (st.act == DRM_NPU_ACT_PRELU && !st.mul_src)
		st.act = DRM_NPU_ACT_RELU;
	return st;
}

static void lay_out_operand(const struct drm_npu_job_matmul *job, struct drm_npu_stage *st,
			    enum layout how)
{
	bool both = st->alu_src && st->mul_src;

	if (st->alu_src == DRM_NPU_OPERAND_ELEMENT || st->mul_src == DRM_NPU_OPERAND_ELEMENT)
		lay_out(job, &st->operand, how, job->n, st->operand_bytes << both);
}

static struct drm_npu_job_matmul small_job(uint32_t m, uint32_t n, uint32_t k, uint32_t height,
					   enum layout how, unsigned int form1, unsigned int form2)
{
	struct drm_npu_job_matmul job = job_plain(lim, m, n, k, height);

	job.x1 = form_of_stage(form1);
	job.x2 = form_of_stage(form2);
	job.cvt_shift = 8;
	job_pack(lim, &job);
	lay_out(&job, &job.a, how, k, 1);
	lay_out(&job, &job.c, how == ONE_LINE ? PACKED : how, n, 1);
	lay_out_operand(&job, &job.x1, how);
	lay_out_operand(&job, &job.x2, how);
	return job;
}

/* The kernel's choice, halves, the least of one and all else for the other. */
static void choose_banks(struct drm_npu_job_matmul *job, unsigned int choice)
{
	const uint8_t all = (uint8_t)lim->cbuf_banks, half = all / 2, rest = all - 1;
	const uint8_t banks[][2] = { { 0, 0 }, { half, half }, { 1, rest }, { rest, 1 }, { 1, 1 } };

	job->data_banks = banks[choice % COUNT(banks)][0];
	job->weight_banks = banks[choice % COUNT(banks)][1];
}

/* N and K: each size up to a bit more than two atoms of 8; larger atoms from both sides. */
static const uint32_t small_sizes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17 };
static const uint32_t large_sizes[] = { 1, 2, 31, 32, 33, 48, 63, 64, 65, 97 };

/* All shapes, heights and layouts; banks and epilogues take turns. */
static void every_small_shape(void **state)
{
	const bool wide = lim->atom_bytes > 8;
	const uint32_t *sizes = wide ? large_sizes : small_sizes;
	const uint32_t count = wide ? COUNT(large_sizes) : COUNT(small_sizes);
	struct drm_npu_job_matmul job;
	unsigned int turn = 0;

	for (uint32_t m = 1; m <= 12; m++) {
		for (uint32_t height = 1; height <= m; height++) {
			for (uint32_t nk = 0; m % height == 0 && nk < count * count; nk++) {
				for (enum layout how = 0; how < LAYOUTS; how++, turn++) {
					job = small_job(m, sizes[nk / count], sizes[nk % count],
							height, how, turn % FORMS,
							turn / FORMS % FORMS);
					choose_banks(&job, turn);
					must_run(*state, &job);
				}
			}
		}
	}
	all_done(*state);
}

/* All pairs of operand forms, layouts and banks on some shapes. */
static void every_epilogue(void **state)
{
	const uint32_t atom = lim->atom_bytes;
	const uint32_t shapes[][4] = {
		/* m, n, k, height */
		{ 1, 1, 1, 1 },
		{ 1, 2 * atom + 1, atom + 1, 1 },
		{ 2, atom, atom, 2 },
		{ 3, atom + 1, atom - 1, 1 },
		{ 4, 2 * atom, 1, 2 },
		{ 6, atom - 1, 2 * atom, 3 },
		{ 17, 2 * atom + 4, 5, 1 },
	};

	for (unsigned int i = 0; i < COUNT(shapes); i++) {
		const uint32_t *s = shapes[i];

		for (unsigned int forms = 0; forms < FORMS * FORMS; forms++) {
			for (unsigned int l = 0; l < LAYOUTS * 5; l++) {
				struct drm_npu_job_matmul job =
					small_job(s[0], s[1], s[2], s[3], l % LAYOUTS,
						  forms % FORMS, forms / FORMS);

				choose_banks(&job, l / LAYOUTS);
				must_run(*state, &job);
			}
		}
	}
	all_done(*state);
}

/* ---- borders ----------------------------------------------------------------------------- */

static void limits_of_sizes(void **state)
{
	const uint32_t atom = lim->atom_bytes;
	/* Atoms in all banks but one. */
	const uint32_t atoms =
		(lim->cbuf_banks - 1) * lim->cbuf_bank_entries * (lim->cbuf_entry_bytes / atom);
	const uint32_t shapes[][4] = {
		/* m, n, k, height */
		{ 1, atom, 8192, 1 },
		{ 1, 8192, atom, 1 },
		{ 1, 8192, 8192, 1 },
		{ 8192, atom, atom, 1 },
		{ 8192, 1, 1, 1 },
		{ 4096, atom, atom, 4096 },
		{ 4096, atom, (lim->cbuf_entry_bytes > atom ? 2 : 3) * atom, 4096 },
		{ atoms, atom, atom, lim->cbuf_banks - 1 },
		{ atoms, atom + 1, 1, atoms / 4 },
		{ 8, atom, 8192, 8 },
		{ 8, 2 * atom + 1, 8192, 1 },
		{ atoms / 4, 3, 4 * atom - 1, 1 },
		{ 4, 6947, 9, 1 }, /* The last kernels lie in the entry of those before. */
	};

	for (unsigned int i = 0; i < COUNT(shapes); i++) {
		struct drm_npu_job_matmul job =
			job_plain(lim, shapes[i][0], shapes[i][1], shapes[i][2], shapes[i][3]);

		must_run(*state, &job);
	}
	all_done(*state);
}

/* The longest a job can be held up by its results, cycles for each atom of C. */
static void slowest_job(void **state)
{
	struct drm_npu_job_matmul job = job_plain(lim, 1984, 8192, 1, 1);

	must_run(*state, &job);
	job.c.row_stride = 0;
	job.c.plane_stride = 0;
	must_run(*state, &job);
	all_done(*state);
}

/* ---- what is refused --------------------------------------------------------------------- */

/* Runs the job whatever the validator says; true if all goes well. */
static bool completes(struct oracle *oracle, const struct drm_npu_job_matmul *job,
		      const struct npu_matmul_plan *plan)
{
	bool wrong = oracle_submit_plan(oracle, job, plan) || oracle_drain(oracle);

	oracle_reset(oracle);
	return !wrong;
}

/*
 * One row of A more or less than fills @data banks, one channel more or less than a group of
 * kernels needs to fill @weight banks.
 */
static unsigned int tight_around(struct oracle *oracle, uint32_t data, uint32_t weight)
{
	const uint32_t atom = lim->atom_bytes, group = lim->mac_kernels;
	const uint32_t kernels[] = { 3, group, group + 1, 2 * group + 1 };
	const uint32_t bank = lim->cbuf_bank_entries * lim->cbuf_entry_bytes;
	uint32_t n = kernels[(data + weight) % COUNT(kernels)];
	unsigned int refused = 0;

	for (int i = 0; i < 9; i++) {
		uint32_t k = weight * bank / (n < group ? n : group) + i % 3 - 1;
		uint32_t m = data * bank / ((k + atom - 1) / atom * atom) + i / 3 - 1;
		struct drm_npu_job_matmul job = job_plain(lim, m, n, k, 1);
		struct npu_matmul_plan plan, asked;
		bool accepted;

		/* The plan of the kernel's choice has all but the banks. */
		if (npu_validate_matmul(lim, &job, &plan))
			continue;
		plan.data_banks = job.data_banks = data;
		plan.weight_banks = job.weight_banks = weight;
		accepted = !npu_validate_matmul(lim, &job, &asked);
		refused += !accepted;
		if (completes(oracle, &job, &plan) == accepted)
			continue;
		job_print(stderr, &job);
		fail_msg("validator and engine do not agree");
	}
	return refused;
}

/* Of banks the validator asks for no more and no less than the engine. */
static void banks_are_tight(void **state)
{
	unsigned int refused = 0;

	for (uint32_t weight = 1; weight <= lim->cbuf_banks / 2; weight++)
		for (uint32_t data = 1; data <= lim->cbuf_banks; data++)
			refused += tight_around(*state, data, weight);
	print_message("%u refused, and they hang\n", refused);
	assert_true(refused > lim->cbuf_banks * lim->cbuf_banks / 2);
}

/* Sizes beyond the limits do not fit the registers: the engine hangs, or does something else. */
static void sizes_are_tight(void **state)
{
	static const uint32_t shapes[][4] = { /* m, n, k, height */
					      { 8193, 1, 1, 1 },
					      { 1, 8193, 1, 1 },
					      { 1, 1, 8193, 1 },
					      { 4097, 1, 1, 4097 }
	};
	struct drm_npu_matmul_limits wide = *lim;

	wide.max_width = wide.max_height = wide.max_n = wide.max_k = 1 << 14;
	for (unsigned int i = 0; i < COUNT(shapes); i++) {
		struct drm_npu_job_matmul job =
			job_plain(lim, shapes[i][0], shapes[i][1], shapes[i][2], shapes[i][3]);
		struct npu_matmul_plan plan;

		assert_int_equal(npu_validate_matmul(lim, &job, &plan), -EINVAL);
		assert_int_equal(npu_validate_matmul(&wide, &job, &plan), 0);
		assert_false(completes(*state, &job, &plan));
	}
}

/* The planes of a single row are taken as one run: with another stride the extent would lie. */
static void single_row_is_packed(void **state)
{
	const uint32_t atom = lim->atom_bytes;
	struct drm_npu_job_matmul job = job_plain(lim, 1, 3 * atom, 3 * atom, 1);
	struct npu_matmul_plan plan, refused;

	assert_int_equal(npu_validate_matmul(lim, &job, &plan), 0);
	assert_true(completes(*state, &job, &plan));
	job.a.plane_stride = 0;
	assert_int_equal(npu_validate_matmul(lim, &job, &refused), -EINVAL);
	plan.extent[NPU_OPERAND_A].bytes = atom;
	assert_false(completes(*state, &job, &plan));
}

/* The oracle itself: any extent that is an atom too short is noticed. */
static void short_extents_are_seen(void **state)
{
	const uint32_t atom = lim->atom_bytes;
	struct drm_npu_job_matmul job = small_job(6, 2 * atom + 4, 2 * atom + 1, 2, GAPS, 3, 12);
	struct npu_matmul_plan plan;

	for (unsigned int n = 0; n < NPU_OPERANDS; n++) {
		assert_int_equal(npu_validate_matmul(lim, &job, &plan), 0);
		assert_true(completes(*state, &job, &plan));
		plan.extent[n].bytes -= atom;
		assert_false(completes(*state, &job, &plan));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_small_shape, setup, teardown),
		cmocka_unit_test_setup_teardown(every_epilogue, setup, teardown),
		cmocka_unit_test_setup_teardown(limits_of_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(slowest_job, setup, teardown),
		cmocka_unit_test_setup_teardown(banks_are_tight, setup, teardown),
		cmocka_unit_test_setup_teardown(sizes_are_tight, setup, teardown),
		cmocka_unit_test_setup_teardown(single_row_is_packed, setup, teardown),
		cmocka_unit_test_setup_teardown(short_extents_are_seen, setup, teardown),
	};

	int failed;

	config = "nv_small";
	lim = &nvdla_small_limits;
	failed = cmocka_run_group_tests_name("oracle, nv_small", tests, NULL, NULL);
	config = "nv_large";
	lim = &nvdla_large_limits;
	return failed + cmocka_run_group_tests_name("oracle, nv_large", tests, NULL, NULL);
}
