#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints one -DNPU_HAVE_* for each kernel interface found in the headers. Stable kernels carry
# backports, so what the headers say counts and version numbers do not.
#
# usage: compat.sh INCLUDE_DIR
set -eu

include=$1

# has FILE REGEX NAME: the regular expression sees the header as one long line.
has() {
	if [ -f "$include/$1" ] && tr -s '\n\t ' ' ' <"$include/$1" | grep -qE "$2"; then
		printf -- '-DNPU_HAVE_%s ' "$3"
	fi
}

has drm/drm_accel.h 'accel_open\(' ACCEL_H
has drm/drm_file.h 'u64 client_id;' CLIENT_ID
has drm/drm_device.h 'struct dentry \*debugfs_root;' DEV_DEBUGFS_ROOT
has drm/drm_drv.h 'char \*date;' DRIVER_DATE
has drm/drm_drv.h '\(\*gem_prime_mmap\)' PRIME_HOOKS
has drm/gpu_scheduler.h 'struct drm_sched_init_args \{' SCHED_INIT_ARGS
has drm/gpu_scheduler.h 'struct drm_sched_init_args \{[^}]* num_rqs;' SCHED_INIT_NUM_RQS
has drm/gpu_scheduler.h 'drm_sched_init\([^)]*submit_wq' SCHED_INIT_SUBMIT_WQ
has drm/gpu_scheduler.h 'drm_sched_init\([^)]*u32 num_rqs' SCHED_INIT_RQS
has drm/gpu_scheduler.h 'drm_sched_job_init\([^)]*u32 credits' SCHED_CREDITS
has drm/gpu_scheduler.h 'drm_sched_job_init\([^)]*drm_client_id' SCHED_CLIENT_ID
has drm/gpu_scheduler.h 'DRM_SCHED_PRIORITY_LOW' SCHED_PRIORITY_LOW
has trace/stages/stage6_event_callback.h 'define __assign_str\(dst\)' ASSIGN_STR_DST
has linux/dma-buf.h 'bool cache_sgt_mapping;' DMA_BUF_CACHE_SGT
has linux/dma-fence.h 'struct dma_fence_ops __rcu \*ops;' FENCE_OPS_RCU
has linux/mm.h 'void vm_flags_set\(' VM_FLAGS_SET
has linux/module.h 'MODULE_IMPORT_NS\(ns\) MODULE_INFO\(import_ns, ns\)' IMPORT_NS_STRING
has linux/platform_device.h '\(\*remove_new\)\(struct platform_device' PLATFORM_REMOVE_NEW
