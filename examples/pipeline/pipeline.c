// SPDX-License-Identifier: MIT
/*
 * Follows a bright square through the frames of a camera, as a pipeline: while the NPU works on one
 * frame, the CPU takes and quantizes the next. Two networks, each with a queue of its own, share
 * the NPU; the second takes over what the first has found, and no thread waits in between.
 *
 *	camera -> quantize -> [queue: features] -> [queue: heads] -> where is it
 *	          CPU, frame i + 2                 NPU, frames i + 1 and i
 */
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "camera.h"
#include "layer.h"

/* Frames on their way at the same time. */
#define SLOTS 3

static const char help[] =
	"Usage: pipeline [OPTION]...\n"
	"Follows a bright square through the frames of a camera, with two networks on an NPU.\n"
	"\n"
	"  -d, --device=DEVICE  device node, or cpu; otherwise the first NPU there is\n"
	"  -n, --frames=COUNT   frames to look at (300)\n"
	"  -h, --help           print this text\n"
	"\n"
	"The exit status is 0, or 1 when something failed, or 2 for a wrong command line.\n";

/* One frame's way through the pipeline. Slots share the layers, but no tensor. */
struct slot {
	struct npu_tensor *pixels;   /* patches of the frame, one a row */
	struct npu_tensor *features; /* of each patch */
	struct npu_tensor *scores;
	struct npu_matmul *find_features;
	struct npu_matmul *find_scores;
	uint64_t ticket; /* of the scores, 0 if the slot is free */
	unsigned int frame;
};

struct pipeline {
	struct npu_device *dev;
	struct npu_queue *feature_queue;
	struct npu_queue *head_queue;
	struct layer features;
	struct layer heads;
	struct slot slot[SLOTS];
	unsigned int ready;   /* frames whose result was there when it was asked for */
	unsigned int tracked; /* frames in which the square was found */
};

/* ---- Setting up ------------------------------------------------------------------------ */

static int slot_create(struct pipeline *p, struct slot *slot, struct npu_error *err)
{
	int ret = npu_tensor_create(p->dev, NPU_TYPE_INT8, CAMERA_PATCHES, CAMERA_PATCH_PIXELS,
				    &slot->pixels, err);

	ret = ret ? ret
		  : npu_tensor_create(p->dev, NPU_TYPE_INT8, CAMERA_PATCHES, FEATURES,
				      &slot->features, err);
	ret = ret ? ret
		  : npu_tensor_create(p->dev, NPU_TYPE_INT8, CAMERA_PATCHES, SCORES, &slot->scores,
				      err);
	ret = ret ? ret
		  : layer_bind(&p->features, slot->pixels, slot->features, &slot->find_features,
			       err);
	return ret ? ret
		   : layer_bind(&p->heads, slot->features, slot->scores, &slot->find_scores, err);
}

/* What was made before an error is for pipeline_destroy(). */
static int pipeline_create(struct pipeline *p, const char *device, struct npu_error *err)
{
	/* On a loaded device the frames that are half done go first, if that can be had. */
	struct npu_queue_desc desc = { .size = sizeof(desc), .priority = NPU_PRIORITY_HIGH };
	int ret = npu_device_open(device, &p->dev, err);

	ret = ret ? ret : layer_create_features(&p->features, p->dev, err);
	ret = ret ? ret : layer_create_heads(&p->heads, p->dev, err);
	ret = ret ? ret : npu_queue_create(p->dev, NULL, &p->feature_queue, err);
	if (!ret && npu_queue_create(p->dev, &desc, &p->head_queue, err))
		ret = npu_queue_create(p->dev, NULL, &p->head_queue, err);
	for (int i = 0; i < SLOTS && !ret; i++)
		ret = slot_create(p, &p->slot[i], err);
	return ret;
}

static void pipeline_destroy(struct pipeline *p)
{
	for (int i = 0; i < SLOTS; i++) {
		npu_matmul_destroy(p->slot[i].find_features);
		npu_matmul_destroy(p->slot[i].find_scores);
		npu_tensor_destroy(p->slot[i].pixels);
		npu_tensor_destroy(p->slot[i].features);
		npu_tensor_destroy(p->slot[i].scores);
	}
	layer_destroy(&p->features);
	layer_destroy(&p->heads);
	npu_queue_destroy(p->feature_queue);
	npu_queue_destroy(p->head_queue);
	npu_device_close(p->dev);
}

/* ---- Running --------------------------------------------------------------------------- */

/* Takes a frame and sends it on its way. Nothing here waits for the NPU. */
static int send_frame(struct pipeline *p, struct slot *slot, unsigned int frame,
		      struct npu_error *err)
{
	struct npu_dependency after = { .queue = p->feature_queue };
	const struct npu_submit_desc features = {
		.size = sizeof(features),
		.matmuls = &slot->find_features,
		.count = 1,
	};
	const struct npu_submit_desc heads = {
		.size = sizeof(heads),
		.matmuls = &slot->find_scores,
		.count = 1,
		.after = &after,
		.after_count = 1,
	};
	int8_t pixels[CAMERA_PATCHES * CAMERA_PATCH_PIXELS];
	int ret;

	camera_take(frame, pixels);
	ret = npu_tensor_write(slot->pixels, 0, CAMERA_PATCHES, pixels, 0, err);
	if (!ret)
		ret = npu_queue_submit(p->feature_queue, &features, &after.ticket, err);
	if (!ret)
		ret = npu_queue_submit(p->head_queue, &heads, &slot->ticket, err);
	slot->frame = frame;
	return ret;
}

/* Waits for the slot's frame, if there is one, and looks where the square is. */
static int receive_frame(struct pipeline *p, struct slot *slot, struct npu_error *err)
{
	int8_t scores[CAMERA_PATCHES * SCORES];
	unsigned int best = 0;
	int ret;

	if (!slot->ticket)
		return 0;
	if (!npu_queue_wait(p->head_queue, slot->ticket, 0, NULL))
		p->ready++;
	/* A failure of the features comes out here too, as -ECANCELED. */
	ret = npu_queue_wait(p->head_queue, slot->ticket, -1, err);
	slot->ticket = 0;
	if (!ret)
		ret = npu_tensor_read(slot->scores, 0, CAMERA_PATCHES, scores, 0, err);
	if (ret)
		return ret;
	for (unsigned int i = 1; i < CAMERA_PATCHES; i++)
		if (scores[i * SCORES] > scores[best * SCORES])
			best = i;
	p->tracked += best == camera_patch_of_square(slot->frame);
	return 0;
}

static int run(struct pipeline *p, unsigned int frames, struct npu_error *err)
{
	/* The last SLOTS rounds send nothing: they collect what is still on its way. */
	for (unsigned int i = 0; i < frames + SLOTS; i++) {
		struct slot *slot = &p->slot[i % SLOTS];
		int ret = receive_frame(p, slot, err);

		if (!ret && i < frames)
			ret = send_frame(p, slot, i, err);
		if (ret)
			return ret;
	}
	return 0;
}

static int report(const struct pipeline *p, unsigned int frames, struct npu_error *err)
{
	struct npu_device_info info = { .size = sizeof(info) };
	int ret = npu_device_get_info(p->dev, &info, err);

	if (ret)
		return ret;
	printf("device   %s %s\n", info.backend, info.name);
	printf("frames   %u, of which %u were done before they were asked for\n", frames, p->ready);
	printf("tracked  %u\n", p->tracked);
	return 0;
}

/* Returns the exit status when the program is to end here, otherwise -1. */
static int parse_options(int argc, char **argv, const char **device, unsigned int *frames)
{
	static const struct option options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "frames", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned long count;
	char *end;
	int opt;

	while ((opt = getopt_long(argc, argv, "d:n:h", options, NULL)) != -1) {
		switch (opt) {
		case 'd':
			*device = optarg;
			break;
		case 'n':
			count = strtoul(optarg, &end, 10);
			if (*end || !count || count > 1000000) {
				fprintf(stderr, "pipeline: --frames is 1 to 1000000, not '%s'\n",
					optarg);
				return 2;
			}
			*frames = count;
			break;
		case 'h':
			fputs(help, stdout);
			return 0;
		default:
			return 2;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "pipeline: '%s' is one argument too many\n", argv[optind]);
	return 2;
}

int main(int argc, char **argv)
{
	struct npu_error err = { 0 };
	struct pipeline p = { 0 };
	const char *device = NULL;
	unsigned int frames = 300;
	int ret = parse_options(argc, argv, &device, &frames);

	if (ret >= 0)
		return ret;
	ret = pipeline_create(&p, device, &err);
	if (!ret)
		ret = run(&p, frames, &err);
	if (!ret)
		ret = report(&p, frames, &err);
	if (ret)
		fprintf(stderr, "pipeline: %s\n", err.text);
	pipeline_destroy(&p);
	return ret ? 1 : 0;
}
