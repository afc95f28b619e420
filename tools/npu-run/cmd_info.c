// SPDX-License-Identifier: MIT
/* npu-run info: the NPUs of this machine and what they can do. */
#include <errno.h>
#include <glob.h>
#include <stdio.h>

#include "device.h"
#include "options.h"

static const char help[] =
	"Usage: npu-run info [OPTION]...\n"
	"Shows the NPUs of this machine and what they can do, and the CPU backend.\n"
	"\n" COMMON_HELP "\n"
	"Example: npu-run info --device /dev/accel/accel0\n"
	"\n"
	"The exit status is 0 if the device, or any NPU at all, can be used, 3 if not.\n";

static void print_details(const struct npu_device_info *info)
{
	device_print(info);
	if (!info->node[0])
		return;
	printf("  clock      ");
	if (info->clock_hz)
		printf("%.1f MHz\n", (double)info->clock_hz * 1e-6);
	else
		printf("unknown\n");
	printf("  engine     %u multiply-accumulates and %u bytes a cycle\n", info->macs_per_cycle,
	       info->bus_bytes_per_cycle);
	printf("  buffer     %u KiB on the chip\n", info->cbuf_bytes / 1024);
	printf("  reset      %s\n", info->can_reset ? "yes: recovers from a hang"
						    : "no: a hang stops it until the next boot");
	printf("  IOMMU      %s\n", info->has_iommu ? "yes" : "no");
}

static void show(struct json *json, const struct npu_device_info *info)
{
	if (!json) {
		print_details(info);
		return;
	}
	json_open(json, NULL, '{');
	device_json(json, info);
	json_close(json, '}');
}

/* Shows a node if it is an NPU. A node of another driver is no news; any other trouble is. */
static int show_node(const char *who, struct json *json, const char *path)
{
	struct npu_device_info info = { .size = sizeof(info) };
	struct npu_device *dev;
	struct npu_error err;
	int ret;

	ret = npu_device_open(path, &dev, &err);
	if (ret) {
		if (ret != -ENODEV)
			complain(who, "%s", err.text);
		return ret;
	}
	ret = npu_device_get_info(dev, &info, &err);
	if (ret)
		complain(who, "%s", err.text);
	else
		show(json, &info);
	npu_device_close(dev);
	return ret;
}

/* Shows all NPUs, then the CPU. */
static enum status show_all(const char *who, struct json *json)
{
	glob_t nodes = { 0 };
	size_t found = 0;
	size_t troubles = 0;

	glob("/dev/accel/accel*", 0, NULL, &nodes);
	glob("/dev/dri/renderD*", GLOB_APPEND, NULL, &nodes);
	for (size_t i = 0; i < nodes.gl_pathc; i++) {
		int ret = show_node(who, json, nodes.gl_pathv[i]);

		found += ret == 0;
		troubles += ret && ret != -ENODEV;
	}
	globfree(&nodes);
	show_node(who, json, "cpu");

	if (found)
		return STATUS_OK;
	/* The library's own search says best why there is none, unless it was said above. */
	if (!troubles) {
		struct device device;

		if (!device_open(who, NULL, &device))
			device_close(&device);
	}
	return STATUS_DEVICE;
}

static enum status show_one(const char *who, struct json *json, const char *name)
{
	struct device device;

	if (device_open(who, name, &device))
		return STATUS_DEVICE;
	show(json, &device.info);
	device_close(&device);
	return STATUS_OK;
}

enum status cmd_info(int argc, char **argv)
{
	static const struct option known[] = { COMMON_LONG, { 0 } };
	struct common_options common = { 0 };
	struct json json = { 0 };
	struct json *out;
	enum status status;
	int c;

	while ((c = getopt_long(argc, argv, COMMON_SHORT, known, NULL)) != -1) {
		if (!common_option(c, help, &common, &status))
			return status;
	}
	if (optind < argc) {
		complain(argv[0], "there is nothing to do with '%s'", argv[optind]);
		return STATUS_USAGE;
	}

	out = common.json ? &json : NULL;
	if (out) {
		json_open(out, NULL, '{');
		json_string(out, "version", npu_version());
		json_open(out, "devices", '[');
	}
	status = common.device ? show_one(argv[0], out, common.device) : show_all(argv[0], out);
	if (out) {
		json_close(out, ']');
		json_end(out, '}');
	}
	return status;
}
