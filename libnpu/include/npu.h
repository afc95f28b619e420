/* SPDX-License-Identifier: MIT */
/*
 * libnpu - int8 matrix multiplication on neural processing units.
 *
 *	C[M,N] = epilogue(A[M,K] x W[N,K]^T)
 *
 * An application opens a device, makes tensors (activations in the device's own layout), packs
 * weights once, describes the output stage as an epilogue, binds the four into a matmul, and
 * submits matmuls to a queue. The same program gives the same bits on every device, the CPU
 * included.
 *
 * Errors: a function that can fail returns 0 or a negative errno value, and fills the struct
 * npu_error it was given (NULL is allowed) with a sentence a person can act on. Out parameters
 * are written on success only.
 *
 * Ownership: what a create function returns is the caller's, until the matching destroy, which
 * accepts NULL. An object that is still in use by another (tensors by a matmul, a device by
 * everything) lives on until that one is destroyed too, so the order does not matter.
 *
 * Threads: a device, and objects that are only read (weights, epilogues), may be used from any
 * number of threads. A queue, a matmul, a tensor or a buffer may be used by one thread at a time.
 * There is no global state, and the library prints nothing.
 *
 * Growth: structures that a caller passes begin with their size; set it to sizeof. Fields that a
 * later library adds are then taken as zero.
 */
#ifndef NPU_H
#define NPU_H

#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
extern "C" {
#endif

#define NPU_VERSION_MAJOR 0
#define NPU_VERSION_MINOR 1
#define NPU_VERSION_PATCH 0

/** Version of the library that is running, for example "0.1.0". For people, not for checks. */
const char *npu_version(void);

/** Room for the text of a struct npu_error, its NUL included. */
#define NPU_ERROR_TEXT 256

/**
 * struct npu_error - why a call failed
 * @code: Negative errno value, as returned by the call.
 * @text: What is wrong and what to do about it, one sentence, no newline.
 */
struct npu_error {
	int code;
	char text[NPU_ERROR_TEXT];
};

/* ---- Device ---------------------------------------------------------------------------- */

struct npu_device;

/**
 * Opens a device.
 * @name: "cpu" for the CPU backend; the path of a device node; or NULL for the NPU with the
 *	lowest node number. NULL never falls back to the CPU.
 *
 * Errors: -ENODEV no NPU is there, or the node belongs to another driver; -ENOENT no such path;
 * -EACCES no permission for the node (the text says which group has it); -ENOTSUP the driver
 * lacks something this library needs; -ENOMEM.
 */
int npu_device_open(const char *name, struct npu_device **dev, struct npu_error *err);

/** Gives up the caller's hold on a device. */
void npu_device_close(struct npu_device *dev);

/**
 * struct npu_device_info - what a device is
 * @size: sizeof(struct npu_device_info), set by the caller.
 * @backend: "nvdla" or "cpu".
 * @name: Hardware configuration, for example "nv_small"; for the CPU its kernels' name.
 * @node: Path of the device node, "" for the CPU.
 * @driver: Name of the kernel driver, "" for the CPU.
 * @clock_hz: Clock of the engine in Hz, 0 if unknown.
 * @macs_per_cycle: Multiply-accumulates the engine can do in a cycle, 0 for the CPU.
 * @bus_bytes_per_cycle: Bytes the engine can move in a cycle, 0 for the CPU.
 * @cbuf_bytes: On-chip operand buffer in bytes, 0 for the CPU.
 * @can_reset: Non-zero when the engine can be recovered from a hang.
 * @has_iommu: Non-zero when an IOMMU translates for the engine.
 */
struct npu_device_info {
	size_t size;
	char backend[16];
	char name[32];
	char node[64];
	char driver[16];
	uint64_t clock_hz;
	uint32_t macs_per_cycle;
	uint32_t bus_bytes_per_cycle;
	uint32_t cbuf_bytes;
	uint32_t can_reset;
	uint32_t has_iommu;
};

/** Fills @info. Errors: -EINVAL @info->size is not a size this function ever had. */
int npu_device_get_info(const struct npu_device *dev, struct npu_device_info *info,
			struct npu_error *err);

/* ---- Buffers --------------------------------------------------------------------------- */

struct npu_buffer;

/** The CPU is going to read the range. */
#define NPU_ACCESS_READ 1u
/** The CPU is going to write the range. */
#define NPU_ACCESS_WRITE 2u

/**
 * Allocates zeroed device memory. Many tensors can share one buffer, see npu_tensor_create_in();
 * but jobs that write a buffer are put in order with all others that use it, whichever part of it
 * that is. Tensors that different queues write should be in different buffers.
 * @bytes: Above 0; rounded up to whole pages.
 *
 * Errors: -EINVAL, -ENOMEM.
 */
int npu_buffer_create(struct npu_device *dev, size_t bytes, struct npu_buffer **buf,
		      struct npu_error *err);

/**
 * Makes a file descriptor for the memory of a buffer: for another device of this process, another
 * process, another driver. An NPU gives a dma-buf, the CPU a memory file that is sealed against
 * changes of its size. Whoever has it can read and write all of the buffer.
 * @fd: The caller's to close, with FD_CLOEXEC set. The memory lives for as long as it is open, or
 *	imported, or the buffer lives.
 *
 * The receiver has to know what is in the memory: a tensor in it is the same to all devices whose
 * npu_device_info has the same backend and name.
 *
 * Errors: -EINVAL, -EMFILE, -ENOMEM, -ENODEV the device is lost.
 */
int npu_buffer_export(struct npu_buffer *buf, int *fd, struct npu_error *err);

/**
 * Makes a buffer of memory that another device, process or driver shares: what npu_buffer_export()
 * gave, or any dma-buf. Nothing is copied. Jobs of an NPU wait for other drivers that use a dma-buf
 * and make them wait, where those have fences.
 * @fd: Stays the caller's, who may close it after the call.
 *
 * Without an IOMMU the engine needs a dma-buf of contiguous memory, such as those of cameras,
 * displays and /dev/dma_heap/linux,cma. The CPU takes every dma-buf that can be mapped, but of
 * other files only memory files that are sealed against shrinking.
 *
 * Errors: -EBADF not an open file descriptor; -EINVAL not a memory that the device can use (the
 * text says why); -ENOMEM; -EIO, -ENODEV the device is lost.
 */
int npu_buffer_import(struct npu_device *dev, int fd, struct npu_buffer **buf,
		      struct npu_error *err);

/** Gives up the caller's hold on a buffer. */
void npu_buffer_destroy(struct npu_buffer *buf);

/** Size in bytes. */
size_t npu_buffer_size(const struct npu_buffer *buf);

/**
 * Begins a CPU access: waits until the device no longer needs the buffer, at most @timeout_ns
 * (negative: for ever), and makes the range coherent.
 * @access: NPU_ACCESS_READ, NPU_ACCESS_WRITE or both.
 * @offset, @bytes: The range.
 * @data: The first byte of the range, valid until npu_buffer_end_access().
 *
 * Errors: -EINVAL the range is not inside the buffer; -ETIME; -EIO, -ENODEV the device is lost.
 */
int npu_buffer_begin_access(struct npu_buffer *buf, unsigned int access, size_t offset,
			    size_t bytes, int64_t timeout_ns, void **data, struct npu_error *err);

/** Ends the CPU access that began with the same arguments. */
int npu_buffer_end_access(struct npu_buffer *buf, unsigned int access, size_t offset, size_t bytes,
			  struct npu_error *err);

/* ---- Tensors --------------------------------------------------------------------------- */

struct npu_tensor;

/**
 * Makes an int8 matrix of @rows x @cols in the device's layout, in memory of its own, all zero.
 * The result of one matmul can be the input of the next with no CPU touch in between.
 *
 * Errors: -EINVAL @rows or @cols is 0 or too large; -ENOMEM.
 */
int npu_tensor_create(struct npu_device *dev, uint32_t rows, uint32_t cols,
		      struct npu_tensor **tensor, struct npu_error *err);

/**
 * Bytes npu_tensor_create_in() needs for a matrix, 0 if the shape is not possible. A multiple of
 * the alignment it asks of offsets, so that tensors can be laid end to end.
 */
size_t npu_tensor_bytes(const struct npu_device *dev, uint32_t rows, uint32_t cols);

/**
 * Makes an int8 matrix at @offset of a buffer, whose bytes are left as they are.
 *
 * Errors: -EINVAL the shape is not possible, or @offset is not a multiple of 64, or the matrix
 * does not fit into the buffer; -ENOMEM.
 */
int npu_tensor_create_in(struct npu_buffer *buf, size_t offset, uint32_t rows, uint32_t cols,
			 struct npu_tensor **tensor, struct npu_error *err);

/** Gives up the caller's hold on a tensor. */
void npu_tensor_destroy(struct npu_tensor *tensor);

/** Rows of a tensor. */
uint32_t npu_tensor_rows(const struct npu_tensor *tensor);

/** Columns of a tensor. */
uint32_t npu_tensor_cols(const struct npu_tensor *tensor);

/**
 * Copies rows in from row-major memory, waiting for the device first.
 * @first_row, @rows: Which rows.
 * @src: Element (r, c) of the copied rows is at src[r * row_stride + c].
 * @row_stride: Bytes, at least the number of columns; 0 means exactly that.
 *
 * Errors: -EINVAL; -EIO, -ENODEV the device is lost.
 */
int npu_tensor_write(struct npu_tensor *tensor, uint32_t first_row, uint32_t rows,
		     const int8_t *src, size_t row_stride, struct npu_error *err);

/** Copies rows out to row-major memory; the mirror of npu_tensor_write(). */
int npu_tensor_read(struct npu_tensor *tensor, uint32_t first_row, uint32_t rows, int8_t *dst,
		    size_t row_stride, struct npu_error *err);

/* ---- Weights --------------------------------------------------------------------------- */

struct npu_weights;

/**
 * Packs an int8 weight matrix into device memory. Done once; the object can then serve any
 * number of matmuls in any number of threads. Many small ones share few buffers of the device, so
 * they may be as many as memory allows. Where memory of destroyed weights is used again the call
 * waits for jobs that may still read it.
 * @n, @k: Rows (output channels) and columns (input channels), each at least 1.
 * @data: Element (row, col) is at data[row * row_stride + col]; copied.
 * @row_stride: Bytes, at least @k; 0 means exactly @k.
 *
 * Errors: -EINVAL, -ENOMEM; -EIO, -ENODEV the device is lost.
 */
int npu_weights_create(struct npu_device *dev, uint32_t n, uint32_t k, const int8_t *data,
		       size_t row_stride, struct npu_weights **weights, struct npu_error *err);

/** Rows of weights, the N of a matmul. */
uint32_t npu_weights_n(const struct npu_weights *weights);

/** Columns of weights, the K of a matmul. */
uint32_t npu_weights_k(const struct npu_weights *weights);

/**
 * Saves weights as the device has them packed, for npu_weights_open(). The file replaces another of
 * that name when it is complete and on the disk; when the call fails there is nothing new.
 * @path: Folder and name. Beside it there is a temporary file meanwhile.
 *
 * What is in the file is for devices that pack alike: those of the same engine, or the CPU backend
 * of the same library. It is a cache of the weights and no exchange format: keep the original.
 * Its numbers are little-endian and its checksums XXH64; see npu_weights(3).
 *
 * Errors: -EINVAL @path is there and is not a file; -ENOMEM; what open(2), write(2) and rename(2)
 * say, -ENOSPC for example.
 */
int npu_weights_save(const struct npu_weights *weights, const char *path, struct npu_error *err);

/**
 * Opens weights that were saved. The CPU uses them where the file is mapped, an NPU copies them
 * once into its memory. All of the file is read, to check it.
 *
 * While weights of the CPU are open their file must not be written to; npu_weights_save(), which
 * replaces it, is no danger.
 *
 * Errors: -EBADMSG not a file of packed weights, cut short or damaged; -ENOTSUP of another version
 * or packed for another device (the text says which); -EINVAL not a file; -ENOMEM; what open(2)
 * says.
 */
int npu_weights_open(struct npu_device *dev, const char *path, struct npu_weights **weights,
		     struct npu_error *err);

/**
 * Makes a file descriptor for the memory of weights, with a description of them in it, for
 * npu_weights_import() by another device or process. Weights smaller than 1 MiB share memory with
 * others; they are copied into memory of their own for that, in every call.
 * @fd: The caller's to close, as that of npu_buffer_export().
 *
 * Errors: as npu_buffer_export().
 */
int npu_weights_export(const struct npu_weights *weights, int *fd, struct npu_error *err);

/**
 * Uses weights of another device or process where they are, without a copy.
 * @fd: Stays the caller's, who may close it after the call.
 *
 * The description is checked, and nothing in it or in the weights can lead the device to memory
 * that is not in @fd. But who has exported the weights can change them at any time, so import them
 * only from whom you trust with the results.
 *
 * Errors: as npu_buffer_import(), and -EBADMSG there are no weights in it; -ENOTSUP they are packed
 * for another device.
 */
int npu_weights_import(struct npu_device *dev, int fd, struct npu_weights **weights,
		       struct npu_error *err);

/** Gives up the caller's hold on weights. */
void npu_weights_destroy(struct npu_weights *weights);

/* ---- Epilogue -------------------------------------------------------------------------- */

struct npu_epilogue;

/** enum npu_activation - what follows the scaling */
enum npu_activation {
	NPU_ACTIVATION_NONE = 0,
	NPU_ACTIVATION_RELU = 1, /* negative results become 0, before the zero point is added */
};

/** Largest magnitude of a bias. */
#define NPU_BIAS_MAX (1 << 30)

/** Largest right shift of an epilogue. */
#define NPU_SHIFT_MAX 62

/**
 * struct npu_epilogue_desc - from int32 accumulators to int8 results
 * @size: sizeof(struct npu_epilogue_desc), set by the caller.
 * @n: Output channels.
 * @bias: @n values of magnitude at most NPU_BIAS_MAX, or NULL for none; copied.
 * @multiplier: One value (per tensor) or @n values (per channel); copied.
 * @multiplier_count: 1 or @n.
 * @shift: Right shift of the product, 0 to NPU_SHIFT_MAX.
 * @zero_point: Zero point of the result, -128 to 127.
 * @activation: One of enum npu_activation.
 *
 * For row m and channel n, with acc the exact sum over K clamped to int32:
 *
 *	t = (acc + bias[n]) * multiplier[n]			exact
 *	t = t / 2^shift rounded to nearest, halves away from zero, clamped to int32
 *	t = t < 0 ? 0 : t					with RELU
 *	c = clamp(t + zero_point, -128, 127)
 *
 * This is the arithmetic of NVDLA's output stage (SDP), so the fused engine and the CPU agree to
 * the bit. A zero point za of the input is a matter of the bias: subtract za * sum over k of
 * w[n][k] from it.
 */
struct npu_epilogue_desc {
	size_t size;
	uint32_t n;
	const int32_t *bias;
	const int16_t *multiplier;
	uint32_t multiplier_count;
	uint32_t shift;
	int32_t zero_point;
	enum npu_activation activation;
};

/**
 * Makes an epilogue.
 *
 * Errors: -EINVAL (the text names the field and the channel), -ENOMEM.
 */
int npu_epilogue_create(struct npu_device *dev, const struct npu_epilogue_desc *desc,
			struct npu_epilogue **epilogue, struct npu_error *err);

/** Gives up the caller's hold on an epilogue. */
void npu_epilogue_destroy(struct npu_epilogue *epilogue);

/* ---- Matmul ---------------------------------------------------------------------------- */

struct npu_matmul;

/**
 * struct npu_matmul_desc - one multiplication
 * @size: sizeof(struct npu_matmul_desc), set by the caller.
 * @a: Input, M x K.
 * @weights: N x K.
 * @epilogue: Output stage for N channels.
 * @c: Output, M x N, which must not share memory with @a.
 *
 * All four belong to the same device.
 */
struct npu_matmul_desc {
	size_t size;
	struct npu_tensor *a;
	struct npu_weights *weights;
	struct npu_epilogue *epilogue;
	struct npu_tensor *c;
};

/**
 * Plans a multiplication: tiles it to the device's limits and prepares everything a submission
 * needs, so that submitting allocates nothing. M, K and N may be any size that memory allows.
 *
 * Errors: -EINVAL (the text names the shapes that do not fit together), -ENOMEM.
 */
int npu_matmul_create(struct npu_device *dev, const struct npu_matmul_desc *desc,
		      struct npu_matmul **matmul, struct npu_error *err);

/** Gives up the caller's hold on a matmul. */
void npu_matmul_destroy(struct npu_matmul *matmul);

/**
 * struct npu_plan - how a matmul will be carried out
 * @size: sizeof(struct npu_plan), set by the caller.
 * @m, @k, @n: Shape.
 * @jobs: Jobs for the engine; 0 on the CPU.
 * @macs: Multiply-accumulates, M * K * N.
 * @bytes: Bytes the operands and the result occupy, each counted once.
 * @cycles: Predicted engine cycles, 0 on the CPU.
 * @limit_cycles: Physical limit, max(macs / macs_per_cycle, bytes / bus_bytes_per_cycle); 0 on
 *	the CPU.
 * @host_steps: Steps that the CPU does as part of the matmul. Above 0 on an NPU only where K is
 *	longer than the engine's limit: the partial sums are then added up and requantized on the
 *	CPU, bit for bit the same. Submitting such a matmul blocks until it is done.
 */
struct npu_plan {
	size_t size;
	uint32_t m, k, n;
	uint32_t jobs;
	uint64_t macs;
	uint64_t bytes;
	uint64_t cycles;
	uint64_t limit_cycles;
	uint32_t host_steps;
};

/** Fills @plan. Errors: -EINVAL @plan->size is not a size this function ever had. */
int npu_matmul_get_plan(const struct npu_matmul *matmul, struct npu_plan *plan,
			struct npu_error *err);

/* ---- Queue ----------------------------------------------------------------------------- */

struct npu_queue;

/** Makes a queue. Submissions of one queue run in order. Errors: -ENOMEM, -EIO, -ENODEV. */
int npu_queue_create(struct npu_device *dev, struct npu_queue **queue, struct npu_error *err);

/** Waits for everything submitted, then gives up the queue. */
void npu_queue_destroy(struct npu_queue *queue);

/**
 * Submits matmuls, which run in the order given; one may read what an earlier one wrote.
 * Returns without waiting for the device (but see host_steps in struct npu_plan, and the CPU
 * backend computes in the call). When the queue is full the call waits for its oldest
 * submission. Nothing is allocated.
 * @ticket: Receives what npu_queue_wait() takes, may be NULL.
 *
 * Errors: -EINVAL; -ENOMEM; -EIO, -ENODEV the device is lost.
 */
int npu_queue_submit(struct npu_queue *queue, struct npu_matmul *const *matmuls, size_t count,
		     uint64_t *ticket, struct npu_error *err);

/**
 * Waits until a submission has ended, at most @timeout_ns (negative: for ever), and tells how.
 *
 * Errors: -ETIME it has not ended yet; -ETIMEDOUT the engine hung on it and was reset; -ECANCELED
 * an earlier part of it failed; -EIO, -ENODEV the device is lost; -EINVAL no such ticket, or one
 * so old that its outcome is forgotten (the queue remembers its last 64 submissions).
 */
int npu_queue_wait(struct npu_queue *queue, uint64_t ticket, int64_t timeout_ns,
		   struct npu_error *err);

/** Submits and waits: the blocking way. */
int npu_queue_run(struct npu_queue *queue, struct npu_matmul *const *matmuls, size_t count,
		  struct npu_error *err);

/**
 * struct npu_queue_stats - what a queue has done so far
 * @size: sizeof(struct npu_queue_stats), set by the caller.
 * @matmuls: Matmuls submitted.
 * @jobs: Jobs the engine completed.
 * @engine_ns: Time the engine worked for this queue, as the kernel driver measured it between
 *	interrupts; 0 on the CPU. Times the clock this is device cycles.
 * @host_steps: Steps done on the CPU on behalf of an NPU, see struct npu_plan.
 */
struct npu_queue_stats {
	size_t size;
	uint64_t matmuls;
	uint64_t jobs;
	uint64_t engine_ns;
	uint64_t host_steps;
};

/** Fills @stats. Errors: -EINVAL, -EIO, -ENODEV. */
int npu_queue_get_stats(struct npu_queue *queue, struct npu_queue_stats *stats,
			struct npu_error *err);

/* ---- Quantization ---------------------------------------------------------------------- */

/**
 * Symmetric scale of a float vector: max |x| / 127, so that x ~ scale * q with q in -127..127;
 * 1 if all are 0 (Jacob et al., "Quantization and Training of Neural Networks for Efficient
 * Integer-Arithmetic-Only Inference", 2018, with zero point 0).
 *
 * Errors: -EINVAL @count is 0, or an element is not finite (the text names it).
 */
int npu_quant_scale(const float *x, size_t count, float *scale, struct npu_error *err);

/**
 * Quantizes: q = clamp(round(x / scale) + zero_point, -128, 127), the quotient in float, halves to
 * even. Infinities end at the limits.
 *
 * Errors: -EINVAL @scale is not a positive finite number, or an element is NaN.
 */
int npu_quant_int8(const float *x, size_t count, float scale, int32_t zero_point, int8_t *q,
		   struct npu_error *err);

/**
 * Quantizes a weight matrix symmetrically with a scale for each output channel.
 * @w: n x k floats, row-major.
 * @q: n x k results, row-major, -127 to 127.
 * @scale: n results.
 *
 * Errors: -EINVAL a shape is 0 or an element is not finite (the text names row and column).
 */
int npu_quant_weights(const float *w, uint32_t n, uint32_t k, int8_t *q, float *scale,
		      struct npu_error *err);

/**
 * Finds the fixed-point form of rescaling factors: factor[i] ~ multiplier[i] / 2^shift with one
 * shift for all, chosen so that the largest multiplier uses all 15 bits, unless that would take
 * more than NPU_SHIFT_MAX. The error of a factor is at most half of 2^-shift, that is a relative
 * error of at most 2^-15 for the largest one.
 * For a matmul factor[n] = scale_a * scale_w[n] / scale_c.
 *
 * Errors: -EINVAL @count is 0, a factor is negative or not finite, all are 0, or the largest is
 * 32767.5 or more.
 */
int npu_quant_requantize(const float *factor, size_t count, int16_t *multiplier, uint32_t *shift,
			 struct npu_error *err);

#if defined(__cplusplus)
}
#endif

#endif /* NPU_H */
