// SPDX-License-Identifier: MIT
/*
 * Devices: choosing a backend, and what it tells about itself.
 */
#include <errno.h>
#include <string.h>

#include "backend/backend.h"

int npu_device_open(const char *name, struct npu_device **dev, struct npu_error *err)
{
	int ret;

	if (!dev)
		return npu_fail(err, -EINVAL, "npu_device_open: no place for the device given");
	if (name && (!strcmp(name, "cpu") || !strncmp(name, "cpu:", 4)))
		ret = npu_cpu_open(name, dev, err);
	else
		ret = npu_nvdla_open(name, dev, err);
	if (ret)
		return ret;
	pthread_mutex_init(&(*dev)->claims_lock, NULL);
	pthread_cond_init(&(*dev)->claims_left, NULL);
	return 0;
}

void npu_device_close(struct npu_device *dev)
{
	if (!dev || !npu_unref(&dev->refs))
		return;
	pthread_cond_destroy(&dev->claims_left);
	pthread_mutex_destroy(&dev->claims_lock);
	npu_arena_fini(&dev->arena);
	dev->ops->device_close(dev);
}

int npu_device_get_info(const struct npu_device *dev, struct npu_device_info *info,
			struct npu_error *err)
{
	if (!dev || !info)
		return npu_fail(err, -EINVAL, "npu_device_get_info: no device or no info given");
	if (info->size != sizeof(*info))
		return npu_fail(err, -EINVAL,
				"npu_device_info.size is %zu, set it to sizeof(struct "
				"npu_device_info), which is %zu",
				info->size, sizeof(*info));
	*info = dev->info;
	return 0;
}
