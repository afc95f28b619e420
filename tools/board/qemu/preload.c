// SPDX-License-Identifier: MIT
/*
 * How the board's devices get into the distribution's QEMU. Debian builds QEMU with modules, so the
 * program exports its type system; this object is preloaded and registers its types as a module
 * would. Two guards keep it out of any QEMU but the one whose headers it was built with.
 */
#include "compat.h"
#include "preload.h"

#include <link.h>

static void refuse(const char *what)
{
	fprintf(stderr,
		"npu-board: built for QEMU " QEMU_VERSION
		", %s: run 'make board' to build it again\n",
		what);
	_exit(3);
}

/* TypeImpl is private to QEMU, but begins with these members in every release so far. */
struct type_head {
	const char *name;
	size_t class_size;
	size_t instance_size;
};

static void check_type(const char *name, size_t class_size, size_t instance_size)
{
	ObjectClass *klass = object_class_by_name(name);
	const struct type_head *type = klass ? (const void *)klass->type : NULL;

	if (!type || strcmp(type->name, name) != 0)
		refuse("whose type system is another");
	if (type->instance_size != instance_size || (class_size && type->class_size != class_size))
		refuse("whose structures are others");
}

void board_check_layout(void)
{
	check_type(TYPE_DEVICE, sizeof(DeviceClass), sizeof(DeviceState));
	check_type(TYPE_PCI_DEVICE, sizeof(PCIDeviceClass), sizeof(PCIDevice));
	check_type(TYPE_MEMORY_REGION, 0, sizeof(MemoryRegion));
}

static int find_stamp(struct dl_phdr_info *info, size_t size, void *found)
{
	int i;

	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];

		if (p->p_type == PT_LOAD && (p->p_flags & PF_R) &&
		    memmem((void *)(info->dlpi_addr + p->p_vaddr), p->p_filesz, QEMU_STAMP,
			   strlen(QEMU_STAMP)))
			*(bool *)found = true;
	}
	return 1; /* The first object is the program itself. */
}

/* QEMU keeps the stamp that its own modules must carry as a string. */
static void __attribute__((constructor)) preload(void)
{
	bool found = false;

	dl_iterate_phdr(find_stamp, &found);
	if (!found)
		refuse("which this program is not");
	register_module_init(npu_mmio_register, MODULE_INIT_QOM);
	register_module_init(npu_pci_register, MODULE_INIT_QOM);
}
