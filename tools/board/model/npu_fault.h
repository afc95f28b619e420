/* SPDX-License-Identifier: MIT */
/*
 * Faults on request, for tests of a driver's bad days. Optional for a model: a board looks these
 * functions up and does without them when they are missing.
 */
#ifndef NPU_FAULT_H
#define NPU_FAULT_H

struct npu_model;

/**
 * DOC: faults
 *
 * A fault is a short text. N counts the ops that are enabled from now on: 1 is the next one.
 * CYCLES are clock cycles. Several faults may be waiting at a time; they are no state of the
 * hardware, so a reset leaves them waiting.
 *
 * - ``hang:N``: op N starts and never completes. It writes nothing and raises nothing; the engine
 *   is stuck until it is reset.
 * - ``bus-error:N``: the first read of op N meets a bus error. The hardware has no way to report
 *   it, so this ends as a hang.
 * - ``lost-irq:N``: op N completes and its status bit is set, but the interrupt line does not
 *   rise for it.
 * - ``late-irq:N:CYCLES``: op N completes and its status bit is set, but the interrupt line rises
 *   for it only CYCLES later, if the bit is still set then.
 * - ``spurious-irq``: the interrupt line rises for some cycles with no status bit set, as soon as
 *   the clock runs.
 * - ``no-flush``: resets do not help, until one has been seen not to: the CBUF is never flushed
 *   after it. The reset after its status was read helps again.
 */

/**
 * Asks for a fault.
 *
 * Returns 0, or -1 when the text is none of the above or too many faults are waiting.
 */
int npu_model_inject(struct npu_model *m, const char *fault);

/**
 * Says in words why the engine is stuck, for the log of a board; NULL when it is not.
 */
const char *npu_model_stuck(const struct npu_model *m);

#endif /* NPU_FAULT_H */
