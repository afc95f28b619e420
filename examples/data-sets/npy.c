// SPDX-License-Identifier: MIT
/* Writes bytes as .npy, format 1.0. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../perceptron/error.h"
#include "npy.h"

/* The data begin at a multiple of 64; the text before is short enough for the second one. */
#define DATA_AT 128
#define PREFIX_BYTES 10

static void write_array(FILE *file, const uint8_t *data, size_t rows, size_t cols)
{
	const int room = DATA_AT - PREFIX_BYTES;
	const char prefix[PREFIX_BYTES] = { '\x93', 'N', 'U', 'M', 'P', 'Y', 1, 0, (char)room, 0 };
	char shape[64], text[DATA_AT];

	if (cols)
		snprintf(shape, sizeof(shape), "%zu, %zu", rows, cols);
	else
		snprintf(shape, sizeof(shape), "%zu,", rows);
	snprintf(text, sizeof(text), "{'descr': '|u1', 'fortran_order': False, 'shape': (%s), }",
		 shape);
	fwrite(prefix, 1, sizeof(prefix), file);
	fprintf(file, "%-*s\n", room - 1, text);
	fwrite(data, cols ? cols : 1, rows, file);
}

int npy_write_bytes(const char *path, const uint8_t *data, size_t rows, size_t cols,
		    struct npu_error *err)
{
	char temporary[PATH_MAX];
	FILE *file;
	int failed;

	if (snprintf(temporary, sizeof(temporary), "%s.tmp", path) >= (int)sizeof(temporary))
		return error_set(err, -ENAMETOOLONG, "%s: cannot be created: %s", path,
				 strerror(ENAMETOOLONG));
	file = fopen(temporary, "wb");
	if (!file)
		return error_set(err, -errno, "%s: cannot be created: %s", temporary,
				 strerror(errno));
	write_array(file, data, rows, cols);
	failed = ferror(file);
	if (fclose(file) || failed || rename(temporary, path)) {
		failed = errno;
		unlink(temporary);
		return error_set(err, -failed, "%s: cannot be written: %s", path, strerror(failed));
	}
	return 0;
}
