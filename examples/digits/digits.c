// SPDX-License-Identifier: MIT
/* Reads the digits. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../perceptron/error.h"
#include "digits.h"

/* 65 numbers of two digits, commas, a line end. */
#define LINE_ROOM 256
/* Ten times what there are. A compressed file may be a thousand times as large as it is. */
#define MOST_IMAGES 65536

/* A whole number of 0 to @max at *@at, and what ends it. */
static bool take_number(char **at, unsigned long max, char after, uint8_t *number)
{
	unsigned long value;
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	value = strtoul(*at, &end, 10);
	if (value > max || *end != after)
		return false;
	*number = (uint8_t)value;
	*at = end + 1;
	return true;
}

static int parse_line(char *line, struct digits *digits, struct npu_error *err)
{
	uint8_t *pixels = digits->pixels + digits->count * DIGITS_PIXELS;

	for (int i = 0; i < DIGITS_PIXELS; i++)
		if (!take_number(&line, DIGITS_PIXEL_MAX, ',', &pixels[i]))
			return error_set(err, -EINVAL,
					 "line %zu has something else than a pixel of 0 to %d in "
					 "column %d",
					 digits->count + 1, DIGITS_PIXEL_MAX, i + 1);
	if (!take_number(&line, DIGITS_CLASSES - 1, '\n', &digits->labels[digits->count]))
		return error_set(err, -EINVAL, "line %zu does not end with a digit",
				 digits->count + 1);
	digits->count++;
	return 0;
}

/* Room for one image more than there are. */
static int make_room(struct digits *digits, size_t *room, struct npu_error *err)
{
	uint8_t *pixels, *labels;

	if (digits->count < *room)
		return 0;
	if (digits->count == MOST_IMAGES)
		return error_set(err, -EINVAL, "has more than the %d images that are read",
				 MOST_IMAGES);
	*room = *room ? 2 * *room : 2048;
	pixels = realloc(digits->pixels, *room * DIGITS_PIXELS);
	if (pixels)
		digits->pixels = pixels;
	labels = realloc(digits->labels, *room);
	if (labels)
		digits->labels = labels;
	return pixels && labels ? 0 : error_set(err, -ENOMEM, "is too large: out of memory");
}

static int read_lines(gzFile file, struct digits *digits, struct npu_error *err)
{
	char line[LINE_ROOM];
	size_t room = 0;
	int code, ret = 0;

	while (!ret && gzgets(file, line, sizeof(line))) {
		ret = make_room(digits, &room, err);
		if (!ret)
			ret = parse_line(line, digits, err);
	}
	/* First, because it may be why a line is not complete. */
	gzerror(file, &code);
	if (code != Z_OK)
		return error_set(err, -EIO, "is a damaged gzip file, or cannot be read");
	if (ret)
		return ret;
	if (digits->count <= DIGITS_TEST)
		return error_set(err, -EINVAL, "has %zu images, not more than the %d for tests",
				 digits->count, DIGITS_TEST);
	return 0;
}

int digits_load(const char *path, struct digits *digits, struct npu_error *err)
{
	gzFile file;
	int ret;

	memset(digits, 0, sizeof(*digits));
	errno = 0;
	file = gzopen(path, "rb");
	if (!file)
		return error_set(err, errno ? -errno : -ENOMEM, "cannot be opened: %s",
				 strerror(errno ? errno : ENOMEM));
	ret = read_lines(file, digits, err);
	/* Closing tells what reading cannot: a stream that breaks off at its very end. */
	if (gzclose(file) != Z_OK && !ret)
		ret = error_set(err, -EIO, "is a damaged gzip file");
	if (ret)
		digits_free(digits);
	return ret;
}

void digits_free(struct digits *digits)
{
	free(digits->pixels);
	free(digits->labels);
	memset(digits, 0, sizeof(*digits));
}
