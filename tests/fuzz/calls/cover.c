// SPDX-License-Identifier: MIT
/*
 * Coverage of npu.ko by KCOV.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kcov.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cover.h"

enum {
	/* Places that one program may pass, and bytes of code that the module may have. */
	AREA_WORDS = 1 << 17,
	CODE_BYTES = 1 << 21
};

struct cover {
	int fd;
	unsigned long *area;
};

static const char *const sections[] = { ".text", ".text.unlikely", ".exit.text" };

#define N_SECTIONS (sizeof(sections) / sizeof(*sections))

static unsigned long begins[N_SECTIONS];
static unsigned long code;
static atomic_uchar reached[CODE_BYTES];
static atomic_size_t count;

static unsigned long section_begin(const char *name)
{
	unsigned long at = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/module/npu/sections/%s", name);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (fscanf(f, "%lx", &at) != 1)
		at = 0;
	fclose(f);
	return at;
}

int cover_open(void)
{
	size_t i;

	code = ~0UL;
	for (i = 0; i < N_SECTIONS; i++) {
		begins[i] = section_begin(sections[i]);
		if (begins[i] && begins[i] < code)
			code = begins[i];
	}
	if (code != ~0UL)
		return 0;
	fprintf(stderr, "/sys/module/npu/sections does not say where npu.ko is\n");
	return -1;
}

struct cover *cover_thread_begin(void)
{
	struct cover *cover = calloc(1, sizeof(*cover));

	if (!cover)
		return NULL;
	cover->fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);
	if (cover->fd < 0 || ioctl(cover->fd, KCOV_INIT_TRACE, (unsigned long)AREA_WORDS))
		goto fail;
	cover->area = mmap(NULL, AREA_WORDS * sizeof(*cover->area), PROT_READ | PROT_WRITE,
			   MAP_SHARED, cover->fd, 0);
	if (cover->area == MAP_FAILED)
		goto fail;
	if (!ioctl(cover->fd, KCOV_ENABLE, KCOV_TRACE_PC))
		return cover;
	munmap(cover->area, AREA_WORDS * sizeof(*cover->area));
fail:
	perror("kcov");
	if (cover->fd >= 0)
		close(cover->fd);
	free(cover);
	return NULL;
}

void cover_thread_end(struct cover *cover)
{
	ioctl(cover->fd, KCOV_DISABLE, 0);
	munmap(cover->area, AREA_WORDS * sizeof(*cover->area));
	close(cover->fd);
	free(cover);
}

void cover_clear(struct cover *cover)
{
	__atomic_store_n(&cover->area[0], 0, __ATOMIC_RELAXED);
}

size_t cover_collect(struct cover *cover)
{
	const unsigned long n = __atomic_load_n(&cover->area[0], __ATOMIC_RELAXED);
	size_t fresh = 0;
	unsigned long i;

	for (i = 1; i <= n && i < AREA_WORDS; i++) {
		const unsigned long at = cover->area[i] - code;

		if (at < CODE_BYTES && !reached[at] && !atomic_exchange(&reached[at], 1))
			fresh++;
	}
	count += fresh;
	return fresh;
}

size_t cover_count(void)
{
	return count;
}

void cover_write(FILE *to)
{
	size_t i;

	for (i = 0; i < N_SECTIONS; i++)
		if (begins[i])
			fprintf(to, "section %s %lx\n", sections[i], begins[i] - code);
	for (i = 0; i < CODE_BYTES; i++)
		if (reached[i])
			fprintf(to, "%zx\n", i);
}
