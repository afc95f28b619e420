// SPDX-License-Identifier: MIT
/*
 * The NPU as a platform device of an Arm machine: its regions at fixed addresses, its interrupt at
 * the GIC. The addresses and the interrupt are those of the board's device tree. A machine may have
 * several: each has its number as property.
 */
#include "compat.h"
#include "core.h"
#include "preload.h"

#define MMIO_BASE 0x0c100000
#define MMIO_STRIDE 0x100000
#define MMIO_REGS 0x0
#define MMIO_RESET 0x10000
#define MMIO_CONTROL 0x20000
#define MMIO_SPI 100
#define MMIO_UNITS 8

struct npu_mmio {
	DeviceState parent;
	struct board_core core;
	qemu_irq line;
	uint32_t unit;
};

static void mmio_irq(void *front, int level)
{
	struct npu_mmio *mmio = front;

	qemu_set_irq(mmio->line, level);
}

static void map(const struct npu_mmio *mmio, hwaddr offset, MemoryRegion *region)
{
	/* Above the machine's own platform bus, which covers these addresses. */
	memory_region_add_subregion_overlap(
		get_system_memory(), MMIO_BASE + mmio->unit * MMIO_STRIDE + offset, region, 1);
}

static void mmio_realize(DeviceState *dev, Error **errp)
{
	struct npu_mmio *mmio = container_of(dev, struct npu_mmio, parent);
	Object *gic = object_resolve_path_type("", "arm_gic_common", NULL);

	if (!gic) {
		error_setg(errp, "the machine has no GICv2: use -M virt,gic-version=2");
		return;
	}
	if (mmio->unit >= MMIO_UNITS) {
		error_setg(errp, "the machine has room for %u NPUs", MMIO_UNITS);
		return;
	}
	mmio->line = qdev_get_gpio_in(DEVICE(gic), MMIO_SPI + mmio->unit);
	mmio->core.memory = &address_space_memory;
	mmio->core.irq = mmio_irq;
	mmio->core.front = mmio;
	if (!board_core_init(&mmio->core, OBJECT(dev), errp))
		return;
	map(mmio, MMIO_REGS, &mmio->core.regs);
	map(mmio, MMIO_RESET, &mmio->core.reset);
	map(mmio, MMIO_CONTROL, &mmio->core.control);
}

static BOARD_PROP_CONST Property mmio_properties[] = {
	BOARD_CORE_PROPERTIES(struct npu_mmio),
	DEFINE_PROP_UINT32("unit", struct npu_mmio, unit, 0), BOARD_PROP_END
};

static void mmio_class_init(ObjectClass *klass, BOARD_CLASS_CONST void *data)
{
	DeviceClass *dc = DEVICE_CLASS(klass);

	board_check_layout();
	dc->desc = "NPU, as a device tree describes it";
	dc->realize = mmio_realize;
	dc->user_creatable = true;
	dc->hotpluggable = false;
	device_class_set_props(dc, mmio_properties);
}

static const TypeInfo mmio_type = {
	.name = "npu-mmio",
	.parent = TYPE_DEVICE,
	.instance_size = sizeof(struct npu_mmio),
	.class_init = mmio_class_init,
};

void npu_mmio_register(void)
{
	type_register_static(&mmio_type);
}
