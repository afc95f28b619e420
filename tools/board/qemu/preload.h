/* SPDX-License-Identifier: MIT */
#ifndef BOARD_PRELOAD_H
#define BOARD_PRELOAD_H

/*
 * Ends QEMU unless it lays out the structures that the board's types contain as the headers say.
 * Called when the first of these types is initialised.
 */
void board_check_layout(void);

/* The types that a front brings. */
void npu_mmio_register(void);
void npu_pci_register(void);

#endif /* BOARD_PRELOAD_H */
