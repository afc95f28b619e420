/* SPDX-License-Identifier: MIT */
/*
 * Devices: what multiplies, an NPU or the CPU.
 */
#ifndef NPU_DEVICE_H
#define NPU_DEVICE_H

#include <stddef.h>
#include <stdint.h>

#include "npu_error.h"

#if defined(__cplusplus)
extern "C" {
#endif

struct npu_device;

/**
 * Opens a device.
 * @name: "cpu" for the CPU backend with one thread, "cpu:N" with N of them, 1 to 256, "cpu:all"
 *with one for each processor that the process may run on when it opens the device, but not more
 *	than 256; the path of a device node; or NULL for the NPU with the lowest node number. NULL
 *	never falls back to the CPU.
 *
 * Errors: -EINVAL "cpu:" with anything else behind it; -EAGAIN the threads could not be started;
 * -ENODEV no NPU is there, or the node belongs to another driver; -ENOENT no such path; -EACCES no
 * permission for the node (the text says which group has it); -EDQUOT this user has it open too
 * often; -ENOTSUP the driver lacks something this library needs, or is newer than it; -ENOMEM.
 */
int npu_device_open(const char *name, struct npu_device **dev, struct npu_error *err);

/** Gives up the caller's hold on a device. */
void npu_device_close(struct npu_device *dev);

/**
 * struct npu_device_info - what a device is
 * @size: sizeof(struct npu_device_info), set by the caller.
 * @backend: "nvdla" or "cpu".
 * @name: Hardware configuration, for example "nv_small"; for the CPU its kernels' name.
 * @node: Path of the device node, "" for the CPU.
 * @driver: Name of the kernel driver, "" for the CPU.
 * @clock_hz: Clock of the engine in Hz, 0 if unknown.
 * @macs_per_cycle: Multiply-accumulates the engine can do in a cycle, 0 for the CPU.
 * @bus_bytes_per_cycle: Bytes the engine can move in a cycle, 0 for the CPU.
 * @cbuf_bytes: On-chip operand buffer in bytes, 0 for the CPU.
 * @can_reset: Non-zero when the engine can be recovered from a hang.
 * @has_iommu: Non-zero when an IOMMU translates for the engine.
 * @column_align: Windows of tensors begin at multiples of so many columns, see
 *	npu_tensor_create_view(); a power of two, at most 64, and 1 on the CPU.
 * @max_pending: Jobs that may be under way for all queues of a device that is opened once; more
 *	make a submission wait. 0 on the CPU.
 * @max_buffer_bytes: Largest buffer the device can have; 0 on the CPU, where memory is the limit.
 * @max_total_bytes: All buffers that a device gives while it is opened once, if no other program of
 *	the same user has any; 0 on the CPU.
 * @max_queues: Queues of a device that is opened once, 0 on the CPU.
 * @threads: Threads of the CPU backend, 0 on an NPU.
 */
struct npu_device_info {
	size_t size;
	char backend[16];
	char name[32];
	char node[64];
	char driver[16];
	uint64_t clock_hz;
	uint32_t macs_per_cycle;
	uint32_t bus_bytes_per_cycle;
	uint32_t cbuf_bytes;
	uint32_t can_reset;
	uint32_t has_iommu;
	uint32_t column_align;
	uint32_t max_pending;
	uint64_t max_buffer_bytes;
	uint64_t max_total_bytes;
	uint32_t max_queues;
	uint32_t threads;
};

/** Fills @info. Errors: -EINVAL @info->size is not a size this function ever had. */
int npu_device_get_info(const struct npu_device *dev, struct npu_device_info *info,
			struct npu_error *err);

#if defined(__cplusplus)
}
#endif

#endif /* NPU_DEVICE_H */
