// SPDX-License-Identifier: MIT
/* npu-run top: who uses the NPUs, live. */
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fdinfo.h"
#include "hardware.h"
#include "interrupt.h"
#include "json.h"
#include "options.h"
#include "usage.h"

static const char help[] =
	"Usage: npu-run top [OPTION]...\n"
	"Shows which processes use the NPUs, how much of the engine's time each takes, and how much\n"
	"memory, again and again until Ctrl-C.\n"
	"\n"
	"  -i, --interval=DURATION\n"
	"                         time between two looks, as in 5s or 0.5s (1s)\n"
	"  -1, --once             look once, after one interval, and end\n"
	"  -s, --sort=KEY         engine, memory or pid (engine)\n"
	"  -d, --device=NODE      only this node; otherwise all NPUs\n"
	"  -j, --json             print each look as one JSON object on a line\n"
	"  -h, --help             print this text\n"
	"  -V, --version          print the version\n"
	"\n"
	"Example: npu-run top --once --interval 5s\n"
	"\n"
	"Only root sees the processes of other users.\n"
	"The exit status is 0, 2 (command line), 3 (no NPU) or 130 (interrupted).\n";

struct top_options {
	struct common_options common;
	double interval;
	bool once;
	enum usage_order order;
};

/*
 * struct screen - where it goes
 * @redraw: A terminal whose contents are replaced each time.
 * @rows: Lines that fit, 0 for any number.
 */
struct screen {
	bool redraw;
	unsigned int rows;
};

/* The nodes that are shown. */
struct nodes {
	char path[HARDWARE_MAX][64];
	size_t count;
};

static bool take_order(const char *who, enum usage_order *order)
{
	static const char *const names[] = { "engine", "memory", "pid" };

	for (int i = 0; i < 3; i++) {
		if (!strcmp(optarg, names[i])) {
			*order = (enum usage_order)i;
			return true;
		}
	}
	complain(who, "--sort is engine, memory or pid, not '%s'", optarg);
	return false;
}

static bool parse_options(int argc, char **argv, struct top_options *options, enum status *status)
{
	static const struct option known[] = {
		{ "interval", required_argument, NULL, 'i' },
		{ "once", no_argument, NULL, '1' },
		{ "sort", required_argument, NULL, 's' },
		COMMON_LONG,
		{ 0 },
	};
	bool ok;
	int c;

	while ((c = getopt_long(argc, argv, "i:1s:" COMMON_SHORT, known, NULL)) != -1) {
		*status = STATUS_USAGE;
		if (c == 'i')
			ok = option_duration(argv[0], "--interval", optarg, &options->interval);
		else if (c == '1')
			ok = options->once = true;
		else if (c == 's')
			ok = take_order(argv[0], &options->order);
		else
			ok = common_option(c, help, &options->common, status);
		if (!ok)
			return false;
	}
	*status = STATUS_USAGE;
	if (optind < argc)
		complain(argv[0], "there is nothing to do with '%s'", argv[optind]);
	return optind == argc;
}

static bool find_nodes(const char *who, const char *only, struct nodes *nodes)
{
	struct hardware hardware[HARDWARE_MAX];
	size_t count = hardware_find("", hardware);

	nodes->count = 0;
	for (size_t i = 0; i < count; i++) {
		const char *node = hardware[i].node;

		if (!strcmp(hardware[i].driver, NPU_DRIVER) && node[0] &&
		    (!only || !strcmp(only, node)))
			strcpy(nodes->path[nodes->count++], node);
	}
	if (nodes->count)
		return true;
	if (only)
		complain(who, "%s: not the node of an NPU (npu-run info shows them)", only);
	else
		complain(who, "no NPU is in use by its driver; npu-run info says why");
	return false;
}

/* ---- Text ------------------------------------------------------------------------------ */

static const char *user_name(unsigned int uid, char text[24])
{
	const struct passwd *user = getpwuid(uid);

	if (user)
		snprintf(text, 24, "%.23s", user->pw_name);
	else
		snprintf(text, 24, "%u", uid);
	return text;
}

/* Names of processes can have anything in them, such as what moves the cursor. */
static void print_plain(const char *text)
{
	for (; *text; text++)
		putchar(*text >= 0x20 && *text < 0x7f ? *text : '?');
}

static void print_user(const struct user *user, double seconds)
{
	const struct client *c = &user->client;
	char name[24];

	printf("%7d %-10.10s %-18s %6.1f %12.3f %9.1f %9.1f %9.1f  ", c->pid,
	       user_name(c->uid, name), c->node, 100 * (double)user->worked_ns * 1e-9 / seconds,
	       (double)c->engine_ns * 1e-9, (double)c->total / (1 << 20),
	       (double)c->active / (1 << 20), (double)c->shared / (1 << 20));
	print_plain(c->command);
}

/* Ends a line; false when the screen is full. */
static bool end_line(const struct screen *screen, unsigned int *row)
{
	fputs(screen->redraw ? "\033[K\n" : "\n", stdout);
	return !screen->rows || ++*row + 1 < screen->rows;
}

static void print_look(const struct screen *screen, const struct nodes *nodes,
		       const struct usage *usage, size_t hidden)
{
	unsigned int row = 0;

	if (screen->redraw)
		fputs("\033[H", stdout);
	for (size_t i = 0; i < nodes->count; i++) {
		printf("%s: engine %.1f %% busy over %.1f s", nodes->path[i],
		       100 * usage_busy(usage, nodes->path[i]), usage->seconds);
		end_line(screen, &row);
	}
	if (hidden) {
		printf("%zu processes of other users are hidden; root sees all of them", hidden);
		end_line(screen, &row);
	}
	end_line(screen, &row);
	printf("%7s %-10s %-18s %6s %12s %9s %9s %9s  %s", "PID", "USER", "NODE", "ENG%",
	       "ENGINE s", "MEM MiB", "ACTIVE", "SHARED", "COMMAND");
	end_line(screen, &row);
	for (size_t i = 0; i < usage->count; i++) {
		print_user(usage->user + i, usage->seconds);
		if (!end_line(screen, &row))
			break;
	}
	fputs(screen->redraw ? "\033[J" : "\n", stdout);
	fflush(stdout);
}

/* ---- JSON ------------------------------------------------------------------------------ */

static void json_user(struct json *json, const struct user *user, double seconds)
{
	const struct client *c = &user->client;
	char name[24];

	json_open(json, NULL, '{');
	json_int(json, "pid", c->pid);
	json_string(json, "user", user_name(c->uid, name));
	json_string(json, "command", c->command);
	json_string(json, "node", c->node);
	json_uint(json, "files", user->files);
	json_float(json, "busy", (double)user->worked_ns * 1e-9 / seconds);
	json_uint(json, "engine_ns", c->engine_ns);
	json_uint(json, "total_bytes", c->total);
	json_uint(json, "active_bytes", c->active);
	json_uint(json, "shared_bytes", c->shared);
	json_close(json, '}');
}

static void json_look(const struct nodes *nodes, const struct usage *usage, size_t hidden)
{
	struct json json = { 0 };

	json_open(&json, NULL, '{');
	json_float(&json, "seconds", usage->seconds);
	json_open(&json, "devices", '[');
	for (size_t i = 0; i < nodes->count; i++) {
		json_open(&json, NULL, '{');
		json_string(&json, "node", nodes->path[i]);
		json_float(&json, "busy", usage_busy(usage, nodes->path[i]));
		json_close(&json, '}');
	}
	json_close(&json, ']');
	json_open(&json, "processes", '[');
	for (size_t i = 0; i < usage->count; i++)
		json_user(&json, usage->user + i, usage->seconds);
	json_close(&json, ']');
	json_uint(&json, "hidden_processes", hidden);
	json_end(&json, '}');
	fflush(stdout);
}

/* ---- The loop -------------------------------------------------------------------------- */

static void open_screen(const struct top_options *options, struct screen *screen)
{
	screen->redraw = !options->once && !options->common.json && isatty(STDOUT_FILENO);
	/* The other screen of the terminal, without a cursor. */
	if (screen->redraw)
		fputs("\033[?1049h\033[?25l", stdout);
}

static void measure_screen(struct screen *screen)
{
	struct winsize size;

	screen->rows = 0;
	if (screen->redraw && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		screen->rows = size.ws_row;
}

static void close_screen(const struct screen *screen)
{
	if (screen->redraw)
		fputs("\033[?25h\033[?1049l", stdout);
}

/* Takes those out that have other nodes open than are shown. */
static void keep(const struct nodes *nodes, struct clients *clients)
{
	size_t kept = 0;

	for (size_t i = 0; i < clients->count; i++) {
		bool shown = false;

		for (size_t j = 0; j < nodes->count && !shown; j++)
			shown = !strcmp(clients->client[i].node, nodes->path[j]);
		if (shown)
			clients->client[kept++] = clients->client[i];
	}
	clients->count = kept;
}

static int look(const struct nodes *nodes, struct clients *clients)
{
	int ret = fdinfo_scan("", clients);

	if (!ret)
		keep(nodes, clients);
	return ret;
}

static enum status watch(const char *who, const struct top_options *options,
			 const struct nodes *nodes, struct screen *screen)
{
	struct clients clients[2] = { 0 };
	struct usage usage = { 0 };
	int ret = look(nodes, &clients[0]);
	unsigned int now = 0;

	while (!ret && !interrupt_sleep(options->interval) && !ferror(stdout)) {
		now = !now;
		ret = look(nodes, &clients[now]);
		if (!ret)
			ret = usage_between(&clients[!now], &clients[now], options->order, &usage);
		if (ret)
			break;
		measure_screen(screen);
		if (options->common.json)
			json_look(nodes, &usage, clients[now].hidden);
		else
			print_look(screen, nodes, &usage, clients[now].hidden);
		if (options->once)
			break;
	}
	usage_free(&usage);
	fdinfo_free(&clients[0]);
	fdinfo_free(&clients[1]);
	if (!ret)
		return interrupted() ? STATUS_INTERRUPTED : STATUS_OK;
	close_screen(screen);
	complain(who, "/proc: %s", strerror(-ret));
	screen->redraw = false;
	return STATUS_DEVICE;
}

enum status cmd_top(int argc, char **argv)
{
	struct top_options options = { .interval = 1 };
	struct screen screen = { 0 };
	struct nodes nodes;
	enum status status;

	if (!parse_options(argc, argv, &options, &status))
		return status;
	if (!find_nodes(argv[0], options.common.device, &nodes))
		return STATUS_DEVICE;
	interrupt_catch();
	open_screen(&options, &screen);
	status = watch(argv[0], &options, &nodes, &screen);
	close_screen(&screen);
	return status;
}
