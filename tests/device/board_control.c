// SPDX-License-Identifier: MIT
/*
 * The guest's side of tools/board/qemu/control.h. The page is touched only where the device tree
 * says that there is one.
 */
#include "board_control.h"
#include "../../tools/board/qemu/control.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct board_control {
	volatile uint32_t *regs;
};

static int read_property(const char *node, const char *name, void *buf, size_t size)
{
	char path[256];
	size_t got;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", node, name);
	f = fopen(path, "rb");
	if (!f)
		return -errno;
	got = fread(buf, 1, size, f);
	fclose(f);
	return got == size ? 0 : -ENODEV;
}

/* Finds the address of the control page: the first cell pair of the node's reg. */
static int find_page(uint64_t *addr)
{
	char compatible[sizeof(BOARD_CONTROL_COMPATIBLE)];
	uint64_t reg;
	glob_t nodes;
	int err;

	if (glob("/proc/device-tree/board-control@*", 0, NULL, &nodes))
		return -ENODEV;
	err = read_property(nodes.gl_pathv[0], "compatible", compatible, sizeof(compatible));
	if (!err && memcmp(compatible, BOARD_CONTROL_COMPATIBLE, sizeof(compatible)) != 0)
		err = -ENODEV;
	if (!err)
		err = read_property(nodes.gl_pathv[0], "reg", &reg, sizeof(reg));
	globfree(&nodes);
	if (!err)
		*addr = be64toh(reg);
	return err;
}

static void *map_page(uint64_t addr)
{
	int fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	void *page;

	if (fd < 0)
		return NULL;
	page = mmap(NULL, BOARD_CONTROL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, addr);
	close(fd);
	return page == MAP_FAILED ? NULL : page;
}

struct board_control *board_control_open(void)
{
	struct board_control *control;
	uint64_t addr;
	int err;

	err = find_page(&addr);
	if (err) {
		errno = -err;
		return NULL;
	}
	control = calloc(1, sizeof(*control));
	if (!control)
		return NULL;
	control->regs = map_page(addr);
	if (!control->regs) {
		free(control);
		return NULL;
	}
	if (control->regs[BOARD_CONTROL_ID / 4] != BOARD_CONTROL_MAGIC) {
		board_control_close(control);
		errno = ENODEV;
		return NULL;
	}
	return control;
}

void board_control_close(struct board_control *control)
{
	if (!control)
		return;
	munmap((void *)control->regs, BOARD_CONTROL_SIZE);
	free(control);
}

int board_control_inject(struct board_control *control, const char *fault)
{
	for (; *fault; fault++)
		control->regs[BOARD_CONTROL_DATA / 4] = (unsigned char)*fault;
	control->regs[BOARD_CONTROL_COMMIT / 4] = 1;
	return -(int)control->regs[BOARD_CONTROL_COMMIT / 4];
}
