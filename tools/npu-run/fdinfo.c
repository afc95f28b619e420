// SPDX-License-Identifier: MIT
/* Who has an NPU open. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fdinfo.h"
#include "hardware.h"
#include "sysfs.h"

/* The value of a line "KEY:\tVALUE"; NULL if there is none. */
static const char *find(const char *text, const char *key)
{
	const size_t length = strlen(key);

	while (text) {
		if (!strncmp(text, key, length) && text[length] == ':')
			return text + length + 1 + strspn(text + length + 1, " \t");
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	return NULL;
}

static uint64_t number(const char *text, const char *key)
{
	const char *value = find(text, key);

	return value ? strtoull(value, NULL, 10) : 0;
}

/* Memory comes in bytes, KiB or MiB. */
static uint64_t bytes(const char *text, const char *key)
{
	const char *value = find(text, key);
	uint64_t amount;
	char *unit;

	if (!value)
		return 0;
	amount = strtoull(value, &unit, 10);
	unit += strspn(unit, " ");
	return amount << (!strncmp(unit, "KiB", 3) ? 10 : !strncmp(unit, "MiB", 3) ? 20 : 0);
}

bool fdinfo_parse(const char *text, struct client *client)
{
	const char *driver = find(text, "drm-driver");
	const size_t length = strlen(NPU_DRIVER);

	if (!driver || strncmp(driver, NPU_DRIVER, length) ||
	    (driver[length] && driver[length] != '\n'))
		return false;
	client->id = number(text, "drm-client-id");
	client->engine_ns = number(text, "drm-engine-npu");
	client->total = bytes(text, "drm-total-memory");
	client->shared = bytes(text, "drm-shared-memory");
	client->active = bytes(text, "drm-active-memory");
	return true;
}

/* A descriptor can be copied, and handed to other processes: that is the same client. */
static bool is_known(const struct clients *clients, const struct client *client)
{
	for (size_t i = 0; i < clients->count; i++)
		if (clients->client[i].id == client->id &&
		    !strcmp(clients->client[i].node, client->node))
			return true;
	return false;
}

static int add(struct clients *clients, const struct client *client)
{
	if (clients->count == clients->room) {
		size_t room = 2 * clients->room + 16;
		struct client *more = realloc(clients->client, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		clients->client = more;
		clients->room = room;
	}
	clients->client[clients->count++] = *client;
	return 0;
}

/* The node behind a descriptor, if it is one that an NPU can have. */
static bool read_node(const char *path, struct client *client)
{
	ssize_t n = readlink(path, client->node, sizeof(client->node) - 1);

	if (n <= 0)
		return false;
	client->node[n] = '\0';
	return strstr(client->node, "/dri/") || strstr(client->node, "/accel/");
}

/* Looks at the open files of a process. A process may end at any time: then it has none. */
static int scan_process(const char *folder, struct client *client, struct clients *clients)
{
	char path[SYSFS_PATH], text[2048];
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%.256s/fd", folder);
	dir = opendir(path);
	if (!dir) {
		clients->hidden += errno == EACCES;
		return 0;
	}
	while (!ret && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "%.256s/fd/%.20s", folder, entry->d_name);
		if (!read_node(path, client) ||
		    sysfs_read(text, sizeof(text), "%.256s/fdinfo/%.20s", folder, entry->d_name) <=
			    0)
			continue;
		if (fdinfo_parse(text, client) && !is_known(clients, client))
			ret = add(clients, client);
	}
	closedir(dir);
	return ret;
}

static int is_process(const struct dirent *entry)
{
	return isdigit((unsigned char)entry->d_name[0]);
}

int fdinfo_scan(const char *root, struct clients *clients)
{
	char folder[SYSFS_PATH];
	struct dirent **list;
	struct timespec ts;
	struct stat st;
	int count, ret = 0;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	clients->time_ns = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
	clients->count = 0;
	clients->hidden = 0;
	snprintf(folder, sizeof(folder), "%.200s/proc", root);
	count = scandir(folder, &list, is_process, versionsort);
	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		struct client client = { .pid = atoi(list[i]->d_name) };

		snprintf(folder, sizeof(folder), "%.200s/proc/%.20s", root, list[i]->d_name);
		if (!ret && !stat(folder, &st)) {
			client.uid = st.st_uid;
			sysfs_read(client.command, sizeof(client.command), "%s/comm", folder);
			ret = scan_process(folder, &client, clients);
		}
		free(list[i]);
	}
	free(list);
	return ret;
}

void fdinfo_free(struct clients *clients)
{
	free(clients->client);
	memset(clients, 0, sizeof(*clients));
}
