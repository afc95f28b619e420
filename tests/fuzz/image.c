// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../libnpu/checksum.h"
#include "../../libnpu/packed.h"
#include "image.h"

#define HEADER sizeof(struct npu_packed_header)

void must(bool truth)
{
	if (!truth)
		abort();
}

void must_say(const struct npu_error *err, const char *path)
{
	must(err->code && err->text[0]);
	must(!strncmp(err->text, path, strlen(path)));
}

int image_file(const uint8_t *data, size_t size, bool sealed, char path[IMAGE_PATH])
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	must(fd >= 0);
	must(write(fd, data, size) == (ssize_t)size);
	if (sealed)
		must(!fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL));
	snprintf(path, IMAGE_PATH, "/proc/self/fd/%d", fd);
	return fd;
}

uint8_t *image_of_weights(const uint8_t *data, size_t size, const char *form)
{
	static const uint8_t magic[] = { 0x89, 'N', 'P', 'U', 'W', '\r', '\n', 0x1a };
	struct npu_packed_header *header;
	uint8_t *image = malloc(size + 1);

	must(image);
	memcpy(image, data, size);
	if (size < HEADER)
		return image;
	header = (struct npu_packed_header *)image;
	memcpy(header->magic, magic, sizeof(magic));
	header->version = NPU_PACKED_VERSION;
	header->header_bytes = HEADER;
	memcpy(header->form, form, NPU_PACKED_FORM);
	memset(header->reserved, 0, sizeof(header->reserved));
	header->body_checksum = npu_checksum(image + HEADER, size - HEADER);
	header->header_checksum =
		npu_checksum(header, offsetof(struct npu_packed_header, header_checksum));
	return image;
}
