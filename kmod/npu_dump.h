/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a hang leaves behind for a person to read: a device coredump.
 */
#ifndef _NPU_DUMP_H_
#define _NPU_DUMP_H_

#include <linux/types.h>
#include <linux/workqueue.h>

struct npu_device;

/**
 * struct npu_dump - the dump of a hang on its way to user space
 * @publish: Hands @text over, outside the path that fences wait for.
 * @text: The dump; NULL when none is on its way.
 * @len: Its bytes.
 * @last: In jiffies, when the last one was taken. Valid once @taken is set.
 * @taken: A dump was taken.
 */
struct npu_dump {
	struct work_struct publish;
	char *text;
	size_t len;
	unsigned long last;
	bool taken;
};

void npu_dump_init(struct npu_device *npu);
void npu_dump_take(struct npu_device *npu);
void npu_dump_fini(struct npu_device *npu);

#endif /* _NPU_DUMP_H_ */
