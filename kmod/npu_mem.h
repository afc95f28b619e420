/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of buffer objects: the pages, and the engine's mapping of them.
 */
#ifndef _NPU_MEM_H_
#define _NPU_MEM_H_

struct npu_bo;
struct npu_device;

int npu_mem_init(struct npu_device *npu);
int npu_mem_alloc(struct npu_bo *bo);
void npu_mem_track(struct npu_bo *bo);
void npu_mem_free(struct npu_bo *bo);
void npu_mem_sync(struct npu_bo *bo, u64 offset, u64 size, bool for_cpu);
void *npu_mem_vmap(struct npu_bo *bo);
void npu_mem_vunmap(struct npu_bo *bo, void *vaddr);
void npu_mem_revoke(struct npu_device *npu);

#endif /* _NPU_MEM_H_ */
