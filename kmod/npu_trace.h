/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events: the life of a submission. (dev, client, ctx, seqno) names it; client is the one of
 * fdinfo, seqno counts the submissions of the context.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM npu

#if !defined(_NPU_TRACE_H_) || defined(TRACE_HEADER_MULTI_READ)
#define _NPU_TRACE_H_

#include <linux/tracepoint.h>

#include "npu_ctx.h"
#include "npu_drv.h"
#include "npu_file.h"
#include "npu_job.h"

/* clang-format off */
#define NPU_TRACE_JOB_DEV(job) dev_name((job)->ctx->file->npu->drm.dev)

/* A submission is armed: from here on it will end. */
TRACE_EVENT(npu_submit,
	    TP_PROTO(const struct npu_job *job),
	    TP_ARGS(job),
	    TP_STRUCT__entry(__string(dev, NPU_TRACE_JOB_DEV(job))
			     __field(u64, client)
			     __field(u64, seqno)
			     __field(u32, ctx)
			     __field(u32, jobs)
			     __field(u32, bos)),
	    TP_fast_assign(npu_compat_assign_str(dev, NPU_TRACE_JOB_DEV(job));
			   __entry->client = job->ctx->file->client_id;
			   __entry->seqno = job->fence->base.seqno;
			   __entry->ctx = job->ctx->id;
			   __entry->jobs = job->n_ops;
			   __entry->bos = job->n_bos;),
	    TP_printk("dev=%s client=%llu ctx=%u seqno=%llu jobs=%u bos=%u",
		      __get_str(dev), __entry->client, __entry->ctx, __entry->seqno, __entry->jobs,
		      __entry->bos));

DECLARE_EVENT_CLASS(npu_slot,
		    TP_PROTO(const struct npu_slot *slot),
		    TP_ARGS(slot),
		    TP_STRUCT__entry(__string(dev, NPU_TRACE_JOB_DEV(slot->job))
				     __field(u64, client)
				     __field(u64, seqno)
				     __field(u32, ctx)
				     __field(u32, index)
				     __field(u32, group)
				     __field(u32, m)
				     __field(u32, n)
				     __field(u32, k)),
		    TP_fast_assign(npu_compat_assign_str(dev, NPU_TRACE_JOB_DEV(slot->job));
				   __entry->client = slot->job->ctx->file->client_id;
				   __entry->seqno = slot->job->fence->base.seqno;
				   __entry->ctx = slot->job->ctx->id;
				   __entry->index = slot->op - slot->job->ops;
				   __entry->group = slot->group;
				   __entry->m = slot->op->job.m;
				   __entry->n = slot->op->job.n;
				   __entry->k = slot->op->job.k;),
		    TP_printk("dev=%s client=%llu ctx=%u seqno=%llu index=%u group=%u m=%u n=%u k=%u",
			      __get_str(dev), __entry->client, __entry->ctx, __entry->seqno,
			      __entry->index, __entry->group, __entry->m, __entry->n, __entry->k));

/* The engine may begin a job. It may still be busy with the one before. */
DEFINE_EVENT(npu_slot, npu_job_start,
	     TP_PROTO(const struct npu_slot *slot),
	     TP_ARGS(slot));

/* The engine hangs on a job. */
DEFINE_EVENT(npu_slot, npu_timeout,
	     TP_PROTO(const struct npu_slot *slot),
	     TP_ARGS(slot));

/* The engine is done with a job. */
TRACE_EVENT(npu_job_done,
	    TP_PROTO(const struct npu_slot *slot, u64 engine_ns),
	    TP_ARGS(slot, engine_ns),
	    TP_STRUCT__entry(__string(dev, NPU_TRACE_JOB_DEV(slot->job))
			     __field(u64, client)
			     __field(u64, seqno)
			     __field(u64, engine_ns)
			     __field(u32, ctx)
			     __field(u32, index)),
	    TP_fast_assign(npu_compat_assign_str(dev, NPU_TRACE_JOB_DEV(slot->job));
			   __entry->client = slot->job->ctx->file->client_id;
			   __entry->seqno = slot->job->fence->base.seqno;
			   __entry->engine_ns = engine_ns;
			   __entry->ctx = slot->job->ctx->id;
			   __entry->index = slot->op - slot->job->ops;),
	    TP_printk("dev=%s client=%llu ctx=%u seqno=%llu index=%u engine_ns=%llu",
		      __get_str(dev), __entry->client, __entry->ctx, __entry->seqno, __entry->index,
		      __entry->engine_ns));

/* The engine was reset after a hang; @err says whether it works again. */
TRACE_EVENT(npu_reset,
	    TP_PROTO(const struct npu_device *npu, int err),
	    TP_ARGS(npu, err),
	    TP_STRUCT__entry(__string(dev, dev_name(npu->drm.dev))
			     __field(int, err)),
	    TP_fast_assign(npu_compat_assign_str(dev, dev_name(npu->drm.dev));
			   __entry->err = err;),
	    TP_printk("dev=%s err=%d", __get_str(dev), __entry->err));

#endif /* _NPU_TRACE_H_ */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE npu_trace
#include <trace/define_trace.h>
