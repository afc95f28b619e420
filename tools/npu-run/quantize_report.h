/* SPDX-License-Identifier: MIT */
/* What "npu-run quantize" prints. */
#ifndef NPU_RUN_QUANTIZE_REPORT_H
#define NPU_RUN_QUANTIZE_REPORT_H

#include "network/quantize.h"
#include "quantize_options.h"

void quantize_report(const struct quantize_options *options, const struct float_network *network,
		     const struct quant_network *quant, const struct findings *findings);

#endif
