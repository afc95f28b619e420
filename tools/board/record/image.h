/* SPDX-License-Identifier: MIT */
/*
 * Memory of which only some bytes are known: pages appear where something was written.
 */
#ifndef NPU_RECORD_IMAGE_H
#define NPU_RECORD_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMAGE_BUCKETS 4096

struct image {
	struct image_page *bucket[IMAGE_BUCKETS];
};

/* Returns 0, or -1 when memory is out. A zeroed image is an empty one. */
int image_write(struct image *image, uint64_t addr, const void *data, size_t len);

/* Bytes that are not known are zero. Returns how many there were. */
size_t image_read(const struct image *image, uint64_t addr, void *data, size_t len);

/* Are all bytes known, and these? */
bool image_equal(const struct image *image, uint64_t addr, const void *data, size_t len);

void image_free(struct image *image);

#endif /* NPU_RECORD_IMAGE_H */
