/* SPDX-License-Identifier: MIT */
/*
 * vgem: a driver that has memory and nothing else, for tests of memory that comes from elsewhere.
 */
#ifndef TESTS_DEVICE_VGEM_H
#define TESTS_DEVICE_VGEM_H

#include <stdint.h>

/* Opens vgem's node; -1 if the module is not loaded. */
int vgem_open(void);

/* A buffer of vgem with all its pages there, as dma-buf. Its pages are scattered. */
int vgem_buffer(int vgem, uint32_t bytes);

/* Gives a dma-buf of vgem's the fence of a write; it is over when the fence is handed back. */
uint32_t vgem_begin_write(int vgem, int dma_buf);
void vgem_end_write(int vgem, uint32_t fence);

/* A sync_file of the writes to a dma-buf that are under way, to be closed by the caller. */
int vgem_sync_file(int dma_buf);

#endif /* TESTS_DEVICE_VGEM_H */
