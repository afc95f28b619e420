// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../submit.h"
#include "life.h"

#define M 4
#define K 40
#define N 5
#define BATCH 2
#define GROUP 32
/* Of weights that have a buffer to themselves. */
#define LARGE 1056

const char *life_device, *life_path;

/* What the steps have made so far. */
static struct npu_device *dev;
static struct npu_queue *queue;
static struct npu_buffer *buf, *imported;
static struct npu_tensor *a, *c, *placed, *view, *wide, *sums;
static struct npu_weights *plain, *grouped, *table, *large, *opened, *shared;
static struct npu_epilogue *scaled, *exact;
static struct npu_matmul *fused, *split;
static int buffer_fd = -1, copy_fd = -1, weights_fd = -1;

#define UNDO(name, object, destroy)   \
	static void undo_##name(void) \
	{                             \
		destroy(object);      \
		object = NULL;        \
	}

UNDO(open, dev, npu_device_close)
UNDO(queue, queue, npu_queue_destroy)
UNDO(buf, buf, npu_buffer_destroy)
UNDO(imported, imported, npu_buffer_destroy)
UNDO(a, a, npu_tensor_destroy)
UNDO(c, c, npu_tensor_destroy)
UNDO(placed, placed, npu_tensor_destroy)
UNDO(view, view, npu_tensor_destroy)
UNDO(wide, wide, npu_tensor_destroy)
UNDO(sums, sums, npu_tensor_destroy)
UNDO(plain, plain, npu_weights_destroy)
UNDO(grouped, grouped, npu_weights_destroy)
UNDO(table, table, npu_weights_destroy)
UNDO(large, large, npu_weights_destroy)
UNDO(opened, opened, npu_weights_destroy)
UNDO(shared, shared, npu_weights_destroy)
UNDO(scaled, scaled, npu_epilogue_destroy)
UNDO(exact, exact, npu_epilogue_destroy)
UNDO(fused, fused, npu_matmul_destroy)
UNDO(split, split, npu_matmul_destroy)

static void close_fd(int *fd)
{
	close(*fd);
	*fd = -1;
}

static void undo_export(void)
{
	close_fd(&buffer_fd);
}

static void undo_copy(void)
{
	close_fd(&copy_fd);
}

static void undo_share(void)
{
	close_fd(&weights_fd);
}

static void undo_save(void)
{
	unlink(life_path);
}

/* ---- Devices, buffers, tensors ---------------------------------------------------------- */

static int make_open(struct npu_error *err)
{
	return npu_device_open(life_device, &dev, err);
}

static int make_queue(struct npu_error *err)
{
	return npu_queue_create(dev, NULL, &queue, err);
}

static int make_buf(struct npu_error *err)
{
	return npu_buffer_create(dev, 1 << 16, &buf, err);
}

static int make_export(struct npu_error *err)
{
	return npu_buffer_export(buf, &buffer_fd, err);
}

static int make_imported(struct npu_error *err)
{
	return npu_buffer_import(dev, buffer_fd, &imported, err);
}

static int make_a(struct npu_error *err)
{
	return npu_tensor_create(dev, NPU_TYPE_INT8, BATCH * M, K, &a, err);
}

static int make_c(struct npu_error *err)
{
	return npu_tensor_create(dev, NPU_TYPE_INT8, M, N, &c, err);
}

/* What is not made is not touched either. */
static int make_placed(struct npu_error *err)
{
	struct npu_tensor *const before = (struct npu_tensor *)&placed;
	struct npu_tensor *made = before;
	int ret = npu_tensor_create_in(buf, 64, NPU_TYPE_UINT8, M, K, &made, err);

	if (ret)
		return made == before ? ret : -EEXIST;
	placed = made;
	return 0;
}

static int make_view(struct npu_error *err)
{
	return npu_tensor_create_view(a, 0, M, 0, K, &view, err);
}

static int make_wide(struct npu_error *err)
{
	return npu_tensor_create(dev, NPU_TYPE_INT16, BATCH * M, K, &wide, err);
}

static int make_sums(struct npu_error *err)
{
	return npu_tensor_create(dev, NPU_TYPE_FLOAT32, BATCH * M, N, &sums, err);
}

static int make_write(struct npu_error *err)
{
	int16_t x[BATCH * M * K];

	for (int i = 0; i < BATCH * M * K; i++)
		x[i] = (int16_t)(i * 7);
	return npu_tensor_write(wide, 0, BATCH * M, x, 0, err);
}

static int make_read(struct npu_error *err)
{
	int8_t x[M * N];

	return npu_tensor_read(c, 0, M, x, 0, err);
}

/* ---- Weights ---------------------------------------------------------------------------- */

static int make_weights(struct npu_weights_desc desc, struct npu_weights **weights,
			struct npu_error *err)
{
	int8_t data[BATCH * N * K];

	for (int i = 0; i < BATCH * N * K; i++)
		data[i] = (int8_t)(i * 29);
	desc.size = sizeof(desc);
	desc.n = N;
	desc.k = K;
	desc.data = data;
	return npu_weights_create(dev, &desc, weights, err);
}

static int make_plain(struct npu_error *err)
{
	return make_weights((struct npu_weights_desc){ 0 }, &plain, err);
}

/* Zero points that int8 has no room for: the engine has to compute with them. */
static int make_grouped(struct npu_error *err)
{
	static const int32_t zero_point[] = { -128, 127, -128, 127, -128, 127, 3, 4, 5, 6 };

	return make_weights(
		(struct npu_weights_desc){
			.batch = BATCH,
			.group_size = GROUP,
			.zero_point = zero_point,
			.zero_point_count = sizeof(zero_point) / sizeof(zero_point[0]),
		},
		&grouped, err);
}

static int make_table(struct npu_error *err)
{
	static const int8_t codebook[] = { -100, -3, 5, 77 };

	return make_weights(
		(struct npu_weights_desc){
			.type = NPU_WEIGHTS_CODEBOOK,
			.index_bits = 2,
			.codebook = codebook,
			.codebook_entries = sizeof(codebook),
		},
		&table, err);
}

static int make_large(struct npu_error *err)
{
	int8_t *data = calloc(LARGE, LARGE);
	const struct npu_weights_desc desc = {
		.size = sizeof(desc),
		.n = LARGE,
		.k = LARGE,
		.data = data,
	};
	int ret = -ENOMEM;

	if (data)
		ret = npu_weights_create(dev, &desc, &large, err);
	else
		*err = (struct npu_error){ ret, "no memory for the test" };
	free(data);
	return ret;
}

static int make_save(struct npu_error *err)
{
	int ret = npu_weights_save(grouped, life_path, err);

	/* All of it or nothing; "nothing beside it" is seen when the folder is removed. */
	return ret && !access(life_path, F_OK) ? -EEXIST : ret;
}

static int make_opened(struct npu_error *err)
{
	bool equal = false;
	int ret = npu_weights_open(dev, life_path, &opened, err);

	if (ret)
		return ret;
	ret = npu_weights_equal(grouped, opened, &equal, err);
	if (ret)
		npu_weights_destroy(opened);
	return ret || equal ? ret : -EBADMSG;
}

static int make_copy(struct npu_error *err)
{
	return npu_weights_export(grouped, &copy_fd, err);
}

static int make_share(struct npu_error *err)
{
	return npu_weights_export(large, &weights_fd, err);
}

static int make_shared(struct npu_error *err)
{
	return npu_weights_import(dev, weights_fd, &shared, err);
}

/* ---- Multiplying ------------------------------------------------------------------------ */

static int make_scaled(struct npu_error *err)
{
	static const int32_t bias[N] = { 1, -2, 300, -4, 5 };
	static const int16_t multiplier[N] = { 100, 200, 300, 400, 500 };
	const struct npu_epilogue_desc desc = {
		.size = sizeof(desc),
		.n = N,
		.bias = bias,
		.scale_count = N,
		.multiplier = multiplier,
		.shift = 14,
	};

	return npu_epilogue_create(dev, &desc, &scaled, err);
}

static int make_exact(struct npu_error *err)
{
	static const float scale[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
	static const float bias[N] = { 0.5f };
	const struct npu_epilogue_desc desc = {
		.size = sizeof(desc),
		.n = N,
		.groups = 2,
		.scaling = NPU_SCALING_FLOAT,
		.scale_count = sizeof(scale) / sizeof(scale[0]),
		.scale = scale,
		.float_bias = bias,
	};

	return npu_epilogue_create(dev, &desc, &exact, err);
}

static int make_fused(struct npu_error *err)
{
	const struct npu_matmul_desc desc = {
		.size = sizeof(desc),
		.a = view,
		.weights = plain,
		.epilogue = scaled,
		.c = c,
	};

	return npu_matmul_create(dev, &desc, &fused, err);
}

static int make_split(struct npu_error *err)
{
	const struct npu_matmul_desc desc = {
		.size = sizeof(desc),
		.a = wide,
		.weights = opened,
		.epilogue = exact,
		.c = sums,
	};

	return npu_matmul_create(dev, &desc, &split, err);
}

static int make_run(struct npu_error *err)
{
	struct npu_matmul *both[] = { split, fused };

	return npu_queue_run(queue, both, 2, err);
}

/* By way of the queue's thread, and of a fence. */
static int make_submit(struct npu_error *err)
{
	struct npu_matmul *list[] = { fused, split };
	uint64_t first, second;
	int fence = -1, ret;
	struct npu_submit_desc desc = {
		.size = sizeof(desc),
		.matmuls = list,
		.count = 1,
		.fence_fd = &fence,
	};

	ret = npu_queue_submit(queue, &desc, &first, err);
	if (ret)
		return ret;
	desc.count = 2;
	desc.fence_fd = NULL;
	desc.wait_fds = &fence;
	desc.wait_fd_count = 1;
	ret = npu_queue_submit(queue, &desc, &second, err);
	if (fence >= 0)
		close(fence);
	/* Even a failed one leaves nothing under way that could take another's turn to fail. */
	if (ret) {
		npu_queue_wait(queue, first, -1, NULL);
		return ret;
	}
	ret = npu_queue_wait(queue, second, -1, err);
	return ret ? ret : npu_queue_wait(queue, first, -1, err);
}

/* More matmuls than there is room for from the start. */
static int make_long(struct npu_error *err)
{
	struct npu_matmul *list[20];
	uint64_t ticket;
	int ret;

	for (int i = 0; i < 20; i++)
		list[i] = i % 2 ? fused : split;
	ret = submit_list(queue, list, 20, &ticket, err);
	return ret ? ret : npu_queue_wait(queue, ticket, -1, err);
}

static int make_stats(struct npu_error *err)
{
	struct npu_queue_stats stats = { .size = sizeof(stats) };

	return npu_queue_get_stats(queue, &stats, err);
}

static int make_plan(struct npu_error *err)
{
	const struct npu_plan_desc desc = { .size = sizeof(desc), .m = 100, .k = 900, .n = 70 };
	struct npu_plan plan = { .size = sizeof(plan) };

	return npu_plan_query(dev, &desc, &plan, err);
}

/*
 * An arena that gets no chunk of the size it likes takes a smaller one; that a new name lasts is
 * more than some file systems can do; a call that was no more than interrupted is made again.
 */
const struct failing_step life_steps[] = {
	{ "npu_device_open", make_open, undo_open, false, -ENOTSUP },
	{ "npu_queue_create", make_queue, undo_queue, false, 0 },
	{ "npu_buffer_create", make_buf, undo_buf, false, 0 },
	{ "npu_buffer_export", make_export, undo_export, false, 0 },
	{ "npu_buffer_import", make_imported, undo_imported, false, -EINVAL },
	{ "npu_tensor_create", make_a, undo_a, false, 0 },
	{ "npu_tensor_create of C", make_c, undo_c, false, 0 },
	{ "npu_tensor_create_in", make_placed, undo_placed, false, 0 },
	{ "npu_tensor_create_view", make_view, undo_view, false, 0 },
	{ "npu_tensor_create of int16", make_wide, undo_wide, false, 0 },
	{ "npu_tensor_create of float32", make_sums, undo_sums, false, 0 },
	{ "npu_tensor_write", make_write, NULL, false, 0 },
	{ "npu_weights_create", make_plain, undo_plain, true, 0 },
	{ "npu_weights_create in groups", make_grouped, undo_grouped, true, 0 },
	{ "npu_weights_create with a codebook", make_table, undo_table, true, 0 },
	{ "npu_weights_save", make_save, undo_save, true, 0 },
	{ "npu_weights_open", make_opened, undo_opened, true, -EINVAL },
	{ "npu_weights_export", make_copy, undo_copy, false, 0 },
	{ "npu_weights_create, large", make_large, undo_large, true, 0 },
	{ "npu_weights_export, large", make_share, undo_share, false, 0 },
	{ "npu_weights_import", make_shared, undo_shared, false, -EINVAL },
	{ "npu_epilogue_create", make_scaled, undo_scaled, false, 0 },
	{ "npu_epilogue_create of float32", make_exact, undo_exact, false, 0 },
	{ "npu_matmul_create", make_fused, undo_fused, false, 0 },
	{ "npu_matmul_create of int16", make_split, undo_split, true, 0 },
	{ "npu_queue_run", make_run, NULL, false, 0 },
	{ "npu_queue_submit", make_submit, NULL, true, 0 },
	{ "npu_queue_submit of many", make_long, NULL, true, 0 },
	{ "npu_queue_get_stats", make_stats, NULL, false, 0 },
	{ "npu_plan_query", make_plan, NULL, false, 0 },
	{ "npu_tensor_read", make_read, NULL, false, 0 },
};

const size_t life_step_count = sizeof(life_steps) / sizeof(life_steps[0]);
