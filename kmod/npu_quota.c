// SPDX-License-Identifier: GPL-2.0-only
/*
 * Quotas.
 *
 * DOC: Quotas
 *
 * Files are cheap: a limit for each of them alone limits nobody. So the files of a user have limits
 * together, too, on all NPUs, which have the memory of one machine. A user is who opened a file, by
 * his real uid, wherever the file goes then. Whoever may override the limits of resources,
 * CAP_SYS_RESOURCE, when he opens a file is limited file by file only: there are boards where
 * everything runs as root.
 *
 * Memory of BOs cannot be swapped and is hard to find, so a BO counts for the file that created it
 * until its memory is given back, wherever its last user is: that is why a BO holds its file.
 *
 * What is allocated for a caller is charged to his control group besides. The exception is memory
 * out of CMA, which the kernel charges to nobody.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "npu_file.h"
#include "npu_quota.h"

static unsigned long npu_max_file_mib;
module_param_named(max_file_mib, npu_max_file_mib, ulong, 0644);
MODULE_PARM_DESC(max_file_mib,
		 "MiB of buffers that one open file may create (default 0: half of the memory)");

static unsigned long npu_max_user_mib;
module_param_named(max_user_mib, npu_max_user_mib, ulong, 0644);
MODULE_PARM_DESC(max_user_mib,
		 "MiB of buffers of all open files of a user (default 0: 3/4 of the memory)");

static DEFINE_MUTEX(quota_lock);
static LIST_HEAD(quota_users);

static const u64 quota_counts[NPU_QUOTAS] = {
	[NPU_QUOTA_JOBS] = NPU_MAX_PENDING,
	[NPU_QUOTA_CTXS] = NPU_MAX_CTXS,
	[NPU_QUOTA_PERFMONS] = NPU_MAX_PERFMONS,
};

static u64 quota_quarters(unsigned int quarters)
{
	return (u64)totalram_pages() / 4 * quarters * PAGE_SIZE;
}

/**
 * npu_quota_of_file - what one file may have
 * @quota: Of what.
 *
 * Return: Bytes, or how many.
 */
u64 npu_quota_of_file(enum npu_quota quota)
{
	u64 mib = READ_ONCE(npu_max_file_mib);

	if (quota != NPU_QUOTA_BYTES)
		return quota_counts[quota];
	return mib ? mib * SZ_1M : quota_quarters(2);
}

/**
 * npu_quota_of_user - what the files of a user may have together
 * @quota: Of what.
 *
 * Return: Bytes, or how many.
 */
u64 npu_quota_of_user(enum npu_quota quota)
{
	u64 mib = READ_ONCE(npu_max_user_mib);

	if (quota != NPU_QUOTA_BYTES)
		return quota_counts[quota] * NPU_MAX_USER_FACTOR;
	return mib ? mib * SZ_1M : quota_quarters(3);
}

/* What is refused is not counted for a moment either: that could refuse what somebody else asks. */
static bool quota_add(atomic64_t *used, u64 amount, u64 max)
{
	s64 before = atomic64_read(used);

	do {
		if (amount > max || (u64)before > max - amount)
			return false;
	} while (!atomic64_try_cmpxchg(used, &before, before + amount));
	return true;
}

/**
 * npu_quota_take - count something in, or refuse it
 * @file: The file that wants it.
 * @quota: What.
 * @amount: How much.
 *
 * Return: 0; -EDQUOT, or -EBUSY for jobs, which end without being asked to.
 */
int npu_quota_take(struct npu_file *file, enum npu_quota quota, u64 amount)
{
	const int refusal = quota == NPU_QUOTA_JOBS ? -EBUSY : -EDQUOT;
	struct npu_user *user = file->user;

	if (!quota_add(&file->used[quota], amount, npu_quota_of_file(quota)))
		return refusal;
	if (!user || quota_add(&user->used[quota], amount, npu_quota_of_user(quota)))
		return 0;
	atomic64_sub(amount, &file->used[quota]);
	return refusal;
}

/**
 * npu_quota_give - count something out
 * @file: The file that took it.
 * @quota: What.
 * @amount: How much.
 */
void npu_quota_give(struct npu_file *file, enum npu_quota quota, u64 amount)
{
	if (file->user)
		atomic64_sub(amount, &file->user->used[quota]);
	atomic64_sub(amount, &file->used[quota]);
}

static struct npu_user *quota_user(kuid_t uid)
{
	struct npu_user *user;

	lockdep_assert_held(&quota_lock);
	list_for_each_entry(user, &quota_users, link)
		if (uid_eq(user->uid, uid))
			return user;
	user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);
	if (!user)
		return NULL;
	user->uid = uid;
	list_add(&user->link, &quota_users);
	return user;
}

/**
 * npu_quota_join - count a file for the user who opens it
 * @file: The file, for npu_quota_leave() unless this fails.
 *
 * Return: 0 or -ENOMEM.
 */
int npu_quota_join(struct npu_file *file)
{
	if (ns_capable_noaudit(&init_user_ns, CAP_SYS_RESOURCE))
		return 0;
	mutex_lock(&quota_lock);
	file->user = quota_user(current_uid());
	if (file->user)
		file->user->files++;
	mutex_unlock(&quota_lock);
	return file->user ? 0 : -ENOMEM;
}

/**
 * npu_quota_leave - a file has nothing any more
 * @file: The file.
 */
void npu_quota_leave(struct npu_file *file)
{
	struct npu_user *user = file->user;

	if (!user)
		return;
	mutex_lock(&quota_lock);
	if (!--user->files) {
		list_del(&user->link);
		kfree(user);
	}
	mutex_unlock(&quota_lock);
}
