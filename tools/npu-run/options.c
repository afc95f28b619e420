// SPDX-License-Identifier: MIT
/* Options that all subcommands have, and values of options. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

bool common_option(int c, const char *help, struct common_options *common, enum status *status)
{
	switch (c) {
	case 'd':
		common->device = optarg;
		return true;
	case 'j':
		common->json = true;
		return true;
	case 'h':
		fputs(help, stdout);
		*status = STATUS_OK;
		return false;
	case 'V':
		printf("npu-run %s\n", npu_version());
		*status = STATUS_OK;
		return false;
	default:
		*status = STATUS_USAGE;
		return false;
	}
}

/* strtoll() and strtof() skip leading space; a value with any is a mistake. */
static bool ends_well(const char *text, const char *end)
{
	return end != text && !*end && !isspace((unsigned char)*text);
}

bool option_integer(const char *who, const char *option, const char *text, int64_t min, int64_t max,
		    int64_t *value)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (!ends_well(text, end) || errno || number < min || number > max) {
		complain(who, "%s is a whole number from %" PRId64 " to %" PRId64 ", not '%s'",
			 option, min, max, text);
		return false;
	}
	*value = number;
	return true;
}

bool option_float(const char *who, const char *option, const char *text, float *value)
{
	char *end;
	float number;

	errno = 0;
	number = strtof(text, &end);
	if (!ends_well(text, end) || isnan(number) || (isinf(number) && errno != ERANGE)) {
		complain(who, "%s is a number, not '%s'", option, text);
		return false;
	}
	*value = number;
	return true;
}

bool option_duration(const char *who, const char *option, const char *text, double *seconds)
{
	static const char units[] = "smhd";
	static const double lengths[] = { 1, 60, 3600, 86400 };
	const char *unit;
	char *end;
	double number;

	number = strtod(text, &end);
	unit = *end && !end[1] ? strchr(units, *end) : NULL;
	if (unit)
		number *= lengths[unit - units];
	/* A hundred years: what is longer does not fit the clocks. */
	if (!ends_well(text, unit ? end + 1 : end) || end == text || !(number > 0) ||
	    number > 36500 * lengths[3]) {
		complain(who, "%s is a time such as 90s, 5m, 2h or 1d, not '%s'", option, text);
		return false;
	}
	*seconds = number;
	return true;
}
