// SPDX-License-Identifier: MIT
/* Why an NPU cannot be used, and what to do about it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diagnosis.h"
#include "sysfs.h"

/*
 * struct machine - facts that are not of a single NPU
 * @release: Of the kernel.
 * @loaded, @installed: The module is in the kernel, or could be.
 */
struct machine {
	const char *root;
	char release[64];
	bool loaded;
	bool installed;
};

static struct trouble *add(struct diagnosis *diagnosis, const char *kind, const char *device)
{
	struct trouble *trouble = diagnosis->trouble + diagnosis->count;

	/* There is room for one a device, and for those of the machine. */
	if (diagnosis->count == DIAGNOSIS_MAX)
		return trouble - 1;
	diagnosis->count++;
	memset(trouble, 0, sizeof(*trouble));
	trouble->kind = kind;
	snprintf(trouble->device, sizeof(trouble->device), "%.127s", device);
	return trouble;
}

static void set(struct trouble *trouble, const char *text, const char *remedy, ...)
	__attribute__((format(printf, 3, 4)));

/* The arguments are those of the remedy. */
static void set(struct trouble *trouble, const char *text, const char *remedy, ...)
{
	va_list args;

	snprintf(trouble->text, sizeof(trouble->text), "%s", text);
	va_start(args, remedy);
	vsnprintf(trouble->remedy, sizeof(trouble->remedy), remedy, args);
	va_end(args);
}

/* Whether modprobe would find it. */
static bool is_installed(const struct machine *machine)
{
	char path[SYSFS_PATH], line[512];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "%.256s/lib/modules/%s/modules.dep", machine->root,
		 machine->release);
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file)) {
		const char *name = strstr(line, "/" NPU_DRIVER ".ko");
		size_t length = strcspn(line, ":");

		found = name && name < line + length;
	}
	if (file)
		fclose(file);
	return found;
}

static void look(struct machine *machine)
{
	sysfs_read(machine->release, sizeof(machine->release), "%s/proc/sys/kernel/osrelease",
		   machine->root);
	machine->loaded = sysfs_exists("%s/sys/module/" NPU_DRIVER, machine->root);
	machine->installed = is_installed(machine);
}

static bool too_old(const char *release)
{
	int major, minor;

	return sscanf(release, "%d.%d", &major, &minor) == 2 &&
	       (major < NPU_KERNEL_MAJOR ||
		(major == NPU_KERNEL_MAJOR && minor < NPU_KERNEL_MINOR));
}

static void no_module(const struct machine *machine, struct diagnosis *diagnosis)
{
	struct trouble *trouble;
	char text[128];

	if (too_old(machine->release)) {
		trouble = add(diagnosis, "kernel-too-old", "");
		snprintf(text, sizeof(text), "kernel %s is older than the module needs",
			 machine->release);
		set(trouble, text, "install a kernel of version %d.%d or later", NPU_KERNEL_MAJOR,
		    NPU_KERNEL_MINOR);
	} else if (machine->installed) {
		set(add(diagnosis, "module-not-loaded", ""),
		    "the kernel module " NPU_DRIVER " is not loaded",
		    "load it: modprobe " NPU_DRIVER);
	} else {
		trouble = add(diagnosis, "module-not-installed", "");
		snprintf(text, sizeof(text),
			 "the kernel module " NPU_DRIVER " is not loaded, and there is none for "
			 "kernel %s",
			 machine->release);
		set(trouble, text,
		    "build it with: make kmod KDIR=/lib/modules/%s/build; then load it with insmod, "
		    "or install it and run modprobe " NPU_DRIVER,
		    machine->release);
	}
}

/* ---- One NPU --------------------------------------------------------------------------- */

static void other_driver(const struct hardware *hardware, struct diagnosis *diagnosis)
{
	struct trouble *trouble = add(diagnosis, "other-driver", hardware->name);
	const char *bus = hardware->bus, *name = hardware->name;
	char text[128], override[192] = "";

	snprintf(text, sizeof(text), "driver %s has it", hardware->driver);
	if (hardware->override[0])
		snprintf(override, sizeof(override),
			 "echo >/sys/bus/%s/devices/%s/driver_override; ", bus, name);
	set(trouble, text,
	    "give it to " NPU_DRIVER ": echo %s >/sys/bus/%s/drivers/%s/unbind; %secho %s "
	    ">/sys/bus/%s/drivers_probe",
	    name, bus, hardware->driver, override, name, bus);
}

static void overridden(const struct hardware *hardware, struct diagnosis *diagnosis)
{
	struct trouble *trouble = add(diagnosis, "driver-override", hardware->name);
	char text[128];

	snprintf(text, sizeof(text), "no driver has it, and driver_override leaves it to %s only",
		 hardware->override);
	set(trouble, text,
	    "echo >/sys/bus/%s/devices/%s/driver_override; echo %s >/sys/bus/%s/drivers_probe",
	    hardware->bus, hardware->name, hardware->name, hardware->bus);
}

/* What a device waits for, such as a clock whose driver is missing; only root may read it. */
static bool is_deferred(const struct machine *machine, const char *name, char *why, size_t size)
{
	static const char path[] = "/sys/kernel/debug/devices_deferred";
	char list[4096];
	char *line, *rest = list;

	if (sysfs_read(list, sizeof(list), "%s%s", machine->root, path) <= 0)
		return false;
	while ((line = strsep(&rest, "\n"))) {
		const size_t length = strlen(name);

		if (strncmp(line, name, length) || (line[length] && line[length] != '\t'))
			continue;
		snprintf(why, size, "%s", line[length] ? line + length + 1 : "");
		return true;
	}
	return false;
}

static void not_bound(const struct machine *machine, const struct hardware *hardware,
		      struct diagnosis *diagnosis)
{
	const char *bus = hardware->bus, *name = hardware->name;
	struct trouble *trouble;
	char why[128], text[256];

	if (is_deferred(machine, name, why, sizeof(why))) {
		trouble = add(diagnosis, "deferred", name);
		snprintf(text, sizeof(text), "the driver waits for something it needs%s%s",
			 why[0] ? ": " : "", why);
		set(trouble, text,
		    "load or enable the driver of the clock, reset, supply or power domain that "
		    "the NPU's node in the device tree names");
		return;
	}
	trouble = add(diagnosis, "not-bound", name);
	set(trouble, "no driver has it: it was taken off, or the driver could not start it",
	    "look for '%s' in dmesg; try again: echo %s >/sys/bus/%s/drivers/" NPU_DRIVER "/bind",
	    name, name, bus);
}

static void no_node(const struct machine *machine, const struct hardware *hardware,
		    struct diagnosis *diagnosis)
{
	struct trouble *trouble;

	if (!hardware->node[0]) {
		trouble = add(diagnosis, "no-node", hardware->name);
		set(trouble, "the driver has it, but there is no node",
		    "look for '%s' in dmesg; it may be gone", hardware->name);
	} else if (!sysfs_exists("%s%s", machine->root, hardware->node)) {
		trouble = add(diagnosis, "no-device-file", hardware->node);
		set(trouble, "the kernel has this node, but there is no such file",
		    "a container has to be given it when it is started, for example with --device "
		    "%s; otherwise udev or devtmpfs makes it",
		    hardware->node);
	}
}

static void examine(const struct machine *machine, const struct hardware *hardware,
		    struct diagnosis *diagnosis)
{
	char text[128];

	if (!hardware->known) {
		snprintf(text, sizeof(text), "is an %s, which the driver does not know",
			 hardware->config);
		set(add(diagnosis, "unknown-configuration", hardware->name), text,
		    "npu.ko drives nv_small and nv_large");
	} else if (hardware->disabled) {
		set(add(diagnosis, "disabled", hardware->name),
		    "the device tree says that it is not to be used",
		    "set status = \"okay\" in this node, and in those above it, in the board's "
		    "device tree or an overlay");
	} else if (hardware->driver[0] && strcmp(hardware->driver, NPU_DRIVER)) {
		other_driver(hardware, diagnosis);
	} else if (hardware->driver[0]) {
		no_node(machine, hardware, diagnosis);
	} else if (hardware->override[0] && strcmp(hardware->override, NPU_DRIVER)) {
		overridden(hardware, diagnosis);
	} else if (machine->loaded) {
		not_bound(machine, hardware, diagnosis);
	}
}

void diagnosis_make(const char *root, struct diagnosis *diagnosis)
{
	struct hardware hardware[HARDWARE_MAX];
	size_t count = hardware_find(root, hardware);
	struct machine machine = { .root = root };

	diagnosis->count = 0;
	look(&machine);
	if (!count) {
		set(add(diagnosis, "no-hardware", ""),
		    "this machine has no NPU: no nvidia,nv_small or nvidia,nv_large in its device "
		    "tree, and no PCI card with a known id",
		    "give the id of a card to the driver: modprobe " NPU_DRIVER
		    "; echo VENDOR DEVICE >/sys/bus/pci/drivers/" NPU_DRIVER
		    "/new_id; --device cpu computes the same on the CPU");
		return;
	}
	if (!machine.loaded)
		no_module(&machine, diagnosis);
	for (size_t i = 0; i < count; i++)
		examine(&machine, hardware + i, diagnosis);
}

/* ---- A node that cannot be opened ------------------------------------------------------ */

static const char *node_kind(int code)
{
	switch (code) {
	case -EACCES:
		return "no-permission";
	case -ENOTSUP:
		return "driver-mismatch";
	default:
		return "unusable";
	}
}

void diagnosis_add_node(struct diagnosis *diagnosis, const char *node, int code, const char *text)
{
	const size_t length = strlen(node);

	for (size_t i = 0; i < diagnosis->count; i++)
		if (!strcmp(diagnosis->trouble[i].device, node))
			return;
	/* The library's sentence begins with the node, and says what to do. */
	if (!strncmp(text, node, length) && !strncmp(text + length, ": ", 2))
		text += length + 2;
	set(add(diagnosis, node_kind(code), node), text, "%s", "");
}
