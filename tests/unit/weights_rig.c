// SPDX-License-Identifier: MIT
/*
 * What the tests of weights share.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "../expect.h"
#include "fake_npu.h"
#include "weights_rig.h"

struct npu_device *dev;
struct npu_queue *queue;
char folder[32], path[64], other_path[64];

int rig_open(void **state)
{
	fake_reset();
	/* K above 16 is cut into chunks. */
	fake.limits.max_k = 16;
	strcpy(folder, "/tmp/npu-test-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/w.npuw", folder);
	snprintf(other_path, sizeof(other_path), "%s/other.npuw", folder);
	return npu_device_open(*state, &dev, NULL) || npu_queue_create(dev, NULL, &queue, NULL);
}

int rig_close(void **state)
{
	(void)state;
	npu_queue_destroy(queue);
	npu_device_close(dev);
	unlink(path);
	unlink(other_path);
	/* Fails if anything else is left in it. */
	return rmdir(folder) || fake.objects;
}

void check_with(struct npu_device *on, struct npu_queue *q, const struct matmul_case *c,
		struct npu_weights *weights)
{
	int8_t *expected = case_reference(c), *got;

	assert_int_equal(npu_weights_n(weights), c->n);
	assert_int_equal(npu_weights_k(weights), c->k);
	got = case_run_with(on, q, c, weights);
	case_compare(c, got, expected);
	free(got);
	free(expected);
}

void save_case(const struct matmul_case *c)
{
	struct npu_weights *weights;

	expect_ok(case_weights(dev, c->n, c->k, c->w, &weights, &err));
	expect_ok(npu_weights_save(weights, path, &err));
	npu_weights_destroy(weights);
}
