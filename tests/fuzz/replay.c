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
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

/* No input of any corpus is longer. */
#define LONGEST 65536

/* The input that is being tried, for when it is the last one. */
static char path[PATH_MAX];

static void tell(void)
{
	fprintf(stderr, "while %s was tried\n", path);
}

static void tell_abort(int signal)
{
	(void)signal;
	tell();
}

static int cannot(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	return -1;
}

/* In memory of exactly the size of the file, so that a read beyond it is seen. */
static int replay(void)
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
	unsigned int count = 0;
	DIR *folder;
	int ret = 0;

	if (argc != 2) {
		fprintf(stderr, "Usage: %s FOLDER\n", argv[0]);
		return 2;
	}
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(tell);
	signal(SIGABRT, tell_abort);
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	folder = opendir(argv[1]);
	if (!folder)
		return -cannot(argv[1]);
	while (!ret && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		ret = replay();
		count++;
	}
	closedir(folder);
	if (!ret && !count) {
		fprintf(stderr, "%s: no inputs\n", argv[1]);
		ret = -1;
	}
	printf("%s: %u inputs\n", argv[1], count);
	return ret ? 1 : 0;
}
