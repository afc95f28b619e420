/* SPDX-License-Identifier: MIT WITH Linux-syscall-note */
/*
 * Kernel interface of npu.ko, a DRM driver for integer neural processing units.
 */
#ifndef _NPU_ACCEL_H_
#define _NPU_ACCEL_H_

/* User space has this header from libdrm, whose folder its pkg-config file names. */
#if defined(__KERNEL__)
#include <drm/drm.h>
#else
#include <drm.h>
#endif

#if defined(__cplusplus)
extern "C" {
#endif

/**
 * DOC: Overview
 *
 * The DRM driver name is "npu". Its node is /dev/accel/accelN on kernels built with
 * CONFIG_DRM_ACCEL and /dev/dri/renderDN on the others; the ioctls are the same on both and need
 * no privilege beyond access to the node, but for a context of high priority.
 *
 * User space never names an address. It creates buffer objects (BOs), describes each job as
 * (handle, offset, strides) plus shape and arithmetic, and the kernel checks every byte the
 * engine will touch before it writes a register. Nothing here depends on a version number: what
 * a device can do is asked with DRM_IOCTL_NPU_DEV_QUERY, and structures grow at their end.
 *
 * Rules that hold for every structure:
 *
 * - Fields called pad or reserved, and unknown flag bits, must be zero; the kernel refuses
 *   others with EINVAL.
 * - A larger structure than the kernel knows is accepted when the excess is zero (E2BIG
 *   otherwise); a smaller one is extended with zeroes. Zero means "as before" for every field
 *   that is added later.
 * - Layout is identical for 32 and 64 bit user space.
 *
 * DOC: Errors
 *
 * ========== ====================================================================================
 * EINVAL     an argument is outside what the interface or DEV_QUERY allows
 * ENOENT     no BO, context, syncobj or perfmon of this file has that handle
 * EFAULT     a user pointer cannot be read or written
 * E2BIG      a structure is larger than the kernel knows and the excess is not zero, or an array
 *            has more elements than DEV_QUERY allows
 * ENOMEM     out of memory, or no contiguous memory of that size
 * EACCES     a context priority above normal without CAP_SYS_NICE
 * EBUSY      BO_PREP with NOWAIT: the engine still uses the BO. SUBMIT: this file has max_pending
 *            jobs outstanding, or all files of this user have 16 times as many; some have to end
 *            first
 * EDQUOT     BO_CREATE, CTX_CREATE, PERFMON_CREATE: this file has all the bytes, contexts or
 *            perfmons that one file may have, or all files of this user have what they may.
 *            open(): they have all the contexts
 * ETIME      BO_PREP: the deadline passed first
 * EIO        the device is wedged: a reset failed, or there is no reset line; nothing will run
 * ENODEV     the device is gone
 * ENOTTY     the kernel does not have this ioctl: ask DEV_QUERY instead of trying
 * ========== ====================================================================================
 *
 * A fence of a job that ran carries its outcome: 0, ETIMEDOUT (the engine hung on it), EIO (the
 * device is wedged), ECANCELED (its context or its file went away first), ENODEV (the device went
 * away). A sync_file made from the fence shows it, and DRM_IOCTL_NPU_CTX_STATE counts it. Engines
 * do not report bus errors: an op that meets one hangs.
 *
 * DOC: A device that goes away
 *
 * Ioctls fail with ENODEV from then on, and so do the jobs that had not ended. Memory stays for
 * whoever has it mapped, from the node or as a dma-buf, and for drivers that imported it: with the
 * results of the jobs that ended, and without what may be written in the very moment.
 */

#define DRM_NPU_DEV_QUERY 0x00
#define DRM_NPU_BO_CREATE 0x01
#define DRM_NPU_BO_INFO 0x02
#define DRM_NPU_BO_PREP 0x03
#define DRM_NPU_BO_FINI 0x04
#define DRM_NPU_CTX_CREATE 0x05
#define DRM_NPU_CTX_DESTROY 0x06
#define DRM_NPU_CTX_STATE 0x07
#define DRM_NPU_SUBMIT 0x08
#define DRM_NPU_PERFMON_CREATE 0x09
#define DRM_NPU_PERFMON_DESTROY 0x0a
#define DRM_NPU_PERFMON_VALUES 0x0b

/**
 * struct drm_npu_array - an array in user memory
 * @stride: Size of one element as user space knows it.
 * @count: Number of elements.
 * @pointer: User address of the first element.
 */
struct drm_npu_array {
	__u32 stride;
	__u32 count;
	__u64 pointer;
};

/* ---- Device ---------------------------------------------------------------------------- */

/**
 * enum drm_npu_query_type - what DRM_IOCTL_NPU_DEV_QUERY can be asked
 */
enum drm_npu_query_type {
	/** @DRM_NPU_QUERY_DEVICE: struct drm_npu_device_info. */
	DRM_NPU_QUERY_DEVICE = 0,
	/** @DRM_NPU_QUERY_MATMUL: struct drm_npu_matmul_limits. */
	DRM_NPU_QUERY_MATMUL = 1,
	/**
	 * @DRM_NPU_QUERY_COUNTERS: an array of struct drm_npu_counter, as many as the
	 * device has.
	 */
	DRM_NPU_QUERY_COUNTERS = 2,
};

/**
 * struct drm_npu_dev_query - DRM_IOCTL_NPU_DEV_QUERY
 * @type: One of enum drm_npu_query_type.
 * @size: In: room at @pointer in bytes. Out: the size the kernel has for this type. At most the
 *	smaller of the two is written, and room beyond it is cleared.
 * @pointer: User address of the answer, or 0 to learn @size only.
 */
struct drm_npu_dev_query {
	__u32 type;
	__u32 size;
	__u64 pointer;
};

/**
 * enum drm_npu_family - families of engines
 */
enum drm_npu_family {
	/** @DRM_NPU_FAMILY_NVDLA: NVIDIA Deep Learning Accelerator, the open RTL. */
	DRM_NPU_FAMILY_NVDLA = 1,
};

/** DRM_NPU_CAP_RESET - the driver can reset the engine, so a hang costs one job. */
#define DRM_NPU_CAP_RESET (1ULL << 0)

/** DRM_NPU_CAP_IOMMU - an IOMMU translates for the engine. */
#define DRM_NPU_CAP_IOMMU (1ULL << 1)

/**
 * struct drm_npu_device_info - answer to DRM_NPU_QUERY_DEVICE
 * @name: Hardware configuration, for example "nv_small"; NUL terminated.
 * @family: One of enum drm_npu_family.
 * @cores: Engines behind this node.
 * @clock_hz: Clock of the engine in Hz, 0 when the kernel cannot know it.
 * @caps: DRM_NPU_CAP_* bits.
 * @max_bo_bytes: Largest size DRM_IOCTL_NPU_BO_CREATE accepts.
 * @max_jobs: Largest number of jobs in one SUBMIT.
 * @max_syncs: Largest number of syncs in one SUBMIT.
 * @max_pending: Jobs of one file that may be outstanding.
 * @max_contexts: Contexts of one file, the one it is born with included.
 * @max_file_bytes: Bytes of BOs that one file may create. Imports do not count. What counts is
 *	given back when the last user of a BO is gone: handle, mapping, job or importer.
 * @max_user_bytes: Bytes of BOs that all files of the user who opened this one may have created
 *	together, on all NPUs; 0 when they are not counted together, because he had
 *	CAP_SYS_RESOURCE. For jobs, contexts and perfmons, what is counted together is 16 times what
 *	one file may have.
 */
struct drm_npu_device_info {
	char name[32];
	__u32 family;
	__u32 cores;
	__u64 clock_hz;
	__u64 caps;
	__u64 max_bo_bytes;
	__u32 max_jobs;
	__u32 max_syncs;
	__u32 max_pending;
	__u32 max_contexts;
	__u64 max_file_bytes;
	__u64 max_user_bytes;
};

/**
 * struct drm_npu_matmul_limits - answer to DRM_NPU_QUERY_MATMUL
 * @atom_bytes: Bytes of one memory atom: int8 channels stored together in A and C, and the
 *	alignment of every offset and stride.
 * @mac_channels: Channels (K) the MAC array consumes a cycle; also the channels in one weight
 *	block.
 * @mac_kernels: Kernels (N) the MAC array computes a cycle; also the kernels in one weight group.
 * @cbuf_banks: Banks of the convolution buffer, shared by data and weights.
 * @cbuf_bank_entries: Entries in a bank.
 * @cbuf_entry_bytes: Bytes of an entry.
 * @bus_bytes: Bytes the memory port moves a cycle.
 * @max_width: Largest M / height.
 * @max_height: Largest height.
 * @max_k: Largest K.
 * @max_n: Largest N.
 * @epilogue_cycles: Cycles that the output stage takes for one row of C and one group of
 *	mac_kernels columns, rounded up; 0 when not known. With K below epilogue_cycles *
 *	mac_channels it holds the MAC array up.
 * @max_job_macs: Largest M * N * K of one job; bounds the time one job holds the engine.
 * @narrows: Which of enum drm_npu_narrow the engine has, by bit.
 * @pad: Zero.
 */
struct drm_npu_matmul_limits {
	__u32 atom_bytes;
	__u32 mac_channels;
	__u32 mac_kernels;
	__u32 cbuf_banks;
	__u32 cbuf_bank_entries;
	__u32 cbuf_entry_bytes;
	__u32 bus_bytes;
	__u32 max_width;
	__u32 max_height;
	__u32 max_k;
	__u32 max_n;
	__u32 epilogue_cycles;
	__u64 max_job_macs;
	__u32 narrows;
	__u32 pad;
};

/**
 * struct drm_npu_counter - element of the answer to DRM_NPU_QUERY_COUNTERS
 * @name: What is counted; NUL terminated. nv_small has:
 *
 *	- "data-read-stall", "weight-read-stall", "write-stall": cycles in which a request of the
 *	  engine's memory port for A, for W or for C waited to be accepted.
 *	- "out-saturation": results that the output converter clipped to 17 bits, step 3 of the
 *	  arithmetic. Whole atoms count, so padding of C may. What step 4 clips is not counted by
 *	  the hardware.
 * @unit: In what: "cycles" or "results"; NUL terminated.
 */
struct drm_npu_counter {
	char name[32];
	char unit[16];
};

/* ---- Buffer objects -------------------------------------------------------------------- */

/**
 * struct drm_npu_bo_create - DRM_IOCTL_NPU_BO_CREATE
 * @size: In: bytes wanted, above 0. Out: bytes given, a multiple of the page size.
 * @flags: Zero.
 * @handle: Out: handle of the BO, never 0.
 * @mmap_offset: Out: offset for mmap() on the node.
 *
 * The memory is zeroed and contiguous for the engine. CPU mappings are cached; on boards whose
 * engine does not snoop the caches the brackets BO_PREP and BO_FINI keep both views equal, so
 * user space always uses them.
 */
struct drm_npu_bo_create {
	__u64 size;
	__u32 flags;
	__u32 handle;
	__u64 mmap_offset;
};

/**
 * struct drm_npu_bo_info - DRM_IOCTL_NPU_BO_INFO
 * @handle: Handle of a BO, created here or imported.
 * @flags: Out: zero.
 * @size: Out: size in bytes.
 * @mmap_offset: Out: offset for mmap() on the node.
 */
struct drm_npu_bo_info {
	__u32 handle;
	__u32 flags;
	__u64 size;
	__u64 mmap_offset;
};

/** DRM_NPU_ACCESS_READ - the CPU is going to read, or has read. */
#define DRM_NPU_ACCESS_READ (1U << 0)

/** DRM_NPU_ACCESS_WRITE - the CPU is going to write, or has written. */
#define DRM_NPU_ACCESS_WRITE (1U << 1)

/** DRM_NPU_ACCESS_NOWAIT - do not wait for the engine: EBUSY instead. */
#define DRM_NPU_ACCESS_NOWAIT (1U << 2)

/**
 * struct drm_npu_bo_prep - DRM_IOCTL_NPU_BO_PREP
 * @handle: Handle of a BO.
 * @flags: DRM_NPU_ACCESS_READ and/or _WRITE, and perhaps _NOWAIT.
 * @offset: First byte of the range.
 * @size: Bytes in the range, 0 for all from @offset on.
 * @deadline_ns: Give up at this time of CLOCK_MONOTONIC.
 *
 * Opens a CPU access: waits until the engine no longer writes the BO (READ) or no longer uses it
 * at all (WRITE), then makes the range coherent for the CPU.
 */
struct drm_npu_bo_prep {
	__u32 handle;
	__u32 flags;
	__u64 offset;
	__u64 size;
	__s64 deadline_ns;
};

/**
 * struct drm_npu_bo_fini - DRM_IOCTL_NPU_BO_FINI
 * @handle: Handle of a BO.
 * @flags: DRM_NPU_ACCESS_READ and/or _WRITE: what was done since BO_PREP.
 * @offset: First byte of the range.
 * @size: Bytes in the range, 0 for all from @offset on.
 *
 * Closes a CPU access: makes what the CPU wrote visible to the engine.
 */
struct drm_npu_bo_fini {
	__u32 handle;
	__u32 flags;
	__u64 offset;
	__u64 size;
};

/* ---- Contexts -------------------------------------------------------------------------- */

/**
 * enum drm_npu_priority - order in which contexts get the engine
 */
enum drm_npu_priority {
	/** @DRM_NPU_PRIORITY_LOW: runs when nothing else wants to. */
	DRM_NPU_PRIORITY_LOW = -1,
	/** @DRM_NPU_PRIORITY_NORMAL: the default. */
	DRM_NPU_PRIORITY_NORMAL = 0,
	/** @DRM_NPU_PRIORITY_HIGH: before the others; needs CAP_SYS_NICE. */
	DRM_NPU_PRIORITY_HIGH = 1,
};

/**
 * struct drm_npu_ctx_create - DRM_IOCTL_NPU_CTX_CREATE
 * @flags: Zero.
 * @priority: One of enum drm_npu_priority.
 * @id: Out: the context, never 0. Context 0 is there from open() on, at normal priority.
 * @pad: Zero.
 *
 * A context is a queue: its submissions run in order.
 */
struct drm_npu_ctx_create {
	__u32 flags;
	__s32 priority;
	__u32 id;
	__u32 pad;
};

/**
 * struct drm_npu_ctx_destroy - DRM_IOCTL_NPU_CTX_DESTROY
 * @id: Context to destroy; context 0 cannot be. Its queued submissions end with ECANCELED, the
 *	ones on the engine run to their end.
 * @pad: Zero.
 */
struct drm_npu_ctx_destroy {
	__u32 id;
	__u32 pad;
};

/**
 * struct drm_npu_ctx_state - DRM_IOCTL_NPU_CTX_STATE
 * @id: Context to look at.
 * @last_error: Out: error of the last failed submission as a positive errno, 0 if none failed.
 * @submits_done: Out: submissions that have ended, failed ones included.
 * @submits_failed: Out: submissions that ended with an error.
 * @jobs_done: Out: jobs the engine completed.
 * @engine_ns: Out: time the engine spent on jobs of this context, in nanoseconds. A job counts
 *	from when the engine could begin it (programmed, and the job before it done) to its
 *	completion interrupt. Times clock_hz this is the device cycles spent.
 */
struct drm_npu_ctx_state {
	__u32 id;
	__u32 last_error;
	__u64 submits_done;
	__u64 submits_failed;
	__u64 jobs_done;
	__u64 engine_ns;
};

/* ---- Jobs ------------------------------------------------------------------------------ */

/**
 * DOC: Matrix multiplication
 *
 * C[M,N] = epilogue(A[M,K] x W[N,K]^T), int8 in, int8 out. With a = atom_bytes of
 * struct drm_npu_matmul_limits and M = width * height, all strides and offsets multiples of a:
 *
 * - A and C are stored as planes of a channels: element (row m = h * width + w, channel c) is at
 *   offset + (c / a) * plane_stride + h * row_stride + w * a + c % a. The packed form has
 *   row_stride = width * a and plane_stride = M * a. The result of one job is laid out as the
 *   input of the next.
 *   With M = 1 the engine takes and writes the planes back to back whatever plane_stride says, so
 *   plane_stride must then be the packed one; the same holds for a per-element operand.
 * - W is stored in groups of mac_kernels kernels; in a group, blocks of mac_channels channels; in
 *   a block, kernel by kernel, channels contiguous. Tail groups and blocks are not padded. The
 *   whole is N * K bytes, and the engine reads up to the next multiple of cbuf_entry_bytes.
 * - A per-channel operand is an array over N, read up to the next multiple of a elements; a
 *   per-element operand is laid out like C with element size operand_bytes, so atoms of
 *   a * operand_bytes. A stage with both an ALU and a MUL operand in memory stores them
 *   interleaved, ALU first, which doubles the element size.
 * - Whole atoms of C are written. What lands in the padding of the last plane is not specified,
 *   and padding of A is not used.
 *
 * Arithmetic. RSH(x, s) is x / 2^s rounded to nearest, halves away from zero; sat(n) clamps to n
 * bits signed. For each element, starting from the exact sum over K:
 *
 * 1. x = sat32(RSH(sat34(sum), acc_shift)).
 * 2. Stage x1, then stage x2, each unless it is empty:
 *    x = max | min | sum of x and sat32(alu_operand << alu_shift); then
 *    x = sat32(RSH(x * mul_operand, mul_shift)), without the product where mul_src is NONE; then
 *    RELU sets negative x to 0. With PRELU the multiplication, its shift and the saturation apply
 *    to negative x only; others keep their low 32 bits, so a sum that has outgrown them wraps.
 * 3. x = sat17(RSH((x - cvt_offset) * cvt_scale, cvt_shift)).
 * 4. SAT8 stores sat8(x); LOW8 stores the low 8 bits of sat16(x).
 */

/**
 * struct drm_npu_tensor - where an operand lies
 * @handle: BO handle; 0 where the job has no such operand, and then all else is 0.
 * @pad: Zero.
 * @offset: First byte in the BO, a multiple of atom_bytes.
 * @row_stride: Bytes from one of the height lines to the next; 0 for W and per-channel operands.
 * @plane_stride: Bytes from one plane of channels to the next; 0 for W and per-channel operands.
 */
struct drm_npu_tensor {
	__u32 handle;
	__u32 pad;
	__u64 offset;
	__u32 row_stride;
	__u32 plane_stride;
};

/**
 * enum drm_npu_alu_op - first half of an epilogue stage
 */
enum drm_npu_alu_op {
	/** @DRM_NPU_ALU_NONE: leave x alone. */
	DRM_NPU_ALU_NONE = 0,
	/** @DRM_NPU_ALU_MAX: larger of x and the operand. */
	DRM_NPU_ALU_MAX = 1,
	/** @DRM_NPU_ALU_MIN: smaller of x and the operand. */
	DRM_NPU_ALU_MIN = 2,
	/** @DRM_NPU_ALU_ADD: sum of x and the operand. */
	DRM_NPU_ALU_ADD = 3,
};

/**
 * enum drm_npu_operand_src - where an epilogue operand comes from
 */
enum drm_npu_operand_src {
	/** @DRM_NPU_OPERAND_NONE: there is none. */
	DRM_NPU_OPERAND_NONE = 0,
	/** @DRM_NPU_OPERAND_IMM: the immediate in the stage. */
	DRM_NPU_OPERAND_IMM = 1,
	/** @DRM_NPU_OPERAND_CHANNEL: memory, one for each of the N channels. */
	DRM_NPU_OPERAND_CHANNEL = 2,
	/** @DRM_NPU_OPERAND_ELEMENT: memory, one for each element of C. */
	DRM_NPU_OPERAND_ELEMENT = 3,
};

/**
 * enum drm_npu_act - end of an epilogue stage
 */
enum drm_npu_act {
	/** @DRM_NPU_ACT_NONE: leave x alone. */
	DRM_NPU_ACT_NONE = 0,
	/** @DRM_NPU_ACT_RELU: negative x becomes 0. */
	DRM_NPU_ACT_RELU = 1,
	/** @DRM_NPU_ACT_PRELU: the multiplication applies to negative x only. */
	DRM_NPU_ACT_PRELU = 2,
};

/**
 * struct drm_npu_stage - one epilogue stage; all zero for an empty one
 * @alu_op: One of enum drm_npu_alu_op.
 * @alu_src: One of enum drm_npu_operand_src; NONE exactly where @alu_op is NONE.
 * @alu_shift: Left shift of the ALU operand, 0 to 63.
 * @mul_src: One of enum drm_npu_operand_src. Where both sources are in memory they are of the
 *	same kind.
 * @mul_shift: Right shift of the product, 0 to 63; also without a multiplication.
 * @act: One of enum drm_npu_act; PRELU needs a multiplication.
 * @operand_bytes: Size of one operand in memory, 1 or 2 bytes, signed; 0 with none in memory.
 * @pad: Zero.
 * @alu_imm: ALU operand when @alu_src is IMM, else 0.
 * @mul_imm: MUL operand when @mul_src is IMM, else 0.
 * @pad2: Zero.
 * @operand: Operands in memory.
 */
struct drm_npu_stage {
	__u8 alu_op;
	__u8 alu_src;
	__u8 alu_shift;
	__u8 mul_src;
	__u8 mul_shift;
	__u8 act;
	__u8 operand_bytes;
	__u8 pad;
	__s16 alu_imm;
	__s16 mul_imm;
	__u32 pad2;
	struct drm_npu_tensor operand;
};

/**
 * enum drm_npu_narrow - how a result becomes 8 bits
 */
enum drm_npu_narrow {
	/** @DRM_NPU_NARROW_SAT8: saturate to -128..127. */
	DRM_NPU_NARROW_SAT8 = 0,
	/**
	 * @DRM_NPU_NARROW_LOW8: saturate to 16 bits, store the low 8. Not every engine has it: see
	 * drm_npu_matmul_limits.narrows.
	 */
	DRM_NPU_NARROW_LOW8 = 1,
};

/**
 * enum drm_npu_op - what a job computes
 */
enum drm_npu_op {
	/** @DRM_NPU_OP_MATMUL: the job is a struct drm_npu_job_matmul. */
	DRM_NPU_OP_MATMUL = 1,
};

/**
 * struct drm_npu_job_matmul - one matrix multiplication
 * @op: DRM_NPU_OP_MATMUL.
 * @flags: Zero.
 * @m: Rows of A and C.
 * @n: Columns of C, rows of W.
 * @k: Columns of A and W.
 * @height: Lines the rows are split into, a divisor of @m; width is @m / @height.
 * @data_banks: CBUF banks for A, which must hold all of it: @height times ceil(width *
 *	ceil(@k / atom_bytes) * atom_bytes / cbuf_entry_bytes) entries. 0 lets the kernel choose
 *	both counts.
 * @weight_banks: CBUF banks for W, which must hold at least one group of mac_kernels kernels; a
 *	larger W streams through. 0 exactly where @data_banks is 0.
 * @acc_shift: Right shift of the accumulator, 0 to 31.
 * @narrow: One of enum drm_npu_narrow.
 * @pad: Zero.
 * @a: Activations.
 * @w: Weights.
 * @c: Result. Its bytes, the padding of the last atom included, are written; they may not
 *	overlap an operand of the same job.
 * @x1: First epilogue stage.
 * @x2: Second epilogue stage.
 * @cvt_offset: Subtracted first by the output converter.
 * @cvt_scale: Then multiplied.
 * @cvt_shift: Then shifted right by this, 0 to 63.
 * @pad2: Zero.
 */
struct drm_npu_job_matmul {
	__u32 op;
	__u32 flags;
	__u32 m;
	__u32 n;
	__u32 k;
	__u32 height;
	__u8 data_banks;
	__u8 weight_banks;
	__u8 acc_shift;
	__u8 narrow;
	__u32 pad;
	struct drm_npu_tensor a;
	struct drm_npu_tensor w;
	struct drm_npu_tensor c;
	struct drm_npu_stage x1;
	struct drm_npu_stage x2;
	__s32 cvt_offset;
	__s16 cvt_scale;
	__u8 cvt_shift;
	__u8 pad2;
};

/* ---- Performance counters ---------------------------------------------------------------- */

/**
 * struct drm_npu_perfmon_create - DRM_IOCTL_NPU_PERFMON_CREATE
 * @flags: Zero.
 * @id: Out: the perfmon, never 0.
 * @counters: Which counters, at least one: bit i is element i of DRM_NPU_QUERY_COUNTERS.
 *
 * A perfmon sums hardware counters over the jobs of all submissions that name it, from any of the
 * file's contexts.
 */
struct drm_npu_perfmon_create {
	__u32 flags;
	__u32 id;
	__u64 counters;
};

/**
 * struct drm_npu_perfmon_destroy - DRM_IOCTL_NPU_PERFMON_DESTROY
 * @id: Perfmon to destroy. Submissions that name it go on.
 * @pad: Zero.
 */
struct drm_npu_perfmon_destroy {
	__u32 id;
	__u32 pad;
};

/** DRM_NPU_PERFMON_RESET - start again from zero, in one step with the reading. */
#define DRM_NPU_PERFMON_RESET (1U << 0)

/**
 * struct drm_npu_perfmon_values - DRM_IOCTL_NPU_PERFMON_VALUES
 * @id: Perfmon to read.
 * @flags: 0 or DRM_NPU_PERFMON_RESET.
 * @count: Room at @pointer in values, at least the number of bits set in
 *	drm_npu_perfmon_create.counters.
 * @pad: Zero.
 * @pointer: User address of the answer: a __u64 for each bit set, lowest bit first.
 * @jobs: Out: jobs that the values are the sum of.
 *
 * A job counts when the engine has completed it, and before the fence of its submission signals.
 */
struct drm_npu_perfmon_values {
	__u32 id;
	__u32 flags;
	__u32 count;
	__u32 pad;
	__u64 pointer;
	__u64 jobs;
};

/* ---- Submission ------------------------------------------------------------------------ */

/** DRM_NPU_SYNC_WAIT - the jobs start after this point has signalled. */
#define DRM_NPU_SYNC_WAIT (1U << 0)

/** DRM_NPU_SYNC_SIGNAL - this point signals when the jobs have ended. */
#define DRM_NPU_SYNC_SIGNAL (1U << 1)

/**
 * struct drm_npu_sync - a syncobj to wait for or to signal
 * @handle: Syncobj handle.
 * @flags: Exactly one of DRM_NPU_SYNC_WAIT and DRM_NPU_SYNC_SIGNAL.
 * @point: Timeline point, 0 for a binary syncobj.
 */
struct drm_npu_sync {
	__u32 handle;
	__u32 flags;
	__u64 point;
};

/**
 * struct drm_npu_submit - DRM_IOCTL_NPU_SUBMIT
 * @ctx: Context to run in, 0 for the one every file has.
 * @flags: Zero.
 * @jobs: Array of jobs, each struct drm_npu_job_matmul; 1 to max_jobs of them.
 * @syncs: Array of struct drm_npu_sync, may be empty.
 * @fail_index: Out: when SUBMIT fails because of one job, its index; otherwise ~0.
 * @perfmon: Perfmon that counts the jobs, 0 for none: reading counters costs time.
 *
 * All or nothing: every job is validated before any is queued. The jobs run in order, back to
 * back; the engine overlaps neighbours that do not depend on each other. Neighbours with the same
 * banks that read the same A, or the same W where it fits its banks whole, fetch it once. One fence
 * stands for the whole submission; it is signalled to the syncs and attached to every BO, as writer
 * where a job writes it. The submission also waits for the fences it finds on the BOs. After the
 * first job that fails the rest is not run.
 */
struct drm_npu_submit {
	__u32 ctx;
	__u32 flags;
	struct drm_npu_array jobs;
	struct drm_npu_array syncs;
	__u32 fail_index;
	__u32 perfmon;
};

#define DRM_IOCTL_NPU_DEV_QUERY \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_DEV_QUERY, struct drm_npu_dev_query)
#define DRM_IOCTL_NPU_BO_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_BO_CREATE, struct drm_npu_bo_create)
#define DRM_IOCTL_NPU_BO_INFO DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_BO_INFO, struct drm_npu_bo_info)
#define DRM_IOCTL_NPU_BO_PREP DRM_IOW(DRM_COMMAND_BASE + DRM_NPU_BO_PREP, struct drm_npu_bo_prep)
#define DRM_IOCTL_NPU_BO_FINI DRM_IOW(DRM_COMMAND_BASE + DRM_NPU_BO_FINI, struct drm_npu_bo_fini)
#define DRM_IOCTL_NPU_CTX_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_CTX_CREATE, struct drm_npu_ctx_create)
#define DRM_IOCTL_NPU_CTX_DESTROY \
	DRM_IOW(DRM_COMMAND_BASE + DRM_NPU_CTX_DESTROY, struct drm_npu_ctx_destroy)
#define DRM_IOCTL_NPU_CTX_STATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_CTX_STATE, struct drm_npu_ctx_state)
#define DRM_IOCTL_NPU_SUBMIT DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_SUBMIT, struct drm_npu_submit)
#define DRM_IOCTL_NPU_PERFMON_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_PERFMON_CREATE, struct drm_npu_perfmon_create)
#define DRM_IOCTL_NPU_PERFMON_DESTROY \
	DRM_IOW(DRM_COMMAND_BASE + DRM_NPU_PERFMON_DESTROY, struct drm_npu_perfmon_destroy)
#define DRM_IOCTL_NPU_PERFMON_VALUES \
	DRM_IOWR(DRM_COMMAND_BASE + DRM_NPU_PERFMON_VALUES, struct drm_npu_perfmon_values)

#if defined(__cplusplus)
}
#endif

#endif /* _NPU_ACCEL_H_ */
