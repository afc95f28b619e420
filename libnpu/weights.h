/* SPDX-License-Identifier: MIT */
/*
 * Weights, for the parts of the library that get them from somewhere else.
 */
#ifndef LIBNPU_WEIGHTS_H
#define LIBNPU_WEIGHTS_H

#include "object.h"
#include "packed.h"

/*
 * Weights that an image describes, without memory: the caller gives them some, or destroys them.
 */
int npu_weights_of_image(struct npu_device *dev, const struct npu_image *image,
			 struct npu_weights **out, struct npu_error *err);

/* What weights say about themselves; the numbers stay theirs. */
struct npu_packed npu_weights_describe(const struct npu_weights *weights);

#endif /* LIBNPU_WEIGHTS_H */
