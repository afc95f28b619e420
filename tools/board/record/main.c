// SPDX-License-Identifier: MIT
/* npu-replay: recordings against a device model. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <npu.h>

#include "replay.h"

#define STATUS_DIFFERS 1
#define STATUS_TROUBLE 2

struct options {
	const char *model;
	bool json;
	struct replay_options replay;
};

static const char help[] =
	"Usage: npu-replay --model FILE [OPTION]... RECORDING...\n"
	"\n"
	"Plays recordings of an NPU to a device model, and stops each at the first thing that is\n"
	"not as it was recorded.\n"
	"\n"
	"  --model FILE      shared object with the functions of npu_model.h\n"
	"  --cycles PERCENT  ops may be off the recorded cycles by this at most (the default: any)\n"
	"  --limit CYCLES    clock cycles that one wait may take (the default: 10000000)\n"
	"  --json            one JSON object a line instead of text\n"
	"  --help            this text\n"
	"  --version         the version\n"
	"\n"
	"Exit status: 0 all are equal; 1 there are differences; 2 something could not be played.\n"
	"\n"
	"Example:\n"
	"  npu-replay --model ./my-rtl.so tests/vectors/plain-7x13x5.vec\n";

/* The path of a recording is all that needs it. */
static void print_json_string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20)
			printf("\\u%04x", (unsigned char)*s);
		else if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else
			putchar(*s);
	}
	putchar('"');
}

static void print_json(const char *path, const struct replay_result *r)
{
	printf("{\"recording\": ");
	print_json_string(path);
	printf(", \"result\": \"%s\", \"ops\": %" PRIu64 ", \"accesses\": %" PRIu64
	       ", \"bytes\": %" PRIu64 ", \"cycle\": %" PRIu64 ", \"timed_cycles\": %" PRIu64
	       ", \"timed_cycles_recorded\": %" PRIu64 ", \"peeks_off\": %" PRIu64
	       ", \"bytes_unknown\": %" PRIu64,
	       replay_kind_name(r->kind), r->ops, r->accesses, r->bytes, r->cycle, r->timed,
	       r->timed_recorded, r->peeks_off, r->bytes_unknown);
	if (r->kind != REPLAY_EQUAL) {
		printf(", \"line\": %u, \"address\": %" PRIu64 ", \"got\": %u, \"recorded\": %u"
		       ", \"difference\": ",
		       r->line, r->address, r->got, r->wanted);
		print_json_string(r->text);
	}
	puts("}");
}

static void print_text(const char *path, const struct replay_result *r)
{
	if (r->kind != REPLAY_EQUAL) {
		printf("%s:%u: first difference, in cycle %" PRIu64 ", %" PRIu64
		       " ops have ended: %s\n",
		       path, r->line, r->cycle, r->ops, r->text);
		return;
	}
	printf("%s: equal: %" PRIu64 " ops, %" PRIu64 " register accesses, %" PRIu64
	       " bytes of results",
	       path, r->ops, r->accesses, r->bytes);
	if (r->timed_recorded)
		printf(", %" PRIu64 " cycles where %" PRIu64 " are recorded (%+.1f %%)", r->timed,
		       r->timed_recorded,
		       100.0 * ((double)r->timed - (double)r->timed_recorded) /
			       (double)r->timed_recorded);
	putchar('\n');
	if (r->bytes_unknown)
		printf("%s: note: the engine read %" PRIu64
		       " bytes that the recording does not have; they were 0\n",
		       path, r->bytes_unknown);
}

static int replay_file(const char *path, const struct library *library, const struct options *o)
{
	struct replay_result result;
	struct vector v;
	int err;

	if (vector_load(&v, path))
		return STATUS_TROUBLE;
	err = replay_run(&result, &v, library, &o->replay);
	vector_free(&v);
	if (err) {
		fprintf(stderr, "npu-replay: %s: %s\n", path, result.text);
		return STATUS_TROUBLE;
	}
	if (o->json)
		print_json(path, &result);
	else
		print_text(path, &result);
	return result.kind == REPLAY_EQUAL ? 0 : STATUS_DIFFERS;
}

static int bad_usage(const char *what, const char *value)
{
	fprintf(stderr, "npu-replay: %s%s; see npu-replay --help\n", what, value);
	return -1;
}

static int parse_number(const char *name, const char *text, double max, double *number)
{
	char *end;

	errno = 0;
	*number = strtod(text, &end);
	if (errno || end == text || *end || !(*number >= 0 && *number <= max)) {
		fprintf(stderr, "npu-replay: %s takes a number from 0 to %g, not '%s'\n", name, max,
			text);
		return -1;
	}
	return 0;
}

/* 0 to go on, 1 to end well, -1 for a mistake that has been told */
static int parse(struct options *o, int argc, char **argv)
{
	static const struct option list[] = {
		{ "model", required_argument, NULL, 'm' },
		{ "cycles", required_argument, NULL, 'c' },
		{ "limit", required_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	double number;
	int c;

	while ((c = getopt_long(argc, argv, "hV", list, NULL)) != -1) {
		switch (c) {
		case 'm':
			o->model = optarg;
			break;
		case 'c':
			if (parse_number("--cycles", optarg, 1e6, &o->replay.cycles_off))
				return -1;
			break;
		case 'l':
			if (parse_number("--limit", optarg, 1e15, &number))
				return -1;
			o->replay.limit = number;
			break;
		case 'j':
			o->json = true;
			break;
		case 'h':
			fputs(help, stdout);
			return 1;
		case 'V':
			printf("npu-replay %d.%d.%d\n", NPU_VERSION_MAJOR, NPU_VERSION_MINOR,
			       NPU_VERSION_PATCH);
			return 1;
		default:
			return -1;
		}
	}
	if (!o->model)
		return bad_usage("--model is missing", "");
	if (optind == argc)
		return bad_usage("no recording", "");
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = { .replay = { .limit = 10000000, .cycles_off = -1 } };
	char error[LIBRARY_ERROR_MAX];
	struct library library;
	int status = 0, ret;

	ret = parse(&o, argc, argv);
	if (ret)
		return ret < 0 ? STATUS_TROUBLE : 0;
	if (!library_open(&library, o.model, error)) {
		fprintf(stderr, "npu-replay: %s\n", error);
		return STATUS_TROUBLE;
	}
	for (int i = optind; i < argc; i++) {
		ret = replay_file(argv[i], &library, &o);
		if (ret > status)
			status = ret;
	}
	library_close(&library);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "npu-replay: the report cannot be written\n");
		return STATUS_TROUBLE;
	}
	return status;
}
