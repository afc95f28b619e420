// SPDX-License-Identifier: MIT
/* The Container Device Interface. */
#include <ctype.h>
#include <string.h>

#include "cdi.h"
#include "json.h"

/* Longest vendor and class. */
#define VENDOR_MAX 253
#define CLASS_MAX 63

/* Letters and digits, with dots, dashes and underscores inside; a letter first. */
static bool is_name(const char *name, size_t length)
{
	if (!length || !isalpha((unsigned char)name[0]) ||
	    !isalnum((unsigned char)name[length - 1]))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("._-", name[i]))
			return false;
	return true;
}

bool cdi_kind_is_valid(const char *kind)
{
	const char *slash = strchr(kind, '/');

	return slash && slash - kind <= VENDOR_MAX && strlen(slash + 1) <= CLASS_MAX &&
	       is_name(kind, (size_t)(slash - kind)) && is_name(slash + 1, strlen(slash + 1));
}

static bool has_group(const struct cdi_device *devices, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (devices[i].gid)
			return true;
	return false;
}

/*
 * Major and minor number are left to the runtime, which looks when a container starts: after a boot
 * they may be others.
 */
static void write_nodes(struct json *json, const struct cdi_device *devices, size_t count)
{
	json_open(json, "deviceNodes", '[');
	for (size_t i = 0; i < count; i++) {
		json_open(json, NULL, '{');
		json_string(json, "path", devices[i].node);
		json_string(json, "type", "c");
		json_string(json, "permissions", "rw");
		json_close(json, '}');
	}
	json_close(json, ']');
}

/* Each group once, or there is no such list. */
static void write_groups(struct json *json, const struct cdi_device *devices, size_t count)
{
	if (!has_group(devices, count))
		return;
	json_open(json, "additionalGids", '[');
	for (size_t i = 0; i < count; i++) {
		bool known = !devices[i].gid;

		for (size_t j = 0; j < i && !known; j++)
			known = devices[j].gid == devices[i].gid;
		if (!known)
			json_uint(json, NULL, devices[i].gid);
	}
	json_close(json, ']');
}

static void write_device(struct json *json, const char *name, const struct cdi_device *devices,
			 size_t count)
{
	json_open(json, NULL, '{');
	json_string(json, "name", name);
	json_open(json, "containerEdits", '{');
	write_nodes(json, devices, count);
	write_groups(json, devices, count);
	json_close(json, '}');
	json_close(json, '}');
}

void cdi_write(FILE *file, const char *kind, const struct cdi_device *devices, size_t count)
{
	struct json json = { .file = file };
	char name[24];

	json_open(&json, NULL, '{');
	/* The lowest version that has what is in it, as the specification wants. */
	json_string(&json, "cdiVersion", has_group(devices, count) ? "0.7.0" : "0.6.0");
	json_string(&json, "kind", kind);
	json_open(&json, "devices", '[');
	for (size_t i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%zu", i);
		write_device(&json, name, devices + i, 1);
	}
	write_device(&json, "all", devices, count);
	json_close(&json, ']');
	json_end(&json, '}');
}
