/* SPDX-License-Identifier: MIT */
/* The table, or the JSON object, that the example ends with. */
#ifndef FASHION_MNIST_REPORT_H
#define FASHION_MNIST_REPORT_H

#include <stddef.h>
#include <stdint.h>

#include "network.h"
#include "npu.h"

/*
 * struct report - what came out
 * @device: Which device ran.
 * @images, @batch: How many, and how many at a time.
 * @float_right, @int8_right: Images that got their label's class.
 * @agree: Images that got the same class from both.
 * @work: What the int8 run took.
 * @checksum: Of all int8 logits, to compare runs on different devices.
 */
struct report {
	struct npu_device_info device;
	size_t images;
	uint32_t batch;
	size_t float_right;
	size_t int8_right;
	size_t agree;
	struct network_work work;
	uint64_t checksum;
};

/* FNV-1a, 64 bits. */
uint64_t report_checksum(const void *data, size_t bytes);

void report_print_text(const struct report *report);
void report_print_json(const struct report *report);

#endif
