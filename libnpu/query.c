// SPDX-License-Identifier: MIT
/*
 * Queries: plans of matmuls that nobody has made.
 */
#include <errno.h>

#include "backend/backend.h"

/* Largest operand or result, beyond every device. No product of the planner overflows. */
#define MAX_BYTES (UINT64_C(1) << 40)

void npu_plan_shape(struct npu_plan *plan, uint32_t m, uint32_t k, uint32_t n)
{
	*plan = (struct npu_plan){
		.size = sizeof(*plan),
		.m = m,
		.k = k,
		.n = n,
		.macs = (uint64_t)m * k * n,
		.bytes = (uint64_t)m * k + (uint64_t)n * k + (uint64_t)m * n,
	};
}

/* Begins the plan that @desc asks for. */
static int begin(const struct npu_plan_desc *desc, struct npu_plan *begun, size_t plan_size,
		 struct npu_error *err)
{
	if (desc->size != sizeof(*desc))
		return npu_fail(err, -EINVAL,
				"npu_plan_desc.size is %zu, set it to sizeof(struct "
				"npu_plan_desc), which is %zu",
				desc->size, sizeof(*desc));
	if (plan_size != sizeof(*begun))
		return npu_fail(err, -EINVAL,
				"npu_plan.size is %zu, set it to sizeof(struct npu_plan), which "
				"is %zu",
				plan_size, sizeof(*begun));
	if (!desc->m || !desc->k || !desc->n)
		return npu_fail(err, -EINVAL, "a matmul of %u x %u x %u: M, K and N are at least 1",
				desc->m, desc->k, desc->n);
	if ((uint64_t)desc->m * desc->k > MAX_BYTES || (uint64_t)desc->n * desc->k > MAX_BYTES ||
	    (uint64_t)desc->m * desc->n > MAX_BYTES)
		return npu_fail(err, -EINVAL,
				"a matmul of %u x %u x %u has a matrix of more than a tebibyte",
				desc->m, desc->k, desc->n);
	npu_plan_shape(begun, desc->m, desc->k, desc->n);
	return 0;
}

int npu_plan_query(const struct npu_device *dev, const struct npu_plan_desc *desc,
		   struct npu_plan *plan, struct npu_error *err)
{
	struct npu_plan result;
	int ret;

	if (!dev || !desc || !plan)
		return npu_fail(err, -EINVAL,
				"npu_plan_query: no device, no desc or no plan given");
	ret = begin(desc, &result, plan->size, err);
	if (!ret && dev->ops->plan)
		ret = dev->ops->plan(dev, desc->exact, &result, err);
	if (!ret)
		*plan = result;
	return ret;
}

int npu_plan_query_config(const char *config, const struct npu_plan_desc *desc,
			  struct npu_plan *plan, struct npu_error *err)
{
	struct npu_plan result;
	int ret;

	if (!config || !desc || !plan)
		return npu_fail(err, -EINVAL,
				"npu_plan_query_config: no config, no desc or no plan given");
	ret = begin(desc, &result, plan->size, err);
	if (!ret)
		ret = npu_nvdla_plan(config, desc->exact, &result, err);
	if (!ret)
		*plan = result;
	return ret;
}
