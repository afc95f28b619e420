/* SPDX-License-Identifier: MIT */
/* Opens the device a command is to run on, and says which one it is. */
#ifndef NPU_RUN_DEVICE_H
#define NPU_RUN_DEVICE_H

#include <stdint.h>

#include "json.h"
#include "npu.h"

/* An open device and what it is. */
struct device {
	struct npu_device *dev;
	struct npu_device_info info;
};

/* Without a name: the first NPU, never the CPU. Complains as @who and returns a negative errno. */
int device_open(const char *who, const char *name, struct device *device);

void device_close(struct device *device);

/* "nvdla nv_small, /dev/accel/accel0 (driver npu)". */
void device_print(const struct npu_device_info *info);

/* The members of an object. */
void device_json(struct json *json, const struct npu_device_info *info);

/* Engine time in cycles of its clock, 0 where there is no engine or its clock is unknown. */
uint64_t device_cycles(const struct npu_device_info *info, uint64_t engine_ns);

#endif
