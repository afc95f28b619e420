// SPDX-License-Identifier: MIT
/*
 * Matrices of networks whose bytes are more than a process can count: no memory is an answer, a
 * little memory is not.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/npu-run/network/edge.h"
#include "../../tools/npu-run/network/float_network.h"
#include "../../tools/npu-run/network/matrix.h"
#include "../../tools/npu-run/network/stream.h"
#include "../expect.h"

/* This squared, of floats, is 0 in size_t. */
#define MANY ((uint32_t)1 << (SIZE_MAX > UINT32_MAX ? 31 : 15))

static bool has_memory_for(uint64_t rows, uint64_t cols, size_t size)
{
	void *some = matrix_alloc(rows, cols, size);
	bool any = some;

	free(some);
	return any;
}

static void matrices(void **state)
{
	void *some = matrix_alloc(3, 5, 7);

	(void)state;
	assert_non_null(some);
	memset(some, 1, 3 * 5 * 7);
	free(some);
	assert_false(has_memory_for(MANY, MANY, sizeof(float)));
	assert_false(has_memory_for(UINT64_MAX / 2, 2, 2));
	assert_false(has_memory_for((uint64_t)1 << 63, 2, 1));
}

/* Many samples of one value are a small file, and so is a layer that makes many of one. */
static void samples_that_a_layer_widens(void **state)
{
	float one = 1;
	struct stream stream = { .x = &one, .rows = MANY, .cols = 1 };

	(void)state;
	expect_error(stream_advance(&stream, &one, NULL, MANY, false, &err), -ENOMEM,
		     "out of memory");
	assert_ptr_equal(stream.x, &one);
}

static void batches_of_wide_layers(void **state)
{
	static const struct quant_network network = { .count = 1,
						      .layer = { { .n = 1, .k = MANY } } };
	struct edge *edge;

	(void)state;
	expect_error(edge_create(&network, MANY, &edge, &err), -ENOMEM, "out of memory");
}

/* A file of bytes, of which each is to be a float: one that 32 bits count, and the floats not. */
static void bytes_that_become_floats(void **state)
{
	static const char header[] = "\110\0\0\0\0\0\0\0"
				     "{\"w\":{\"dtype\":\"I8\",\"shape\":[2,536870914],"
				     "\"data_offsets\":[0,1073741828]}}";
	struct float_network network;
	char holes[32];
	int fd;

	(void)state;
	if (SIZE_MAX > UINT32_MAX)
		skip();
	fd = memfd_create("holes", 0);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, header, sizeof(header) - 1), sizeof(header) - 1);
	assert_int_equal(ftruncate(fd, (off_t)sizeof(header) - 1 + 1073741828), 0);
	snprintf(holes, sizeof(holes), "/proc/self/fd/%d", fd);
	expect_error(float_network_load(holes, NULL, &network, &err), -ENOMEM, "w: out of memory");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matrices),
		cmocka_unit_test(samples_that_a_layer_widens),
		cmocka_unit_test(batches_of_wide_layers),
		cmocka_unit_test(bytes_that_become_floats),
	};

	return cmocka_run_group_tests_name("uncountable", tests, NULL, NULL);
}
