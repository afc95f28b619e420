// SPDX-License-Identifier: MIT
/*
 * Weights in files, on the CPU and on a fake NPU: they multiply as the ones they were made from,
 * what is not right to the byte is refused, and saving is all or nothing.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../libnpu/checksum.h"
#include "../../libnpu/packed.h"
#include "../expect.h"
#include "weights_rig.h"

#define HEADER sizeof(struct npu_packed_header)

static void saved_weights_multiply_the_same(void **state)
{
	struct npu_weights *weights;
	struct rng rng = { 1 };
	struct matmul_case c;

	(void)state;
	for (int i = 0; i < 24; i++) {
		case_init(&c, &rng, rng_range(&rng, 1, 9), rng_range(&rng, 1, 90),
			  rng_range(&rng, 1, 40), i);
		save_case(&c);
		expect_ok(npu_weights_open(dev, path, &weights, &err));
		check_with(dev, queue, &c, weights);
		/* And once more from what came out of a file. */
		expect_ok(npu_weights_save(weights, path, &err));
		npu_weights_destroy(weights);
		expect_ok(npu_weights_open(dev, path, &weights, &err));
		unlink(path);
		check_with(dev, queue, &c, weights);
		npu_weights_destroy(weights);
		case_free(&c);
	}
}

#define ROWS 6
#define N 5
#define K 70

/* All rows of @a by these weights, one group of K after the other with scales of its own. */
static void multiply(struct npu_weights *weights, uint32_t groups, const int8_t *a, float *result)
{
	const float scale = 1;
	const struct npu_epilogue_desc epilogue = {
		.size = sizeof(epilogue),
		.n = N,
		.groups = groups,
		.scaling = NPU_SCALING_FLOAT,
		.scale_count = 1,
		.scale = &scale,
	};
	struct npu_matmul_desc desc = {
		.size = sizeof(desc),
		.weights = weights,
		.a_zero_point = 3,
	};
	struct npu_matmul *matmul;

	expect_ok(npu_tensor_create(dev, NPU_TYPE_INT8, ROWS, K, &desc.a, &err));
	expect_ok(npu_tensor_create(dev, NPU_TYPE_FLOAT32, ROWS, N, &desc.c, &err));
	expect_ok(npu_epilogue_create(dev, &epilogue, &desc.epilogue, &err));
	expect_ok(npu_matmul_create(dev, &desc, &matmul, &err));
	expect_ok(npu_tensor_write(desc.a, 0, ROWS, a, 0, &err));
	expect_ok(npu_queue_run(queue, &matmul, 1, &err));
	expect_ok(npu_tensor_read(desc.c, 0, ROWS, result, 0, &err));
	npu_matmul_destroy(matmul);
	npu_epilogue_destroy(desc.epilogue);
	npu_tensor_destroy(desc.c);
	npu_tensor_destroy(desc.a);
}

/* What a file says of weights is all that is needed to multiply with them. */
static void expect_saved(const struct npu_weights_desc *desc, uint32_t groups, struct rng *rng)
{
	struct npu_weights *made, *opened;
	float expected[ROWS * N], got[ROWS * N];
	int8_t a[ROWS * K];

	for (size_t i = 0; i < sizeof(a); i++)
		a[i] = rng_next(rng);
	expect_ok(npu_weights_create(dev, desc, &made, &err));
	expect_ok(npu_weights_save(made, path, &err));
	expect_ok(npu_weights_open(dev, path, &opened, &err));
	assert_int_equal(npu_weights_batch(opened), desc->batch ? desc->batch : 1);
	multiply(made, groups, a, expected);
	npu_weights_destroy(made);
	multiply(opened, groups, a, got);
	npu_weights_destroy(opened);
	assert_memory_equal(got, expected, sizeof(got));
}

static void every_kind_of_weights_is_saved(void **state)
{
	struct npu_weights_desc desc = { .size = sizeof(desc), .n = N, .k = K };
	int8_t values[3 * N * K], codebook[16];
	int32_t zero_points[N * 3];
	struct rng rng = { 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(values); i++)
		values[i] = rng_next(&rng);
	for (int i = 0; i < 16; i++)
		codebook[i] = rng_next(&rng);
	/* Such that some can be taken off and others are left. */
	for (int i = 0; i < N * 3; i++)
		zero_points[i] = i % 2 ? 90 : 0;
	desc.data = values;
	expect_saved(&desc, 1, &rng);
	desc.batch = 3;
	expect_saved(&desc, 1, &rng);
	desc.zero_point = zero_points;
	desc.zero_point_count = N;
	expect_saved(&desc, 1, &rng);
	desc.group_size = 32;
	desc.zero_point_count = N * 3;
	expect_saved(&desc, 3, &rng);
	desc.type = NPU_WEIGHTS_INT4;
	desc.zero_point_count = 0;
	expect_saved(&desc, 3, &rng);
	desc.type = NPU_WEIGHTS_CODEBOOK;
	desc.index_bits = 4;
	desc.codebook = codebook;
	desc.codebook_entries = 16;
	expect_saved(&desc, 3, &rng);
}

/* A file in memory, to be spoiled. */
struct image {
	uint8_t data[4096];
	size_t bytes;
};

static void read_image(const char *from, struct image *image)
{
	FILE *file = fopen(from, "r");

	assert_non_null(file);
	image->bytes = fread(image->data, 1, sizeof(image->data), file);
	assert_in_range(image->bytes, HEADER + 1, sizeof(image->data) - 1);
	fclose(file);
}

#define COPIES 300

/* The same weights make the same file, whatever was in the memory before. */
static void files_are_repeatable(void **state)
{
	struct npu_weights *used, *weights[COPIES];
	int8_t *noise = malloc(200 * 1000);
	const int8_t ones[35] = { 1, 1, 1 };
	struct image first, last;

	(void)state;
	memset(noise, 0x55, 200 * 1000);
	expect_ok(case_weights(dev, 200, 1000, noise, &used, &err));
	free(noise);
	expect_ok(case_weights(dev, 5, 7, ones, &weights[0], &err));
	npu_weights_destroy(used);
	for (int i = 1; i < COPIES; i++)
		expect_ok(case_weights(dev, 5, 7, ones, &weights[i], &err));
	expect_ok(npu_weights_save(weights[0], path, &err));
	expect_ok(npu_weights_save(weights[COPIES - 1], other_path, &err));
	read_image(path, &first);
	read_image(other_path, &last);
	assert_int_equal(first.bytes, last.bytes);
	assert_memory_equal(first.data, last.data, first.bytes);
	for (int i = 0; i < COPIES; i++)
		npu_weights_destroy(weights[i]);
}

static void equal_weights_are_told_from_others(void **state)
{
	int8_t data[35] = { 1, -2, 3 };
	struct npu_weights *made, *opened, *other;
	bool equal = false;

	(void)state;
	expect_ok(case_weights(dev, 5, 7, data, &made, &err));
	expect_ok(npu_weights_save(made, path, &err));
	expect_ok(npu_weights_open(dev, path, &opened, &err));
	expect_ok(npu_weights_equal(made, opened, &equal, &err));
	assert_true(equal);
	data[34] = 1;
	expect_ok(case_weights(dev, 5, 7, data, &other, &err));
	expect_ok(npu_weights_equal(opened, other, &equal, &err));
	assert_false(equal);
	npu_weights_destroy(other);
	data[34] = 0;
	expect_ok(case_weights(dev, 7, 5, data, &other, &err));
	expect_ok(npu_weights_equal(other, made, &equal, &err));
	assert_false(equal);
	expect_error(npu_weights_equal(made, NULL, &equal, &err), -EINVAL, "no weights");
	npu_weights_destroy(other);
	npu_weights_destroy(opened);
	npu_weights_destroy(made);
}

static void write_image(const struct image *image)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(image->data, 1, image->bytes, file), image->bytes);
	assert_int_equal(fclose(file), 0);
}

static void make_image(struct image *image, uint32_t n, uint32_t k)
{
	struct rng rng = { 2 };
	struct matmul_case c;

	case_init(&c, &rng, 1, k, n, 0);
	save_case(&c);
	case_free(&c);
	read_image(path, image);
}

static void cut_files_are_refused(void **state)
{
	struct npu_weights *none;
	struct image image;
	size_t all;

	(void)state;
	make_image(&image, 5, 35);
	all = image.bytes;
	for (image.bytes = 0; image.bytes < all; image.bytes++) {
		write_image(&image);
		expect_error(npu_weights_open(dev, path, &none, &err), -EBADMSG,
			     image.bytes ? "ends too early" : "it is empty");
	}
	image.bytes = all + 1;
	image.data[all] = 0;
	write_image(&image);
	expect_error(npu_weights_open(dev, path, &none, &err), -EBADMSG, "bytes behind its end");
	image.bytes = all;
	write_image(&image);
	expect_ok(npu_weights_open(dev, path, &none, &err));
	npu_weights_destroy(none);
}

/* What a damaged byte makes of a file, by where it is. */
static const char *word_for(size_t at)
{
	if (at < offsetof(struct npu_packed_header, version))
		return "not packed weights";
	if (at < offsetof(struct npu_packed_header, header_bytes))
		return "of version";
	return at < HEADER ? "checksum of the header" : "checksum of the weights";
}

static void damaged_files_are_refused(void **state)
{
	struct npu_weights *none;
	struct image image;

	(void)state;
	make_image(&image, 5, 35);
	for (size_t i = 0; i < image.bytes; i++) {
		struct npu_error why = { 0 };

		for (int bit = 0; bit < 8; bit += 7) {
			image.data[i] ^= 1 << bit;
			write_image(&image);
			assert_int_not_equal(npu_weights_open(dev, path, &none, &why), 0);
			if (!strstr(why.text, word_for(i)) || !strstr(why.text, path))
				fail_msg("byte %zu: %s", i, why.text);
			image.data[i] ^= 1 << bit;
		}
	}
}

/* A header that lies, with a checksum that is right. */
static void expect_lie(const struct image *image, size_t offset, uint64_t value, size_t bytes,
		       int code, const char *word)
{
	struct image lie = *image;
	struct npu_weights *none;
	uint64_t sum;

	memcpy(lie.data + offset, &value, bytes);
	sum = npu_checksum(lie.data, HEADER - sizeof(sum));
	memcpy(lie.data + HEADER - sizeof(sum), &sum, sizeof(sum));
	write_image(&lie);
	expect_error(npu_weights_open(dev, path, &none, &err), code, word);
}

#define expect_field_lie(field, value, code, word)                           \
	expect_lie(&image, offsetof(struct npu_packed_header, field), value, \
		   sizeof(((struct npu_packed_header *)0)->field), code, word)

static void lying_headers_are_refused(void **state)
{
	struct image image;

	(void)state;
	make_image(&image, 5, 35);
	expect_field_lie(header_bytes, 200, -EBADMSG, "contradicts itself");
	expect_field_lie(flags, 0, -EBADMSG, "checksum of the weights");
	expect_field_lie(flags, 5, -EBADMSG, "contradicts itself");
	expect_field_lie(n, 0, -EBADMSG, "contradicts itself");
	expect_field_lie(n, 9, -EBADMSG, "contradicts itself");
	expect_field_lie(n, UINT32_MAX, -EBADMSG, "contradicts itself");
	expect_field_lie(k, 0, -EBADMSG, "contradicts itself");
	expect_field_lie(k, 36, -EBADMSG, "contradicts itself");
	expect_field_lie(k, UINT32_MAX, -EBADMSG, "contradicts itself");
	expect_field_lie(group_size, 0, -EBADMSG, "contradicts itself");
	expect_field_lie(group_size, 36, -EBADMSG, "contradicts itself");
	expect_field_lie(group_size, 31, -EBADMSG, "contradicts itself");
	expect_field_lie(batch, 0, -EBADMSG, "contradicts itself");
	expect_field_lie(batch, UINT32_MAX, -EBADMSG, "contradicts itself");
	expect_field_lie(numbers, 17, -EBADMSG, "contradicts itself");
	expect_field_lie(numbers, UINT32_MAX, -EBADMSG, "contradicts itself");
	expect_field_lie(packed_offset, 128, -EBADMSG, "contradicts itself");
	expect_field_lie(packed_offset, 257, -EBADMSG, "contradicts itself");
	expect_field_lie(packed_offset, 384, -EBADMSG, "ends too early");
	expect_field_lie(packed_offset, UINT64_MAX - 127, -EBADMSG, "contradicts itself");
	expect_field_lie(packed_bytes, UINT64_MAX - 300, -EBADMSG, "contradicts itself");
	expect_field_lie(packed_bytes, INT64_MAX, -EBADMSG, "contradicts itself");
	expect_field_lie(packed_bytes, 1 << 20, -EBADMSG, "ends too early");
	expect_field_lie(packed_bytes, 0, -EBADMSG, "behind its end");
	expect_lie(&image, offsetof(struct npu_packed_header, reserved) + 55, 1, 1, -EBADMSG,
		   "contradicts itself");
	expect_lie(&image, offsetof(struct npu_packed_header, form), 0, 8, -EBADMSG,
		   "contradicts itself");
	expect_lie(&image, offsetof(struct npu_packed_header, form), 0x1b, 1, -EBADMSG,
		   "contradicts itself");
	expect_lie(&image, offsetof(struct npu_packed_header, form), 'x', 1, -ENOTSUP, "packed as");
}

/* Chunks that are not those of any K, everything else right. */
static void expect_bad_chunks(const struct image *image, const uint32_t *chunks)
{
	struct image lie = *image;
	struct npu_weights *none;
	uint64_t sum;

	memcpy(lie.data + HEADER, chunks, 3 * sizeof(*chunks));
	sum = npu_checksum(lie.data + HEADER, lie.bytes - HEADER);
	memcpy(lie.data + offsetof(struct npu_packed_header, body_checksum), &sum, sizeof(sum));
	sum = npu_checksum(lie.data, HEADER - sizeof(sum));
	memcpy(lie.data + HEADER - sizeof(sum), &sum, sizeof(sum));
	write_image(&lie);
	expect_error(npu_weights_open(dev, path, &none, &err), -EBADMSG, "cannot be packed");
}

static void lying_chunks_are_refused(void **state)
{
	struct npu_weights *fine;
	struct image image;

	if (strcmp(*state, "fake"))
		skip();
	make_image(&image, 5, 35);
	assert_memory_equal(image.data + HEADER, ((uint32_t[]){ 16, 16, 3 }), 12);
	expect_bad_chunks(&image, (uint32_t[]){ 16, 16, 4 });
	expect_bad_chunks(&image, (uint32_t[]){ 16, 16, 2 });
	expect_bad_chunks(&image, (uint32_t[]){ 16, 0, 19 });
	expect_bad_chunks(&image, (uint32_t[]){ 8, 8, 19 });
	expect_bad_chunks(&image, (uint32_t[]){ 16, 3, 16 });
	expect_bad_chunks(&image, (uint32_t[]){ UINT32_MAX, 36, 0 });
	write_image(&image);
	expect_ok(npu_weights_open(dev, path, &fine, &err));
	npu_weights_destroy(fine);
}

static void other_files_are_refused(void **state)
{
	const char *self = *state, *foreign = strcmp(self, "cpu") ? "cpu" : "fake";
	struct npu_device *else_where;
	struct npu_weights *none;
	const int8_t one = 1;

	expect_error(npu_weights_open(dev, path, &none, &err), -ENOENT, path);
	expect_error(npu_weights_open(dev, folder, &none, &err), -EINVAL, "not a file");
	expect_error(npu_weights_open(dev, "/dev/null", &none, &err), -EINVAL, "not a file");
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_error(npu_weights_open(dev, path, &none, &err), -EINVAL, "not a file");
	unlink(path);

	/* There is one fake at a time. */
	if (!strcmp(foreign, "fake"))
		return;
	expect_ok(npu_device_open(foreign, &else_where, &err));
	expect_ok(case_weights(else_where, 1, 1, &one, &none, &err));
	expect_ok(npu_weights_save(none, path, &err));
	npu_weights_destroy(none);
	expect_error(npu_weights_open(dev, path, &none, &err), -ENOTSUP, "packed as \"cpu int8 ");
	expect_error(npu_weights_open(dev, path, &none, &err), -ENOTSUP,
		     "this device takes \"nvdla int8 8x8\"");
	npu_device_close(else_where);
}

/* ---- Saving is all or nothing ----------------------------------------------------------- */

static int entries(void)
{
	DIR *dir = opendir(folder);
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

/* As on a full disk, in a process of its own: a limit on the size of files is for all of it. */
static int save_with_limit(const struct npu_weights *weights, rlim_t bytes)
{
	struct rlimit limit = { bytes, bytes };
	struct npu_error why = { 0 };
	int ret;

	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit))
		return 1;
	ret = npu_weights_save(weights, path, &why);
	return ret == -EFBIG && strstr(why.text, path) ? 0 : 2;
}

static void failed_save_leaves_nothing(void **state)
{
	static const rlim_t limits[] = { 0, 1, HEADER - 1, HEADER, HEADER + 50, 300 };
	struct npu_weights *weights, *old;
	struct rng rng = { 3 };
	struct matmul_case c;

	(void)state;
	case_init(&c, &rng, 2, 90, 40, 0);
	save_case(&c);
	expect_ok(case_weights(dev, 40, 90, (int8_t[3600]){ 0 }, &weights, &err));
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		pid_t child = fork();
		int status;

		if (!child)
			_exit(save_with_limit(weights, limits[i]));
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		assert_int_equal(entries(), 1);
	}
	/* The old file is what it was. */
	expect_ok(npu_weights_open(dev, path, &old, &err));
	check_with(dev, queue, &c, old);
	npu_weights_destroy(old);
	npu_weights_destroy(weights);
	case_free(&c);
}

static void only_files_are_replaced(void **state)
{
	struct npu_weights *weights;
	const int8_t one = 1;
	struct stat st;

	(void)state;
	expect_ok(case_weights(dev, 1, 1, &one, &weights, &err));
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_error(npu_weights_save(weights, path, &err), -EINVAL, "not a file");
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	unlink(path);
	expect_error(npu_weights_save(weights, folder, &err), -EINVAL, "not a file");
	expect_error(npu_weights_save(weights, "/no/such/folder/w", &err), -ENOENT, "/no/such");
	assert_int_equal(entries(), 0);
	umask(027);
	expect_ok(npu_weights_save(weights, path, &err));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	umask(022);
	npu_weights_destroy(weights);
}

static void links_and_modes_stay(void **state)
{
	struct npu_weights *weights;
	const int8_t one = 1;
	char link[64], name[32];
	struct stat st;
	int ends[2];

	(void)state;
	snprintf(link, sizeof(link), "%s/link", folder);
	expect_ok(case_weights(dev, 1, 1, &one, &weights, &err));
	expect_ok(npu_weights_save(weights, path, &err));
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(symlink(path, link), 0);
	expect_ok(npu_weights_save(weights, link, &err));
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(pipe(ends), 0);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", ends[1]);
	expect_error(npu_weights_save(weights, name, &err), -EINVAL, "not a file");
	close(ends[0]);
	close(ends[1]);
	unlink(path);
	expect_error(npu_weights_save(weights, link, &err), -ENOENT, "a link to what is not there");
	unlink(link);
	assert_int_equal(entries(), 0);
	npu_weights_destroy(weights);
}

/* The file that it is at first has another name, which must not be longer. */
static void the_longest_name_is_saved_to(void **state)
{
	char longest[sizeof(folder) + 1 + NAME_MAX];
	struct npu_weights *weights;
	const int8_t one = 1;

	(void)state;
	snprintf(longest, sizeof(longest), "%s/%0*d", folder, NAME_MAX, 0);
	expect_ok(case_weights(dev, 1, 1, &one, &weights, &err));
	expect_ok(npu_weights_save(weights, longest, &err));
	assert_int_equal(unlink(longest), 0);
	assert_int_equal(entries(), 0);
	npu_weights_destroy(weights);
}

#define ALL_TESTS(device)                                                                        \
	on(device, saved_weights_multiply_the_same), on(device, every_kind_of_weights_is_saved), \
		on(device, files_are_repeatable), on(device, cut_files_are_refused),             \
		on(device, damaged_files_are_refused), on(device, lying_headers_are_refused),    \
		on(device, lying_chunks_are_refused), on(device, other_files_are_refused),       \
		on(device, failed_save_leaves_nothing), on(device, only_files_are_replaced),     \
		on(device, links_and_modes_stay), on(device, the_longest_name_is_saved_to),      \
		on(device, equal_weights_are_told_from_others)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALL_TESTS("cpu"),
		ALL_TESTS("fake"),
	};

	return cmocka_run_group_tests_name("weights in files", tests, NULL, NULL);
}
