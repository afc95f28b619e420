// SPDX-License-Identifier: MIT
/*
 * Errors and the version: what every call needs and no object owns.
 */
#include <stdarg.h>
#include <stdio.h>

#include "error.h"
#include "object.h"

#define TEXT(x) #x
#define VERSION(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

const char *npu_version(void)
{
	return VERSION(NPU_VERSION_MAJOR, NPU_VERSION_MINOR, NPU_VERSION_PATCH);
}

int npu_fail(struct npu_error *err, int code, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return code;

	err->code = code;
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	return code;
}
