/* SPDX-License-Identifier: MIT */
/* A camera that sees a bright square wander over a dark, noisy ground. */
#ifndef CAMERA_H
#define CAMERA_H

#include <stdint.h>

/* Frames are made of square patches, which are what the networks look at. */
#define CAMERA_PATCH_SIDE 8
#define CAMERA_PATCHES_A_LINE 12
#define CAMERA_PATCHES (CAMERA_PATCHES_A_LINE * CAMERA_PATCHES_A_LINE)
#define CAMERA_PATCH_PIXELS (CAMERA_PATCH_SIDE * CAMERA_PATCH_SIDE)

/* Takes a frame, as int8 patches one after the other: -128 is black, 127 white. */
void camera_take(unsigned int frame, int8_t *patches);

/* The patch that most of the square is on. */
unsigned int camera_patch_of_square(unsigned int frame);

#endif /* CAMERA_H */
