// SPDX-License-Identifier: MIT
/*
 * The library's promises that hold on every device, checked on the CPU: errors that name what is
 * wrong, objects that may be destroyed in any order, submissions that allocate nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../expect.h"
#include "../matmul_case.h"

static struct npu_device *dev;

static int open_cpu(void **state)
{
	(void)state;
	return npu_device_open("cpu", &dev, NULL);
}

static int close_cpu(void **state)
{
	(void)state;
	npu_device_close(dev);
	return 0;
}

/* ---- Counting allocations: the linker sends the library's calls here ------------------------ */

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);

static unsigned int allocations;

void *__wrap_malloc(size_t bytes)
{
	allocations++;
	return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
	allocations++;
	return __real_calloc(count, bytes);
}

/* ---- Devices --------------------------------------------------------------------------- */

static void version_is_that_of_the_header(void **state)
{
	char expected[32];

	(void)state;
	snprintf(expected, sizeof(expected), "%d.%d.%d", NPU_VERSION_MAJOR, NPU_VERSION_MINOR,
		 NPU_VERSION_PATCH);
	assert_string_equal(npu_version(), expected);
}

static void cpu_tells_what_it_is(void **state)
{
	struct npu_device_info info = { .size = sizeof(info) };

	(void)state;
	expect_ok(npu_device_get_info(dev, &info, &err));
	assert_string_equal(info.backend, "cpu");
	assert_string_equal(info.node, "");
	assert_true(info.name[0]);
	assert_int_equal(info.macs_per_cycle, 0);
	info.size = 8;
	expect_error(npu_device_get_info(dev, &info, &err), -EINVAL, "npu_device_info.size is 8");
}

static void wrong_paths_are_told_apart(void **state)
{
	char file[] = "/tmp/npu-test-XXXXXX";
	struct npu_device *none = NULL;
	int fd = mkstemp(file);

	(void)state;
	assert_true(fd >= 0);
	expect_error(npu_device_open("/dev/no/such/npu", &none, &err), -ENOENT,
		     "/dev/no/such/npu: there is no such file");
	expect_error(npu_device_open("/dev/null", &none, &err), -ENODEV,
		     "/dev/null: not a DRM node");
	expect_error(npu_device_open(file, &none, &err), -ENODEV, "not a device node");
	expect_error(npu_device_open("cpu", NULL, &err), -EINVAL, "no place");
	assert_null(none);
	close(fd);
	unlink(file);
}

/* With an NPU this opens it, without one it says so; it never falls back to the CPU. */
static void default_is_an_npu(void **state)
{
	struct npu_device_info info = { .size = sizeof(info) };
	struct npu_device *found = NULL;
	struct npu_error why = { 0 };
	int ret = npu_device_open(NULL, &found, &why);

	(void)state;
	if (!ret) {
		expect_ok(npu_device_get_info(found, &info, &err));
		assert_string_not_equal(info.backend, "cpu");
		npu_device_close(found);
		return;
	}
	assert_true(ret == -ENODEV || ret == -EACCES);
	assert_int_equal(why.code, ret);
	assert_non_null(strstr(why.text, ret == -ENODEV ? "no NPU" : "no permission"));
	assert_null(found);
}

/* Runs in a child that has given up root's rights. */
static int open_without_permission(const char *path)
{
	struct npu_device *none;
	struct npu_error err;

	if (!getuid() && (setgid(65534) || setuid(65534)))
		return 1;
	if (npu_device_open(path, &none, &err) != -EACCES)
		return 2;
	return strstr(err.text, "no permission") && strstr(err.text, "group") ? 0 : 3;
}

static void missing_permission_names_the_group(void **state)
{
	char file[] = "/tmp/npu-test-XXXXXX";
	int fd = mkstemp(file), status;
	pid_t child;

	(void)state;
	assert_true(fd >= 0 && !fchmod(fd, 0));
	child = fork();
	if (!child)
		_exit(open_without_permission(file));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(fd);
	unlink(file);
}

/* ---- Buffers and tensors --------------------------------------------------------------- */

static void buffers_keep_what_is_written(void **state)
{
	struct npu_buffer *buf;
	uint8_t *data;
	void *at;

	(void)state;
	expect_ok(npu_buffer_create(dev, 5000, &buf, &err));
	assert_int_equal(npu_buffer_size(buf) % sysconf(_SC_PAGESIZE), 0);
	assert_true(npu_buffer_size(buf) >= 5000);

	expect_ok(npu_buffer_begin_access(buf, NPU_ACCESS_WRITE, 100, 50, 0, &at, &err));
	data = at;
	assert_int_equal(data[0], 0);
	data[49] = 7;
	expect_ok(npu_buffer_end_access(buf, NPU_ACCESS_WRITE, 100, 50, &err));
	expect_ok(npu_buffer_begin_access(buf, NPU_ACCESS_READ, 149, 1, -1, &at, &err));
	assert_int_equal(*(uint8_t *)at, 7);
	expect_ok(npu_buffer_end_access(buf, NPU_ACCESS_READ, 149, 1, &err));
	npu_buffer_destroy(buf);
}

static void wrong_buffer_accesses_are_refused(void **state)
{
	struct npu_buffer *buf;
	size_t size;
	void *at;

	(void)state;
	expect_error(npu_buffer_create(dev, 0, &buf, &err), -EINVAL, "0 bytes");
	expect_error(npu_buffer_create(dev, SIZE_MAX, &buf, &err), -ENOMEM, "no memory");
	expect_error(npu_buffer_create(dev, SIZE_MAX / 4, &buf, &err), -ENOMEM, "no memory");
	expect_ok(npu_buffer_create(dev, 1, &buf, &err));
	size = npu_buffer_size(buf);
	expect_error(npu_buffer_begin_access(buf, 0, 0, 1, 0, &at, &err), -EINVAL, "access 0x0");
	expect_error(npu_buffer_begin_access(buf, 4, 0, 1, 0, &at, &err), -EINVAL, "access 0x4");
	expect_error(npu_buffer_begin_access(buf, 1, 0, 0, 0, &at, &err), -EINVAL, "0 bytes");
	expect_error(npu_buffer_begin_access(buf, 1, size, 1, 0, &at, &err), -EINVAL, "inside");
	expect_error(npu_buffer_begin_access(buf, 1, 1, size, 0, &at, &err), -EINVAL, "inside");
	expect_error(npu_buffer_begin_access(buf, 1, 1, SIZE_MAX, 0, &at, &err), -EINVAL, "inside");
	expect_error(npu_buffer_end_access(buf, 1, 1, size, &err), -EINVAL, "inside");
	npu_buffer_destroy(buf);
}

static void rows_come_and_go_with_strides(void **state)
{
	const int8_t rows[2][5] = { { 1, 2, 3, 4, 5 }, { 6, 7, 8, 9, 10 } };
	struct npu_tensor *tensor;
	int8_t all[12], some[5];

	(void)state;
	expect_ok(npu_tensor_create(dev, 4, 3, &tensor, &err));
	assert_int_equal(npu_tensor_rows(tensor), 4);
	assert_int_equal(npu_tensor_cols(tensor), 3);
	expect_ok(npu_tensor_write(tensor, 1, 2, rows[0], 5, &err));
	expect_ok(npu_tensor_read(tensor, 0, 4, all, 0, &err));
	assert_memory_equal(all, ((int8_t[]){ 0, 0, 0, 1, 2, 3, 6, 7, 8, 0, 0, 0 }), 12);
	memset(some, 99, sizeof(some));
	expect_ok(npu_tensor_read(tensor, 2, 1, some, 4, &err));
	assert_memory_equal(some, ((int8_t[]){ 6, 7, 8, 99, 99 }), 5);

	expect_error(npu_tensor_write(tensor, 3, 2, rows[0], 0, &err), -EINVAL, "from row 3");
	expect_error(npu_tensor_read(tensor, 5, 1, all, 0, &err), -EINVAL, "from row 5");
	expect_error(npu_tensor_read(tensor, 0, 0, all, 0, &err), -EINVAL, "0 rows");
	expect_error(npu_tensor_write(tensor, 0, 1, rows[0], 2, &err), -EINVAL, "row stride 2");
	npu_tensor_destroy(tensor);
}

static void tensors_share_a_buffer(void **state)
{
	size_t bytes = npu_tensor_bytes(dev, 3, 5);
	struct npu_tensor *one, *two, *none;
	struct npu_buffer *buf;
	int8_t back[15];

	(void)state;
	assert_true(bytes >= 15 && bytes % 64 == 0);
	assert_int_equal(npu_tensor_bytes(dev, 0, 5), 0);
	assert_int_equal(npu_tensor_bytes(dev, UINT32_MAX, UINT32_MAX), 0);
	expect_ok(npu_buffer_create(dev, 4096, &buf, &err));
	expect_ok(npu_tensor_create_in(buf, 0, 3, 5, &one, &err));
	expect_ok(npu_tensor_create_in(buf, bytes, 3, 5, &two, &err));
	expect_error(npu_tensor_create_in(buf, 63, 3, 5, &none, &err), -EINVAL, "offset 63");
	expect_error(npu_tensor_create_in(buf, npu_buffer_size(buf), 3, 5, &none, &err), -EINVAL,
		     "does not fit");
	expect_error(npu_tensor_create_in(buf, 0, 1000, 5000, &none, &err), -EINVAL, "1000 x 5000");
	npu_buffer_destroy(buf);

	expect_ok(npu_tensor_write(one, 0, 3, (int8_t[15]){ 1, 2, 3 }, 0, &err));
	expect_ok(npu_tensor_write(two, 0, 3, (int8_t[15]){ 4, 5, 6 }, 0, &err));
	expect_ok(npu_tensor_read(one, 0, 3, back, 0, &err));
	assert_memory_equal(back, ((int8_t[15]){ 1, 2, 3 }), 15);
	npu_tensor_destroy(one);
	npu_tensor_destroy(two);
}

static void impossible_tensors_are_refused(void **state)
{
	struct npu_tensor *none;

	(void)state;
	expect_error(npu_tensor_create(dev, 0, 5, &none, &err), -EINVAL, "0 x 5");
	expect_error(npu_tensor_create(dev, 5, 0, &none, &err), -EINVAL, "5 x 0");
	expect_error(npu_tensor_create(dev, UINT32_MAX, UINT32_MAX, &none, &err), -EINVAL,
		     "too large");
	expect_error(npu_tensor_create(dev, UINT32_MAX, 1u << 30, &none, &err), -ENOMEM,
		     "no memory");
}

/* ---- Weights and epilogues ------------------------------------------------------------- */

static void wrong_weights_are_refused(void **state)
{
	const int8_t data[6] = { 0 };
	struct npu_weights *none;

	(void)state;
	expect_error(npu_weights_create(dev, 0, 3, data, 0, &none, &err), -EINVAL, "0 x 3");
	expect_error(npu_weights_create(dev, 2, 0, data, 0, &none, &err), -EINVAL, "2 x 0");
	expect_error(npu_weights_create(dev, 2, 3, data, 2, &none, &err), -EINVAL, "row stride 2");
	expect_error(npu_weights_create(dev, 2, 3, NULL, 0, &none, &err), -EINVAL, "no data");
}

/* Fails because of one field of the description, which the text names. */
#define expect_bad_epilogue(field, value, word)                                           \
	do {                                                                              \
		struct npu_epilogue_desc bad = good;                                      \
		bad.field = value;                                                        \
		expect_error(npu_epilogue_create(dev, &bad, &none, &err), -EINVAL, word); \
	} while (0)

static void wrong_epilogues_are_refused(void **state)
{
	const int32_t bias[] = { NPU_BIAS_MAX, -NPU_BIAS_MAX, NPU_BIAS_MAX + 1 };
	const int16_t multiplier[] = { 1, 2, 3 };
	const struct npu_epilogue_desc good = {
		.size = sizeof(good),
		.n = 2,
		.bias = bias,
		.multiplier = multiplier,
		.multiplier_count = 1,
		.shift = NPU_SHIFT_MAX,
	};
	struct npu_epilogue *epilogue, *none;

	(void)state;
	expect_ok(npu_epilogue_create(dev, &good, &epilogue, &err));
	npu_epilogue_destroy(epilogue);
	expect_bad_epilogue(size, 0, "npu_epilogue_desc.size is 0");
	expect_bad_epilogue(n, 0, "n is 0");
	expect_bad_epilogue(n, 3, "bias[2] is 1073741825");
	expect_bad_epilogue(multiplier, NULL, "multiplier is NULL");
	expect_bad_epilogue(multiplier_count, 3, "multiplier_count is 3");
	expect_bad_epilogue(multiplier_count, 0, "multiplier_count is 0");
	expect_bad_epilogue(shift, NPU_SHIFT_MAX + 1, "shift is 63");
	expect_bad_epilogue(zero_point, 128, "zero_point is 128");
	expect_bad_epilogue(zero_point, -129, "zero_point is -129");
	expect_bad_epilogue(activation, 2, "activation is 2");
}

/* ---- Matmuls and queues ---------------------------------------------------------------- */

/* A chain of two: c = b x w, b = a x w, all 4 x 4. */
struct chain {
	struct npu_tensor *a, *b, *c;
	struct npu_weights *w;
	struct npu_epilogue *e;
	struct npu_matmul *matmul[2];
	struct npu_queue *queue;
};

static const int8_t ones[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

static struct npu_matmul_desc chain_desc(const struct chain *chain, int which)
{
	return (struct npu_matmul_desc){
		.size = sizeof(struct npu_matmul_desc),
		.a = which ? chain->b : chain->a,
		.weights = chain->w,
		.epilogue = chain->e,
		.c = which ? chain->c : chain->b,
	};
}

static void chain_create(struct chain *chain, struct npu_device *on)
{
	const int16_t one = 1;
	const struct npu_epilogue_desc e = {
		.size = sizeof(e),
		.n = 4,
		.multiplier = &one,
		.multiplier_count = 1,
	};

	expect_ok(npu_tensor_create(on, 4, 4, &chain->a, &err));
	expect_ok(npu_tensor_create(on, 4, 4, &chain->b, &err));
	expect_ok(npu_tensor_create(on, 4, 4, &chain->c, &err));
	expect_ok(npu_weights_create(on, 4, 4, ones, 0, &chain->w, &err));
	expect_ok(npu_epilogue_create(on, &e, &chain->e, &err));
	for (int i = 0; i < 2; i++) {
		struct npu_matmul_desc desc = chain_desc(chain, i);

		expect_ok(npu_matmul_create(on, &desc, &chain->matmul[i], &err));
	}
	expect_ok(npu_queue_create(on, &chain->queue, &err));
	expect_ok(npu_tensor_write(chain->a, 0, 4, ones, 0, &err));
}

static void chain_destroy(struct chain *chain)
{
	npu_queue_destroy(chain->queue);
	npu_matmul_destroy(chain->matmul[0]);
	npu_matmul_destroy(chain->matmul[1]);
	npu_epilogue_destroy(chain->e);
	npu_weights_destroy(chain->w);
	npu_tensor_destroy(chain->a);
	npu_tensor_destroy(chain->b);
	npu_tensor_destroy(chain->c);
}

static void one_matmul_reads_what_another_wrote(void **state)
{
	struct npu_queue_stats stats = { .size = sizeof(stats) };
	struct chain chain;
	int8_t back[16];

	(void)state;
	chain_create(&chain, dev);
	expect_ok(npu_queue_run(chain.queue, chain.matmul, 2, &err));
	expect_ok(npu_tensor_read(chain.c, 0, 4, back, 0, &err));
	for (int i = 0; i < 16; i++)
		assert_int_equal(back[i], 16);
	expect_ok(npu_queue_get_stats(chain.queue, &stats, &err));
	assert_int_equal(stats.matmuls, 2);
	assert_int_equal(stats.host_steps, 0);
	chain_destroy(&chain);
}

static void wrong_matmuls_are_refused(void **state)
{
	struct npu_matmul *none;
	struct npu_matmul_desc desc;
	struct npu_tensor *other;
	struct chain chain;

	(void)state;
	chain_create(&chain, dev);
	expect_ok(npu_tensor_create(dev, 4, 5, &other, &err));
#define expect_bad_matmul(field, value, word)                                            \
	do {                                                                             \
		desc = chain_desc(&chain, 0);                                            \
		desc.field = value;                                                      \
		expect_error(npu_matmul_create(dev, &desc, &none, &err), -EINVAL, word); \
	} while (0)
	expect_bad_matmul(size, 1, "npu_matmul_desc.size is 1");
	expect_bad_matmul(a, NULL, "a is NULL");
	expect_bad_matmul(epilogue, NULL, "epilogue is NULL");
	expect_bad_matmul(a, other, "a is 4 x 5 and weights are 4 x 4");
	expect_bad_matmul(c, other, "c is 4 x 5");
	expect_bad_matmul(c, chain.a, "c shares memory with a");
	npu_tensor_destroy(other);
	chain_destroy(&chain);
}

static void overlap_is_found_inside_a_buffer(void **state)
{
	struct npu_matmul_desc desc;
	struct npu_tensor *a, *c;
	struct npu_matmul *matmul;
	struct npu_buffer *buf;
	struct chain chain;

	(void)state;
	chain_create(&chain, dev);
	expect_ok(npu_buffer_create(dev, 4096, &buf, &err));
	expect_ok(npu_tensor_create_in(buf, 64, 4, 4, &a, &err));
	expect_ok(npu_tensor_create_in(buf, 64, 4, 4, &c, &err));
	desc = chain_desc(&chain, 0);
	desc.a = a;
	desc.c = c;
	expect_error(npu_matmul_create(dev, &desc, &matmul, &err), -EINVAL, "shares memory");
	npu_tensor_destroy(c);
	expect_ok(npu_tensor_create_in(buf, 128, 4, 4, &c, &err));
	desc.c = c;
	expect_ok(npu_matmul_create(dev, &desc, &matmul, &err));
	npu_matmul_destroy(matmul);
	npu_tensor_destroy(a);
	npu_tensor_destroy(c);
	npu_buffer_destroy(buf);
	chain_destroy(&chain);
}

static void devices_are_not_mixed(void **state)
{
	struct npu_matmul *none, *list[2];
	struct npu_matmul_desc desc;
	struct npu_device *second;
	struct chain one, two;

	(void)state;
	expect_ok(npu_device_open("cpu", &second, &err));
	chain_create(&one, dev);
	chain_create(&two, second);
	desc = chain_desc(&one, 0);
	desc.weights = two.w;
	expect_error(npu_matmul_create(dev, &desc, &none, &err), -EINVAL,
		     "weights belongs to another device");
	list[0] = one.matmul[0];
	list[1] = two.matmul[0];
	expect_error(npu_queue_run(one.queue, list, 2, &err), -EINVAL,
		     "matmul 1 belongs to another device");
	list[1] = NULL;
	expect_error(npu_queue_run(one.queue, list, 2, &err), -EINVAL, "matmul 1 is NULL");
	expect_error(npu_queue_run(one.queue, list, 0, &err), -EINVAL, "no matmul");
	chain_destroy(&one);
	chain_destroy(&two);
	npu_device_close(second);
}

static void plan_tells_the_shape(void **state)
{
	struct npu_plan plan = { .size = sizeof(plan) };
	struct chain chain;

	(void)state;
	chain_create(&chain, dev);
	expect_ok(npu_matmul_get_plan(chain.matmul[0], &plan, &err));
	assert_true(plan.m == 4 && plan.k == 4 && plan.n == 4);
	assert_int_equal(plan.macs, 64);
	assert_int_equal(plan.bytes, 48);
	assert_true(!plan.jobs && !plan.cycles && !plan.limit_cycles && !plan.host_steps);
	plan.size = 1;
	expect_error(npu_matmul_get_plan(chain.matmul[0], &plan, &err), -EINVAL, "npu_plan.size");
	chain_destroy(&chain);
}

static void tickets_are_remembered_and_forgotten(void **state)
{
	uint64_t first, ticket;
	struct chain chain;

	(void)state;
	chain_create(&chain, dev);
	expect_error(npu_queue_wait(chain.queue, 1, 0, &err), -EINVAL, "no ticket 1");
	expect_ok(npu_queue_submit(chain.queue, chain.matmul, 1, &first, &err));
	expect_ok(npu_queue_wait(chain.queue, first, 0, &err));
	expect_ok(npu_queue_wait(chain.queue, first, -1, &err));
	expect_error(npu_queue_wait(chain.queue, 0, 0, &err), -EINVAL, "no ticket 0");
	for (int i = 0; i < 63; i++)
		expect_ok(npu_queue_submit(chain.queue, chain.matmul, 2, &ticket, &err));
	assert_int_equal(ticket, first + 63);
	expect_ok(npu_queue_wait(chain.queue, first, 0, &err));
	expect_ok(npu_queue_submit(chain.queue, chain.matmul, 1, NULL, &err));
	expect_error(npu_queue_wait(chain.queue, first, 0, &err), -EINVAL, "forgotten");
	expect_ok(npu_queue_wait(chain.queue, first + 1, 0, &err));
	chain_destroy(&chain);
}

static void submitting_allocates_nothing(void **state)
{
	struct chain chain;
	unsigned int before = allocations;

	(void)state;
	chain_create(&chain, dev);
	assert_true(allocations > before);
	before = allocations;
	for (int i = 0; i < 100; i++)
		expect_ok(npu_queue_run(chain.queue, chain.matmul, 2, &err));
	assert_int_equal(allocations, before);
	chain_destroy(&chain);
}

/* ---- Lifetimes and threads ------------------------------------------------------------- */

static void work_goes_on_without_the_handles(void **state)
{
	struct npu_device *own;
	struct chain chain;
	int8_t back[16];

	(void)state;
	expect_ok(npu_device_open("cpu", &own, &err));
	chain_create(&chain, own);
	npu_device_close(own);
	npu_tensor_destroy(chain.a);
	npu_tensor_destroy(chain.b);
	npu_weights_destroy(chain.w);
	npu_epilogue_destroy(chain.e);
	expect_ok(npu_queue_run(chain.queue, chain.matmul, 2, &err));
	npu_matmul_destroy(chain.matmul[0]);
	npu_matmul_destroy(chain.matmul[1]);
	npu_queue_destroy(chain.queue);
	expect_ok(npu_tensor_read(chain.c, 0, 4, back, 0, &err));
	assert_int_equal(back[15], 16);
	npu_tensor_destroy(chain.c);
}

static void destroy_one(struct chain *chain, struct npu_device *own, int which)
{
	switch (which) {
	case 0:
		return npu_tensor_destroy(chain->a);
	case 1:
		return npu_tensor_destroy(chain->b);
	case 2:
		return npu_tensor_destroy(chain->c);
	case 3:
		return npu_weights_destroy(chain->w);
	case 4:
		return npu_epilogue_destroy(chain->e);
	case 5:
		return npu_matmul_destroy(chain->matmul[0]);
	case 6:
		return npu_matmul_destroy(chain->matmul[1]);
	case 7:
		return npu_queue_destroy(chain->queue);
	default:
		return npu_device_close(own);
	}
}

/* The sanitizers watch for use after free and for leaks. */
static void any_order_of_destruction_is_right(void **state)
{
	struct rng rng = { 30 };

	(void)state;
	for (int round = 0; round < 200; round++) {
		int order[9] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };
		struct npu_device *own;
		struct chain chain;

		expect_ok(npu_device_open("cpu", &own, &err));
		chain_create(&chain, own);
		for (int i = 8; i > 0; i--) {
			int j = rng_range(&rng, 0, i), swap = order[i];

			order[i] = order[j];
			order[j] = swap;
		}
		for (int i = 0; i < 9; i++)
			destroy_one(&chain, own, order[i]);
	}
}

static void null_may_be_destroyed(void **state)
{
	(void)state;
	npu_device_close(NULL);
	npu_buffer_destroy(NULL);
	npu_tensor_destroy(NULL);
	npu_weights_destroy(NULL);
	npu_epilogue_destroy(NULL);
	npu_matmul_destroy(NULL);
	npu_queue_destroy(NULL);
}

/* Weights and epilogue are shared, everything else is the thread's own. */
static void *use_shared(void *arg)
{
	const struct chain *shared = arg;
	struct npu_matmul_desc desc = chain_desc(shared, 0);
	intptr_t failures = 0;

	for (int i = 0; i < 100; i++) {
		struct npu_queue *queue = NULL;
		struct npu_matmul *matmul = NULL;
		int8_t back[16] = { 0 };

		desc.a = desc.c = NULL;
		failures += npu_queue_create(dev, &queue, NULL) ||
			    npu_tensor_create(dev, 4, 4, &desc.a, NULL) ||
			    npu_tensor_create(dev, 4, 4, &desc.c, NULL) ||
			    npu_tensor_write(desc.a, 0, 4, ones, 0, NULL) ||
			    npu_matmul_create(dev, &desc, &matmul, NULL) ||
			    npu_queue_run(queue, &matmul, 1, NULL) ||
			    npu_tensor_read(desc.c, 0, 4, back, 0, NULL) || back[15] != 4;
		npu_tensor_destroy(desc.a);
		npu_tensor_destroy(desc.c);
		npu_matmul_destroy(matmul);
		npu_queue_destroy(queue);
	}
	return (void *)failures;
}

static void threads_share_a_device(void **state)
{
	struct chain shared;
	pthread_t thread[4];

	(void)state;
	chain_create(&shared, dev);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, use_shared, &shared), 0);
	for (int i = 0; i < 4; i++) {
		void *failures;

		assert_int_equal(pthread_join(thread[i], &failures), 0);
		assert_null(failures);
	}
	chain_destroy(&shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(version_is_that_of_the_header),
		cmocka_unit_test(cpu_tells_what_it_is),
		cmocka_unit_test(wrong_paths_are_told_apart),
		cmocka_unit_test(default_is_an_npu),
		cmocka_unit_test(missing_permission_names_the_group),
		cmocka_unit_test(buffers_keep_what_is_written),
		cmocka_unit_test(wrong_buffer_accesses_are_refused),
		cmocka_unit_test(rows_come_and_go_with_strides),
		cmocka_unit_test(tensors_share_a_buffer),
		cmocka_unit_test(impossible_tensors_are_refused),
		cmocka_unit_test(wrong_weights_are_refused),
		cmocka_unit_test(wrong_epilogues_are_refused),
		cmocka_unit_test(one_matmul_reads_what_another_wrote),
		cmocka_unit_test(wrong_matmuls_are_refused),
		cmocka_unit_test(overlap_is_found_inside_a_buffer),
		cmocka_unit_test(devices_are_not_mixed),
		cmocka_unit_test(plan_tells_the_shape),
		cmocka_unit_test(tickets_are_remembered_and_forgotten),
		cmocka_unit_test(submitting_allocates_nothing),
		cmocka_unit_test(work_goes_on_without_the_handles),
		cmocka_unit_test(any_order_of_destruction_is_right),
		cmocka_unit_test(null_may_be_destroyed),
		cmocka_unit_test(threads_share_a_device),
	};

	return cmocka_run_group_tests_name("libnpu", tests, open_cpu, close_cpu);
}
