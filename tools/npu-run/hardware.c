// SPDX-License-Identifier: MIT
/* The NPUs that a machine has. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hardware.h"
#include "sysfs.h"

/* Deeper than any device tree; a loop of links cannot be in one. */
#define TREE_DEPTH 16

/*
 * What device trees call NPUs. nv_full has parts that the driver knows nothing of, but whoever has
 * one wants to be told so.
 */
static const struct {
	const char *compatible, *config;
	bool known;
} compatibles[] = {
	{ "nvidia,nv_small", "nv_small", true },
	{ "nvidia,nv_large", "nv_large", true },
	{ "nvidia,nv_full", "nv_full", false },
	{ "nvidia,nvdla_os_initial", "nv_full", false },
};

/* Cards that the driver knows without being told; the others are those that it is bound to. */
static const struct {
	unsigned long long vendor, device;
	const char *config;
} cards[] = {
	{ 0x1af4, 0x10f0, "nv_small" },
	{ 0x1af4, 0x10f1, "nv_large" },
	{ 0x1af4, 0x10f8, "nv_small" },
	{ 0x1af4, 0x10f9, "nv_large" },
};

/*
 * struct search - what was found so far
 */
struct search {
	const char *root;
	struct hardware *found;
	size_t count;
};

static struct hardware *add(struct search *search)
{
	struct hardware *hardware = search->found + search->count;

	if (search->count == HARDWARE_MAX)
		return NULL;
	search->count++;
	memset(hardware, 0, sizeof(*hardware));
	return hardware;
}

/* Looks a "compatible" up: strings one after the other, the most exact one first. */
static bool is_compatible(const char *list, long length, struct hardware *hardware)
{
	for (const char *at = list; at < list + length; at += strlen(at) + 1) {
		for (size_t i = 0; i < sizeof(compatibles) / sizeof(compatibles[0]); i++) {
			if (strcmp(at, compatibles[i].compatible))
				continue;
			strcpy(hardware->config, compatibles[i].config);
			hardware->known = compatibles[i].known;
			return true;
		}
	}
	return false;
}

/* Node of a device in one class, if it has one; names of the others, as card0, do not fit. */
static bool find_node(struct hardware *hardware, const char *device, const char *class,
		      const char *prefix, const char *folder)
{
	char path[SYSFS_PATH + 8];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/%s", device, class);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		found = !strncmp(entry->d_name, prefix, strlen(prefix));
		if (found)
			snprintf(hardware->node, sizeof(hardware->node), "%s/%.40s", folder,
				 entry->d_name);
	}
	closedir(dir);
	return found;
}

/* What the kernel knows of a device; @path is its folder. */
static void describe(struct hardware *hardware, const char *path, const char *bus, const char *name)
{
	snprintf(hardware->name, sizeof(hardware->name), "%.127s", name);
	strcpy(hardware->bus, bus);
	sysfs_link_name(hardware->driver, sizeof(hardware->driver), "%s/driver", path);
	sysfs_read(hardware->override, sizeof(hardware->override), "%s/driver_override", path);
	if (!strcmp(hardware->override, "(null)"))
		hardware->override[0] = '\0';
	if (!find_node(hardware, path, "accel", "accel", "/dev/accel"))
		find_node(hardware, path, "drm", "renderD", "/dev/dri");
}

static bool is_platform_npu(const char *path, struct hardware *hardware)
{
	char list[256];
	long length = sysfs_read(list, sizeof(list), "%s/of_node/compatible", path);

	return length > 0 && is_compatible(list, length, hardware);
}

static bool is_pci_npu(const char *path, struct hardware *hardware)
{
	const unsigned long long vendor = sysfs_number("%s/vendor", path);
	const unsigned long long device = sysfs_number("%s/device", path);
	char driver[64];

	hardware->known = true;
	for (size_t i = 0; i < sizeof(cards) / sizeof(cards[0]); i++) {
		if (cards[i].vendor == vendor && cards[i].device == device) {
			strcpy(hardware->config, cards[i].config);
			return true;
		}
	}
	sysfs_link_name(driver, sizeof(driver), "%s/driver", path);
	return !strcmp(driver, NPU_DRIVER);
}

/* Devices of a bus, in the order of their names. */
static void search_bus(struct search *search, const char *bus,
		       bool (*is_npu)(const char *path, struct hardware *hardware))
{
	char folder[SYSFS_PATH - 256], path[SYSFS_PATH];
	struct dirent **list;
	int count;

	snprintf(folder, sizeof(folder), "%s/sys/bus/%s/devices", search->root, bus);
	count = scandir(folder, &list, NULL, versionsort);
	for (int i = 0; i < count; i++) {
		struct hardware *hardware, maybe = { 0 };

		snprintf(path, sizeof(path), "%s/%.255s", folder, list[i]->d_name);
		if (list[i]->d_name[0] != '.' && is_npu(path, &maybe) && (hardware = add(search))) {
			*hardware = maybe;
			describe(hardware, path, bus, list[i]->d_name);
		}
		free(list[i]);
	}
	if (count >= 0)
		free(list);
}

/* A node without a status is enabled. */
static bool is_disabled(const char *path)
{
	char status[16];

	return sysfs_read(status, sizeof(status), "%s/status", path) > 0 &&
	       strcmp(status, "okay") && strcmp(status, "ok");
}

/*
 * Nodes of the device tree that are disabled, or below one that is: the kernel makes no device of
 * them.
 */
static void search_tree(struct search *search, const char *path, size_t prefix, bool disabled,
			unsigned int depth)
{
	struct hardware *hardware, maybe = { .disabled = true };
	char child[SYSFS_PATH];
	struct dirent *entry;
	DIR *dir;

	disabled = disabled || is_disabled(path);
	if (disabled) {
		char list[256];
		long length = sysfs_read(list, sizeof(list), "%s/compatible", path);

		if (length > 0 && is_compatible(list, length, &maybe) && (hardware = add(search))) {
			*hardware = maybe;
			strcpy(hardware->bus, "platform");
			snprintf(hardware->name, sizeof(hardware->name), "%s", path + prefix);
		}
	}
	dir = depth ? opendir(path) : NULL;
	while (dir && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		if (snprintf(child, sizeof(child), "%s/%s", path, entry->d_name) <
		    (int)sizeof(child))
			search_tree(search, child, prefix, disabled, depth - 1);
	}
	if (dir)
		closedir(dir);
}

size_t hardware_find(const char *root, struct hardware *found)
{
	struct search search = { .root = root, .found = found };
	char tree[SYSFS_PATH];

	search_bus(&search, "platform", is_platform_npu);
	search_bus(&search, "pci", is_pci_npu);
	snprintf(tree, sizeof(tree), "%.256s/sys/firmware/devicetree/base", root);
	search_tree(&search, tree, strlen(tree), false, TREE_DEPTH);
	return search.count;
}

bool hardware_node_driver(const char *root, const char *node, char *driver, size_t size)
{
	const char *name = strrchr(node, '/');
	const char *class = strstr(node, "/accel/") ? "accel" : "drm";

	return name &&
	       sysfs_link_name(driver, size, "%s/sys/class/%s%s/device/driver", root, class, name);
}
