/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Registers of the NVDLA units that a matrix multiplication goes through. "D_" registers exist
 * twice: the group selected in S_POINTER is written, and a group that runs ignores writes. Fields
 * called size, width, height, channel, kernel, bank and entries hold the number minus one.
 */
#ifndef _NVDLA_REGS_H_
#define _NVDLA_REGS_H_

#include <linux/bits.h>

/* GLB: interrupts of the whole unit. Write a bit back to clear it. */
#define GLB_S_INTR_MASK 0x1004
#define GLB_S_INTR_STATUS 0x100c
#define GLB_INTR_SDP_DONE(group) BIT(group)
#define GLB_INTR_ALL 0x003f03ff

/* S_STATUS and S_POINTER are the same in every unit, at offsets 0 and 4. */
#define S_STATUS(unit) ((unit) + 0x0)
#define S_STATUS_GROUPS (GENMASK(17, 16) | GENMASK(1, 0))
#define S_POINTER(unit) ((unit) + 0x4)
#define S_POINTER_CONSUMER BIT(16)

/* MISC_CFG of CDMA and CSC, which must agree. */
#define CONV_MISC_DATA_REUSE BIT(16)
#define CONV_MISC_WEIGHT_REUSE BIT(20)
#define CONV_MISC_SKIP_DATA_RELEASE BIT(24)
#define CONV_MISC_SKIP_WEIGHT_RELEASE BIT(28)

/* CDMA: fetches A and W into the CBUF. */
#define CDMA 0x3000
#define CDMA_S_ARBITER 0x3008
#define CDMA_S_ARBITER_EVEN 0x000f000f
#define CDMA_S_CBUF_FLUSH_STATUS 0x300c
#define CDMA_S_CBUF_FLUSH_DONE BIT(0)
#define CDMA_D_OP_ENABLE 0x3010
#define CDMA_D_MISC_CFG 0x3014
#define CDMA_D_DATAIN_FORMAT 0x3018
#define CDMA_D_DATAIN_SIZE_0 0x301c
#define CDMA_D_DATAIN_SIZE_1 0x3020
#define CDMA_D_DATAIN_SIZE_EXT_0 0x3024
#define CDMA_D_PIXEL_OFFSET 0x3028
#define CDMA_D_DAIN_RAM_TYPE 0x302c
#define CDMA_D_DAIN_ADDR_HIGH_0 0x3030
#define CDMA_D_DAIN_ADDR_LOW_0 0x3034
#define CDMA_D_DAIN_ADDR_HIGH_1 0x3038
#define CDMA_D_DAIN_ADDR_LOW_1 0x303c
#define CDMA_D_LINE_STRIDE 0x3040
#define CDMA_D_LINE_UV_STRIDE 0x3044
#define CDMA_D_SURF_STRIDE 0x3048
#define CDMA_D_DAIN_MAP 0x304c
/* Takes effect only for grains of several lines and for a single position. */
#define CDMA_DAIN_MAP_PACKED (BIT(16) | BIT(0))
#define CDMA_D_BATCH_NUMBER 0x3058
#define CDMA_D_BATCH_STRIDE 0x305c
#define CDMA_D_ENTRY_PER_SLICE 0x3060
#define CDMA_D_FETCH_GRAIN 0x3064
#define CDMA_D_WEIGHT_FORMAT 0x3068
#define CDMA_D_WEIGHT_SIZE_0 0x306c
#define CDMA_D_WEIGHT_SIZE_1 0x3070
#define CDMA_D_WEIGHT_RAM_TYPE 0x3074
#define CDMA_D_WEIGHT_ADDR_HIGH 0x3078
#define CDMA_D_WEIGHT_ADDR_LOW 0x307c
#define CDMA_D_WEIGHT_BYTES 0x3080
#define CDMA_D_MEAN_FORMAT 0x3098
#define CDMA_D_CVT_CFG 0x30a4
#define CDMA_D_CVT_OFFSET 0x30a8
#define CDMA_D_CVT_SCALE 0x30ac
#define CDMA_D_CONV_STRIDE 0x30b0
#define CDMA_D_ZERO_PADDING 0x30b4
#define CDMA_D_ZERO_PADDING_VALUE 0x30b8
#define CDMA_D_BANK 0x30bc
#define CDMA_D_NAN_FLUSH_TO_ZERO 0x30c0
#define CDMA_D_PERF_ENABLE 0x30d4
#define CDMA_PERF_DMA BIT(0)
#define CDMA_D_PERF_DAT_READ_STALL 0x30d8
#define CDMA_D_PERF_WT_READ_STALL 0x30dc
#define CDMA_D_LAST 0x30e8

/* CSC: walks the CBUF. */
#define CSC 0x4000
#define CSC_D_OP_ENABLE 0x4008
#define CSC_D_MISC_CFG 0x400c
#define CSC_D_DATAIN_FORMAT 0x4010
#define CSC_D_DATAIN_SIZE_EXT_0 0x4014
#define CSC_D_DATAIN_SIZE_EXT_1 0x4018
#define CSC_D_BATCH_NUMBER 0x401c
#define CSC_D_POST_Y_EXTENSION 0x4020
#define CSC_D_ENTRY_PER_SLICE 0x4024
#define CSC_D_WEIGHT_FORMAT 0x4028
#define CSC_D_WEIGHT_SIZE_EXT_0 0x402c
#define CSC_D_WEIGHT_SIZE_EXT_1 0x4030
#define CSC_D_WEIGHT_BYTES 0x4034
#define CSC_D_WMB_BYTES 0x4038
#define CSC_D_DATAOUT_SIZE_0 0x403c
#define CSC_D_DATAOUT_SIZE_1 0x4040
#define CSC_D_ATOMICS 0x4044
#define CSC_D_RELEASE 0x4048
#define CSC_D_CONV_STRIDE_EXT 0x404c
#define CSC_D_DILATION_EXT 0x4050
#define CSC_D_ZERO_PADDING 0x4054
#define CSC_D_ZERO_PADDING_VALUE 0x4058
#define CSC_D_BANK 0x405c
#define CSC_D_PRA_CFG 0x4060

/* CMAC: the two halves of the multiplier array. */
#define CMAC_A 0x5000
#define CMAC_B 0x6000
#define CMAC_D_OP_ENABLE(unit) ((unit) + 0x8)
#define CMAC_D_MISC_CFG(unit) ((unit) + 0xc)

/* CACC: the accumulators. */
#define CACC 0x7000
#define CACC_D_OP_ENABLE 0x7008
#define CACC_D_MISC_CFG 0x700c
#define CACC_D_DATAOUT_SIZE_0 0x7010
#define CACC_D_DATAOUT_SIZE_1 0x7014
#define CACC_D_DATAOUT_ADDR 0x7018
#define CACC_D_BATCH_NUMBER 0x701c
#define CACC_D_LINE_STRIDE 0x7020
#define CACC_D_SURF_STRIDE 0x7024
#define CACC_D_STRIDE_BITS GENMASK(23, 0)
#define CACC_D_DATAOUT_MAP 0x7028
#define CACC_DATAOUT_MAP_PACKED (BIT(16) | BIT(0))
#define CACC_D_CLIP_CFG 0x702c
#define CACC_D_LAST 0x7034

/* SDP_RDMA: fetches epilogue operands. BRDMA serves stage X1, NRDMA stage X2. */
#define SDP_RDMA 0x8000
#define SDP_RDMA_D_OP_ENABLE 0x8008
#define SDP_RDMA_D_DATA_CUBE_WIDTH 0x800c
#define SDP_RDMA_D_DATA_CUBE_HEIGHT 0x8010
#define SDP_RDMA_D_DATA_CUBE_CHANNEL 0x8014
#define SDP_RDMA_D_BRDMA_CFG 0x8028
#define SDP_RDMA_D_NRDMA_CFG 0x8040
#define SDP_RDMA_D_ERDMA_CFG 0x8058
#define RDMA_CFG_DISABLE BIT(0)
#define RDMA_CFG_USE_MUL 0x0
#define RDMA_CFG_USE_ALU 0x2
#define RDMA_CFG_USE_BOTH 0x4
#define RDMA_CFG_TWO_BYTES BIT(3)
#define RDMA_CFG_PER_ELEMENT BIT(4)
#define RDMA_CFG_MAIN_MEMORY BIT(5)
/* From the CFG register of BRDMA and NRDMA: */
#define RDMA_ADDR_LOW 0x4
#define RDMA_ADDR_HIGH 0x8
#define RDMA_LINE_STRIDE 0xc
#define RDMA_SURFACE_STRIDE 0x10
#define SDP_RDMA_D_FEATURE_MODE_CFG 0x8070
#define SDP_RDMA_FEATURE_FLYING BIT(0)
#define SDP_RDMA_FEATURE_OUT_INT16 0x40
#define SDP_RDMA_D_LAST 0x8090

/* SDP: the epilogue. BS is stage X1, BN stage X2; nv_small has no EW. */
#define SDP 0x9000
#define SDP_D_OP_ENABLE 0x9038
#define SDP_D_DATA_CUBE_WIDTH 0x903c
#define SDP_D_DATA_CUBE_HEIGHT 0x9040
#define SDP_D_DATA_CUBE_CHANNEL 0x9044
#define SDP_D_DST_BASE_ADDR_LOW 0x9048
#define SDP_D_DST_BASE_ADDR_HIGH 0x904c
#define SDP_D_DST_LINE_STRIDE 0x9050
#define SDP_D_DST_SURFACE_STRIDE 0x9054
#define SDP_D_DP_BS_CFG 0x9058
#define SDP_D_DP_BN_CFG 0x906c
#define SDP_D_DP_EW_CFG 0x9080
#define SDP_DP_BYPASS BIT(0)
#define SDP_DP_ALU_BYPASS BIT(1)
#define SDP_DP_ALU_MAX 0x0
#define SDP_DP_ALU_MIN 0x4
#define SDP_DP_ALU_SUM 0x8
#define SDP_DP_MUL_BYPASS BIT(4)
#define SDP_DP_MUL_PRELU BIT(5)
#define SDP_DP_RELU_BYPASS BIT(6)
#define SDP_DP_EMPTY (SDP_DP_BYPASS | SDP_DP_ALU_BYPASS | SDP_DP_MUL_BYPASS | SDP_DP_RELU_BYPASS)
/* From the CFG register of BS and BN: */
#define SDP_DP_ALU_CFG 0x4
#define SDP_DP_ALU_VALUE 0x8
#define SDP_DP_MUL_CFG 0xc
#define SDP_DP_MUL_VALUE 0x10
#define SDP_DP_SRC_MEMORY BIT(0)
#define SDP_DP_SHIFT(n) ((n) << 8)
#define SDP_D_FEATURE_MODE_CFG 0x90b0
#define SDP_FEATURE_FLYING BIT(0)
#define SDP_D_DST_DMA_CFG 0x90b4
#define SDP_D_DST_BATCH_STRIDE 0x90b8
#define SDP_D_DATA_FORMAT 0x90bc
#define SDP_DATA_FORMAT_OUT_INT16 0x4
#define SDP_D_CVT_OFFSET 0x90c0
#define SDP_D_CVT_SCALE 0x90c4
#define SDP_D_CVT_SHIFT 0x90c8
#define SDP_D_PERF_ENABLE 0x90dc
#define SDP_PERF_DMA BIT(0)
#define SDP_PERF_SATURATION BIT(2)
#define SDP_D_PERF_WDMA_WRITE_STALL 0x90e0
#define SDP_D_PERF_OUT_SATURATION 0x90ec
#define SDP_D_LAST 0x90f8

/* Of the two memory ports, the only one nv_small has. */
#define RAM_TYPE_MAIN_MEMORY 1

#endif /* _NVDLA_REGS_H_ */
