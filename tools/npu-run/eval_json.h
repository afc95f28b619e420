/* SPDX-License-Identifier: MIT */
/* What "npu-run eval --json" prints. */
#ifndef NPU_RUN_EVAL_JSON_H
#define NPU_RUN_EVAL_JSON_H

#include "eval_report.h"

void eval_json(const struct eval_report *report, const struct npu_device_info *info,
	       const struct float_network *network);

#endif
