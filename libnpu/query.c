// SPDX-License-Identifier: MIT
/*
 * Queries: plans of matmuls that nobody has made.
 */
#include <errno.h>

#include "backend/backend.h"
#include "output.h"

/* Largest operand or result, beyond every device. No product of the planner overflows. */
#define MAX_BYTES (UINT64_C(1) << 40)

void npu_plan_shape(struct npu_plan *plan, const struct npu_plan_desc *desc)
{
	const uint64_t m = desc->m, k = desc->k, n = desc->n;

	*plan = (struct npu_plan){
		.size = sizeof(*plan),
		.m = m,
		.k = k,
		.n = n,
		.macs = m * k * n,
		.bytes = m * k * npu_type_size(desc->a_type) + desc->batch * n * k +
			 m * n * (npu_type_size(desc->c_type) + npu_type_size(desc->residual_type)),
	};
}

static bool fits(uint64_t rows, uint64_t cols)
{
	return rows * cols <= MAX_BYTES;
}

static int check_shape(const struct npu_plan_desc *desc, struct npu_error *err)
{
	uint32_t batch = desc->batch ? desc->batch : 1;

	if (!desc->m || !desc->k || !desc->n)
		return npu_fail(err, -EINVAL, "a matmul of %u x %u x %u: M, K and N are at least 1",
				desc->m, desc->k, desc->n);
	if (!fits(desc->m, desc->k) || !fits(desc->n, desc->k) || !fits(desc->m, desc->n) ||
	    !fits((uint64_t)desc->n * desc->k, batch))
		return npu_fail(err, -EINVAL,
				"a matmul of %u x %u x %u has a matrix of more than a tebibyte",
				desc->m, desc->k, desc->n);
	if (desc->m % batch)
		return npu_fail(err, -EINVAL,
				"a matmul of %u rows, which %u matrices of weights cannot share "
				"evenly",
				desc->m, batch);
	if (desc->group_size % NPU_GROUP_UNIT)
		return npu_fail(err, -EINVAL,
				"npu_plan_desc.group_size is %u, not a multiple of %d",
				desc->group_size, NPU_GROUP_UNIT);
	return 0;
}

static int check_types(const struct npu_plan_desc *desc, struct npu_error *err)
{
	if (desc->a_type && desc->a_type != NPU_TYPE_INT8 && desc->a_type != NPU_TYPE_UINT8 &&
	    desc->a_type != NPU_TYPE_INT16)
		return npu_fail(err, -EINVAL,
				"npu_plan_desc.a_type is %d: a must be int8, uint8 or int16",
				(int)desc->a_type);
	if ((desc->c_type && !npu_type_size(desc->c_type)) ||
	    (desc->residual_type && !npu_type_size(desc->residual_type)))
		return npu_fail(err, -EINVAL,
				"npu_plan_desc.c_type is %d and residual_type %d: both must be 0 "
				"or one of enum npu_type",
				(int)desc->c_type, (int)desc->residual_type);
	if ((unsigned int)desc->w_type > NPU_WEIGHTS_CODEBOOK)
		return npu_fail(err, -EINVAL,
				"npu_plan_desc.w_type is %d, not one of enum npu_weight_type",
				(int)desc->w_type);
	return 0;
}

static void fill_defaults(struct npu_plan_desc *desc)
{
	if (!desc->batch)
		desc->batch = 1;
	if (!desc->group_size || desc->group_size > desc->k)
		desc->group_size = desc->k;
	if (!desc->a_type)
		desc->a_type = NPU_TYPE_INT8;
	if (!desc->c_type)
		desc->c_type = NPU_TYPE_INT8;
}

/* The output stage that a matmul of these types would have. */
static int resolve(const struct npu_plan_desc *full, struct npu_requant *rq, struct npu_error *err)
{
	struct npu_tensor a = { .type = full->a_type }, c = { .type = full->c_type };
	struct npu_tensor residual = { .type = full->residual_type };
	struct npu_epilogue epilogue;
	struct npu_weights weights = {
		.n = full->n,
		.k = full->k,
		.group_size = full->group_size,
		.groups = (full->k - 1) / full->group_size + 1,
	};
	const struct npu_matmul_desc desc = {
		.a = &a,
		.weights = &weights,
		.epilogue = &epilogue,
		.c = &c,
		.residual = full->residual_type ? &residual : NULL,
		.a_zero_point = full->a_zero_point,
	};
	int ret = npu_epilogue_check(full->epilogue, &epilogue.desc, err);

	if (ret)
		return ret;
	if (epilogue.desc.n != full->n || epilogue.desc.groups != weights.groups)
		return npu_fail(err, -EINVAL,
				"npu_plan_desc.epilogue is for %u channels and %u groups of K, the "
				"plan for %u and %u",
				epilogue.desc.n, epilogue.desc.groups, full->n, weights.groups);
	return npu_output_resolve(&desc, rq, err);
}

/**
 * struct question - a query, checked
 * @full: Nothing in it is left at 0 that means something else.
 * @rq: Its output stage, if it has one; zero points of weights are not there.
 * @plan: The answer so far.
 */
struct question {
	struct npu_plan_desc full;
	struct npu_requant rq;
	struct npu_plan plan;
};

static const struct npu_requant *output_of(const struct question *q)
{
	return q->full.epilogue ? &q->rq : NULL;
}

static int begin(const struct npu_plan_desc *desc, const struct npu_plan *plan, struct question *q,
		 struct npu_error *err)
{
	int ret;

	if (desc->size != sizeof(*desc))
		return npu_fail(err, -EINVAL,
				"npu_plan_desc.size is %zu, set it to sizeof(struct "
				"npu_plan_desc), which is %zu",
				desc->size, sizeof(*desc));
	if (plan->size != sizeof(*plan))
		return npu_fail(err, -EINVAL,
				"npu_plan.size is %zu, set it to sizeof(struct npu_plan), which "
				"is %zu",
				plan->size, sizeof(*plan));
	ret = check_types(desc, err);
	if (!ret)
		ret = check_shape(desc, err);
	if (ret)
		return ret;
	q->full = *desc;
	fill_defaults(&q->full);
	npu_plan_shape(&q->plan, &q->full);
	return desc->epilogue ? resolve(&q->full, &q->rq, err) : 0;
}

int npu_plan_query(const struct npu_device *dev, const struct npu_plan_desc *desc,
		   struct npu_plan *plan, struct npu_error *err)
{
	struct question q;
	int ret;

	if (!dev || !desc || !plan)
		return npu_fail(err, -EINVAL,
				"npu_plan_query: no device, no desc or no plan given");
	ret = begin(desc, plan, &q, err);
	if (!ret && dev->ops->plan)
		ret = dev->ops->plan(dev, &q.full, output_of(&q), &q.plan, err);
	if (!ret)
		*plan = q.plan;
	return ret;
}

int npu_plan_query_config(const char *config, const struct npu_plan_desc *desc,
			  struct npu_plan *plan, struct npu_error *err)
{
	struct question q;
	int ret;

	if (!config || !desc || !plan)
		return npu_fail(err, -EINVAL,
				"npu_plan_query_config: no config, no desc or no plan given");
	ret = begin(desc, plan, &q, err);
	if (!ret)
		ret = npu_nvdla_plan(config, &q.full, output_of(&q), &q.plan, err);
	if (!ret)
		*plan = q.plan;
	return ret;
}
