/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Quotas: what an open file may have, and all files of a user together.
 */
#ifndef _NPU_QUOTA_H_
#define _NPU_QUOTA_H_

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/uidgid.h>

struct npu_file;

/* Of one file. The context that is there from open() on is one of them. */
#define NPU_MAX_PENDING 4096
#define NPU_MAX_CTXS 256
#define NPU_MAX_PERFMONS 256

/* So many files of a user may have as much as a file may. */
#define NPU_MAX_USER_FACTOR 16

/**
 * enum npu_quota - what is counted
 * @NPU_QUOTA_BYTES: Bytes of BOs, not those of imports, until the memory is given back.
 * @NPU_QUOTA_JOBS: Jobs (not submissions) that have not ended.
 * @NPU_QUOTA_CTXS: Contexts that have an id. Those that have none any more live on jobs.
 * @NPU_QUOTA_PERFMONS: Perfmons that have an id.
 * @NPU_QUOTAS: Number of quotas.
 */
enum npu_quota {
	NPU_QUOTA_BYTES,
	NPU_QUOTA_JOBS,
	NPU_QUOTA_CTXS,
	NPU_QUOTA_PERFMONS,
	NPU_QUOTAS,
};

/**
 * struct npu_user - what the files of a user have together
 * @link: In the list of users. This and @files are protected by that list's lock.
 * @files: Files that are open, or closed with something left.
 * @uid: Who opened them.
 * @used: By enum npu_quota.
 */
struct npu_user {
	struct list_head link;
	unsigned int files;
	kuid_t uid;
	atomic64_t used[NPU_QUOTAS];
};

int npu_quota_join(struct npu_file *file);
void npu_quota_leave(struct npu_file *file);

int npu_quota_take(struct npu_file *file, enum npu_quota quota, u64 amount);
void npu_quota_give(struct npu_file *file, enum npu_quota quota, u64 amount);

u64 npu_quota_of_file(enum npu_quota quota);
u64 npu_quota_of_user(enum npu_quota quota);

#endif /* _NPU_QUOTA_H_ */
