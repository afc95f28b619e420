/* SPDX-License-Identifier: MIT */
/*
 * Makes one allocation of the kernel fail: the nth one of what this thread does next. For that the
 * kernel has to be built for fault injection, as the board's debug kernel is.
 */
#ifndef TESTS_DEVICE_INJECTION_H
#define TESTS_DEVICE_INJECTION_H

/** Prepares it: 0, or -1 where the kernel cannot do it. */
int injection_open(void);
void injection_close(void);

/**
 * Only allocations count from here on that have @function among the @depth innermost frames of
 * their call stack, and @except not. 0, or -1 where the kernel cannot do it or has no @function.
 */
int injection_within(const char *function, const char *except, unsigned int depth);
/** All count again. */
void injection_anywhere(void);

/** From here on the @nth allocation of this thread fails, counted from 1. */
void injection_arm(unsigned int nth);

/** Ends that; whether an allocation has failed. */
int injection_disarm(void);

#endif /* TESTS_DEVICE_INJECTION_H */
