// SPDX-License-Identifier: MIT
/* npu-run info: the NPUs of this machine, what they can do, and why one cannot be used. */
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "device.h"
#include "diagnosis.h"
#include "options.h"
#include "sysfs.h"

static const char help[] =
	"Usage: npu-run info [OPTION]...\n"
	"Shows the NPUs of this machine and what they can do, and the CPU backend; and what is\n"
	"wrong with an NPU that cannot be used, and what to do about it.\n"
	"\n" COMMON_HELP "\n"
	"Example: npu-run info --device /dev/accel/accel0\n"
	"\n"
	"The exit status is 0 if the device, or any NPU at all, can be used, 2 if the command line\n"
	"is wrong, 3 if not, 4 if standard output cannot be written.\n";

/* ---- A device -------------------------------------------------------------------------- */

static void print_cpu(const struct npu_device_info *info)
{
	printf("  threads    %u of %ld processors\n", info->threads, sysconf(_SC_NPROCESSORS_ONLN));
}

static void print_limits(const struct npu_device_info *info)
{
	printf("  limits     %u jobs under way, %u queues, %" PRIu64 " MiB a buffer, %" PRIu64
	       " MiB in all\n",
	       info->max_pending, info->max_queues, info->max_buffer_bytes >> 20,
	       info->max_total_bytes >> 20);
}

static void print_npu(const struct npu_device_info *info)
{
	printf("  clock      ");
	if (info->clock_hz)
		printf("%.1f MHz\n", (double)info->clock_hz * 1e-6);
	else
		printf("unknown\n");
	printf("  engine     %u multiply-accumulates and %u bytes a cycle\n", info->macs_per_cycle,
	       info->bus_bytes_per_cycle);
	if (info->clock_hz)
		printf("  peak       %.2f GOPS, %.2f GB/s\n",
		       2e-9 * info->macs_per_cycle * (double)info->clock_hz,
		       1e-9 * info->bus_bytes_per_cycle * (double)info->clock_hz);
	printf("  buffer     %u KiB on the chip\n", info->cbuf_bytes / 1024);
	print_limits(info);
	printf("  reset      %s\n", info->can_reset ? "yes: recovers from a hang"
						    : "no: a hang stops it until the next boot");
	printf("  IOMMU      %s\n", info->has_iommu ? "yes" : "no");
}

static void show(struct json *json, const struct npu_device_info *info)
{
	if (!json) {
		device_print(info);
		if (info->node[0])
			print_npu(info);
		else
			print_cpu(info);
		return;
	}
	json_open(json, NULL, '{');
	device_json(json, info);
	json_close(json, '}');
}

/* ---- The machine ----------------------------------------------------------------------- */

/*
 * struct memory - what tensors of an NPU without IOMMU are made of
 * @cma: The kernel keeps memory for contiguous buffers, and tells.
 */
struct memory {
	bool cma;
	unsigned long long total, free;
};

static void look_at_memory(struct memory *memory)
{
	char text[4096];

	memory->cma = sysfs_read(text, sizeof(text), "/proc/meminfo") > 0 &&
		      sysfs_key(text, "CmaTotal", &memory->total) &&
		      sysfs_key(text, "CmaFree", &memory->free);
}

static void show_machine(struct json *json)
{
	struct utsname name = { 0 };
	struct memory memory;

	uname(&name);
	look_at_memory(&memory);
	if (!json) {
		printf("kernel       %s %s, %s\n", name.sysname, name.release, name.machine);
		if (memory.cma)
			printf("memory       %llu of %llu MiB for contiguous buffers are free\n",
			       memory.free >> 10, memory.total >> 10);
		return;
	}
	json_string(json, "kernel", name.release);
	json_string(json, "machine", name.machine);
	if (!memory.cma)
		return;
	json_uint(json, "cma_bytes", memory.total << 10);
	json_uint(json, "cma_free_bytes", memory.free << 10);
}

/* ---- What is wrong --------------------------------------------------------------------- */

static void print_trouble(const struct trouble *trouble)
{
	printf("problem      %s%s%s (%s)\n", trouble->device, trouble->device[0] ? ": " : "",
	       trouble->text, trouble->kind);
	if (trouble->remedy[0])
		printf("  remedy     %s\n", trouble->remedy);
}

static void show_troubles(struct json *json, const struct diagnosis *diagnosis)
{
	if (json)
		json_open(json, "problems", '[');
	for (size_t i = 0; i < diagnosis->count; i++) {
		const struct trouble *trouble = diagnosis->trouble + i;

		if (!json) {
			print_trouble(trouble);
			continue;
		}
		json_open(json, NULL, '{');
		json_string(json, "kind", trouble->kind);
		json_string(json, "device", trouble->device);
		json_string(json, "text", trouble->text);
		json_string(json, "remedy", trouble->remedy);
		json_close(json, '}');
	}
	if (json)
		json_close(json, ']');
}

/* ---- Everything ------------------------------------------------------------------------ */

/* Shows a node if it is an NPU that can be used. */
static bool show_node(struct json *json, const char *path, struct diagnosis *diagnosis)
{
	struct npu_device_info info = { .size = sizeof(info) };
	struct npu_device *dev;
	struct npu_error err;
	char driver[64];
	int ret;

	/* A node of another driver is no news, even one that must not be opened. */
	if (hardware_node_driver("", path, driver, sizeof(driver)) && strcmp(driver, NPU_DRIVER))
		return false;
	ret = npu_device_open(path, &dev, &err);
	if (!ret) {
		ret = npu_device_get_info(dev, &info, &err);
		npu_device_close(dev);
	}
	if (!ret)
		show(json, &info);
	else if (ret != -ENODEV)
		diagnosis_add_node(diagnosis, path, ret, err.text);
	return !ret;
}

static void show_cpu(struct json *json)
{
	struct npu_device_info info = { .size = sizeof(info) };
	struct npu_device *dev;

	if (npu_device_open("cpu", &dev, NULL))
		return;
	if (!npu_device_get_info(dev, &info, NULL))
		show(json, &info);
	npu_device_close(dev);
}

/* Shows all NPUs, then the CPU; returns the number of NPUs. */
static size_t show_devices(struct json *json, struct diagnosis *diagnosis)
{
	glob_t nodes = { 0 };
	size_t found = 0;

	glob("/dev/accel/accel*", 0, NULL, &nodes);
	glob("/dev/dri/renderD*", GLOB_APPEND, NULL, &nodes);
	for (size_t i = 0; i < nodes.gl_pathc; i++)
		found += show_node(json, nodes.gl_pathv[i], diagnosis);
	globfree(&nodes);
	show_cpu(json);
	return found;
}

static enum status show_all(const char *who, struct json *json)
{
	struct diagnosis diagnosis;
	size_t found;

	diagnosis_make("", &diagnosis);
	if (json)
		json_open(json, "devices", '[');
	found = show_devices(json, &diagnosis);
	if (json)
		json_close(json, ']');
	show_troubles(json, &diagnosis);
	if (found)
		return STATUS_OK;
	complain(who, "no NPU can be used%s%s", diagnosis.count ? ": " : "",
		 diagnosis.count ? diagnosis.trouble[0].text : "");
	return STATUS_DEVICE;
}

static enum status show_one(const char *who, struct json *json, const char *name)
{
	struct device device;
	int ret = device_open(who, name, &device);

	if (json)
		json_open(json, "devices", '[');
	if (!ret) {
		show(json, &device.info);
		device_close(&device);
	}
	if (json)
		json_close(json, ']');
	return ret ? STATUS_DEVICE : STATUS_OK;
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
	} else {
		printf("npu-run      %s\n", npu_version());
	}
	show_machine(out);
	status = common.device ? show_one(argv[0], out, common.device) : show_all(argv[0], out);
	if (out)
		json_end(out, '}');
	return status;
}
