/* SPDX-License-Identifier: MIT */
/* What "npu-run eval" draws. */
#ifndef NPU_RUN_EVAL_CHART_H
#define NPU_RUN_EVAL_CHART_H

#include "eval_report.h"

/*
 * Whether there will be something to draw of networks that are loaded. Errors begin with the path
 * of the one of which there is nothing.
 */
int eval_chart_check(const struct subject *subjects, uint32_t count, struct npu_error *err);

/*
 * Draws, of several networks, their accuracy against the bits of their weights, a line for each
 * technique; of one network, where the values of each layer lie in their range.
 * @text: Whether to standard output.
 * @svg: Path of a file, or NULL. Errors about it begin with the path.
 */
int eval_chart(const struct eval_report *report, bool text, const char *svg, struct npu_error *err);

#endif
