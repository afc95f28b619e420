// SPDX-License-Identifier: MIT
/*
 * The guest's side of tools/board/qemu/control.h. The page is touched only where the device tree or
 * the id of a PCI function says that there is one.
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

/* A page in a file that can be mapped. */
struct page {
	char path[256];
	off_t offset;
};

/* The first cell pair of the node's reg. */
static int find_in_device_tree(struct page *page, unsigned int n)
{
	char compatible[sizeof(BOARD_CONTROL_COMPATIBLE)];
	int err = -ENODEV;
	uint64_t reg;
	glob_t nodes;

	if (glob("/proc/device-tree/board-control@*", 0, NULL, &nodes))
		return -ENODEV;
	if (n < nodes.gl_pathc)
		err = read_property(nodes.gl_pathv[n], "compatible", compatible,
				    sizeof(compatible));
	if (!err && memcmp(compatible, BOARD_CONTROL_COMPATIBLE, sizeof(compatible)) != 0)
		err = -ENODEV;
	if (!err)
		err = read_property(nodes.gl_pathv[n], "reg", &reg, sizeof(reg));
	globfree(&nodes);
	if (err)
		return err;
	snprintf(page->path, sizeof(page->path), "/dev/mem");
	page->offset = be64toh(reg);
	return 0;
}

static int read_number(const char *folder, const char *name, unsigned int *number)
{
	char path[256];
	FILE *f;
	int got;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "r");
	if (!f)
		return -errno;
	got = fscanf(f, "%x", number);
	fclose(f);
	return got == 1 ? 0 : -ENODEV;
}

static int find_on_pci(struct page *page, unsigned int n)
{
	unsigned int vendor, device;
	int err = -ENODEV;
	glob_t functions;

	if (glob("/sys/bus/pci/devices/*", 0, NULL, &functions))
		return -ENODEV;
	for (size_t i = 0; err && i < functions.gl_pathc; i++) {
		const char *folder = functions.gl_pathv[i];

		if (read_number(folder, "vendor", &vendor) ||
		    read_number(folder, "device", &device) || vendor != BOARD_CONTROL_PCI_VENDOR ||
		    device < BOARD_CONTROL_PCI_DEVICE ||
		    device >= BOARD_CONTROL_PCI_DEVICE + BOARD_CONTROL_PCI_DEVICES || n--)
			continue;
		snprintf(page->path, sizeof(page->path), "%s/resource%u", folder,
			 BOARD_CONTROL_BAR);
		page->offset = 0;
		err = 0;
	}
	globfree(&functions);
	return err;
}

static void *map_page(const struct page *page)
{
	int fd = open(page->path, O_RDWR | O_SYNC | O_CLOEXEC);
	void *map;

	if (fd < 0)
		return NULL;
	map = mmap(NULL, BOARD_CONTROL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, page->offset);
	close(fd);
	return map == MAP_FAILED ? NULL : map;
}

struct board_control *board_control_open(void)
{
	return board_control_open_nth(0);
}

struct board_control *board_control_open_nth(unsigned int n)
{
	struct board_control *control;
	struct page page;
	int err;

	err = find_in_device_tree(&page, n);
	if (err)
		err = find_on_pci(&page, n);
	if (err) {
		errno = -err;
		return NULL;
	}
	control = calloc(1, sizeof(*control));
	if (!control)
		return NULL;
	control->regs = map_page(&page);
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
