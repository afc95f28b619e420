// SPDX-License-Identifier: MIT
/*
 * Lloyd's algorithm on a line. A cluster is a run of the sorted values, and its mean the difference
 * of two sums from the beginning, so that a round takes time for clusters and not for values.
 */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kmeans.h"

#define ROUNDS 300

static int compare(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return (x > y) - (x < y);
}

/* How many of the sorted values are below @limit. */
static size_t count_below(const float *x, size_t count, double limit)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if ((double)x[middle] < limit)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* One round; returns whether a centre has moved. A cluster of nothing keeps its centre. */
static bool move_centres(const float *x, size_t count, const double *sum, uint32_t clusters,
			 double *centre)
{
	bool moved = false;
	size_t first = 0;

	for (uint32_t i = 0; i < clusters; i++) {
		/* The next one has not moved yet, so that all clusters go by the old centres. */
		size_t end = i + 1 == clusters
				     ? count
				     : count_below(x, count, (centre[i] + centre[i + 1]) / 2);
		double mean;

		if (end <= first)
			continue;
		mean = (sum[end] - sum[first]) / (double)(end - first);
		moved |= mean != centre[i];
		centre[i] = mean;
		first = end;
	}
	return moved;
}

/* Squared error, of which the sum of squares, the same for all centres, is left out. */
static double error_of(const float *x, size_t count, const double *sum, uint32_t clusters,
		       const double *centre)
{
	double error = 0;
	size_t first = 0;

	for (uint32_t i = 0; i < clusters; i++) {
		size_t end = i + 1 == clusters
				     ? count
				     : count_below(x, count, (centre[i] + centre[i + 1]) / 2);

		if (end <= first)
			continue;
		error += centre[i] *
			 (centre[i] * (double)(end - first) - 2 * (sum[end] - sum[first]));
		first = end;
	}
	return error;
}

static double settle(const float *x, size_t count, const double *sum, uint32_t clusters,
		     double *centre)
{
	for (int i = 0; i < ROUNDS && move_centres(x, count, sum, clusters, centre); i++)
		;
	return error_of(x, count, sum, clusters, centre);
}

void npu_kmeans(float *x, size_t count, double *sum, uint32_t clusters, double *centre)
{
	double even[NPU_KMEANS_MOST], low, high;

	qsort(x, count, sizeof(*x), compare);
	sum[0] = 0;
	for (size_t i = 0; i < count; i++)
		sum[i + 1] = sum[i] + (double)x[i];

	low = (double)x[0];
	high = (double)x[count - 1];
	for (uint32_t i = 0; i < clusters; i++) {
		centre[i] = (double)x[(size_t)((i + 0.5) / clusters * (double)count)];
		even[i] = low + (high - low) * (i + 0.5) / clusters;
	}
	if (settle(x, count, sum, clusters, even) < settle(x, count, sum, clusters, centre))
		memcpy(centre, even, clusters * sizeof(*centre));
}
