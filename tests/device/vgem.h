/* SPDX-License-Identifier: MIT */
/*
 * vgem: a driver that has memory and nothing else, for tests of memory that comes from elsewhere.
 */
#ifndef TESTS_DEVICE_VGEM_H
#define TESTS_DEVICE_VGEM_H

#include <stdbool.h>
#include <stdint.h>

/* Opens vgem's node; -1 if the module is not loaded. */
int vgem_open(void);

/* A buffer of vgem with all its pages there, as dma-buf. Its pages are scattered. */
int vgem_buffer(int vgem, uint32_t bytes);

/* Gives a dma-buf of vgem's the fence of a write; it is over when the fence is handed back. */
uint32_t vgem_begin_write(int vgem, int dma_buf);
void vgem_end_write(int vgem, uint32_t fence);
/* The same of a read. Ends fail when the fence has signalled by itself, which takes ten seconds. */
uint32_t vgem_begin_read(int vgem, int dma_buf);
void vgem_end_read(int vgem, uint32_t fence);

/*
 * A fence that signals when the test says so with vgem_end_write(), and by itself after ten
 * seconds. Returns it as sync_file, to be closed by the caller.
 */
int vgem_hold(int vgem, uint32_t *fence);
/* As vgem_end_write(), for who may have been too slow: false if the fence had signalled by itself.
 */
bool vgem_release(int vgem, uint32_t fence);

#endif /* TESTS_DEVICE_VGEM_H */
