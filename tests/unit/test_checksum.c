// SPDX-License-Identifier: MIT
/*
 * Checksums: those that xxhsum(1) gives, however the data is cut up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../libnpu/checksum.h"
#include "../matmul_case.h"

static void known_values(void **state)
{
	(void)state;
	assert_true(npu_checksum("", 0) == UINT64_C(0xef46db3751d8e999));
	assert_true(npu_checksum("a", 1) == UINT64_C(0xd24ec4f1a98c6e5b));
	assert_true(npu_checksum("abc", 3) == UINT64_C(0x44bc2cf5ad770999));
	assert_true(npu_checksum("Nobody inspects the spammish repetition", 39) ==
		    UINT64_C(0xfbcea83c8a378bf1));
}

static void pieces_make_the_whole(void **state)
{
	struct rng rng = { 1 };
	int8_t *data = rng_int8(&rng, 1000);

	(void)state;
	for (int i = 0; i < 300; i++) {
		size_t bytes = rng_range(&rng, 0, 1000), piece;
		struct npu_checksum sum;

		npu_checksum_init(&sum);
		for (size_t at = 0; at < bytes; at += piece) {
			piece = rng_range(&rng, 0, 90);
			if (piece > bytes - at)
				piece = bytes - at;
			npu_checksum_add(&sum, data + at, piece);
		}
		assert_true(npu_checksum_end(&sum) == npu_checksum(data, bytes));
	}
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_values),
		cmocka_unit_test(pieces_make_the_whole),
	};

	return cmocka_run_group_tests_name("checksum", tests, NULL, NULL);
}
