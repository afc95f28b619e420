// SPDX-License-Identifier: MIT
/*
 * The NPU as a card: a PCI Express function with its registers in BAR 0 and the board's control
 * page in BAR 2, one message interrupt or an interrupt line, and a function-level reset in place of
 * a reset line. In D3hot it has no power: nothing answers, and all state is lost.
 */
#include "compat.h"
#include "core.h"
#include "preload.h"

#define PCI_BAR_REGS 0
#define PCI_CLASS_ACCELERATOR 0x1200

struct npu_pci {
	PCIDevice parent;
	struct board_core core;
	bool msi;
	bool flr;
	bool level;
};

/* The model drives a line; a message is sent when it rises. */
static void pci_irq(void *front, int level)
{
	struct npu_pci *pci = front;
	bool rises = level && !pci->level;

	pci->level = level;
	if (!msi_enabled(&pci->parent))
		pci_set_irq(&pci->parent, level);
	else if (rises)
		msi_notify(&pci->parent, 0);
}

/* Without No_Soft_Reset, which says that state survives D3hot. */
static bool pci_add_power(PCIDevice *dev, Error **errp)
{
	int at = pci_add_capability(dev, PCI_CAP_ID_PM, 0, PCI_PM_SIZEOF, errp);

	if (at < 0)
		return false;
	pci_set_word(dev->config + at + PCI_PM_PMC, 3);
	pci_set_word(dev->wmask + at + PCI_PM_CTRL, PCI_PM_CTRL_STATE_MASK);
	return true;
}

static bool pci_has_power(PCIDevice *dev)
{
	int at = pci_find_capability(dev, PCI_CAP_ID_PM);

	return (pci_get_word(dev->config + at + PCI_PM_CTRL) & PCI_PM_CTRL_STATE_MASK) != 3;
}

static uint16_t pci_device_id(const char *config)
{
	uint16_t id = BOARD_CONTROL_PCI_DEVICE;

	if (config && g_str_has_prefix(config, "nv_large"))
		id += BOARD_CONTROL_PCI_LARGE;
	if (config && g_str_has_suffix(config, "+gated"))
		id += BOARD_CONTROL_PCI_GATED;
	return id;
}

static void pci_realize(PCIDevice *dev, Error **errp)
{
	struct npu_pci *pci = container_of(dev, struct npu_pci, parent);

	if (pcie_endpoint_cap_init(dev, 0) < 0) {
		error_setg(errp, "the NPU needs a PCI Express slot");
		return;
	}
	if (pci->flr)
		pcie_cap_flr_init(dev);
	if (!pci_add_power(dev, errp))
		return;
	pci_config_set_device_id(dev->config, pci_device_id(pci->core.config));
	pci_config_set_interrupt_pin(dev->config, 1);
	if (pci->msi && msi_init(dev, 0, 1, true, false, errp))
		return;

	pci->core.memory = pci_get_address_space(dev);
	pci->core.irq = pci_irq;
	pci->core.front = pci;
	if (!board_core_init(&pci->core, OBJECT(dev), errp))
		return;
	pci_register_bar(dev, PCI_BAR_REGS, PCI_BASE_ADDRESS_SPACE_MEMORY, &pci->core.regs);
	pci_register_bar(dev, BOARD_CONTROL_BAR, PCI_BASE_ADDRESS_SPACE_MEMORY, &pci->core.control);
}

static void pci_write_config(PCIDevice *dev, uint32_t addr, uint32_t value, int len)
{
	struct npu_pci *pci = container_of(dev, struct npu_pci, parent);

	pci_default_write_config(dev, addr, value, len);
	if (pci->flr)
		pcie_cap_flr_write_config(dev, addr, value, len);
	board_core_hold(&pci->core, !pci_has_power(dev));
}

/* At power-on, and by the function-level reset. */
static void pci_reset(DeviceState *dev)
{
	board_core_reset(&container_of(PCI_DEVICE(dev), struct npu_pci, parent)->core);
}

static BOARD_PROP_CONST Property pci_properties[] = {
	BOARD_CORE_PROPERTIES(struct npu_pci), DEFINE_PROP_BOOL("msi", struct npu_pci, msi, true),
	DEFINE_PROP_BOOL("flr", struct npu_pci, flr, true), BOARD_PROP_END
};

static void pci_class_init(ObjectClass *klass, BOARD_CLASS_CONST void *data)
{
	DeviceClass *dc = DEVICE_CLASS(klass);
	PCIDeviceClass *pc = PCI_DEVICE_CLASS(klass);

	board_check_layout();
	pc->realize = pci_realize;
	pc->config_write = pci_write_config;
	pc->vendor_id = BOARD_CONTROL_PCI_VENDOR;
	pc->device_id = BOARD_CONTROL_PCI_DEVICE;
	pc->class_id = PCI_CLASS_ACCELERATOR;
	dc->desc = "NPU, as a PCI Express card";
	dc->hotpluggable = false;
	device_class_set_props(dc, pci_properties);
	device_class_set_legacy_reset(dc, pci_reset);
}

static const TypeInfo pci_type = {
	.name = "npu-pci",
	.parent = TYPE_PCI_DEVICE,
	.instance_size = sizeof(struct npu_pci),
	.class_init = pci_class_init,
	.interfaces = (BOARD_CLASS_CONST InterfaceInfo[]){ { INTERFACE_PCIE_DEVICE }, {} },
};

void npu_pci_register(void)
{
	type_register_static(&pci_type);
}
