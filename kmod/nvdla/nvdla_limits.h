/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Limits of the configurations of NVDLA.
 */
#ifndef _NVDLA_LIMITS_H_
#define _NVDLA_LIMITS_H_

#include <drm/npu_accel.h>

extern const struct drm_npu_matmul_limits nvdla_small_limits;
extern const struct drm_npu_matmul_limits nvdla_large_limits;

#endif /* _NVDLA_LIMITS_H_ */
