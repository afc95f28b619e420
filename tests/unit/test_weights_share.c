// SPDX-License-Identifier: MIT
/*
 * Weights and buffers in shared memory, on the CPU and on a fake NPU: it is one memory, and it may
 * hold anything.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../libnpu/checksum.h"
#include "../../libnpu/packed.h"
#include "../expect.h"
#include "fake_npu.h"
#include "weights_rig.h"

#define HEADER sizeof(struct npu_packed_header)

static void arguments_are_checked(void **state)
{
	const int8_t one = 1;
	struct npu_weights *weights;
	int fd;

	(void)state;
	expect_ok(case_weights(dev, 1, 1, &one, &weights, &err));
	expect_error(npu_weights_save(NULL, path, &err), -EINVAL, "no weights");
	expect_error(npu_weights_save(weights, NULL, &err), -EINVAL, "no path");
	expect_error(npu_weights_open(dev, NULL, &weights, &err), -EINVAL, "no path");
	expect_error(npu_weights_export(NULL, &fd, &err), -EINVAL, "no weights");
	expect_error(npu_weights_export(weights, NULL, &err), -EINVAL, "no place");
	expect_error(npu_weights_import(NULL, 0, &weights, &err), -EINVAL, "no device");
	expect_error(npu_weights_import(dev, -1, &weights, &err), -EBADF, "-1");
	expect_error(npu_weights_import(dev, 1000, &weights, &err), -EBADF, "1000");
	assert_int_equal(npu_weights_n(NULL) + npu_weights_k(NULL), 0);
	npu_weights_destroy(weights);
}

static void shared_weights_multiply_the_same(void **state)
{
	/* The last is large enough for a buffer of its own. */
	static const uint32_t shapes[][2] = { { 5, 7 }, { 40, 90 }, { 4096, 280 } };
	struct npu_weights *weights, *same, *again;
	struct rng rng = { 4 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct matmul_case c;
		int fd;

		case_init(&c, &rng, 2, shapes[i][1], shapes[i][0], CASE_BIAS);
		expect_ok(case_weights(dev, c.n, c.k, c.w, &weights, &err));
		expect_ok(npu_weights_export(weights, &fd, &err));
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		/* The fake has no memory behind a fd that outlives its buffer. */
		if (i == 2 || !strcmp(*state, "cpu")) {
			expect_ok(npu_weights_import(dev, fd, &same, &err));
			expect_ok(npu_weights_import(dev, fd, &again, &err));
			npu_weights_destroy(weights);
			close(fd);
			check_with(dev, queue, &c, same);
			npu_weights_destroy(same);
			check_with(dev, queue, &c, again);
			expect_ok(npu_weights_save(again, path, &err));
			weights = again;
		} else {
			expect_error(npu_weights_import(dev, fd, &same, &err), -EINVAL, "dma-buf");
			close(fd);
		}
		npu_weights_destroy(weights);
		case_free(&c);
	}
}

/* Of a file to the memory of several, and back to a file. */
static void opened_weights_can_be_shared(void **state)
{
	struct npu_weights *opened, *imported, *again;
	struct rng rng = { 6 };
	struct matmul_case c;
	int fd;

	if (strcmp(*state, "cpu"))
		skip();
	case_init(&c, &rng, 2, 90, 40, CASE_BIAS);
	save_case(&c);
	expect_ok(npu_weights_open(dev, path, &opened, &err));
	expect_ok(npu_weights_export(opened, &fd, &err));
	expect_ok(npu_weights_import(dev, fd, &imported, &err));
	close(fd);
	check_with(dev, queue, &c, opened);
	npu_weights_destroy(opened);
	expect_ok(npu_weights_save(imported, other_path, &err));
	expect_ok(npu_weights_export(imported, &fd, &err));
	npu_weights_destroy(imported);
	expect_ok(npu_weights_import(dev, fd, &again, &err));
	close(fd);
	check_with(dev, queue, &c, again);
	npu_weights_destroy(again);
	expect_ok(npu_weights_open(dev, other_path, &again, &err));
	check_with(dev, queue, &c, again);
	npu_weights_destroy(again);
	case_free(&c);
}

/* Small weights come without those that were beside them. */
static void shared_weights_are_alone(void **state)
{
	struct npu_weights *secret, *weights;
	const int8_t values[64] = "a secret that is not for the one who gets the other weights";
	char *map;
	int fd;

	if (strcmp(*state, "cpu"))
		skip();
	expect_ok(case_weights(dev, 8, 8, values, &secret, &err));
	expect_ok(case_weights(dev, 1, 1, (int8_t[]){ 1 }, &weights, &err));
	expect_ok(npu_weights_export(weights, &fd, &err));
	map = mmap(NULL, lseek(fd, 0, SEEK_END), PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	assert_null(memmem(map, lseek(fd, 0, SEEK_END), "secret", 6));
	munmap(map, lseek(fd, 0, SEEK_END));
	close(fd);
	npu_weights_destroy(weights);
	npu_weights_destroy(secret);
}

static void shared_buffers_are_one_memory(void **state)
{
	struct npu_buffer *first, *second, *third;
	void *data;
	int fd[2];

	(void)state;
	expect_ok(npu_buffer_create(dev, 5000, &first, &err));
	expect_ok(npu_buffer_begin_access(first, NPU_ACCESS_WRITE, 0, 5, -1, &data, &err));
	strcpy(data, "same");
	expect_ok(npu_buffer_end_access(first, NPU_ACCESS_WRITE, 0, 5, &err));
	expect_ok(npu_buffer_export(first, &fd[0], &err));
	expect_ok(npu_buffer_begin_access(first, NPU_ACCESS_WRITE, 4000, 6, -1, &data, &err));
	strcpy(data, "later");
	expect_ok(npu_buffer_end_access(first, NPU_ACCESS_WRITE, 4000, 6, &err));
	expect_ok(npu_buffer_import(dev, fd[0], &second, &err));
	expect_ok(npu_buffer_begin_access(second, NPU_ACCESS_READ, 4000, 6, -1, &data, &err));
	assert_string_equal(data, "later");
	expect_ok(npu_buffer_end_access(second, NPU_ACCESS_READ, 4000, 6, &err));
	assert_int_equal(npu_buffer_size(second), npu_buffer_size(first));
	expect_ok(npu_buffer_export(second, &fd[1], &err));
	expect_ok(npu_buffer_import(dev, fd[1], &third, &err));
	/* Whoever goes first, the others keep it. */
	npu_buffer_destroy(second);
	expect_ok(npu_buffer_begin_access(third, NPU_ACCESS_WRITE, 0, 6, -1, &data, &err));
	assert_string_equal(data, "same");
	strcpy(data, "other");
	expect_ok(npu_buffer_end_access(third, NPU_ACCESS_WRITE, 0, 6, &err));
	expect_ok(npu_buffer_begin_access(first, NPU_ACCESS_READ, 0, 6, -1, &data, &err));
	assert_string_equal(data, "other");
	expect_ok(npu_buffer_end_access(first, NPU_ACCESS_READ, 0, 6, &err));
	npu_buffer_destroy(first);
	expect_ok(npu_buffer_begin_access(third, NPU_ACCESS_READ, 0, 6, -1, &data, &err));
	assert_string_equal(data, "other");
	expect_ok(npu_buffer_end_access(third, NPU_ACCESS_READ, 0, 6, &err));
	npu_buffer_destroy(third);
	close(fd[0]);
	close(fd[1]);
}

static void refuse_read_only(int fd)
{
	struct npu_buffer *none;
	char link[32];
	int again;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	again = open(link, O_RDONLY);
	assert_true(again >= 0);
	expect_error(npu_buffer_import(dev, again, &none, &err), -EINVAL, "cannot be written");
	close(again);
}

static void strange_memory_is_refused(void **state)
{
	int file = open("/dev/null", O_RDWR), mem = memfd_create("test", MFD_ALLOW_SEALING);
	struct npu_buffer *none;
	struct npu_weights *no_weights;
	bool cpu = !strcmp(*state, "cpu");

	expect_error(npu_buffer_import(dev, file, &none, &err), -EINVAL, "dma-buf");
	/* Can be cut short. */
	assert_int_equal(ftruncate(mem, 8192), 0);
	expect_error(npu_buffer_import(dev, mem, &none, &err), -EINVAL, "dma-buf");
	if (cpu) {
		assert_int_equal(fcntl(mem, F_ADD_SEALS, F_SEAL_SHRINK), 0);
		assert_int_equal(lseek(mem, 5, SEEK_SET), 5);
		expect_ok(npu_buffer_import(dev, mem, &none, &err));
		npu_buffer_destroy(none);
		/* The place where the caller reads on is not the library's. */
		assert_int_equal(lseek(mem, 0, SEEK_CUR), 5);
		expect_error(npu_weights_import(dev, mem, &no_weights, &err), -EBADMSG,
			     "not packed weights");
		refuse_read_only(mem);
		assert_int_equal(fcntl(mem, F_ADD_SEALS, F_SEAL_WRITE), 0);
		expect_error(npu_buffer_import(dev, mem, &none, &err), -EINVAL,
			     "cannot be written");
	}
	close(file);
	close(mem);
}

/* Each byte of shared weights may be anything: they are refused or they multiply, no more. */
static void hostile_memory_is_harmless(void **state)
{
	struct npu_weights *weights, *imported;
	struct rng rng = { 5 };
	struct matmul_case c;
	uint8_t *map;
	int fd;

	if (strcmp(*state, "cpu"))
		skip();
	case_init(&c, &rng, 2, 35, 5, 0);
	expect_ok(case_weights(dev, c.n, c.k, c.w, &weights, &err));
	expect_ok(npu_weights_export(weights, &fd, &err));
	map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	for (size_t i = 0; i < 600; i++) {
		struct npu_error why = { 0 };
		uint64_t sum;

		map[i] ^= 0x81;
		sum = npu_checksum(map, HEADER - sizeof(sum));
		memcpy(map + HEADER - sizeof(sum), &sum, sizeof(sum));
		if (!npu_weights_import(dev, fd, &imported, &why)) {
			assert_int_equal(npu_weights_n(imported), c.n);
			assert_int_equal(npu_weights_k(imported), c.k);
			free(case_run_with(dev, queue, &c, imported));
			npu_weights_destroy(imported);
		} else {
			assert_true(why.text[0]);
		}
		map[i] ^= 0x81;
	}
	munmap(map, 4096);
	close(fd);
	npu_weights_destroy(weights);
	case_free(&c);
}

/* ---- Failing calls ---------------------------------------------------------------------- */

/* All that can be done with weights; the first error ends it, and what was made goes. */
static int live(struct npu_error *err)
{
	struct npu_weights *weights = NULL, *opened = NULL, *imported = NULL;
	static const int8_t values[300 * 4096];
	struct npu_device *own = NULL;
	int fd = -1, ret;

	ret = npu_device_open("fake", &own, err);
	ret = ret ? ret : case_weights(own, 300, 4096, values, &weights, err);
	ret = ret ? ret : npu_weights_save(weights, path, err);
	ret = ret ? ret : npu_weights_open(own, path, &opened, err);
	ret = ret ? ret : npu_weights_export(weights, &fd, err);
	ret = ret ? ret : npu_weights_import(own, fd, &imported, err);
	npu_weights_destroy(weights);
	npu_weights_destroy(opened);
	npu_weights_destroy(imported);
	npu_device_close(own);
	if (fd >= 0)
		close(fd);
	return ret;
}

static void any_call_may_fail(void **state)
{
	int i, ret;

	(void)state;
	for (i = 0;; i++) {
		struct npu_error err = { 0 };

		fake_reset();
		fake.fail_after = i;
		fake.fail_errno = ENOMEM;
		ret = live(&err);
		assert_int_equal(fake.objects, 0);
		if (fake.fail_after >= 0)
			break;
		assert_true(err.code == ret && ret && err.text[0]);
	}
	assert_int_equal(ret, 0);
	assert_true(i > 10);
	unlink(path);
	rmdir(folder);
}

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/npu-test-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/w.npuw", folder);
	return 0;
}

#define ALL_TESTS(device)                                                                         \
	on(device, arguments_are_checked), on(device, shared_weights_multiply_the_same),          \
		on(device, opened_weights_can_be_shared), on(device, shared_weights_are_alone),   \
		on(device, shared_buffers_are_one_memory), on(device, strange_memory_is_refused), \
		on(device, hostile_memory_is_harmless)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALL_TESTS("cpu"),
		ALL_TESTS("fake"),
		cmocka_unit_test_setup(any_call_may_fail, make_folder),
	};

	return cmocka_run_group_tests_name("shared weights", tests, NULL, NULL);
}
