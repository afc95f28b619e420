// SPDX-License-Identifier: MIT
/* Command line of the measurements. */
#include <stdio.h>
#include <string.h>

#include "bench.h"

static const char usage[] =
	"Usage: npu-bench instructions|engine|pack [--json]\n"
	"Measures what the first NPU of this machine costs its processor, how\n"
	"much of the engine's physical limit arrives, or how fast operands are\n"
	"laid out for it. See `make bench`.\n";

int main(int argc, char **argv)
{
	const bool json = argc == 3 && !strcmp(argv[2], "--json");
	struct report report = { 0 };

	if (argc == 2 + json && !strcmp(argv[1], "instructions"))
		bench_instructions(&report);
	else if (argc == 2 + json && !strcmp(argv[1], "engine"))
		bench_engine(&report);
	else if (argc == 2 + json && !strcmp(argv[1], "pack"))
		bench_pack(&report);
	else
		return fputs(usage, stderr), 2;
	report_print(&report, json);
	return 0;
}
