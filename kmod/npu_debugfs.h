/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files in debugfs.
 */
#ifndef _NPU_DEBUGFS_H_
#define _NPU_DEBUGFS_H_

struct npu_device;

void npu_debugfs_register(struct npu_device *npu);

#endif /* _NPU_DEBUGFS_H_ */
