/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The watchdog over the ops on the engine.
 */
#ifndef _NPU_WATCHDOG_H_
#define _NPU_WATCHDOG_H_

struct npu_device;

void npu_watchdog_init(struct npu_device *npu);
void npu_watchdog_arm(struct npu_device *npu);

#endif /* _NPU_WATCHDOG_H_ */
