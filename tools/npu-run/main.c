// SPDX-License-Identifier: MIT
/* npu-run: integer matrix multiplication on NPUs from the command line. Finds the subcommand. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "command.h"

static const struct {
	const char *name;
	char *title; /* what getopt takes for the program's name */
	enum status (*run)(int argc, char **argv);
} commands[] = {
	{ "bench", "npu-run: bench", cmd_bench },
	{ "cdi", "npu-run: cdi", cmd_cdi },
	{ "eval", "npu-run: eval", cmd_eval },
	{ "info", "npu-run: info", cmd_info },
	{ "matmul", "npu-run: matmul", cmd_matmul },
	{ "plan", "npu-run: plan", cmd_plan },
	{ "quantize", "npu-run: quantize", cmd_quantize },
	{ "selftest", "npu-run: selftest", cmd_selftest },
	{ "tensors", "npu-run: tensors", cmd_tensors },
	{ "top", "npu-run: top", cmd_top },
	{ "trace", "npu-run: trace", cmd_trace },
};

static const char help[] = "Usage: npu-run COMMAND [OPTION]...\n"
			   "integer matrix multiplication on neural processing units.\n"
			   "\n"
			   "  bench      measure multiplications against the engine's limit\n"
			   "  cdi        describe the NPUs for container runtimes\n"
			   "  eval       hold quantized networks against the float one\n"
			   "  info       show the NPUs of this machine and what they can do\n"
			   "  matmul     multiply two .npy matrices\n"
			   "  plan       show how a multiplication would be done, and its cost\n"
			   "  quantize   make integers of a network of floats\n"
			   "  selftest   check a device against plain C, bit for bit\n"
			   "  tensors    list what is in an .npy, safetensors or GGUF file\n"
			   "  top        show which processes use the NPUs, live\n"
			   "  trace      record what the NPUs do while a command runs\n"
			   "\n"
			   "  --help     print this text; after a command, that command's options\n"
			   "  --version  print the version\n"
			   "\n"
			   "Example: npu-run matmul A.npy W.npy -o C.npy --scale 0.002\n";

void complain(const char *who, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", who);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static enum status run(int argc, char **argv)
{
	if (argc < 2) {
		complain("npu-run", "a command is needed (see npu-run --help)");
		return STATUS_USAGE;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(argv[1], commands[i].name)) {
			argv[1] = commands[i].title;
			return commands[i].run(argc - 1, argv + 1);
		}
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		fputs(help, stdout);
		return STATUS_OK;
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		printf("npu-run %s\n", npu_version());
		return STATUS_OK;
	}
	complain("npu-run", "there is no command '%s' (see npu-run --help)", argv[1]);
	return STATUS_USAGE;
}

int main(int argc, char **argv)
{
	enum status status;

	/* A result that grows too large is an error like any other. */
	signal(SIGXFSZ, SIG_IGN);
	status = run(argc, argv);

	/* A full disk behind standard output shows only here. */
	if ((fflush(stdout) || ferror(stdout)) && status == STATUS_OK) {
		complain("npu-run", "standard output: %s", strerror(errno));
		status = STATUS_FILE;
	}
	return status;
}
