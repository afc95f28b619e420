// SPDX-License-Identifier: MIT
/* npu-run cdi: describes the NPUs for container runtimes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cdi.h"
#include "hardware.h"
#include "options.h"
#include "save.h"

static const char help[] =
	"Usage: npu-run cdi [OPTION]...\n"
	"Writes what container runtimes have to know to give NPUs to a container: a file of the\n"
	"Container Device Interface (CDI), which is JSON.\n"
	"\n"
	"  -o, --output=FILE      where it goes, otherwise standard output; runtimes look in\n"
	"                         /etc/cdi and /run/cdi\n"
	"  -k, --kind=KIND        vendor and class that the devices are called by (" CDI_KIND ")\n"
	"  -d, --device=NODE      only this node; otherwise all NPUs\n"
	"  -j, --json             has no effect: it is JSON anyway\n"
	"  -h, --help             print this text\n"
	"  -V, --version          print the version\n"
	"\n"
	"Example: npu-run cdi -o /etc/cdi/npu.json && podman run --device " CDI_KIND "=all ...\n"
	"\n"
	"The exit status is 0, 2 (command line), 3 (no NPU) or 4 (file).\n";

struct cdi_options {
	struct common_options common;
	const char *output;
	const char *kind;
};

static bool parse_options(int argc, char **argv, struct cdi_options *options, enum status *status)
{
	static const struct option known[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "kind", required_argument, NULL, 'k' },
		COMMON_LONG,
		{ 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "o:k:" COMMON_SHORT, known, NULL)) != -1) {
		if (c == 'o')
			options->output = optarg;
		else if (c == 'k')
			options->kind = optarg;
		else if (!common_option(c, help, &options->common, status))
			return false;
	}
	*status = STATUS_USAGE;
	if (optind < argc) {
		complain(argv[0], "there is nothing to do with '%s'", argv[optind]);
		return false;
	}
	if (!cdi_kind_is_valid(options->kind)) {
		complain(argv[0],
			 "--kind is a vendor and a class such as example.com/npu, not '%s'",
			 options->kind);
		return false;
	}
	return true;
}

/* The NPUs that have a node; how many. */
static size_t find_devices(const char *who, const char *only, struct cdi_device *devices)
{
	struct hardware hardware[HARDWARE_MAX];
	size_t found = hardware_find("", hardware), count = 0;
	struct stat st;

	for (size_t i = 0; i < found; i++) {
		const char *node = hardware[i].node;

		if (strcmp(hardware[i].driver, NPU_DRIVER) || (only && strcmp(only, node)) ||
		    stat(node, &st))
			continue;
		strcpy(devices[count].node, node);
		devices[count++].gid = st.st_gid;
	}
	if (!count && only)
		complain(who, "%s: not the node of an NPU (npu-run info shows them)", only);
	else if (!count)
		complain(who, "there is no NPU that could be given to a container; npu-run info "
			      "says why");
	return count;
}

static enum status write_file(const char *who, const struct cdi_options *options,
			      const struct cdi_device *devices, size_t count)
{
	struct npu_error err;
	struct save save;
	int ret;

	ret = save_begin(&save, options->output, &err);
	if (!ret) {
		cdi_write(save.file, options->kind, devices, count);
		ret = save_end(&save, &err);
	}
	if (!ret)
		return STATUS_OK;
	complain(who, "%s: %s", options->output, err.text);
	return STATUS_FILE;
}

enum status cmd_cdi(int argc, char **argv)
{
	struct cdi_options options = { .kind = CDI_KIND };
	struct cdi_device devices[HARDWARE_MAX];
	enum status status;
	size_t count;

	if (!parse_options(argc, argv, &options, &status))
		return status;
	count = find_devices(argv[0], options.common.device, devices);
	if (!count)
		return STATUS_DEVICE;
	if (options.output)
		return write_file(argv[0], &options, devices, count);
	cdi_write(stdout, options.kind, devices, count);
	return STATUS_OK;
}
