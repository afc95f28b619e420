// SPDX-License-Identifier: MIT
/*
 * In place of libFuzzer: gives a target the files of a corpus, one after the other, so that every
 * compiler can try again what a fuzzer once found worth keeping.
 *
 *	fuzz_TARGET FOLDER
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No input of any corpus is longer. */
#define LONGEST 65536

static int cannot(const char *path)
{
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return -1;
}

/* In memory of exactly the size of the file, so that a read beyond it is seen. */
static int replay(const char *path)
{
	static uint8_t room[LONGEST];
	FILE *file = fopen(path, "rb");
	uint8_t *data;
	size_t size;

	if (!file)
		return cannot(path);
	size = fread(room, 1, sizeof(room), file);
	fclose(file);
	data = malloc(size);
	if (size && !data)
		return cannot(path);
	if (size)
		memcpy(data, room, size);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	const struct dirent *entry;
	char path[PATH_MAX];
	unsigned int count = 0;
	DIR *folder;
	int ret = 0;

	if (argc != 2) {
		fprintf(stderr, "Usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	folder = opendir(argv[1]);
	if (!folder)
		return cannot(argv[1]) ? 1 : 0;
	while (!ret && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		/* The last one printed is the one that ended it. */
		printf("\r%s", path);
		fflush(stdout);
		ret = replay(path);
		count++;
	}
	closedir(folder);
	if (!ret && !count) {
		fprintf(stderr, "%s: no inputs\n", argv[1]);
		ret = -1;
	}
	printf("\r%s: %u inputs\n", argv[1], count);
	return ret ? 1 : 0;
}
