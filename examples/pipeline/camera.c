// SPDX-License-Identifier: MIT
/* A camera that sees a bright square wander over a dark, noisy ground. */
#include "camera.h"

#define SIDE (CAMERA_PATCH_SIDE * CAMERA_PATCHES_A_LINE)

/* The square is as large as a patch, and nearer to one than to any other. */
static void square_of(unsigned int frame, unsigned int *x, unsigned int *y)
{
	*x = frame * 7 % (SIDE - CAMERA_PATCH_SIDE) / 8 * 8 + frame % 4;
	*y = frame * 3 % (SIDE - CAMERA_PATCH_SIDE) / 8 * 8 + frame / 4 % 4;
}

unsigned int camera_patch_of_square(unsigned int frame)
{
	unsigned int x, y;

	square_of(frame, &x, &y);
	return y / CAMERA_PATCH_SIDE * CAMERA_PATCHES_A_LINE + x / CAMERA_PATCH_SIDE;
}

static int8_t pixel(unsigned int x, unsigned int y, unsigned int square_x, unsigned int square_y,
		    uint32_t noise)
{
	/* Unsigned: left of the square or above it is far off, too. */
	if (x - square_x < CAMERA_PATCH_SIDE && y - square_y < CAMERA_PATCH_SIDE)
		return 80 + (int)(noise % 40);
	return -128 + (int)(noise % 60);
}

void camera_take(unsigned int frame, int8_t *patches)
{
	unsigned int square_x, square_y;
	uint32_t noise = frame + 1;

	square_of(frame, &square_x, &square_y);
	for (unsigned int y = 0; y < SIDE; y++) {
		for (unsigned int x = 0; x < SIDE; x++) {
			unsigned int patch = y / CAMERA_PATCH_SIDE * CAMERA_PATCHES_A_LINE +
					     x / CAMERA_PATCH_SIDE;
			unsigned int at =
				y % CAMERA_PATCH_SIDE * CAMERA_PATCH_SIDE + x % CAMERA_PATCH_SIDE;

			/* Numerical Recipes' generator; its upper bits are the good ones. */
			noise = noise * 1664525 + 1013904223;
			patches[patch * CAMERA_PATCH_PIXELS + at] =
				pixel(x, y, square_x, square_y, noise >> 20);
		}
	}
}
