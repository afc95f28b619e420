/* SPDX-License-Identifier: MIT */
/*
 * libnpu - integer matrix multiplication on neural processing units.
 *
 *	C[M,N] = epilogue(A[M,K] x W[N,K]^T)
 *
 * An application opens a device, makes tensors (activations in the device's own layout), packs
 * weights once, describes the output stage as an epilogue, binds the four into a matmul, and
 * submits matmuls to a queue. The same program gives the same bits on every device, the CPU
 * included: all arithmetic is written out at struct npu_epilogue_desc.
 *
 * Errors: a function that can fail returns 0 or a negative errno value, and fills the struct
 * npu_error it was given (NULL is allowed) with a sentence a person can act on. Out parameters
 * are written on success only.
 *
 * Ownership: what a create function returns is the caller's, until the matching destroy, which
 * accepts NULL. An object that is still in use by another (tensors by a matmul, a device by
 * everything) lives on until that one is destroyed too, so the order does not matter.
 *
 * Threads: a device, a queue, and objects that are only read (weights, epilogues, matmuls), may be
 * used from any number of threads. A tensor or a buffer may be accessed by one thread at a time;
 * submissions that use it may be under way, the access waits for them. There is no global state,
 * and the library prints nothing.
 *
 * Growth: structures that a caller passes begin with their size; set it to sizeof. Fields that a
 * later library adds are then taken as zero.
 */
#ifndef NPU_H
#define NPU_H

#include <stdbool.h>
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
 * @name: "cpu" for the CPU backend with one thread, "cpu:N" with N of them, "cpu:all" with one for
 *	each processor; the path of a device node; or NULL for the NPU with the lowest node number.
 *	NULL never falls back to the CPU.
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
 * @column_align: Windows of tensors begin at multiples of so many columns, see
 *	npu_tensor_create_view(); a power of two, at most 64, and 1 on the CPU.
 * @max_pending: Jobs that may be under way for all queues of a device that is opened once; more
 *	make a submission wait. 0 on the CPU.
 * @max_buffer_bytes: Largest buffer the device can have; 0 on the CPU, where memory is the limit.
 * @max_total_bytes: All buffers that a device gives while it is opened once; 0 on the CPU.
 * @max_queues: Queues of a device that is opened once, 0 on the CPU.
 * @threads: Threads of the CPU backend, 0 on an NPU.
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
	uint32_t column_align;
	uint32_t max_pending;
	uint64_t max_buffer_bytes;
	uint64_t max_total_bytes;
	uint32_t max_queues;
	uint32_t threads;
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
 * enum npu_type - elements of a tensor, as npu_tensor_write() takes and npu_tensor_read() gives
 * them
 *
 * A (inputs) may be INT8, UINT8 or INT16; C (results) and residuals may be any. How a device keeps
 * them is its own affair; multi-byte elements in application memory are in the machine's order.
 */
enum npu_type {
	NPU_TYPE_INT8 = 1,
	NPU_TYPE_UINT8 = 2,
	NPU_TYPE_INT16 = 3,
	NPU_TYPE_INT32 = 4,
	NPU_TYPE_FLOAT16 = 5, /* IEEE 754 binary16, its bits in a uint16_t */
	NPU_TYPE_FLOAT32 = 6, /* IEEE 754 binary32 */
};

/** Bytes of an element in application memory; 0 if there is no such type. */
size_t npu_type_size(enum npu_type type);

/**
 * Makes a matrix of @rows x @cols in the device's layout, in memory of its own, all zero. The
 * result of one matmul can be the input of the next with no CPU touch in between.
 *
 * Errors: -EINVAL @type is none, or @rows or @cols is 0 or too large; -ENOMEM.
 */
int npu_tensor_create(struct npu_device *dev, enum npu_type type, uint32_t rows, uint32_t cols,
		      struct npu_tensor **tensor, struct npu_error *err);

/**
 * Bytes npu_tensor_create_in() needs for a matrix, 0 if the type or shape is not possible. A
 * multiple of the alignment it asks of offsets, so that tensors can be laid end to end.
 */
size_t npu_tensor_bytes(const struct npu_device *dev, enum npu_type type, uint32_t rows,
			uint32_t cols);

/**
 * Makes a matrix at @offset of a buffer, whose bytes are left as they are.
 *
 * Errors: -EINVAL the type or shape is not possible, or @offset is not a multiple of 64, or the
 * matrix does not fit into the buffer; -ENOMEM.
 */
int npu_tensor_create_in(struct npu_buffer *buf, size_t offset, enum npu_type type, uint32_t rows,
			 uint32_t cols, struct npu_tensor **tensor, struct npu_error *err);

/**
 * Makes a window of another tensor, which shares its memory and can be used like any tensor:
 * the heads of an attention layer, a batch out of many, the columns of a concatenation.
 * @first_row, @rows: Which rows.
 * @first_col, @cols: Which columns; @first_col is a multiple of column_align of struct
 *	npu_device_info. Results are stored faster where the window also ends at such a multiple, or
 *	with the last column.
 *
 * Errors: -EINVAL the window is not inside @tensor or does not begin at such a column; -ENOMEM.
 */
int npu_tensor_create_view(struct npu_tensor *tensor, uint32_t first_row, uint32_t rows,
			   uint32_t first_col, uint32_t cols, struct npu_tensor **view,
			   struct npu_error *err);

/** Gives up the caller's hold on a tensor. */
void npu_tensor_destroy(struct npu_tensor *tensor);

/** Type of a tensor's elements. */
enum npu_type npu_tensor_type(const struct npu_tensor *tensor);

/** Rows of a tensor. */
uint32_t npu_tensor_rows(const struct npu_tensor *tensor);

/** Columns of a tensor. */
uint32_t npu_tensor_cols(const struct npu_tensor *tensor);

/**
 * Copies rows in from row-major memory, waiting for the device first.
 * @first_row, @rows: Which rows.
 * @src: Row r of the copied rows is at @src + r * @row_stride bytes, elements as the type has them.
 * @row_stride: Bytes, at least a row's; 0 means exactly that.
 *
 * Errors: -EINVAL; -EIO, -ENODEV the device is lost.
 */
int npu_tensor_write(struct npu_tensor *tensor, uint32_t first_row, uint32_t rows, const void *src,
		     size_t row_stride, struct npu_error *err);

/** Copies rows out to row-major memory; the mirror of npu_tensor_write(). */
int npu_tensor_read(struct npu_tensor *tensor, uint32_t first_row, uint32_t rows, void *dst,
		    size_t row_stride, struct npu_error *err);

/* ---- Weights --------------------------------------------------------------------------- */

struct npu_weights;

/**
 * enum npu_weight_type - how weights are given; all become int8 when they are packed
 */
enum npu_weight_type {
	/** @NPU_WEIGHTS_INT8: A byte each. */
	NPU_WEIGHTS_INT8 = 0,
	/** @NPU_WEIGHTS_INT4: Two's complement, -8 to 7, two in a byte, the first in the low half.
	 */
	NPU_WEIGHTS_INT4 = 1,
	/** @NPU_WEIGHTS_CODEBOOK: Indices of 1 to 8 bits into a table of int8 values. */
	NPU_WEIGHTS_CODEBOOK = 2,
};

/** Groups of K are a multiple of this long. */
#define NPU_GROUP_UNIT 32

/**
 * struct npu_weights_desc - matrices of weights
 * @size: sizeof(struct npu_weights_desc), set by the caller.
 * @type: One of enum npu_weight_type.
 * @n, @k: Rows (output channels) and columns (input channels) of a matrix, each at least 1.
 * @batch: Number of matrices, 0 means 1; see struct npu_matmul_desc.
 * @group_size: Columns that have zero points and scales in common, a multiple of NPU_GROUP_UNIT;
 *	0 means all @k. The last group may be shorter.
 * @data: The weights; copied.
 * @row_stride: Bytes from a row to the next, at least a row's; 0 means exactly that. A row takes
 *	@k bytes, or ceil(@k * bits / 8) with weights of 4 or @index_bits bits.
 * @matrix_stride: Bytes from a matrix to the next, at least @n rows'; 0 means exactly that.
 * @index_bits: CODEBOOK: bits of an index, 1 to 8. Index i of a row is its bits i * @index_bits
 *	and up; bit b of a row is bit b % 8 of byte b / 8.
 * @codebook: CODEBOOK: values that indices stand for.
 * @codebook_entries: CODEBOOK: 1 to 2^@index_bits; every index must be below it.
 * @codebook_per_channel: CODEBOOK: each of the @n channels has @codebook_entries values of its
 *	own, one channel after the other; else there is one table for all.
 * @zero_point: What stands for zero, -128 to 127; a weight means its value less this. One, or one
 *	for each channel, or one for each group of each channel ([n][groups]); the same in all
 *	matrices.
 * @zero_point_count: 0 (none), 1, @n or @n * ceil(@k / @group_size).
 *
 * Unsigned weights are signed ones whose zero point has moved: take 128 (or 8, with 4 bits) off
 * both, which is the top bit flipped in the data.
 *
 * Zero points cost nothing where every difference fits int8, as it always does with 4 bits and zero
 * points of 4 bits; otherwise NVDLA computes exact sums (see NPU_STAGE_ZERO_POINTS).
 */
struct npu_weights_desc {
	size_t size;
	enum npu_weight_type type;
	uint32_t n;
	uint32_t k;
	uint32_t batch;
	uint32_t group_size;
	const void *data;
	size_t row_stride;
	size_t matrix_stride;
	uint32_t index_bits;
	const int8_t *codebook;
	uint32_t codebook_entries;
	bool codebook_per_channel;
	const int32_t *zero_point;
	uint32_t zero_point_count;
};

/**
 * Packs weights into device memory. Done once; the object can then serve any number of matmuls in
 * any number of threads. Many small ones share few buffers of the device, so they may be as many as
 * memory allows. Where memory of destroyed weights is used again the call waits for jobs that may
 * still read it.
 *
 * Errors: -EINVAL (the text names the field), -ENOMEM; -EIO, -ENODEV the device is lost.
 */
int npu_weights_create(struct npu_device *dev, const struct npu_weights_desc *desc,
		       struct npu_weights **weights, struct npu_error *err);

/** Rows of weights, the N of a matmul. */
uint32_t npu_weights_n(const struct npu_weights *weights);

/** Columns of weights, the K of a matmul. */
uint32_t npu_weights_k(const struct npu_weights *weights);

/** Matrices of weights, 1 unless there is a batch of them. */
uint32_t npu_weights_batch(const struct npu_weights *weights);

/**
 * Saves weights as the device has them packed, for npu_weights_open(). The file replaces another of
 * that name when it is complete and on the disk; when the call fails there is nothing new.
 * @path: Folder and name. Beside it there is a temporary file meanwhile.
 *
 * What is in the file is for devices that pack alike: those of the same engine, or processors whose
 * instructions the CPU backend uses alike. It is a cache of the weights and no exchange format:
 * keep the original. Its numbers are little-endian and its checksums XXH64; see npu_weights(3).
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

/** enum npu_scaling - from accumulators to results; defined at struct npu_epilogue_desc */
enum npu_scaling {
	/** @NPU_SCALING_FIXED16: 16-bit multiplier and a shift, what NVDLA's output stage does. */
	NPU_SCALING_FIXED16 = 0,
	/** @NPU_SCALING_TFLITE: TensorFlow Lite's quantized multiplier, rounded once. */
	NPU_SCALING_TFLITE = 1,
	/** @NPU_SCALING_TFLITE_DOUBLE: The same, rounded twice, as gemmlowp does. */
	NPU_SCALING_TFLITE_DOUBLE = 2,
	/** @NPU_SCALING_FLOAT: binary32 scale, halves to even: ONNX, XNNPACK; and float results. */
	NPU_SCALING_FLOAT = 3,
	/** @NPU_SCALING_NONE: the accumulator itself: exact int32. */
	NPU_SCALING_NONE = 4,
};

/** enum npu_activation - what follows the scaling */
enum npu_activation {
	NPU_ACTIVATION_NONE = 0,
	NPU_ACTIVATION_RELU = 1,  /* negative results become 0, before the zero point is added */
	NPU_ACTIVATION_RELU6 = 2, /* and those above 6.0 become 6.0 */
};

/** Largest magnitude of a bias. */
#define NPU_BIAS_MAX (1 << 30)

/** Largest right shift of FIXED16. */
#define NPU_SHIFT_MAX 62

/** Range of a TFLITE exponent. */
#define NPU_EXPONENT_MIN (-31)
#define NPU_EXPONENT_MAX 30

/**
 * struct npu_epilogue_desc - from accumulators to results
 * @size: sizeof(struct npu_epilogue_desc), set by the caller.
 * @n: Output channels.
 * @groups: Groups of K that have scales of their own, as the weights have them; 0 means 1. More
 *	than 1 goes with FLOAT only.
 * @bias: @n values of magnitude at most NPU_BIAS_MAX, in units of the accumulator, or NULL for
 *	none; not with more than one group.
 * @float_bias: FLOAT: @n finite values in units of the scaled result, or NULL for none.
 * @scaling: One of enum npu_scaling.
 * @scale_count: Values in the arrays of the scaling: 1 (per tensor) or @n * @groups (per channel,
 *	or [n][groups]); not used with NONE.
 * @multiplier: FIXED16: any int16.
 * @shift: FIXED16: right shift of the product, 0 to NPU_SHIFT_MAX.
 * @multiplier_q31: TFLITE: 0 to 2^31 - 1; the factor is multiplier_q31 * 2^(exponent - 31).
 * @exponent: TFLITE: NPU_EXPONENT_MIN to NPU_EXPONENT_MAX; TensorFlow's "shift", left if positive.
 * @scale: FLOAT: finite values.
 * @zero_point: Zero point of the result: a value of its type; 0 for int32 and float.
 * @activation: One of enum npu_activation.
 * @output_scale: RELU6 on integer results: what one step of the result means, above 0.
 * @clamp: If true, results are clamped to @clamp_min..@clamp_max in the end.
 * @clamp_min, @clamp_max: In units of the stored result, so that the zero point is included; whole
 *	numbers of its type where that is an integer. @clamp_min is at most @clamp_max.
 * @residual_zero_point: Zero point zr of the residual; a value of its type, 0 for float.
 * @residual_multiplier, @residual_shift: FIXED16: the residual's factor. With 1 and 0 it has the
 *	same scale as the result, which NVDLA can add as it goes along.
 * @residual_multiplier_q31, @residual_exponent: TFLITE: the residual's factor.
 * @residual_scale: FLOAT: the residual's factor.
 *
 * All arrays are copied. The accumulator of row m and channel n is the exact sum over K (or over a
 * group of K), with zero points za of A and zw of W,
 *
 *	acc = sum over k of (a[m][k] - za) * (w[n][k] - zw[n][group of k])
 *	s = acc + bias[n], clamped to int32; with an int16 A to 48 bits
 *
 * and the scaling makes of it, each time clamped to int32,
 *
 *	FIXED16		t = round_away(s * multiplier / 2^shift)
 *	TFLITE		t = round_up(s * multiplier_q31 / 2^(31 - exponent))
 *	TFLITE_DOUBLE	t = round_away(round_up(clamp32(s * 2^max(exponent, 0)) *
 *			multiplier_q31 / 2^31) / 2^max(-exponent, 0))
 *	NONE		t = s
 *	FLOAT		f = sum over groups of float(s) * scale, then + float_bias[n]
 *
 * round_away rounds to nearest, halves away from zero; round_up to nearest, halves towards
 * +infinity. With an int16 A, TFLITE and TFLITE_DOUBLE are both what TensorFlow Lite does with
 * 64-bit accumulators: the multiplier is reduced to 16 bits, r = min((multiplier_q31 + 2^15) / 2^16
 * rounded down, 2^15 - 1), and t = round_up(s * r / 2^(15 - exponent)); the exponent is then at
 * most 14.
 * FLOAT is binary32 arithmetic: float() and each product and sum are rounded to nearest, halves to
 * even, groups are added in the order of K, and there is no contraction. Then, with r the residual
 * and its own factor,
 *
 *	FIXED16		t = clamp32(t + clamp32(round_away((r - zr) * multiplier / 2^shift)))
 *	TFLITE		t = clamp32(t + what the scaling makes of r - zr, for an 8-bit A)
 *	NONE		t = clamp32(t + r - zr)
 *	FLOAT		f = f + float(r - zr) * residual_scale
 *
 * An integer residual goes with any scaling, a float one with FLOAT, where float() of it is the
 * value itself. Integer results of FLOAT: t = clamp32(f rounded, halves to even), 0 for NaN. Then
 *
 *	t = max(t, 0)					with RELU and RELU6
 *	t = min(t, round_away(6 / output_scale))	with RELU6; a binary32 quotient
 *	c = t + zero_point, clamped to the type, then to clamp_min..clamp_max
 *
 * Float results go with FLOAT: f = max(f, 0), f = min(f, 6), clamped, and rounded to binary16 where
 * that is the type, halves to even, too large ones to infinity.
 *
 * Sources: FIXED16 is NVDLA's output stage (SDP). TFLITE and TFLITE_DOUBLE are TensorFlow Lite's
 * MultiplyByQuantizedMultiplier with and without TFLITE_SINGLE_ROUNDING; the latter is gemmlowp's
 * SaturatingRoundingDoublingHighMul and RoundingDivideByPOT, and its left shift saturates here
 * where it would overflow there. FLOAT is QLinearMatMul of ONNX as ONNX Runtime computes it.
 */
struct npu_epilogue_desc {
	size_t size;
	uint32_t n;
	uint32_t groups;
	const int32_t *bias;
	const float *float_bias;
	enum npu_scaling scaling;
	uint32_t scale_count;
	const int16_t *multiplier;
	uint32_t shift;
	const int32_t *multiplier_q31;
	const int32_t *exponent;
	const float *scale;
	int32_t zero_point;
	enum npu_activation activation;
	float output_scale;
	bool clamp;
	double clamp_min;
	double clamp_max;
	int32_t residual_zero_point;
	int16_t residual_multiplier;
	uint32_t residual_shift;
	int32_t residual_multiplier_q31;
	int32_t residual_exponent;
	float residual_scale;
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
 * struct npu_matmul_desc - one multiplication, or a batch of them
 * @size: sizeof(struct npu_matmul_desc), set by the caller.
 * @a: Input, M x K; with a batch of B matrices of weights B * M x K, where rows b * M and up are
 *	multiplied with matrix b.
 * @weights: N x K, or B of them.
 * @epilogue: Output stage for N channels.
 * @c: Output, as many rows as @a, N columns.
 * @residual: Added to the result, the shape of @c, or NULL.
 * @a_zero_point: Zero point of @a, a value of its type.
 *
 * All belong to the same device. @c must not share memory with @a or @residual, of which a window
 * of the same tensor is a case.
 */
struct npu_matmul_desc {
	size_t size;
	struct npu_tensor *a;
	struct npu_weights *weights;
	struct npu_epilogue *epilogue;
	struct npu_tensor *c;
	struct npu_tensor *residual;
	int32_t a_zero_point;
};

/**
 * Plans a multiplication: tiles it to the device's limits and prepares everything a submission
 * needs, so that submitting allocates nothing. M, K and N may be any size that memory allows.
 *
 * Errors: -EINVAL (the text names what does not fit together), -ENOMEM.
 */
int npu_matmul_create(struct npu_device *dev, const struct npu_matmul_desc *desc,
		      struct npu_matmul **matmul, struct npu_error *err);

/** Gives up the caller's hold on a matmul. */
void npu_matmul_destroy(struct npu_matmul *matmul);

/* Parts of a matmul that struct npu_plan tells the place of. */
#define NPU_STAGE_SUMS (1u << 0)	/* adding up partial sums over K or over bytes of A */
#define NPU_STAGE_ZERO_POINTS (1u << 1) /* of A and W */
#define NPU_STAGE_BIAS (1u << 2)
#define NPU_STAGE_SCALING (1u << 3)
#define NPU_STAGE_RESIDUAL (1u << 4)
#define NPU_STAGE_ACTIVATION (1u << 5)
#define NPU_STAGE_CLAMP (1u << 6)
#define NPU_STAGE_OUTPUT (1u << 7) /* zero point and type of C */

/**
 * struct npu_plan - how a matmul will be carried out
 * @size: sizeof(struct npu_plan), set by the caller.
 * @m, @k, @n: Shape; @m is all rows of C.
 * @jobs: Jobs for the engine; 0 on the CPU, as is everything up to @weight_fetches.
 * @m_tiles: Tiles that the rows of C are divided into.
 * @n_tiles: Tiles that the columns of C are divided into.
 * @lead_rows: Rows of the first tile, if it is smaller than the others so that the engine starts
 *	early; 0 if all have the same size.
 * @k_parts: Parts that K is divided into, each with sums of its own.
 * @passes: How often each tile is computed, to get all bits of its sums, and of an int16 A.
 * @data_banks: Banks of the on-chip buffer for A.
 * @weight_banks: Banks of the on-chip buffer for the weights.
 * @a_fetches: How often the engine reads each element of A from memory.
 * @weight_fetches: How often it reads each weight.
 * @macs: Multiply-accumulates, M * K * N.
 * @bytes: Bytes the operands and the result occupy, each counted once.
 * @cycles: Predicted engine cycles of a call on an idle engine, from the start of its first job to
 *	the end of its last; 0 on the CPU, as are the following.
 * @stream_cycles: Predicted engine cycles of one of many such matmuls in a row.
 * @mac_cycles: macs / macs_per_cycle, rounded up.
 * @bus_cycles: bytes / bus_bytes_per_cycle, rounded up.
 * @limit_cycles: Physical limit, the larger of @mac_cycles and @bus_cycles.
 * @host_steps: Steps that the CPU does as part of the matmul, 0 when the engine does all of it.
 *	The engine then gives exact sums, and a thread of the queue makes results of them, bit for
 *	bit the same.
 * @engine_stages, @host_stages: NPU_STAGE_* bits of what is done where; a stage that the matmul
 *	does not have is in neither. On the CPU backend both are 0.
 */
struct npu_plan {
	size_t size;
	uint32_t m, k, n;
	uint32_t jobs;
	uint32_t m_tiles;
	uint32_t n_tiles;
	uint32_t lead_rows;
	uint32_t k_parts;
	uint32_t passes;
	uint32_t data_banks;
	uint32_t weight_banks;
	uint32_t a_fetches;
	uint32_t weight_fetches;
	uint64_t macs;
	uint64_t bytes;
	uint64_t cycles;
	uint64_t stream_cycles;
	uint64_t mac_cycles;
	uint64_t bus_cycles;
	uint64_t limit_cycles;
	uint32_t host_steps;
	uint32_t engine_stages;
	uint32_t host_stages;
};

/** Fills @plan. Errors: -EINVAL @plan->size is not a size this function ever had. */
int npu_matmul_get_plan(const struct npu_matmul *matmul, struct npu_plan *plan,
			struct npu_error *err);

/**
 * struct npu_plan_desc - a multiplication to be planned
 * @size: sizeof(struct npu_plan_desc), set by the caller.
 * @m, @k, @n: Shape, each at least 1; @m is all rows of C.
 * @batch: Matrices of weights, 0 means 1; divides @m.
 * @group_size: Columns in a group of K, as in struct npu_weights_desc; 0 means all @k.
 * @a_type, @c_type: Types of A and C, 0 means NPU_TYPE_INT8.
 * @exact: True for an output stage that is the CPU's, which takes sums in full. It always is with
 *	results of more than 8 bits, an int16 A, and more than one group of K. The engine stores 8
 *	bits at a time, so it then takes three passes.
 * @w_type: How weights are given. Sums of 4-bit weights are smaller, so exact ones of them need
 *	fewer parts of K.
 * @w_zero_points: True if weights have zero points; those of 4-bit weights have 4 bits, too.
 * @a_zero_point: Zero point of A.
 * @residual_type: Type of the residual, 0 for none.
 * @epilogue: The output stage, whose @n and @groups are those of the plan. Whether the engine can
 *	do it decides then, and the plan says where which part is done. NULL for one that the engine
 *	can do, unless @exact; nothing is said of its parts.
 */
struct npu_plan_desc {
	size_t size;
	uint32_t m, k, n;
	uint32_t batch;
	uint32_t group_size;
	enum npu_type a_type;
	enum npu_type c_type;
	bool exact;
	bool w_zero_points;
	enum npu_weight_type w_type;
	enum npu_type residual_type;
	int32_t a_zero_point;
	const struct npu_epilogue_desc *epilogue;
};

/**
 * Plans a multiplication without making anything of it.
 *
 * The plan is that of a matmul whose weights may have any value. Where K is divided, as for all
 * exact sums of more than some 500 products, the parts of a matmul with small weights are longer;
 * and where a zero point of A meets a residual, a clamp or ReLU6, which leave little room for a
 * bias, the engine may do with some weights what the plan gives to the CPU.
 *
 * Errors: -EINVAL a size or a type is wrong, types and output stage do not go together, or the
 * shape is beyond what the device can address.
 */
int npu_plan_query(const struct npu_device *dev, const struct npu_plan_desc *desc,
		   struct npu_plan *plan, struct npu_error *err);

/**
 * The same for a hardware configuration that need not be there.
 * @config: "nv_small" or "nv_large".
 *
 * Errors: those of npu_plan_query(), and -ENOENT there is no such configuration.
 */
int npu_plan_query_config(const char *config, const struct npu_plan_desc *desc,
			  struct npu_plan *plan, struct npu_error *err);

/* ---- Queue ----------------------------------------------------------------------------- */

struct npu_queue;

/** enum npu_priority - which queues get the engine first */
enum npu_priority {
	NPU_PRIORITY_LOW = -1, /* when no other queue wants it */
	NPU_PRIORITY_NORMAL = 0,
	NPU_PRIORITY_HIGH = 1, /* before all others; needs CAP_SYS_NICE on an NPU */
};

/**
 * struct npu_queue_desc - a queue to make
 * @size: sizeof(struct npu_queue_desc), set by the caller.
 * @priority: Against all queues of all processes. Has no meaning on the CPU, which shares itself
 *	out.
 */
struct npu_queue_desc {
	size_t size;
	enum npu_priority priority;
};

/**
 * Makes a queue. Submissions of one queue run in order; those of different queues run in any
 * order, unless they use the same buffer (the later one then waits for the earlier one) or are
 * told to wait.
 * @desc: NULL for a queue of normal priority.
 *
 * All functions on a queue may be called from any number of threads at the same time, except its
 * destruction, which has to be the last call. A child of fork() cannot use its parent's queues.
 *
 * Errors: -EINVAL; -EACCES no right to a high priority; -ENOMEM; -EDQUOT the device has as many
 * queues as it may have while it is open once; -EIO, -ENODEV the device is lost.
 */
int npu_queue_create(struct npu_device *dev, const struct npu_queue_desc *desc,
		     struct npu_queue **queue, struct npu_error *err);

/** Waits for everything submitted, then gives up the queue. */
void npu_queue_destroy(struct npu_queue *queue);

/** Most things a submission can be told to wait for, fences and tickets together. */
#define NPU_MAX_WAITS 16

/**
 * struct npu_dependency - a submission that another one waits for
 * @queue: Any queue of the same device.
 * @ticket: One of its tickets.
 */
struct npu_dependency {
	struct npu_queue *queue;
	uint64_t ticket;
};

/**
 * struct npu_submit_desc - matmuls to run
 * @size: sizeof(struct npu_submit_desc), set by the caller.
 * @matmuls: What to run, in the order given; one may read what an earlier one wrote. The array is
 *	read in the call, the matmuls may be destroyed after it.
 * @count: Number of @matmuls, at least 1.
 * @wait_fds: Fences to wait for first: sync_file descriptors of any driver, -1 for one that has
 *	signalled. They stay the caller's, who may close them after the call.
 * @wait_fd_count: Number of @wait_fds.
 * @after: Submissions to wait for first.
 * @after_count: Number of @after.
 * @fence_fd: Receives a sync_file descriptor that signals when the submission has ended, to be
 *	closed by the caller; NULL if none is wanted. It receives -1 when there is nothing to wait
 *	for any more. The kernel can only promise what the engine does, so where the CPU has a part
 *	in the matmuls (host_steps in struct npu_plan, or the CPU backend), or they come after
 *	such a submission that has not ended, the call waits until only the engine has still
 *	something to do; on the CPU backend that is the end, so it always gives -1.
 */
struct npu_submit_desc {
	size_t size;
	struct npu_matmul *const *matmuls;
	size_t count;
	const int *wait_fds;
	size_t wait_fd_count;
	const struct npu_dependency *after;
	size_t after_count;
	int *fence_fd;
};

/**
 * Submits matmuls and returns without waiting for them, on every device: the engine runs what it
 * can alone, a thread of the queue the rest. Only a full queue, with 64 submissions under way or as
 * many jobs as the kernel takes, makes the call wait for its oldest submission. Nothing is
 * allocated, except when a queue meets the first submission for its thread, or the first one there
 * with so many matmuls.
 * @ticket: Receives what npu_queue_wait() takes, may be NULL.
 *
 * A submission whose @wait_fds or @after failed ends with -ECANCELED. It is not run if that was
 * known in time; its results are not valid either way. A @fence_fd signals all the same.
 *
 * Errors: -EINVAL (the text names the element), -EMFILE, -ENOMEM, -EAGAIN no thread could be
 * started; -EIO, -ENODEV the device is lost. Nothing was submitted then, or at most a part of it.
 */
int npu_queue_submit(struct npu_queue *queue, const struct npu_submit_desc *desc, uint64_t *ticket,
		     struct npu_error *err);

/**
 * Waits until a submission has ended, at most @timeout_ns (negative: for ever), and tells how.
 *
 * Errors: -ETIME it has not ended yet; -ETIMEDOUT the engine hung on it and was reset; -ECANCELED
 * something it had to wait for failed; -EIO, -ENODEV the device is lost; -ENOMEM and others where
 * the queue's thread could not submit it; -EINVAL no such ticket, or one whose outcome is
 * forgotten: the queue remembers its last 64 submissions, and of those before only that there was
 * no failure since.
 */
int npu_queue_wait(struct npu_queue *queue, uint64_t ticket, int64_t timeout_ns,
		   struct npu_error *err);

/** Submits and waits: the blocking way. The CPU's part is done in the calling thread. */
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

#if defined(__cplusplus)
}
#endif

#endif /* NPU_H */
