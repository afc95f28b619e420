// SPDX-License-Identifier: MIT
/* Says why something failed, in the library's own struct npu_error. */
#include <stdarg.h>
#include <stdio.h>

#include "error.h"

int error_set(struct npu_error *err, int code, const char *format, ...)
{
	va_list args;

	err->code = code;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return code;
}
