/* SPDX-License-Identifier: MIT */
/*
 * For device tests: injects faults into the model of the virtual board while a test runs. On real
 * hardware board_control_open() finds nothing, and such a test skips.
 */
#ifndef BOARD_CONTROL_CLIENT_H
#define BOARD_CONTROL_CLIENT_H

struct board_control;

/* Returns NULL with errno set: ENODEV when this is not the virtual board. */
struct board_control *board_control_open(void);

/* The same for the NPU number @n, from 0, in the order of their names on the bus. */
struct board_control *board_control_open_nth(unsigned int n);

void board_control_close(struct board_control *control);

/* Injects @fault, in the words of the board's --fault. Returns 0 or a negative errno. */
int board_control_inject(struct board_control *control, const char *fault);

#endif /* BOARD_CONTROL_CLIENT_H */
