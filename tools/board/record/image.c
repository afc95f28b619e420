// SPDX-License-Identifier: MIT
/* Memory of which only some bytes are known; see the header. */
#include <stdlib.h>
#include <string.h>

#include "image.h"

#define PAGE 4096

struct image_page {
	struct image_page *next;
	uint64_t number;
	uint8_t data[PAGE];
	uint8_t known[PAGE / 8]; /* a bit for each byte */
};

static struct image_page *find(const struct image *image, uint64_t number)
{
	struct image_page *page = image->bucket[number % IMAGE_BUCKETS];

	while (page && page->number != number)
		page = page->next;
	return page;
}

static struct image_page *find_or_make(struct image *image, uint64_t number)
{
	struct image_page **bucket = &image->bucket[number % IMAGE_BUCKETS];
	struct image_page *page = find(image, number);

	if (page)
		return page;
	page = calloc(1, sizeof(*page));
	if (!page)
		return NULL;
	page->number = number;
	page->next = *bucket;
	*bucket = page;
	return page;
}

static bool is_known(const struct image_page *page, size_t at)
{
	return page->known[at / 8] >> at % 8 & 1;
}

/* Bytes from @addr to the end of its page, or to @len */
static size_t part(uint64_t addr, size_t len)
{
	size_t rest = PAGE - addr % PAGE;

	return len < rest ? len : rest;
}

int image_write(struct image *image, uint64_t addr, const void *data, size_t len)
{
	const uint8_t *from = data;

	while (len) {
		struct image_page *page = find_or_make(image, addr / PAGE);
		size_t at = addr % PAGE, n = part(addr, len);

		if (!page)
			return -1;
		memcpy(page->data + at, from, n);
		for (size_t i = at; i < at + n; i++)
			page->known[i / 8] |= 1 << i % 8;
		from += n;
		addr += n;
		len -= n;
	}
	return 0;
}

size_t image_read(const struct image *image, uint64_t addr, void *data, size_t len)
{
	uint8_t *to = data;
	size_t unknown = 0;

	while (len) {
		const struct image_page *page = find(image, addr / PAGE);
		size_t at = addr % PAGE, n = part(addr, len);

		for (size_t i = 0; i < n; i++) {
			bool known = page && is_known(page, at + i);

			to[i] = known ? page->data[at + i] : 0;
			unknown += !known;
		}
		to += n;
		addr += n;
		len -= n;
	}
	return unknown;
}

bool image_equal(const struct image *image, uint64_t addr, const void *data, size_t len)
{
	const uint8_t *other = data;

	while (len) {
		const struct image_page *page = find(image, addr / PAGE);
		size_t at = addr % PAGE, n = part(addr, len);

		if (!page || memcmp(page->data + at, other, n))
			return false;
		for (size_t i = at; i < at + n; i++)
			if (!is_known(page, i))
				return false;
		other += n;
		addr += n;
		len -= n;
	}
	return true;
}

void image_free(struct image *image)
{
	for (size_t i = 0; i < IMAGE_BUCKETS; i++) {
		struct image_page *page = image->bucket[i];

		while (page) {
			struct image_page *next = page->next;

			free(page);
			page = next;
		}
		image->bucket[i] = NULL;
	}
}
