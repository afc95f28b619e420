// SPDX-License-Identifier: MIT
/*
 * XXH64, as its specification describes it (Yann Collet, "xxHash fast digest algorithm"). It is as
 * fast as memory without special instructions, and xxhsum(1) computes the same.
 */
#include <endian.h>
#include <string.h>

#include "checksum.h"

#define PRIME1 UINT64_C(0x9e3779b185ebca87)
#define PRIME2 UINT64_C(0xc2b2ae3d27d4eb4f)
#define PRIME3 UINT64_C(0x165667b19e3779f9)
#define PRIME4 UINT64_C(0x85ebca77c2b2ae63)
#define PRIME5 UINT64_C(0x27d4eb2f165667c5)

#define STRIPE 32

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static uint64_t read64(const uint8_t *at)
{
	uint64_t x;

	memcpy(&x, at, sizeof(x));
	return le64toh(x);
}

static uint32_t read32(const uint8_t *at)
{
	uint32_t x;

	memcpy(&x, at, sizeof(x));
	return le32toh(x);
}

static uint64_t mix(uint64_t lane, uint64_t x)
{
	return rotate(lane + x * PRIME2, 31) * PRIME1;
}

void npu_checksum_init(struct npu_checksum *sum)
{
	*sum = (struct npu_checksum){ .lane = { PRIME1 + PRIME2, PRIME2, 0, -PRIME1 } };
}

/* Whole stripes; the lanes do not depend on each other, so a processor works on all at once. */
static void add_stripes(struct npu_checksum *sum, const uint8_t *data, size_t bytes)
{
	uint64_t a = sum->lane[0], b = sum->lane[1], c = sum->lane[2], d = sum->lane[3];

	for (; bytes; bytes -= STRIPE, data += STRIPE) {
		a = mix(a, read64(data));
		b = mix(b, read64(data + 8));
		c = mix(c, read64(data + 16));
		d = mix(d, read64(data + 24));
	}
	sum->lane[0] = a;
	sum->lane[1] = b;
	sum->lane[2] = c;
	sum->lane[3] = d;
}

void npu_checksum_add(struct npu_checksum *sum, const void *data, size_t bytes)
{
	size_t have = sum->bytes % STRIPE, missing = STRIPE - have;
	const uint8_t *at = data;

	sum->bytes += bytes;
	if (have && bytes >= missing) {
		memcpy(sum->rest + have, at, missing);
		add_stripes(sum, sum->rest, STRIPE);
		at += missing;
		bytes -= missing;
		have = 0;
	}
	if (!have) {
		add_stripes(sum, at, bytes / STRIPE * STRIPE);
		at += bytes / STRIPE * STRIPE;
		bytes %= STRIPE;
	}
	if (bytes)
		memcpy(sum->rest + have, at, bytes);
}

static uint64_t join_lanes(const struct npu_checksum *sum)
{
	uint64_t x = rotate(sum->lane[0], 1) + rotate(sum->lane[1], 7) + rotate(sum->lane[2], 12) +
		     rotate(sum->lane[3], 18);

	for (int i = 0; i < 4; i++)
		x = (x ^ mix(0, sum->lane[i])) * PRIME1 + PRIME4;
	return x;
}

uint64_t npu_checksum_end(const struct npu_checksum *sum)
{
	uint64_t x = sum->bytes < STRIPE ? PRIME5 : join_lanes(sum);
	const uint8_t *at = sum->rest, *end = at + sum->bytes % STRIPE;

	x += sum->bytes;
	for (; end - at >= 8; at += 8)
		x = rotate(x ^ mix(0, read64(at)), 27) * PRIME1 + PRIME4;
	for (; end - at >= 4; at += 4)
		x = rotate(x ^ read32(at) * PRIME1, 23) * PRIME2 + PRIME3;
	for (; at < end; at++)
		x = rotate(x ^ *at * PRIME5, 11) * PRIME1;
	x = (x ^ x >> 33) * PRIME2;
	x = (x ^ x >> 29) * PRIME3;
	return x ^ x >> 32;
}

uint64_t npu_checksum(const void *data, size_t bytes)
{
	struct npu_checksum sum;

	npu_checksum_init(&sum);
	npu_checksum_add(&sum, data, bytes);
	return npu_checksum_end(&sum);
}
