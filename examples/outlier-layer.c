// SPDX-License-Identifier: MIT
/*
 * Makes a layer like those of language models, to try quantization on: a few of its input channels
 * are 50 to 100 times larger than the others, so that one scale for all inputs leaves the others
 * next to nothing. It writes three files into a folder: the layer, and samples to calibrate it with
 * and to judge it by. Everything is random, but the same each time.
 *
 *	outlier-layer FOLDER
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <npu_file.h>

#define INPUTS 512
#define OUTPUTS 256
#define SAMPLES 1024
#define OUTLIERS 4

/* Xorshift (Marsaglia, 2003) with a multiplication behind it (Vigna, 2016). */
static double uniform(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (double)(*state * 0x2545f4914f6cdd1du >> 11) * 0x1p-53;
}

/* Nearly normal: twelve uniform numbers add up to a variance of 1. */
static double normal(uint64_t *state)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += uniform(state);
	return sum;
}

static float *random_matrix(uint64_t *state, uint32_t rows, uint32_t cols, const double *factor)
{
	float *x = malloc((size_t)rows * cols * sizeof(*x));

	for (size_t i = 0; x && i < (size_t)rows * cols; i++)
		x[i] = (float)(normal(state) * factor[i % cols]);
	return x;
}

static int save(const char *folder, const char *file, const char *name, uint32_t rows,
		uint32_t cols, const float *x)
{
	const struct npu_safetensors_entry entry = {
		.name = name, .type = "F32", .rank = 2, .shape = { rows, cols }, .data = x
	};
	struct npu_error err = { .text = "out of memory" };
	char path[4096];
	int ret = -ENOMEM;

	if (snprintf(path, sizeof(path), "%s/%s.safetensors", folder, file) >= (int)sizeof(path)) {
		fprintf(stderr, "outlier-layer: %s: the path is too long\n", folder);
		return -ENAMETOOLONG;
	}
	if (x)
		ret = npu_safetensors_write(path, &entry, 1, NULL, 0, &err);
	if (ret)
		fprintf(stderr, "outlier-layer: %s\n", err.text);
	else
		printf("%s: %u x %u\n", path, rows, cols);
	return ret;
}

/* What input channels and weights are multiplied with. */
static void choose_factors(uint64_t *state, double *input, double *weight)
{
	for (uint32_t i = 0; i < INPUTS; i++) {
		input[i] = 1;
		weight[i] = 0.05;
	}
	for (uint32_t i = 0; i < OUTLIERS; i++)
		input[(uint32_t)(uniform(state) * INPUTS)] = 50 + 50 * uniform(state);
}

int main(int argc, char **argv)
{
	double input[INPUTS], weight[INPUTS];
	uint64_t state = 1;
	float *w, *calibration, *test;
	const bool help = argc == 2 && !strcmp(argv[1], "--help");
	int ret;

	if (help || argc != 2) {
		fputs("Usage: outlier-layer FOLDER\n", help ? stdout : stderr);
		return help ? 0 : 2;
	}
	choose_factors(&state, input, weight);
	w = random_matrix(&state, OUTPUTS, INPUTS, weight);
	calibration = random_matrix(&state, SAMPLES, INPUTS, input);
	test = random_matrix(&state, SAMPLES, INPUTS, input);
	ret = save(argv[1], "layer", "layer.weight", OUTPUTS, INPUTS, w);
	if (!ret)
		ret = save(argv[1], "calibration", "samples", SAMPLES, INPUTS, calibration);
	if (!ret)
		ret = save(argv[1], "test", "samples", SAMPLES, INPUTS, test);
	free(w);
	free(calibration);
	free(test);
	return ret ? 1 : 0;
}
