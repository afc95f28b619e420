/* SPDX-License-Identifier: MIT */
/*
 * What the targets for files share: inputs as files, and images of packed weights whose checksums
 * are right, because a sender can do that too.
 */
#ifndef TESTS_FUZZ_IMAGE_H
#define TESTS_FUZZ_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <npu.h>

/* Room for the path of a file that image_file() makes. */
#define IMAGE_PATH 32

/* Ends in libFuzzer's way where what should be true is not. */
void must(bool truth);

/* The same where an error does not name the file and say why. */
void must_say(const struct npu_error *err, const char *path);

/*
 * A file with @data in it, which nothing else on this machine sees. It can be opened at @path until
 * the descriptor, which is returned, is closed. With @sealed it can no longer change its size.
 */
int image_file(const uint8_t *data, size_t size, bool sealed, char path[IMAGE_PATH]);

/* A copy of @data as packed weights of a form, to be freed. */
uint8_t *image_of_weights(const uint8_t *data, size_t size, const char *form);

#endif /* TESTS_FUZZ_IMAGE_H */
