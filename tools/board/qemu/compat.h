/* SPDX-License-Identifier: MIT */
/*
 * QEMU's headers, and the differences between the releases the board builds for: Debian 12 has 7.2,
 * Debian 13 has 10.0.
 */
#ifndef BOARD_COMPAT_H
#define BOARD_COMPAT_H

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/error-report.h"
#include "qemu/host-utils.h"
#include "qemu/module.h"
#include "qemu/timer.h"
#include "exec/memory.h"
#include "hw/pci/msi.h"
#include "hw/pci/pci.h"
#include "hw/pci/pcie.h"

#if __has_include("hw/core/sysbus.h")
#include "hw/core/irq.h"
#include "hw/core/qdev-properties.h"
#include "hw/core/sysbus.h"
#else
#include "hw/irq.h"
#include "hw/qdev-properties.h"
#include "hw/sysbus.h"
#endif

#if __has_include("hw/pci/pci_device.h")
#include "hw/pci/pci_device.h"
#endif

#if __has_include("system/address-spaces.h")
#include "system/address-spaces.h"
#else
#include "exec/address-spaces.h"
#endif

#define BOARD_QEMU (QEMU_VERSION_MAJOR * 100 + QEMU_VERSION_MINOR)

/* Property tables: an end marker before 10.0, const and counted since. */
#if BOARD_QEMU >= 1000
#define BOARD_PROP_CONST const
#define BOARD_PROP_END
#else
#define BOARD_PROP_CONST
#define BOARD_PROP_END DEFINE_PROP_END_OF_LIST(),
#endif

/* The callback has a name of its own since resets have phases. */
#if BOARD_QEMU < 902
static inline void device_class_set_legacy_reset(DeviceClass *dc, void (*reset)(DeviceState *dev))
{
	dc->reset = reset;
}
#endif

/* The data argument of class_init, and interfaces. */
#if BOARD_QEMU >= 1001
#define BOARD_CLASS_CONST const
#else
#define BOARD_CLASS_CONST
#endif

#endif /* BOARD_COMPAT_H */
