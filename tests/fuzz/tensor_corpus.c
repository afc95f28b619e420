// SPDX-License-Identifier: MIT
/* Writes the corpus of the readers of tensors to DIR/fuzz_FORMAT/, for libFuzzer to begin with. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tensors.h"

static int write_seed(const char *folder, unsigned int number, const struct bytes *b)
{
	char path[PATH_MAX];
	FILE *out;
	bool ok;

	snprintf(path, sizeof(path), "%s/seed-%02u", folder, number);
	out = fopen(path, "wb");
	ok = out && fwrite(b->data, 1, b->length, out) == b->length;
	if (out && fclose(out))
		ok = false;
	if (!ok)
		fprintf(stderr, "tensor_corpus: %s: %s\n", path, strerror(errno));
	return ok ? 0 : -1;
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "npy", "safetensors", "gguf" };

	if (argc != 2) {
		fputs("Usage: tensor_corpus DIR\n", stderr);
		return 2;
	}
	for (int format = 0; format < TENSORS_FORMATS; format++) {
		char folder[PATH_MAX - 16];

		snprintf(folder, sizeof(folder), "%s/fuzz_%s", argv[1], names[format]);
		if (mkdir(folder, 0777) && errno != EEXIST) {
			fprintf(stderr, "tensor_corpus: %s: %s\n", folder, strerror(errno));
			return 1;
		}
		for (unsigned int i = 0; i < tensors_seed_count[format]; i++) {
			struct bytes b = { 0 };
			int ret;

			tensors_seed((enum tensors_format)format, i, &b);
			ret = write_seed(folder, i, &b);
			bytes_free(&b);
			if (ret)
				return 1;
		}
	}
	return 0;
}
