// SPDX-License-Identifier: MIT
/* Opens the device a command is to run on, and says which one it is. */
#include <errno.h>
#include <stdio.h>

#include "command.h"
#include "device.h"

int device_open(const char *who, const char *name, struct device *device)
{
	struct npu_error err;
	int ret;

	ret = npu_device_open(name, &device->dev, &err);
	if (ret) {
		/* Whoever has no NPU may want to know what else there is. */
		complain(who, "%s%s", err.text,
			 name ? "" : " (--device cpu computes the same on the CPU)");
		return ret;
	}
	device->info.size = sizeof(device->info);
	ret = npu_device_get_info(device->dev, &device->info, &err);
	if (ret) {
		complain(who, "%s", err.text);
		device_close(device);
	}
	return ret;
}

void device_close(struct device *device)
{
	npu_device_close(device->dev);
	device->dev = NULL;
}

void device_print(const struct npu_device_info *info)
{
	printf("%s %s", info->backend, info->name);
	if (info->node[0])
		printf(", %s (driver %s)", info->node, info->driver);
	putchar('\n');
}

void device_json(struct json *json, const struct npu_device_info *info)
{
	json_string(json, "backend", info->backend);
	json_string(json, "name", info->name);
	if (!info->node[0]) {
		json_uint(json, "threads", info->threads);
		return;
	}
	json_string(json, "node", info->node);
	json_string(json, "driver", info->driver);
	json_uint(json, "clock_hz", info->clock_hz);
	json_uint(json, "macs_per_cycle", info->macs_per_cycle);
	json_uint(json, "bus_bytes_per_cycle", info->bus_bytes_per_cycle);
	json_uint(json, "cbuf_bytes", info->cbuf_bytes);
	json_uint(json, "max_pending", info->max_pending);
	json_uint(json, "max_queues", info->max_queues);
	json_uint(json, "max_buffer_bytes", info->max_buffer_bytes);
	json_uint(json, "max_total_bytes", info->max_total_bytes);
	json_bool(json, "can_reset", info->can_reset);
	json_bool(json, "has_iommu", info->has_iommu);
}

uint64_t device_cycles(const struct npu_device_info *info, uint64_t engine_ns)
{
	return (uint64_t)((double)engine_ns * 1e-9 * (double)info->clock_hz);
}
