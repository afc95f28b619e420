// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the trace events of npu_trace.h become code.
 */
#define CREATE_TRACE_POINTS
#include "npu_trace.h"
