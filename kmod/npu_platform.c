// SPDX-License-Identifier: GPL-2.0-only
/*
 * NPUs described by a device tree. Clocks, supply, reset line, power domain and memory region are
 * optional; without a reset line a hang is final.
 */
#include <linux/clk.h>
#include <linux/delay.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/property.h>
#include <linux/regulator/consumer.h>
#include <linux/reset.h>

#include "npu_drv.h"
#include "npu_pm.h"

/* The first clock is the engine's; a bus clock may follow. */
static int npu_platform_clocks(struct npu_device *npu)
{
	struct device *dev = npu->drm.dev;
	int err;

	err = devm_clk_bulk_get_all(dev, &npu->clks);
	if (err < 0)
		return dev_err_probe(dev, err, "cannot get clocks\n");
	npu->n_clks = err;
	return 0;
}

static int npu_platform_supply(struct npu_device *npu)
{
	struct device *dev = npu->drm.dev;

	npu->supply = devm_regulator_get_optional(dev, "vdd");
	if (npu->supply == ERR_PTR(-ENODEV))
		npu->supply = NULL;
	if (IS_ERR(npu->supply))
		return dev_err_probe(dev, PTR_ERR(npu->supply), "cannot get vdd-supply\n");
	return 0;
}

static int npu_platform_reset(struct npu_device *npu)
{
	int err = reset_control_assert(npu->resets);

	if (err)
		return err;
	usleep_range(10, 20);
	return reset_control_deassert(npu->resets);
}

static int npu_platform_probe(struct platform_device *pdev)
{
	struct device *dev = &pdev->dev;
	const struct npu_hw *hw = device_get_match_data(dev);
	struct npu_device *npu;
	int err;

	/* Bound by driver_override, which takes any device. */
	if (!hw)
		return -ENODEV;
	npu = npu_device_alloc(dev, hw);
	if (IS_ERR(npu))
		return PTR_ERR(npu);
	platform_set_drvdata(pdev, npu);

	npu->regs = devm_platform_ioremap_resource(pdev, 0);
	if (IS_ERR(npu->regs))
		return PTR_ERR(npu->regs);
	npu->irq = platform_get_irq(pdev, 0);
	if (npu->irq < 0)
		return npu->irq;
	npu->resets = devm_reset_control_array_get_optional_exclusive(dev);
	if (IS_ERR(npu->resets))
		return dev_err_probe(dev, PTR_ERR(npu->resets), "cannot get resets\n");
	if (npu->resets)
		npu->reset = npu_platform_reset;

	npu->clock_gating = device_property_read_bool(dev, "nvidia,clock-gating");
	err = npu_platform_clocks(npu);
	if (!err)
		err = npu_platform_supply(npu);
	if (!err)
		err = npu_pm_init(npu);
	if (err)
		return err;
	if (npu->n_clks)
		npu->clock_hz = clk_get_rate(npu->clks[0].clk);
	err = npu_device_register(npu);
	if (err)
		npu_pm_abort(npu);
	else
		npu_pm_put(npu);
	return err;
}

static void npu_platform_remove(struct platform_device *pdev)
{
	npu_device_unplug(platform_get_drvdata(pdev));
}

static void npu_platform_shutdown(struct platform_device *pdev)
{
	struct npu_device *npu = platform_get_drvdata(pdev);

	if (!npu_queue_shutdown(npu))
		npu_pm_cut(npu);
}

static const struct of_device_id npu_platform_ids[] = {
	{ .compatible = "nvidia,nv_small", .data = &nvdla_small },
	{ .compatible = "nvidia,nv_large", .data = &nvdla_large },
	{},
};
MODULE_DEVICE_TABLE(of, npu_platform_ids);

static struct platform_driver npu_platform_driver = {
	.probe = npu_platform_probe,
	.NPU_PLATFORM_REMOVE = npu_platform_remove,
	.shutdown = npu_platform_shutdown,
	.driver = {
		.name = "npu",
		.of_match_table = npu_platform_ids,
		.pm = pm_ptr(&npu_pm_ops),
	},
};

/**
 * npu_platform_register - serve NPUs of the device tree
 *
 * Return: 0 or a negative errno.
 */
int npu_platform_register(void)
{
	return platform_driver_register(&npu_platform_driver);
}

/**
 * npu_platform_unregister - let go of all NPUs of the device tree
 */
void npu_platform_unregister(void)
{
	platform_driver_unregister(&npu_platform_driver);
}
