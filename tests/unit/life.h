/* SPDX-License-Identifier: MIT */
/*
 * One life of every object that needs a device, as steps for failing_try(): from opening the
 * device to multiplying with weights that came from a file and from another device.
 */
#ifndef TESTS_LIFE_H
#define TESTS_LIFE_H

#include "failing.h"

extern const struct failing_step life_steps[];
extern const size_t life_step_count;

/* Which device it is on, and a file that it may make. */
extern const char *life_device;
extern const char *life_path;

#endif /* TESTS_LIFE_H */
