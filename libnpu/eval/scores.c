// SPDX-License-Identifier: MIT
/*
 * Scores of classifications.
 */
#include <errno.h>

#include "eval.h"

static int check(const char *call, const struct npu_scores *scores, struct npu_error *err)
{
	int ret = npu_eval_check_size(call, "npu_scores", scores, sizeof(*scores), err);

	if (ret)
		return ret;
	if (!scores->classes || !scores->k || scores->k > scores->classes)
		return npu_fail(err, -EINVAL,
				"%s: %u classes and k = %u, but k is from 1 to the number of "
				"classes",
				call, scores->classes, scores->k);
	return 0;
}

static int check_labels(const struct npu_scores *scores, const int32_t *labels, size_t rows,
			struct npu_error *err)
{
	for (size_t i = 0; labels && i < rows; i++)
		if ((uint32_t)labels[i] >= scores->classes)
			return npu_fail(err, -EINVAL,
					"npu_scores_add: the label of row %zu is %d, not in 0 to "
					"%u",
					i, labels[i], scores->classes - 1);
	return 0;
}

/* How many classes are ahead of @label. */
static uint32_t rank_of(const float *logits, uint32_t classes, uint32_t label)
{
	uint32_t ahead = 0;

	for (uint32_t i = 0; i < classes; i++)
		ahead += logits[i] > logits[label] || (logits[i] == logits[label] && i < label);
	return ahead;
}

static uint32_t best_of(const float *logits, uint32_t classes)
{
	uint32_t best = 0;

	for (uint32_t i = 1; i < classes; i++)
		if (logits[i] > logits[best])
			best = i;
	return best;
}

static void add_row(struct npu_scores *scores, const float *logits, const float *reference,
		    const int32_t *label)
{
	uint32_t classes = scores->classes;

	scores->rows++;
	if (label) {
		uint32_t rank = rank_of(logits, classes, (uint32_t)*label);

		scores->labelled++;
		scores->top1 += rank == 0;
		scores->topk += rank < scores->k;
	}
	if (reference) {
		scores->compared++;
		scores->agreed += best_of(logits, classes) == best_of(reference, classes);
	}
	if (label && reference) {
		uint32_t rank = rank_of(reference, classes, (uint32_t)*label);

		scores->reference_labelled++;
		scores->reference_top1 += rank == 0;
		scores->reference_topk += rank < scores->k;
	}
}

int npu_scores_add(struct npu_scores *scores, const float *logits, const float *reference,
		   const int32_t *labels, size_t rows, struct npu_error *err)
{
	int ret = check(__func__, scores, err);
	size_t count;

	if (ret)
		return ret;
	if (__builtin_mul_overflow(rows, (size_t)scores->classes, &count))
		return npu_fail(err, -EINVAL, "%s: %zu rows of %u logits are too many", __func__,
				rows, scores->classes);
	ret = npu_eval_check_floats(__func__, "logits", logits, count, err);
	if (!ret && reference)
		ret = npu_eval_check_floats(__func__, "reference", reference, count, err);
	if (!ret)
		ret = check_labels(scores, labels, rows, err);
	if (ret)
		return ret;
	for (size_t i = 0; i < rows; i++) {
		size_t at = i * scores->classes;

		add_row(scores, logits + at, reference ? reference + at : NULL,
			labels ? &labels[i] : NULL);
	}
	return 0;
}

int npu_scores_merge(struct npu_scores *scores, const struct npu_scores *other,
		     struct npu_error *err)
{
	int ret = check(__func__, scores, err);

	if (!ret)
		ret = check(__func__, other, err);
	if (ret)
		return ret;
	if (scores->classes != other->classes || scores->k != other->k)
		return npu_fail(err, -EINVAL, "%s: %u classes and k = %u, but %u and %u in other",
				__func__, scores->classes, scores->k, other->classes, other->k);
	scores->rows += other->rows;
	scores->labelled += other->labelled;
	scores->top1 += other->top1;
	scores->topk += other->topk;
	scores->compared += other->compared;
	scores->agreed += other->agreed;
	scores->reference_labelled += other->reference_labelled;
	scores->reference_top1 += other->reference_top1;
	scores->reference_topk += other->reference_topk;
	return 0;
}
