/* SPDX-License-Identifier: MIT */
/*
 * To be somebody whose files are counted together, as the driver's quotas do it.
 */
#ifndef TESTS_DEVICE_USER_H
#define TESTS_DEVICE_USER_H

#include <sys/types.h>

/* From root to a user without the right to override limits, who may do all else. 0 or not. */
int user_become(uid_t uid);

/* And back. */
int user_become_root(void);

#endif /* TESTS_DEVICE_USER_H */
