// SPDX-License-Identifier: MIT
/*
 * libFuzzer: images of observers that somebody sends. The magic and the checksum are put right.
 * What is accepted says the same when it is saved again, has ranges under every scheme, and goes on
 * observing.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <npu_quant.h>

#include "../../libnpu/checksum.h"
#include "image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECKSUM_BYTES 8

static uint8_t *put_right(const uint8_t *data, size_t size)
{
	static const char magic[8] = "NPUOBSV\1";
	uint8_t *image = malloc(size + 1);
	uint64_t sum;

	must(image);
	memcpy(image, data, size);
	if (size < sizeof(magic) + CHECKSUM_BYTES)
		return image;
	memcpy(image, magic, sizeof(magic));
	sum = npu_checksum(image, size - CHECKSUM_BYTES);
	memcpy(image + size - CHECKSUM_BYTES, &sum, CHECKSUM_BYTES);
	return image;
}

static void check_ranges(const struct npu_observer *observer, uint32_t channels)
{
	float *low = calloc(channels, sizeof(*low)), *high = calloc(channels, sizeof(*high));

	must(low && high);
	for (unsigned int form = 0; form < 8; form++) {
		const struct npu_quant_scheme scheme = {
			.size = sizeof(scheme),
			.bits = form & 4 ? 4 : 8,
			.is_unsigned = form & 1,
			.asymmetric = form & 2,
		};

		if (npu_observer_range(observer, &scheme, low, high, NULL))
			continue;
		for (uint32_t i = 0; i < channels; i++)
			must(isfinite(low[i]) && isfinite(high[i]) && low[i] <= high[i]);
	}
	free(high);
	free(low);
}

/* Whatever it has seen before, with more it is still one that can be saved and loaded. */
static void see_more(struct npu_observer *observer, uint32_t channels)
{
	float *x = malloc(2 * (size_t)channels * sizeof(*x));
	struct npu_observer *again;
	uint8_t *image;

	must(x);
	for (uint32_t i = 0; i < 2 * channels; i++)
		x[i] = (float)(i % 7) - 3;
	/* Channels are columns, or rows. */
	if (npu_observer_add(observer, x, 2, channels, NULL))
		npu_observer_add(observer, x, channels, 2, NULL);
	free(x);
	image = malloc(npu_observer_image_bytes(observer));
	must(image);
	npu_observer_save(observer, image);
	must(!npu_observer_load(image, npu_observer_image_bytes(observer), &again, NULL));
	npu_observer_destroy(again);
	free(image);
}

/* An observer that came out of an image is one like any other. */
static void go_on(struct npu_observer *observer, const uint8_t *image, size_t size)
{
	uint32_t channels;
	uint8_t *again;

	must(npu_observer_image_bytes(observer) == size);
	again = malloc(size);
	must(again);
	npu_observer_save(observer, again);
	must(!memcmp(again, image, size));
	free(again);
	memcpy(&channels, image + 12, sizeof(channels));
	check_ranges(observer, channels);
	npu_observer_merge(observer, observer, NULL);
	check_ranges(observer, channels);
	see_more(observer, channels);
	check_ranges(observer, channels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct npu_observer *observer;
	struct npu_error err = { 0 };
	uint8_t *image = put_right(data, size);

	if (!npu_observer_load(image, size, &observer, &err)) {
		go_on(observer, image, size);
		npu_observer_destroy(observer);
	} else {
		must(err.code && err.text[0]);
	}
	free(image);
	return 0;
}
