// SPDX-License-Identifier: MIT
/*
 * libFuzzer: images of packed weights that somebody sends. An input is an image, of which the
 * beginning and the checksums are put right, because a sender can do that too. What is accepted
 * must lie inside the input, and the chunks of K must make up K.
 */
#include <stdlib.h>

#include "../../kmod/nvdla/nvdla_limits.h"
#include "../../libnpu/backend/nvdla.h"
#include "image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEADER sizeof(struct npu_packed_header)

static void check_chunks(struct nvdla_device *dev, const struct npu_packed *packed, size_t size)
{
	struct nvdla_weights nw = {
		.base = {
			.dev = &dev->base,
			.n = packed->n,
			.k = packed->k,
			.batch = packed->batch,
			.group_size = packed->group_size,
			.groups = (packed->k - 1) / packed->group_size + 1,
			.numbers = packed->numbers,
			.count = packed->count,
			.zero_point = packed->zero_point,
		},
	};
	uint64_t k = 0;

	if (!nvdla_weights_init(&nw.base, NULL) && nw.base.bytes == packed->bytes) {
		uint64_t last = packed->offset + (packed->batch - 1) * nw.packing.matrix_bytes;

		for (uint32_t i = 0; i < nw.packing.count; i++) {
			const struct nvdla_chunk *chunk = &nw.packing.chunks[i];

			must(chunk->k0 == k && chunk->k && chunk->k <= dev->max_k);
			must(chunk->k0 / packed->group_size ==
			     (chunk->k0 + chunk->k - 1) / packed->group_size);
			must(last + chunk->offset + (uint64_t)nw.rows * chunk->k <= size);
			k += chunk->k;
		}
		must(k == packed->k);
	}
	nvdla_weights_fini(&nw.base);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nvdla_device dev = { .limits = nvdla_small_limits };
	struct npu_image image = { .bytes = size, .name = "fuzz" };
	struct npu_packed packed;
	char form[NPU_PACKED_FORM] = "";
	uint8_t *copy;

	dev.max_k = npu_plan_max_k(&dev.limits);
	nvdla_weights_form(&dev.base, form);
	copy = image_of_weights(data, size, form);
	image.data = copy;
	image.file = size & 1;
	if (!npu_packed_read(&image, form, &packed, NULL)) {
		must(packed.offset >= HEADER + packed.count * sizeof(uint32_t));
		must(packed.offset <= size && packed.bytes <= size - packed.offset);
		check_chunks(&dev, &packed, size);
		npu_packed_free(&packed);
	}
	free(copy);
	return 0;
}
