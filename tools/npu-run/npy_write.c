// SPDX-License-Identifier: MIT
/* Writes .npy files, format 1.0. */
#include <stdio.h>

#include "npy.h"
#include "save.h"

/* The data begins at a multiple of this. */
#define NPY_ALIGN 64

int npy_check_writable(const char *path, struct npu_error *err)
{
	return save_check(path, err);
}

static void write_array(FILE *file, enum npy_type type, const void *data, size_t rows, size_t cols)
{
	char text[128];
	int length = snprintf(text, sizeof(text),
			      "{'descr': '%s', 'fortran_order': False, 'shape': (%zu, %zu), }",
			      npy_type_descr(type), rows, cols);
	int padded = (10 + length + 1 + NPY_ALIGN - 1) / NPY_ALIGN * NPY_ALIGN - 10;
	const char prefix[10] = { '\x93', 'N', 'U', 'M',	  'P',
				  'Y',	  1,   0,   (char)padded, (char)(padded >> 8) };

	fwrite(prefix, 1, sizeof(prefix), file);
	fprintf(file, "%-*s\n", padded - 1, text);
	fwrite(data, npy_type_size(type), rows * cols, file);
}

int npy_write(const char *path, enum npy_type type, const void *data, size_t rows, size_t cols,
	      struct npu_error *err)
{
	struct save save;
	int ret = save_begin(&save, path, err);

	if (ret)
		return ret;
	write_array(save.file, type, data, rows, cols);
	return save_end(&save, err);
}
