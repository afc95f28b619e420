// SPDX-License-Identifier: GPL-2.0-only
/*
 * NPUs on PCI Express: registers in BAR 0, one interrupt, and function-level reset as the reset of
 * the engine.
 *
 * No id is assigned to NVDLA. The table has the virtual board's; that of a card, which is its
 * maker's, comes from user space through new_id, with the hardware configuration as driver_data.
 */
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/sizes.h>

#include "npu_drv.h"
#include "npu_pm.h"

#define NPU_PCI_BAR 0
#define NPU_PCI_WINDOW SZ_64K

/* What driver_data means. User space passes it, so the numbers stay. */
enum npu_pci_config {
	NPU_PCI_NVDLA_SMALL = 0,
	NPU_PCI_NVDLA_SMALL_GATED = 1,
	NPU_PCI_NVDLA_LARGE = 2,
	NPU_PCI_NVDLA_LARGE_GATED = 3,
};

static const struct {
	const struct npu_hw *hw;
	bool clock_gating;
} npu_pci_configs[] = {
	[NPU_PCI_NVDLA_SMALL] = { &nvdla_small, false },
	[NPU_PCI_NVDLA_SMALL_GATED] = { &nvdla_small, true },
	[NPU_PCI_NVDLA_LARGE] = { &nvdla_large, false },
	[NPU_PCI_NVDLA_LARGE_GATED] = { &nvdla_large, true },
};

/*
 * pci_reset_function() would also take the device's lock, which a probe and a removal already hold.
 * Configuration space is closed to user space meanwhile: until restored it is that of power-on.
 */
static int npu_pci_reset(struct npu_device *npu)
{
	struct pci_dev *pdev = to_pci_dev(npu->drm.dev);
	int err;

	pci_cfg_access_lock(pdev);
	err = pci_save_state(pdev);
	if (!err) {
		err = pcie_reset_flr(pdev, PCI_RESET_DO_RESET);
		pci_restore_state(pdev);
	}
	pci_cfg_access_unlock(pdev);
	return err;
}

static int npu_pci_irq(struct npu_device *npu, struct pci_dev *pdev)
{
	int err = pci_alloc_irq_vectors(pdev, 1, 1, PCI_IRQ_ALL_TYPES);

	if (err < 0)
		return dev_err_probe(&pdev->dev, err, "cannot get an interrupt\n");
	npu->irq = pci_irq_vector(pdev, 0);
	npu->irq_is_edge = pci_dev_msi_enabled(pdev);
	return 0;
}

static int npu_pci_regs(struct npu_device *npu, struct pci_dev *pdev)
{
	if (pci_resource_len(pdev, NPU_PCI_BAR) < NPU_PCI_WINDOW)
		return dev_err_probe(&pdev->dev, -ENODEV,
				     "BAR %d has no register window of %u bytes\n", NPU_PCI_BAR,
				     NPU_PCI_WINDOW);
	npu->regs = devm_ioremap_resource(&pdev->dev, &pdev->resource[NPU_PCI_BAR]);
	return PTR_ERR_OR_ZERO(npu->regs);
}

static int npu_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct npu_device *npu;
	int err;

	err = pcim_enable_device(pdev);
	if (err)
		return dev_err_probe(&pdev->dev, err, "cannot enable\n");
	npu = npu_device_alloc(&pdev->dev, npu_pci_configs[id->driver_data].hw);
	if (IS_ERR(npu))
		return PTR_ERR(npu);
	npu->clock_gating = npu_pci_configs[id->driver_data].clock_gating;
	pci_set_drvdata(pdev, npu);

	err = npu_pci_regs(npu, pdev);
	if (!err)
		err = npu_pci_irq(npu, pdev);
	if (!err)
		err = npu_pm_init(npu);
	if (err)
		return err;
	if (!pcie_reset_flr(pdev, PCI_RESET_PROBE))
		npu->reset = npu_pci_reset;
	pci_set_master(pdev);
	err = npu_device_register(npu);
	if (!err)
		npu_pm_put(npu);
	return err;
}

static void npu_pci_remove(struct pci_dev *pdev)
{
	npu_device_unplug(pci_get_drvdata(pdev));
	/* The core puts the reference that the end of the probe has put. */
	pm_runtime_get_noresume(&pdev->dev);
}

static void npu_pci_shutdown(struct pci_dev *pdev)
{
	/* For kexec the core does it anyway, but other ways to another kernel there are, too. */
	if (!npu_queue_shutdown(pci_get_drvdata(pdev)))
		pci_clear_master(pdev);
}

#define NPU_PCI_BOARD(id, config)                                                      \
	{                                                                              \
		PCI_DEVICE(PCI_VENDOR_ID_REDHAT_QUMRANET, id), .driver_data = (config) \
	}

static const struct pci_device_id npu_pci_ids[] = {
	/* The virtual board; of the range that QEMU leaves to experiments. */
	NPU_PCI_BOARD(0x10f0, NPU_PCI_NVDLA_SMALL),
	NPU_PCI_BOARD(0x10f1, NPU_PCI_NVDLA_LARGE),
	NPU_PCI_BOARD(0x10f8, NPU_PCI_NVDLA_SMALL_GATED),
	NPU_PCI_BOARD(0x10f9, NPU_PCI_NVDLA_LARGE_GATED),
	{},
};
MODULE_DEVICE_TABLE(pci, npu_pci_ids);

static struct pci_driver npu_pci_driver = {
	.name = "npu",
	.id_table = npu_pci_ids,
	.probe = npu_pci_probe,
	.remove = npu_pci_remove,
	.shutdown = npu_pci_shutdown,
	.driver.pm = pm_ptr(&npu_pm_ops),
};

/**
 * npu_pci_register - serve NPUs on PCI
 *
 * Return: 0 or a negative errno.
 */
int npu_pci_register(void)
{
	return pci_register_driver(&npu_pci_driver);
}

/**
 * npu_pci_unregister - let go of all NPUs on PCI
 */
void npu_pci_unregister(void)
{
	pci_unregister_driver(&npu_pci_driver);
}
