/* SPDX-License-Identifier: MIT */
/*
 * The board control page: through it a program in the guest injects faults into the model while a
 * test runs. No driver claims it. Its address is in the device tree, in the node that is compatible
 * with BOARD_CONTROL_COMPATIBLE, and root maps it through /dev/mem; where the NPU is a PCI
 * function, the page is a BAR of that function. Real hardware has none.
 *
 * A fault is a text, as after the board's --fault. Write its bytes one by one to
 * BOARD_CONTROL_DATA, then anything to BOARD_CONTROL_COMMIT. Reading BOARD_CONTROL_COMMIT gives the
 * result: 0, or an errno. All registers are 32 bits wide.
 */
#ifndef BOARD_CONTROL_H
#define BOARD_CONTROL_H

#define BOARD_CONTROL_COMPATIBLE "npu,board-control"

/* Of the ids that QEMU leaves to experiments: one for each configuration, which has no other name.
 */
#define BOARD_CONTROL_PCI_VENDOR 0x1af4
#define BOARD_CONTROL_PCI_DEVICE 0x10f0
#define BOARD_CONTROL_PCI_LARGE 0x1 /* added for nv_large */
#define BOARD_CONTROL_PCI_GATED 0x8 /* added with clock gating */
#define BOARD_CONTROL_PCI_DEVICES 16
#define BOARD_CONTROL_BAR 2

#define BOARD_CONTROL_SIZE 0x1000

#define BOARD_CONTROL_ID 0x0 /* Reads as BOARD_CONTROL_MAGIC. */
#define BOARD_CONTROL_DATA 0x4
#define BOARD_CONTROL_COMMIT 0x8

#define BOARD_CONTROL_MAGIC 0x4255504e /* "NPUB" */
#define BOARD_CONTROL_TEXT_MAX 255

#endif /* BOARD_CONTROL_H */
