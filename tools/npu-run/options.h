/* SPDX-License-Identifier: MIT */
/* Options that all subcommands have, and values of options. */
#ifndef NPU_RUN_OPTIONS_H
#define NPU_RUN_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

#include "command.h"

struct common_options {
	const char *device;
	bool json;
};

#define COMMON_SHORT "d:jhV"
/* Releases of clang-format differ on braces in a macro. */
/* clang-format off */
#define COMMON_LONG \
	{ "device", required_argument, NULL, 'd' }, \
	{ "json", no_argument, NULL, 'j' }, \
	{ "help", no_argument, NULL, 'h' }, \
	{ "version", no_argument, NULL, 'V' }
/* clang-format on */

#define COMMON_HELP                                                                        \
	"  -d, --device=DEVICE    device node, or cpu; otherwise the first NPU there is\n" \
	"  -j, --json             print the result as one JSON object\n"                   \
	"  -h, --help             print this text\n"                                       \
	"  -V, --version          print the version\n"

/*
 * Takes what getopt_long() returned when it was not an option of the command's own. Returns false
 * when the command is to end with *@status: after --help, --version or a mistake, which getopt has
 * already complained about.
 */
bool common_option(int c, const char *help, struct common_options *common, enum status *status);

/* Reads the value of an option; complains and returns false if it is not one in the range. */
bool option_integer(const char *who, const char *option, const char *text, int64_t min, int64_t max,
		    int64_t *value);

/* The same for any number. One that no float holds is infinite, and for the caller to refuse. */
bool option_float(const char *who, const char *option, const char *text, float *value);

/* "90", "90s", "1.5m", "2h" or "3d", in seconds; above 0. */
bool option_duration(const char *who, const char *option, const char *text, double *seconds);

#endif
