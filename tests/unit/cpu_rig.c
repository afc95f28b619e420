// SPDX-License-Identifier: MIT
/*
 * The CPU as the device of a test program.
 */
#include <stddef.h>

#include "cpu_rig.h"

struct npu_device *dev;

int open_cpu(void **state)
{
	(void)state;
	return npu_device_open("cpu", &dev, NULL);
}

int close_cpu(void **state)
{
	(void)state;
	npu_device_close(dev);
	return 0;
}
