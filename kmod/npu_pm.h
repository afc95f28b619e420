/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Power: the engine is off when nobody has work for it.
 */
#ifndef _NPU_PM_H_
#define _NPU_PM_H_

#include <linux/pm.h>

struct npu_device;

int npu_pm_init(struct npu_device *npu);
void npu_pm_abort(struct npu_device *npu);
int npu_pm_get(struct npu_device *npu);
void npu_pm_put(struct npu_device *npu);
void npu_pm_cut(struct npu_device *npu);

extern const struct dev_pm_ops npu_pm_ops;

#endif /* _NPU_PM_H_ */
