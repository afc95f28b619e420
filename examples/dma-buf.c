// SPDX-License-Identifier: MIT
/*
 * An input that comes from elsewhere, without a copy. One process, which stands for a camera or a
 * decoder, fills memory and sends it as a file descriptor; another multiplies it where it is. A
 * dma-buf of a driver, of V4L2 for example, or of /dev/dma_heap is imported in the same way.
 *
 * A matrix of one row lies in memory as it is, so that the producer needs to know nothing of the
 * device's layout; more rows are written with npu_tensor_write().
 *
 *	dma-buf [DEVICE]
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <npu.h>

#define N 16
#define K 4096

static int8_t pixel(uint32_t i)
{
	return (int8_t)(i * i * 5 + i);
}

/* ---- File descriptors through a socket -------------------------------------------------- */

union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(sizeof(int))];
};

static int send_fd(int socket, int fd)
{
	union control control = {
		.header = {
			.cmsg_len = CMSG_LEN(sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		},
	};
	char byte = 0;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(socket, &message, 0) == 1 ? 0 : -errno;
}

static int receive_fd(int socket)
{
	union control control = { .room = { 0 } };
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1 ||
	    control.header.cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	return fd;
}

/* ---- The one who has the data ----------------------------------------------------------- */

static int fill(struct npu_buffer *buf, struct npu_error *err)
{
	void *data;

	if (npu_buffer_begin_access(buf, NPU_ACCESS_WRITE, 0, K, -1, &data, err))
		return err->code;
	for (uint32_t i = 0; i < K; i++)
		((int8_t *)data)[i] = pixel(i);
	return npu_buffer_end_access(buf, NPU_ACCESS_WRITE, 0, K, err);
}

static int produce(const char *device, int socket, struct npu_error *err)
{
	struct npu_buffer *buf = NULL;
	struct npu_device *dev;
	int ret = npu_device_open(device, &dev, err), fd;

	if (ret)
		return ret;
	ret = npu_buffer_create(dev, K, &buf, err);
	if (!ret)
		ret = fill(buf, err);
	if (!ret)
		ret = npu_buffer_export(buf, &fd, err);
	if (!ret) {
		ret = send_fd(socket, fd);
		close(fd);
	}
	/* The memory lives on for the one who has got it. */
	npu_buffer_destroy(buf);
	npu_device_close(dev);
	return ret;
}

/* ---- The one who computes --------------------------------------------------------------- */

/* Sums of groups of pixels, so weights of zero and one. */
static int8_t weight(uint32_t row, uint32_t col)
{
	return col / (K / N) == row;
}

static int make_operands(struct npu_device *dev, struct npu_buffer *buf,
			 struct npu_matmul_desc *desc, struct npu_error *err)
{
	const struct npu_epilogue_desc stage = {
		.size = sizeof(stage),
		.n = N,
		.multiplier = (const int16_t[]){ 1 },
		.scale_count = 1,
	};
	static int8_t values[N][K];
	const struct npu_weights_desc packed = {
		.size = sizeof(packed),
		.n = N,
		.k = K,
		.data = values,
	};

	for (uint32_t row = 0; row < N; row++)
		for (uint32_t col = 0; col < K; col++)
			values[row][col] = weight(row, col);
	/* The input is the memory that came, and nothing is copied. */
	if (npu_tensor_create_in(buf, 0, NPU_TYPE_INT8, 1, K, &desc->a, err) ||
	    npu_tensor_create(dev, NPU_TYPE_INT8, 1, N, &desc->c, err) ||
	    npu_weights_create(dev, &packed, &desc->weights, err) ||
	    npu_epilogue_create(dev, &stage, &desc->epilogue, err))
		return err->code;
	return 0;
}

static int multiply(struct npu_device *dev, struct npu_buffer *buf, int8_t *result,
		    struct npu_error *err)
{
	struct npu_matmul_desc desc = { .size = sizeof(desc) };
	struct npu_matmul *matmul = NULL;
	struct npu_queue *queue = NULL;
	int ret = make_operands(dev, buf, &desc, err);

	if (!ret)
		ret = npu_matmul_create(dev, &desc, &matmul, err);
	if (!ret)
		ret = npu_queue_create(dev, NULL, &queue, err);
	if (!ret)
		ret = npu_queue_run(queue, &matmul, 1, err);
	if (!ret)
		ret = npu_tensor_read(desc.c, 0, 1, result, 0, err);
	npu_queue_destroy(queue);
	npu_matmul_destroy(matmul);
	npu_tensor_destroy(desc.a);
	npu_tensor_destroy(desc.c);
	npu_weights_destroy(desc.weights);
	npu_epilogue_destroy(desc.epilogue);
	return ret;
}

static int consume(const char *device, int socket, struct npu_error *err)
{
	struct npu_buffer *buf = NULL;
	struct npu_device *dev;
	int ret = npu_device_open(device, &dev, err), fd = receive_fd(socket);
	int8_t result[N];

	if (ret)
		return ret;
	ret = npu_buffer_import(dev, fd, &buf, err);
	close(fd);
	if (!ret)
		ret = multiply(dev, buf, result, err);
	npu_buffer_destroy(buf);
	npu_device_close(dev);

	for (uint32_t n = 0; n < N && !ret; n++) {
		int sum = 0;

		for (uint32_t i = n * (K / N); i < (n + 1) * (K / N); i++)
			sum += pixel(i);
		sum = sum < -128 ? -128 : sum > 127 ? 127 : sum;
		if (result[n] != sum) {
			snprintf(err->text, sizeof(err->text), "sum %u is %d, not %d", n, result[n],
				 sum);
			ret = -EIO;
		}
	}
	if (!ret)
		printf("result     right, %d sums of %d values from another process\n", N, K / N);
	return ret;
}

int main(int argc, char **argv)
{
	const char *device = argc == 2 ? argv[1] : NULL;
	struct npu_error err = { .text = "no file descriptor could be sent" };
	const bool help = argc == 2 && !strcmp(argv[1], "--help");
	int ends[2], ret, status;
	pid_t producer;

	if (help || argc > 2) {
		fputs("Usage: dma-buf [DEVICE]\n", help ? stdout : stderr);
		return help ? 0 : 2;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) || (producer = fork()) < 0) {
		perror("dma-buf");
		return 1;
	}
	if (!producer) {
		ret = produce(device, ends[1], &err);
	} else {
		close(ends[1]);
		ret = consume(device, ends[0], &err);
		if (waitpid(producer, &status, 0) != producer || status)
			return 1;
	}
	if (ret)
		fprintf(stderr, "dma-buf: %s\n", err.text);
	return ret ? 1 : 0;
}
