// SPDX-License-Identifier: MIT
/*
 * Buffers of the CPU: anonymous memory, which becomes a memory file when it is shared; files that
 * were opened; and what others share, a memory file or the dma-buf of a device.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/magic.h>

#include "../claim.h"
#include "cpu_buffer.h"

/* Since Linux 6.3. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#endif

/* What Linux maps with one entry, where it may. */
#define HUGE_PAGE ((size_t)2 << 20)

static struct cpu_buffer *buffer_of(struct npu_buffer *buf)
{
	return (struct cpu_buffer *)buf;
}

static void set_private(struct npu_buffer *buf)
{
	buffer_of(buf)->fd = -1;
}

/* Mapped, not allocated: page aligned, zero, and touched only where it is used. */
int cpu_buffer_init(struct npu_buffer *buf, struct npu_error *err)
{
	void *map =
		mmap(NULL, buf->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		return npu_fail(err, -ENOMEM, "no memory for a buffer of %zu bytes", buf->bytes);
	/* Large matrices are read from end to end. */
	if (buf->bytes >= HUGE_PAGE)
		madvise(map, buf->bytes, MADV_HUGEPAGE);
	buf->map = map;
	set_private(buf);
	return 0;
}

void cpu_buffer_adopt(struct npu_buffer *buf)
{
	set_private(buf);
}

void cpu_buffer_fini(struct npu_buffer *buf)
{
	int fd = buffer_of(buf)->fd;

	munmap(buf->map, buf->bytes);
	if (fd >= 0)
		close(fd);
}

/* ---- Sharing ---------------------------------------------------------------------------- */

/* Nobody can run it, which some systems insist on; older kernels do not know how to say that. */
static int create_file(void)
{
	const unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create("npu buffer", flags | MFD_NOEXEC_SEAL);

	return fd < 0 && errno == EINVAL ? memfd_create("npu buffer", flags) : fd;
}

/* A memory file with the same contents, which nobody can cut short under the others' feet. */
static int copy_to_file(const struct npu_buffer *buf)
{
	int fd = create_file();
	void *map = MAP_FAILED;

	if (fd >= 0 && !ftruncate(fd, buf->bytes) &&
	    !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		map = mmap(NULL, buf->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	memcpy(map, buf->map, buf->bytes);
	munmap(map, buf->bytes);
	return fd;
}

/* Puts the file in the place of the old memory; contents and address stay the same. */
static int move_to_file(struct npu_buffer *buf)
{
	int fd = copy_to_file(buf);

	if (fd < 0)
		return -1;
	if (mmap(buf->map, buf->bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) ==
	    MAP_FAILED) {
		close(fd);
		return -1;
	}
	buffer_of(buf)->fd = fd;
	return 0;
}

static int cannot_share(const struct npu_buffer *buf, struct npu_error *err)
{
	return npu_fail(err, -errno, "cannot share a buffer of %zu bytes: %m", buf->bytes);
}

/*
 * What is written between the copy and the move would be lost, so nobody may be at work on the
 * buffer. Weights are only read, but several threads may export them: the first one moves them.
 */
static int move_alone(struct npu_buffer *buf, struct npu_error *err)
{
	struct npu_queue *claim;
	int ret = npu_claim_alone(buf, &claim, err);

	if (ret)
		return ret;
	if (buffer_of(buf)->fd < 0 && move_to_file(buf))
		ret = cannot_share(buf, err);
	npu_claim_end(claim);
	return ret;
}

int cpu_buffer_export(struct npu_buffer *buf, int *fd, struct npu_error *err)
{
	int ret = buffer_of(buf)->fd < 0 ? move_alone(buf, err) : 0, copy;

	if (ret)
		return ret;
	copy = fcntl(buffer_of(buf)->fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return cannot_share(buf, err);
	*fd = copy;
	return 0;
}

static bool is_dma_buf(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type == DMA_BUF_MAGIC;
}

/* A file that can be cut short would kill this process when it reads what is gone. */
static int check_memory(int fd, bool dma_buf, struct npu_error *err)
{
	if (dma_buf)
		return 0;
	if (fcntl(fd, F_GETFD) < 0)
		return npu_fail(err, -EBADF, "cannot import %d: not an open file descriptor", fd);
	if (fcntl(fd, F_GET_SEALS) >= 0 && fcntl(fd, F_GET_SEALS) & F_SEAL_SHRINK)
		return 0;
	return npu_fail(err, -EINVAL,
			"cannot import file descriptor %d: it is neither a dma-buf nor a memory "
			"file that is sealed against shrinking",
			fd);
}

/* A dma-buf tells its size only to those who seek, and stays where it is; a file would not. */
static off_t size_of(int fd, bool dma_buf)
{
	struct stat st;

	if (dma_buf)
		return lseek(fd, 0, SEEK_END);
	return fstat(fd, &st) ? -1 : st.st_size;
}

static int cannot_map(int fd, struct npu_error *err)
{
	if (errno == EACCES || errno == EPERM)
		return npu_fail(err, -EINVAL,
				"cannot import file descriptor %d: it cannot be written; whoever "
				"shares it has to open it for reading and writing, and not to seal "
				"it against writing",
				fd);
	return npu_fail(err, -errno, "cannot map file descriptor %d: %m", fd);
}

int cpu_buffer_import(struct npu_buffer *buf, int fd, struct npu_error *err)
{
	bool dma_buf = is_dma_buf(fd);
	int ret = check_memory(fd, dma_buf, err), own;
	void *map = MAP_FAILED;
	off_t size;

	if (ret)
		return ret;
	size = size_of(fd, dma_buf);
	if (size <= 0 || (uintmax_t)size > PTRDIFF_MAX)
		return npu_fail(err, -EINVAL, "cannot import file descriptor %d: no memory in it",
				fd);
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own >= 0)
		map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, own, 0);
	if (map == MAP_FAILED) {
		ret = cannot_map(fd, err);
		if (own >= 0)
			close(own);
		return ret;
	}
	buf->map = map;
	buf->bytes = size;
	buffer_of(buf)->fd = own;
	buffer_of(buf)->dma_buf = dma_buf;
	return 0;
}

/* ---- Brackets --------------------------------------------------------------------------- */

/* What is left until @deadline, at least 0. */
static struct timespec time_left(int64_t deadline)
{
	int64_t left = deadline - npu_deadline(0);

	left = left > 0 ? left : 0;
	return (struct timespec){ .tv_sec = left / 1000000000, .tv_nsec = left % 1000000000 };
}

/* Waits for the devices that use a dma-buf: poll() knows about their fences. */
static int wait_for_devices(int fd, unsigned int access, int64_t deadline, struct npu_error *err)
{
	struct pollfd wait = {
		.fd = fd,
		.events = access & NPU_ACCESS_WRITE ? POLLOUT : POLLIN,
	};
	struct timespec left;
	int ret;

	do {
		left = time_left(deadline);
		ret = ppoll(&wait, 1, deadline == NPU_NEVER ? NULL : &left, NULL);
	} while (ret < 0 && errno == EINTR);
	if (!ret)
		return -ETIME;
	return ret < 0 ? npu_fail(err, -errno, "cannot wait for a buffer: %m") : 0;
}

static int sync_dma_buf(int fd, unsigned int access, uint64_t when, struct npu_error *err)
{
	struct dma_buf_sync sync = {
		.flags = when | (access & NPU_ACCESS_READ ? DMA_BUF_SYNC_READ : 0) |
			 (access & NPU_ACCESS_WRITE ? DMA_BUF_SYNC_WRITE : 0),
	};
	int ret;

	do
		ret = ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
	while (ret < 0 && (errno == EINTR || errno == EAGAIN));
	return ret < 0 ? npu_fail(err, -errno, "cannot synchronize a dma-buf: %m") : 0;
}

int cpu_buffer_begin(struct npu_buffer *buf, unsigned int access, size_t offset, size_t bytes,
		     int64_t deadline, struct npu_error *err)
{
	const struct cpu_buffer *cb = buffer_of(buf);
	int ret;

	(void)offset;
	(void)bytes;
	if (!cb->dma_buf)
		return 0;
	ret = wait_for_devices(cb->fd, access, deadline, err);
	return ret ? ret : sync_dma_buf(cb->fd, access, DMA_BUF_SYNC_START, err);
}

int cpu_buffer_end(struct npu_buffer *buf, unsigned int access, size_t offset, size_t bytes,
		   struct npu_error *err)
{
	const struct cpu_buffer *cb = buffer_of(buf);

	(void)offset;
	(void)bytes;
	return cb->dma_buf ? sync_dma_buf(cb->fd, access, DMA_BUF_SYNC_END, err) : 0;
}
