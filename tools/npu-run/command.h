/* SPDX-License-Identifier: MIT */
/* What a subcommand is, what it ends with, and how it complains. */
#ifndef NPU_RUN_COMMAND_H
#define NPU_RUN_COMMAND_H

#include "npu.h"

/* Exit statuses; the manual page promises them. */
enum status {
	STATUS_OK = 0,
	STATUS_MISMATCH = 1,	  /* selftest: a result is wrong */
	STATUS_USAGE = 2,	  /* the command line is wrong */
	STATUS_DEVICE = 3,	  /* no device, or it or its driver failed */
	STATUS_FILE = 4,	  /* a file cannot be read or written, or does not fit */
	STATUS_INTERRUPTED = 130, /* Ctrl-C, as a shell has it */
};

/* argv[0] is "npu-run: NAME", so that messages, getopt's too, say who speaks. */
enum status cmd_bench(int argc, char **argv);
enum status cmd_cdi(int argc, char **argv);
enum status cmd_eval(int argc, char **argv);
enum status cmd_info(int argc, char **argv);
enum status cmd_matmul(int argc, char **argv);
enum status cmd_plan(int argc, char **argv);
enum status cmd_quantize(int argc, char **argv);
enum status cmd_selftest(int argc, char **argv);
enum status cmd_tensors(int argc, char **argv);
enum status cmd_top(int argc, char **argv);
enum status cmd_trace(int argc, char **argv);

/* Prints one line to standard error. @who is argv[0]. */
void complain(const char *who, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
