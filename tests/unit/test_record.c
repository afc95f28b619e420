// SPDX-License-Identifier: MIT
/*
 * A run that is recorded replays as equal on the same model and on slower ones, and each way to be
 * wrong is found and named. The rig here drives the recorder, which drives the model of this build.
 */
#include <fcntl.h>
#include <libgen.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/board/model/npu_fault.h"
#include "../../tools/board/record/replay.h"
#include "test_model_rig.h"

#define LIMIT 100000

static char model_path[512];

struct recording {
	char path[64];
	struct rig rig;
};

/* ---- making recordings ------------------------------------------------------------------- */

static void begin(struct recording *rec)
{
	int fd;

	strcpy(rec->path, "/tmp/test_record.XXXXXX");
	fd = mkstemp(rec->path);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(setenv("NPU_RECORD_FILE", rec->path, 1), 0);
	assert_int_equal(setenv("NPU_RECORD_MODEL", model_path, 1), 0);
	rig_init(&rec->rig, "nv_small");
	rig_start(&rec->rig);
	rig_noise(&rec->rig, RIG_A, 0x1000, 1);
	rig_noise(&rec->rig, RIG_W, 0x1000, 2);
}

static void end(struct recording *rec, struct vector *v)
{
	rig_fini(&rec->rig);
	assert_int_equal(vector_load(v, rec->path), 0);
	assert_true(v->ended);
	unlink(rec->path);
}

static size_t count(const struct vector *v, enum vector_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < v->count; i++)
		n += v->steps[i].kind == kind;
	return n;
}

/* The n-th step of a kind, from 0 */
static const struct vector_step *find(const struct vector *v, enum vector_kind kind, size_t n)
{
	for (size_t i = 0; i < v->count; i++)
		if (v->steps[i].kind == kind && n-- == 0)
			return &v->steps[i];
	fail_msg("no such step");
	return NULL;
}

/* 16 x 64 by 64 x 16: A, W and C are one extent each. */
static void make_op(struct rig_op *op)
{
	rig_op_init(op, &rig_small, 16, 64, 16);
	op->cvt_shift = 9;
}

static void record_one(struct vector *v)
{
	struct recording rec;
	struct rig_op op;

	begin(&rec);
	npu_model_read(rec.rig.model, GLB_S_NVDLA_HW_VERSION);
	make_op(&op);
	assert_true(rig_wait(&rec.rig, rig_submit(&rec.rig, &op), LIMIT));
	end(&rec, v);
}

/* Two ops in flight; one that reads what the first one wrote; the first again, with other features.
 */
static void record_several(struct vector *v)
{
	struct recording rec;
	struct rig_op op, behind, chained;
	uint32_t first, second;

	begin(&rec);
	make_op(&op);
	behind = op;
	behind.c = RIG_C + 0x1000;
	rig_op_init(&chained, &rig_small, 16, 16, 8);
	chained.a = op.c;
	chained.c = RIG_C + 0x2000;

	first = rig_submit(&rec.rig, &op);
	second = rig_submit(&rec.rig, &behind);
	assert_true(rig_wait(&rec.rig, first, LIMIT));
	assert_true(rig_wait(&rec.rig, second, LIMIT));
	assert_true(rig_wait(&rec.rig, rig_submit(&rec.rig, &chained), LIMIT));
	rig_noise(&rec.rig, RIG_A, 0x1000, 3);
	assert_true(rig_wait(&rec.rig, rig_submit(&rec.rig, &op), LIMIT));
	end(&rec, v);
}

/* ---- playing them ------------------------------------------------------------------------ */

/* A model with something wrong, or slow, about it: the real one behind functions of its own. */
static struct library real;
static struct npu_model_bus outer;
static unsigned int results;

static struct replay_result play(const struct vector *v, const struct library *library)
{
	struct replay_options options = { .limit = LIMIT, .cycles_off = -1 };
	struct replay_result result;

	results = 0;
	assert_int_equal(replay_run(&result, v, library, &options), 0);
	return result;
}

static int pass_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
	(void)opaque;
	return outer.read(outer.opaque, addr, buf, len);
}

static int pass_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
	(void)opaque;
	return outer.write(outer.opaque, addr, buf, len);
}

static void pass_irq(void *opaque, int level)
{
	(void)opaque;
	outer.irq(outer.opaque, level);
}

static void no_irq(void *opaque, int level)
{
	(void)opaque;
	(void)level;
}

static struct npu_model *new_with(const char *config, const struct npu_model_bus *bus,
				  int (*write)(void *, uint64_t, const void *, size_t),
				  void (*irq)(void *, int))
{
	const struct npu_model_bus inner = { .read = pass_read, .write = write, .irq = irq };

	outer = *bus;
	return real.new(config, &inner);
}

/* Byte 5 of the second transfer */
static int flip_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
	uint8_t copy[4096];

	assert_true(len > 5 && len <= sizeof(copy));
	memcpy(copy, buf, len);
	if (++results == 2)
		copy[5] ^= 0x40;
	return pass_write(opaque, addr, copy, len);
}

static struct npu_model *new_flipping(const char *config, const struct npu_model_bus *bus)
{
	return new_with(config, bus, flip_write, pass_irq);
}

static int stray_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
	uint8_t byte = 0x5a;

	if (++results == 2)
		pass_write(opaque, RIG_C + 0x8000, &byte, 1);
	return pass_write(opaque, addr, buf, len);
}

static struct npu_model *new_stray(const char *config, const struct npu_model_bus *bus)
{
	return new_with(config, bus, stray_write, pass_irq);
}

static struct npu_model *new_silent(const char *config, const struct npu_model_bus *bus)
{
	return new_with(config, bus, pass_write, no_irq);
}

static uint32_t read_other_version(struct npu_model *m, uint32_t offset)
{
	return real.read(m, offset) ^ (offset == GLB_S_NVDLA_HW_VERSION);
}

static void write_no_start(struct npu_model *m, uint32_t offset, uint32_t value)
{
	if (offset != CSC_D_OP_ENABLE)
		real.write(m, offset, value);
}

/* A quarter of the speed, and no stop at an interrupt */
static uint64_t run_slowly(struct npu_model *m, uint64_t max_cycles)
{
	for (uint64_t i = 0; i < max_cycles / 4 + 1 && real.busy(m); i++)
		real.run(m, 1);
	return max_cycles;
}

/* Until nothing happens any more: all that is enabled is done before the next register access. */
static void write_and_finish(struct npu_model *m, uint32_t offset, uint32_t value)
{
	real.write(m, offset, value);
	while (offset == CDMA_D_OP_ENABLE && real.busy(m))
		real.run(m, LIMIT);
}

/* ---- tests ------------------------------------------------------------------------------- */

static void test_one(void **state)
{
	struct replay_result r;
	struct vector v;

	(void)state;
	record_one(&v);
	assert_string_equal(v.config, "nv_small");
	assert_int_equal(count(&v, VECTOR_MEM), 2);
	assert_int_equal(find(&v, VECTOR_MEM, 0)->addr, RIG_A);
	assert_int_equal(find(&v, VECTOR_MEM, 0)->len, 16 * 64);
	assert_int_equal(find(&v, VECTOR_MEM, 1)->addr, RIG_W);
	assert_int_equal(find(&v, VECTOR_OUT, 0)->addr, RIG_C);
	assert_int_equal(find(&v, VECTOR_OUT, 0)->len, 16 * 16);
	assert_int_equal(find(&v, VECTOR_WAIT, 0)->mask, 1);
	assert_int_equal(count(&v, VECTOR_CYCLES), 1);
	assert_int_equal(find(&v, VECTOR_READ, 0)->addr, GLB_S_NVDLA_HW_VERSION);

	r = play(&v, &real);
	assert_int_equal(r.kind, REPLAY_EQUAL);
	assert_int_equal(r.ops, 1);
	assert_int_equal(r.bytes, 16 * 16);
	assert_int_equal(r.timed, r.timed_recorded);
	assert_int_equal(r.bytes_unknown, 0);
	vector_free(&v);
}

static void test_several(void **state)
{
	struct vector v;

	(void)state;
	record_several(&v);
	/* A and W once, nothing for the second and, but for the rest of W, the third; A again. */
	assert_int_equal(count(&v, VECTOR_OUT), 4);
	assert_int_equal(count(&v, VECTOR_MEM), 3);
	assert_int_equal(find(&v, VECTOR_MEM, 2)->addr, RIG_A);
	/* Of the two that ran together there are no cycles. */
	assert_int_equal(count(&v, VECTOR_CYCLES), 2);
	assert_int_equal(play(&v, &real).kind, REPLAY_EQUAL);
	assert_int_equal(play(&v, &real).ops, 4);
	vector_free(&v);
}

/* Time may be another: results and interrupts must not be. */
static void test_other_speeds(void **state)
{
	struct library slow = real, fast = real;
	struct replay_options options = { .limit = LIMIT, .cycles_off = 10 };
	struct replay_result r;
	struct vector v;

	(void)state;
	slow.run = run_slowly;
	fast.write = write_and_finish;
	record_several(&v);
	assert_int_equal(play(&v, &slow).kind, REPLAY_EQUAL);
	assert_int_equal(play(&v, &fast).kind, REPLAY_EQUAL);
	assert_int_equal(replay_run(&r, &v, &slow, &options), 0);
	assert_int_equal(r.kind, REPLAY_CYCLES);
	vector_free(&v);
}

static void test_wrong_result(void **state)
{
	struct library wrong = real;
	struct replay_result r;
	struct vector v;

	(void)state;
	wrong.new = new_flipping;
	record_one(&v);
	r = play(&v, &wrong);
	assert_int_equal(r.kind, REPLAY_MEMORY);
	/* A plane is 16 positions of 8 bytes. */
	assert_int_equal(r.address, RIG_C + 16 * 8 + 5);
	assert_int_equal(r.got ^ r.wanted, 0x40);
	assert_int_equal(r.line, find(&v, VECTOR_OUT, 0)->line);
	assert_non_null(strstr(r.text, "memory at 0x80800085 is "));
	assert_non_null(strstr(r.text, "1 of 256 bytes"));
	vector_free(&v);
}

static void test_stray_write(void **state)
{
	struct library wrong = real;
	struct replay_result r;
	struct vector v;

	(void)state;
	wrong.new = new_stray;
	record_one(&v);
	r = play(&v, &wrong);
	assert_int_equal(r.kind, REPLAY_STRAY);
	assert_int_equal(r.address, RIG_C + 0x8000);
	assert_int_equal(r.got, 0x5a);
	vector_free(&v);
}

static void test_interrupts(void **state)
{
	struct library silent = real, idle = real;
	struct replay_result r;
	struct vector v;

	(void)state;
	silent.new = new_silent;
	idle.write = write_no_start;
	record_one(&v);
	r = play(&v, &silent);
	assert_int_equal(r.kind, REPLAY_INTERRUPT);
	assert_non_null(strstr(r.text, "interrupt line is low"));
	r = play(&v, &idle);
	assert_int_equal(r.kind, REPLAY_INTERRUPT);
	assert_non_null(strstr(r.text, "never shows 0x00000001"));
	assert_non_null(strstr(r.text, "the engine is idle"));
	vector_free(&v);
}

static void test_register(void **state)
{
	struct library wrong = real;
	struct replay_result r;
	struct vector v;

	(void)state;
	wrong.read = read_other_version;
	record_one(&v);
	r = play(&v, &wrong);
	assert_int_equal(r.kind, REPLAY_REGISTER);
	assert_int_equal(r.address, GLB_S_NVDLA_HW_VERSION);
	assert_non_null(strstr(r.text, "GLB_S_NVDLA_HW_VERSION (0x1000) is"));
	vector_free(&v);
}

static void test_fault(void **state)
{
	struct library plain = real;
	struct replay_options options = { .limit = LIMIT, .cycles_off = -1 };
	struct replay_result r;
	struct recording rec;
	struct rig_op op;
	struct vector v;

	(void)state;
	begin(&rec);
	make_op(&op);
	assert_int_equal(npu_model_inject(rec.rig.model, "hang:1"), 0);
	assert_int_equal(npu_model_inject(rec.rig.model, "flood:1"), -1);
	assert_false(rig_wait(&rec.rig, rig_submit(&rec.rig, &op), LIMIT));
	npu_model_reset(rec.rig.model);
	rec.rig.group = 0;
	rig_start(&rec.rig);
	assert_true(rig_wait(&rec.rig, rig_submit(&rec.rig, &op), LIMIT));
	end(&rec, &v);

	assert_int_equal(count(&v, VECTOR_RESET), 1);
	assert_int_equal(count(&v, VECTOR_FAULT), 1);
	r = play(&v, &real);
	assert_int_equal(r.kind, REPLAY_EQUAL);
	assert_int_equal(r.ops, 1);
	plain.inject = NULL;
	assert_int_equal(replay_run(&r, &v, &plain, &options), -1);
	assert_non_null(strstr(r.text, "does not take this fault"));
	vector_free(&v);
}

/* As on silicon: the engine's memory is its own, and there is no bus to the replay. */
static uint8_t own_memory[1 << 20];

static uint8_t *own(uint64_t addr, size_t len)
{
	uint64_t at = addr % 0x400000 + (addr - RIG_BASE) / 0x400000 * 0x10000;

	return addr >= RIG_BASE && at + len <= sizeof(own_memory) ? own_memory + at : NULL;
}

static int own_load(struct npu_model *m, uint64_t addr, const void *data, size_t len)
{
	(void)m;
	if (!own(addr, len))
		return -1;
	memcpy(own(addr, len), data, len);
	return 0;
}

static int own_store(struct npu_model *m, uint64_t addr, void *data, size_t len)
{
	(void)m;
	memcpy(data, own(addr, len), len);
	return 0;
}

static int own_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
	(void)opaque;
	return own_store(NULL, addr, buf, len);
}

static int own_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
	(void)opaque;
	return own_load(NULL, addr, buf, len);
}

static struct npu_model *new_own_memory(const char *config, const struct npu_model_bus *bus)
{
	const struct npu_model_bus inner = { .read = own_read,
					     .write = own_write,
					     .irq = pass_irq };

	outer = *bus;
	return real.new(config, &inner);
}

static void test_own_memory(void **state)
{
	struct replay_options options = { .limit = LIMIT, .cycles_off = -1 };
	struct library silicon = real;
	struct replay_result r;
	struct vector v;

	(void)state;
	silicon.new = new_own_memory;
	silicon.load = own_load;
	silicon.store = own_store;
	record_several(&v);
	assert_int_equal(play(&v, &silicon).kind, REPLAY_EQUAL);
	v.steps[find(&v, VECTOR_MEM, 0) - v.steps].addr = 0x1000;
	assert_int_equal(replay_run(&r, &v, &silicon, &options), -1);
	assert_non_null(strstr(r.text, "there is no memory for this"));
	vector_free(&v);
}

static bool parses(const char *text)
{
	char path[] = "/tmp/test_record.XXXXXX";
	struct vector v;
	FILE *f = fdopen(mkstemp(path), "w");
	bool good;

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	good = !vector_load(&v, path);
	unlink(path);
	if (good)
		vector_free(&v);
	return good;
}

static void test_format(void **state)
{
	static const char *const bad[] = {
		"",
		"w 0x1004 0x0\n",
		"config nv_small\nw 0x1004\n",
		"config nv_small\nr 0x1004\n",
		"config nv_small\npeek\n",
		"config nv_small\nresetting\n",
		"config nv_small\nfault \n",
		"config nv_small\nmem 0x10 2\n  00\n",
		"config nv_small\nmem 0x10 2\n  000000\n",
		"config nv_small\nmem 0x10 2\n  00zz\n",
		"config nv_small\nend\nw 0x1004 0x0\n",
		"config nv_small\nw 0x1004 0x0",
		"begin\nconfig nv_small\nw 0x1004 0x0\n",
	};

	(void)state;
	assert_true(parses("config nv_small\nr 0x1004 0x0 # GLB_S_INTR_MASK\npeek 0x3000 0x0\n"
			   "reset\nfault hang:1\nmem 0x100000000 2\n  0011\nend # of it\n"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parses(bad[i]))
			fail_msg("taken: %s", bad[i]);
}

static int any_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
	(void)opaque;
	(void)addr;
	memset(buf, 0, len);
	return 0;
}

static void test_refused(void **state)
{
	const struct npu_model_bus bus = { .read = any_read, .write = own_write, .irq = no_irq };
	char error[LIBRARY_ERROR_MAX];
	struct library library;

	(void)state;
	assert_int_equal(setenv("NPU_RECORD_MODEL", model_path, 1), 0);
	assert_int_equal(unsetenv("NPU_RECORD_FILE"), 0);
	assert_null(npu_model_new("nv_small", &bus));
	assert_int_equal(setenv("NPU_RECORD_FILE", "/nowhere/at/all", 1), 0);
	assert_null(npu_model_new("nv_small", &bus));
	assert_int_equal(setenv("NPU_RECORD_FILE", "/dev/null", 1), 0);
	assert_null(npu_model_new("nv_medium", &bus));
	assert_int_equal(setenv("NPU_RECORD_MODEL", "/dev/null", 1), 0);
	assert_null(npu_model_new("nv_small", &bus));
	assert_false(library_open(&library, "libc.so.6", error));
	assert_non_null(strstr(error, "has no npu_model_abi()"));
}

static void find_model(char *self)
{
	snprintf(model_path, sizeof(model_path), "%s/../../tools/board/model/libnpu-model.so",
		 dirname(self));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),	     cmocka_unit_test(test_several),
		cmocka_unit_test(test_other_speeds), cmocka_unit_test(test_wrong_result),
		cmocka_unit_test(test_stray_write),  cmocka_unit_test(test_interrupts),
		cmocka_unit_test(test_register),     cmocka_unit_test(test_fault),
		cmocka_unit_test(test_own_memory),   cmocka_unit_test(test_format),
		cmocka_unit_test(test_refused),
	};
	char error[LIBRARY_ERROR_MAX];
	int failed;

	(void)argc;
	find_model(argv[0]);
	if (!library_open(&real, model_path, error)) {
		fprintf(stderr, "%s\n", error);
		return 1;
	}
	failed = cmocka_run_group_tests_name("record", tests, NULL, NULL);
	library_close(&real);
	return failed;
}
