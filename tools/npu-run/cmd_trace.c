// SPDX-License-Identifier: MIT
/* npu-run trace: what the NPUs do while a command runs, for Perfetto and Chrome. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "chrome_trace.h"
#include "error.h"
#include "hardware.h"
#include "interrupt.h"
#include "options.h"
#include "save.h"
#include "trace_event.h"
#include "tracefs.h"

static const char help[] =
	"Usage: npu-run trace -o FILE [OPTION]... -- COMMAND [ARGUMENT]...\n"
	"       npu-run trace -o FILE --duration DURATION\n"
	"Runs a command, or waits, and writes what the NPUs did meanwhile, for whomever, as a trace\n"
	"that https://ui.perfetto.dev and Chrome's about:tracing show.\n"
	"\n"
	"  -o, --output=FILE      where the trace goes\n"
	"  -t, --duration=DURATION\n"
	"                         without a command: how long, as in 5s\n"
	"  -b, --buffer=KIB       room in the kernel for each processor (4096)\n"
	"  -d, --device=NODE      only this node; otherwise all NPUs\n"
	"  -j, --json             print a summary as one JSON object\n"
	"  -h, --help             print this text\n"
	"  -V, --version          print the version\n"
	"\n"
	"Example: npu-run trace -o trace.json -- npu-run selftest\n"
	"\n"
	"The exit status is that of COMMAND; 2 (command line), 3 (no permission, or no driver),\n"
	"4 (file), 130 (interrupted; there is a trace), 126 (COMMAND cannot be run) or 127 (there\n"
	"is none).\n";

/* How often it is looked whether the kernel's buffer has to be emptied. */
#define PERIOD_NS 20000000

struct trace_options {
	struct common_options common;
	const char *output;
	double duration;
	int64_t buffer_kib;
	char **command;
};

/*
 * struct recording - a trace that is being made
 * @file: A temporary without a name. While a command runs no signal may be held back, as it is
 *	while the file is written that is asked for.
 * @dev: Name of the device that is of interest, "" for all.
 */
struct recording {
	struct tracefs tracefs;
	FILE *file;
	struct chrome_trace trace;
	char dev[HARDWARE_TEXT];
};

static bool check_options(const char *who, struct trace_options *options, char **command)
{
	if (!options->output) {
		complain(who, "--output says where the trace goes: -o trace.json");
		return false;
	}
	if (!!*command == (options->duration > 0)) {
		complain(who, "what is to be traced: a command, or a time by --duration?");
		return false;
	}
	options->command = command;
	return true;
}

static bool parse_options(int argc, char **argv, struct trace_options *options, enum status *status)
{
	static const struct option known[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "duration", required_argument, NULL, 't' },
		{ "buffer", required_argument, NULL, 'b' },
		COMMON_LONG,
		{ 0 },
	};
	bool ok = true;
	int c;

	/* Options behind the command's name are the command's. */
	while ((c = getopt_long(argc, argv, "+o:t:b:" COMMON_SHORT, known, NULL)) != -1) {
		*status = STATUS_USAGE;
		if (c == 'o')
			options->output = optarg;
		else if (c == 't')
			ok = option_duration(argv[0], "--duration", optarg, &options->duration);
		else if (c == 'b')
			ok = option_integer(argv[0], "--buffer", optarg, 4, 1 << 20,
					    &options->buffer_kib);
		else
			ok = common_option(c, help, &options->common, status);
		if (!ok)
			return false;
	}
	*status = STATUS_USAGE;
	return check_options(argv[0], options, argv + optind);
}

/* The name that events have for a node. */
static bool find_device(const char *who, const char *node, char dev[HARDWARE_TEXT])
{
	struct hardware hardware[HARDWARE_MAX];
	size_t count = node ? hardware_find("", hardware) : 0;

	dev[0] = '\0';
	for (size_t i = 0; i < count; i++)
		if (!strcmp(hardware[i].driver, NPU_DRIVER) && !strcmp(hardware[i].node, node))
			strcpy(dev, hardware[i].name);
	if (!node || dev[0])
		return true;
	complain(who, "%s: not the node of an NPU (npu-run info shows them)", node);
	return false;
}

/* ---- Recording ------------------------------------------------------------------------- */

/* Takes what is in the kernel's buffer. */
static int drain(struct recording *recording)
{
	struct trace_event event;
	const char *line;
	int ret = 0;

	while (!ret && (line = tracefs_next(&recording->tracefs))) {
		if (!trace_event_parse(line, &event))
			continue;
		if (event.kind == TRACE_LOST || !recording->dev[0] ||
		    !strcmp(event.dev, recording->dev))
			ret = chrome_trace_add(&recording->trace, &event);
	}
	return ret;
}

static void pause_for(long ns)
{
	nanosleep(&(struct timespec){ .tv_nsec = ns }, NULL);
}

/*
 * Records until the command ends; its status, or a negative errno. The terminal sends Ctrl-C to it,
 * too, so that is left to it; other signals only we have, and pass on.
 */
static int record_command(struct recording *recording, pid_t child)
{
	bool passed_on = false;
	int wait_status = 0, ret = 0;

	while (!waitpid(child, &wait_status, WNOHANG)) {
		if (interrupted() && interrupted() != SIGINT && !passed_on)
			passed_on = !kill(child, interrupted());
		if (!ret && tracefs_is_filling(&recording->tracefs))
			ret = drain(recording);
		pause_for(PERIOD_NS);
	}
	tracefs_stop(&recording->tracefs);
	if (!ret)
		ret = drain(recording);
	if (ret)
		return ret;
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

static int record_time(struct recording *recording, double seconds)
{
	const double period = PERIOD_NS * 1e-9;
	int ret = 0;

	while (!ret && seconds > 0) {
		if (interrupt_sleep(seconds < period ? seconds : period))
			break;
		seconds -= period;
		if (tracefs_is_filling(&recording->tracefs))
			ret = drain(recording);
	}
	tracefs_stop(&recording->tracefs);
	return ret ? ret : drain(recording);
}

/* Returns an exit status, of the command perhaps. If that did not start there is nothing to save.
 */
static int record(const char *who, const struct trace_options *options, struct recording *recording,
		  bool *started)
{
	pid_t child;
	int ret;

	*started = true;

	if (!*options->command) {
		ret = record_time(recording, options->duration);
	} else {
		ret = posix_spawnp(&child, *options->command, NULL, NULL, options->command,
				   environ);
		if (ret) {
			complain(who, "%s: %s", *options->command, strerror(ret));
			*started = false;
			return ret == ENOENT ? 127 : 126;
		}
		ret = record_command(recording, child);
	}
	if (ret >= 0)
		return interrupted() ? STATUS_INTERRUPTED : ret;
	complain(who, "%s", strerror(-ret));
	return STATUS_DEVICE;
}

/* ---- The file -------------------------------------------------------------------------- */

static void print_summary(const struct trace_options *options, const struct chrome_trace *trace)
{
	struct json json = { 0 };

	if (!options->common.json) {
		/* Standard output is the command's. */
		fprintf(stderr,
			"trace     %s: %" PRIu64 " submissions, %" PRIu64 " jobs, %" PRIu64
			" hangs\n",
			options->output, trace->submissions, trace->jobs, trace->timeouts);
		if (trace->lost)
			fprintf(stderr,
				"lost      %" PRIu64
				" events: the kernel had no room, see --buffer\n",
				trace->lost);
		return;
	}
	json_open(&json, NULL, '{');
	json_string(&json, "trace", options->output);
	json_uint(&json, "submissions", trace->submissions);
	json_uint(&json, "jobs", trace->jobs);
	json_uint(&json, "hangs", trace->timeouts);
	json_uint(&json, "lost_events", trace->lost);
	json_end(&json, '}');
}

/* Copies the trace to where it is wanted. */
static int save_trace(FILE *from, const char *path, struct npu_error *err)
{
	struct save save;
	char block[16384];
	size_t n;

	if (fflush(from) || ferror(from))
		return error_set(err, -errno, "cannot be written: %s", strerror(errno));
	rewind(from);
	if (save_begin(&save, path, err))
		return err->code;
	while ((n = fread(block, 1, sizeof(block), from)))
		fwrite(block, 1, n, save.file);
	return save_end(&save, err);
}

static int trace(const char *who, const struct trace_options *options, struct recording *recording)
{
	struct npu_error err;
	bool started;
	int status;

	chrome_trace_begin(&recording->trace, recording->file);
	status = record(who, options, recording, &started);
	chrome_trace_end(&recording->trace);
	if (!started)
		return status;
	if (save_trace(recording->file, options->output, &err)) {
		complain(who, "%s: %s", options->output, err.text);
		return STATUS_FILE;
	}
	print_summary(options, &recording->trace);
	return status;
}

/* Finds out what could fail before the command runs. */
static enum status prepare(const char *who, const struct trace_options *options,
			   struct recording *recording)
{
	struct npu_error err;

	if (!find_device(who, options->common.device, recording->dev))
		return STATUS_DEVICE;
	if (save_check(options->output, &err)) {
		complain(who, "%s: %s", options->output, err.text);
		return STATUS_FILE;
	}
	if (tracefs_open("", (unsigned int)options->buffer_kib, &recording->tracefs, &err)) {
		complain(who, "%s", err.text);
		return STATUS_DEVICE;
	}
	recording->file = tmpfile();
	if (recording->file)
		return STATUS_OK;
	complain(who, "no temporary file: %s", strerror(errno));
	tracefs_close(&recording->tracefs);
	return STATUS_FILE;
}

enum status cmd_trace(int argc, char **argv)
{
	struct trace_options options = { .buffer_kib = 4096 };
	struct recording recording;
	enum status status;

	if (!parse_options(argc, argv, &options, &status))
		return status;
	/* Nothing may end this before the kernel's buffer is given back. */
	interrupt_catch();
	status = prepare(argv[0], &options, &recording);
	if (status != STATUS_OK)
		return status;
	/* The command's status goes through, whatever it is. */
	status = (enum status)trace(argv[0], &options, &recording);
	tracefs_close(&recording.tracefs);
	fclose(recording.file);
	return status;
}
