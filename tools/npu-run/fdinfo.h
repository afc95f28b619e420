/* SPDX-License-Identifier: MIT */
/*
 * Who has an NPU open, and what the kernel has counted for them: /proc/PID/fdinfo with the keys of
 * drm-usage-stats.
 */
#ifndef NPU_RUN_FDINFO_H
#define NPU_RUN_FDINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * struct client - an open file of an NPU
 * @pid: The process with the lowest number that has it.
 * @uid: Whose process that is.
 * @id: The kernel's number of the open file; unique for a node.
 * @node: Path of the device node.
 * @command: Name of the process.
 * @engine_ns: Time that the engine worked for it, of jobs that have ended.
 * @total, @shared, @active: Bytes of its buffers, of those that others have too, and of those that
 *	the engine uses or is going to.
 */
struct client {
	int pid;
	unsigned int uid;
	uint64_t id;
	char node[64];
	char command[32];
	uint64_t engine_ns;
	uint64_t total;
	uint64_t shared;
	uint64_t active;
};

/*
 * struct clients - all of them at one moment; starts as { 0 }
 * @time_ns: Of CLOCK_MONOTONIC.
 * @hidden: Processes that may not be looked at: those of other users.
 */
struct clients {
	uint64_t time_ns;
	struct client *client;
	size_t count, room;
	size_t hidden;
};

/* What the text of a file in fdinfo says; false if it is not one of the driver's. */
bool fdinfo_parse(const char *text, struct client *client);

/*
 * Looks at all processes, in the order of their numbers. @root: where the machine's root folder is,
 * "" for its own. Errors: -ENOMEM; what opendir(3) says of /proc.
 */
int fdinfo_scan(const char *root, struct clients *clients);

void fdinfo_free(struct clients *clients);

#endif
