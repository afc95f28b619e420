/* SPDX-License-Identifier: MIT */
/*
 * Checksums: against accidents of storage and copying, not against malice.
 */
#ifndef LIBNPU_CHECKSUM_H
#define LIBNPU_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct npu_checksum - XXH64 with seed 0, fed piece by piece
 * @lane: Four sums that run side by side.
 * @bytes: So far.
 * @rest: The @bytes % 32 last of them.
 */
struct npu_checksum {
	uint64_t lane[4];
	uint64_t bytes;
	uint8_t rest[32];
};

void npu_checksum_init(struct npu_checksum *sum);
void npu_checksum_add(struct npu_checksum *sum, const void *data, size_t bytes);
uint64_t npu_checksum_end(const struct npu_checksum *sum);

/* All of it in one piece. */
uint64_t npu_checksum(const void *data, size_t bytes);

#endif /* LIBNPU_CHECKSUM_H */
