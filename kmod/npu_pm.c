// SPDX-License-Identifier: GPL-2.0-only
/*
 * Power: the engine is off when nobody has work for it.
 *
 * DOC: Power
 *
 * A submission holds the engine on from before it is armed, when powering up may still fail, until
 * it ends. Some time after the last one the clocks go, and with them, perhaps, the supply and
 * the power domain; the engine's state is lost. So powering up is what probe and recovery do:
 * npu_device_start().
 *
 * What is on is known from npu_device.powered and from nothing else: where powering up fails in a
 * system resume, the core still takes the device for active.
 *
 * System sleep stops the queue between two ops, and then the engine if it is on. What has not begun
 * stays in the queue and runs after the system woke up.
 */
#include <linux/clk.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>
#include <linux/regulator/consumer.h>
#include <drm/drm_print.h>

#include "npu_drv.h"
#include "npu_pm.h"

/* Longer than the pause between two inferences of a camera, and much longer than powering up. */
#define NPU_AUTOSUSPEND_MS 100

static int npu_power_on(struct npu_device *npu)
{
	int err;

	if (npu->powered)
		return 0;
	err = npu->supply ? regulator_enable(npu->supply) : 0;
	if (err)
		return err;
	err = clk_bulk_prepare_enable(npu->n_clks, npu->clks);
	if (err && npu->supply)
		regulator_disable(npu->supply);
	npu->powered = !err;
	return err;
}

static void npu_power_off(struct npu_device *npu)
{
	if (!npu->powered)
		return;
	clk_bulk_disable_unprepare(npu->n_clks, npu->clks);
	if (npu->supply)
		regulator_disable(npu->supply);
	npu->powered = false;
}

static int npu_runtime_suspend(struct device *dev)
{
	struct npu_device *npu = dev_get_drvdata(dev);

	npu_queue_stop(npu);
	npu_power_off(npu);
	return 0;
}

static int npu_runtime_resume(struct device *dev)
{
	struct npu_device *npu = dev_get_drvdata(dev);
	int err;

	err = npu_power_on(npu);
	if (err)
		goto wedged;
	/* An engine that is wedged stays so. */
	if (npu_queue_error(npu))
		return 0;
	err = npu_device_start(npu);
	if (err)
		goto power_off;
	npu_queue_go(npu);
	return 0;

power_off:
	npu_power_off(npu);
wedged:
	drm_err(&npu->drm, "cannot power up (%d): all jobs fail until it is bound again\n", err);
	npu_queue_wedge(npu);
	return err;
}

/* By now nobody changes the runtime state any more: it says whether the engine is on. */
static int npu_system_suspend(struct device *dev)
{
	npu_queue_pause(dev_get_drvdata(dev));
	return pm_runtime_status_suspended(dev) ? 0 : npu_runtime_suspend(dev);
}

static int npu_system_resume(struct device *dev)
{
	int err = pm_runtime_status_suspended(dev) ? 0 : npu_runtime_resume(dev);

	npu_queue_unpause(dev_get_drvdata(dev));
	return err;
}

const struct dev_pm_ops npu_pm_ops = { SYSTEM_SLEEP_PM_OPS(npu_system_suspend, npu_system_resume)
					       RUNTIME_PM_OPS(npu_runtime_suspend,
							      npu_runtime_resume, NULL) };

static void npu_pm_fini(void *data)
{
	struct npu_device *npu = data;
	struct device *dev = npu->drm.dev;

	pm_runtime_dont_use_autosuspend(dev);
	if (dev_is_pci(dev)) {
		pm_runtime_forbid(dev);
		return;
	}
	pm_runtime_disable(dev);
	npu_power_off(npu);
	pm_runtime_set_suspended(dev);
}

/**
 * npu_pm_init - switch on for the probe
 * @npu: The device, its supply and clocks known. It is the driver data of its bus device.
 *
 * On success the engine stays on until npu_pm_put(), which ends the probe, or npu_pm_abort();
 * removal begins with npu_pm_get(). On PCI the core has done its part before the probe, and does it
 * after the removal.
 *
 * Return: 0 or a negative errno.
 */
int npu_pm_init(struct npu_device *npu)
{
	struct device *dev = npu->drm.dev;
	int err;

	err = npu_power_on(npu);
	if (err)
		return dev_err_probe(dev, err, "cannot enable supply and clocks\n");
	if (!dev_is_pci(dev))
		pm_runtime_get_noresume(dev);
	/* On PCI only after a power-up that failed: it makes the core forget that. */
	pm_runtime_set_active(dev);
	pm_runtime_set_autosuspend_delay(dev, NPU_AUTOSUSPEND_MS);
	pm_runtime_use_autosuspend(dev);
	if (dev_is_pci(dev))
		pm_runtime_allow(dev);
	else
		pm_runtime_enable(dev);
	err = devm_add_action_or_reset(dev, npu_pm_fini, npu);
	if (err)
		npu_pm_abort(npu);
	return err;
}

/**
 * npu_pm_abort - the probe fails after npu_pm_init()
 * @npu: The device. On PCI the core puts its own reference.
 */
void npu_pm_abort(struct npu_device *npu)
{
	if (!dev_is_pci(npu->drm.dev))
		pm_runtime_put_noidle(npu->drm.dev);
}

/**
 * npu_pm_get - the engine is going to be needed
 * @npu: The device.
 *
 * Return: 0 or a negative errno; may sleep.
 */
int npu_pm_get(struct npu_device *npu)
{
	int err = pm_runtime_resume_and_get(npu->drm.dev);

	/* Why it was wedged the log says; its users see what they see later, too. */
	return err ? npu_queue_error(npu) ?: err : 0;
}

/**
 * npu_pm_put - the engine is not needed any more
 * @npu: The device. It may be unbound by now.
 */
void npu_pm_put(struct npu_device *npu)
{
	pm_runtime_mark_last_busy(npu->drm.dev);
	pm_runtime_put_autosuspend(npu->drm.dev);
}

/**
 * npu_pm_cut - the kernel ends, and the engine cannot be made to stop
 * @npu: The device. It does not change its runtime state any more.
 *
 * Others may need the same clocks and supply, and then it goes on.
 */
void npu_pm_cut(struct npu_device *npu)
{
	npu_power_off(npu);
}
