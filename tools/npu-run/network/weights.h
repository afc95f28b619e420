/* SPDX-License-Identifier: MIT */
/* From the float weights of a layer to those of a quantized one. */
#ifndef NPU_RUN_WEIGHTS_H
#define NPU_RUN_WEIGHTS_H

#include "learnt.h"
#include "quant_network.h"

/*
 * Quantizes n x k weights.
 * @type: Their form and bits.
 * @hessian: Statistics of the layer's inputs; needed if rounding is compensated.
 * @learnt: Scales from elsewhere, or NULL.
 * @layer: Has name, shape, bias, mode and scaling; its weights are filled in.
 *
 * A channel of nothing but zeros has a scale like the others. With a scaling in fixed point no
 * channel's scale is below 1 / WEIGHTS_SPREAD of the largest: its multiplier, and with it its bias,
 * would vanish beside the others', while nothing of such a channel shows in the result.
 */
int weights_quantize(const struct technique *technique, const struct weight_type *type,
		     const float *w, const struct npu_hessian *hessian, const struct learnt *learnt,
		     struct quant_layer *layer, struct npu_error *err);

#define WEIGHTS_SPREAD 1024

/* Gives back what weights_quantize() has filled in, for another try. */
void weights_discard(struct quant_layer *layer);

/*
 * Squared error that the weights make in the layer's output, relative to the output's energy.
 * Exactly 0 where the output is 0.
 */
int weights_error(const struct quant_layer *layer, const float *w,
		  const struct npu_hessian *hessian, double *error, struct npu_error *err);

#endif
