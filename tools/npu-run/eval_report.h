/* SPDX-License-Identifier: MIT */
/* What "npu-run eval" prints. */
#ifndef NPU_RUN_EVAL_REPORT_H
#define NPU_RUN_EVAL_REPORT_H

#include "network/subject.h"

/*
 * struct eval_report - what is to be told, and how
 * @model: Path of the float network.
 * @samples: How many there were.
 * @labelled: Whether they had labels.
 * @subjects, @count: The quantized networks.
 * @json: As one JSON object.
 */
struct eval_report {
	const char *model;
	uint32_t samples;
	bool labelled;
	const struct subject *subjects;
	uint32_t count;
	bool json;
};

void eval_report(const struct eval_report *report, const struct npu_device_info *info,
		 const struct float_network *network);

#endif
