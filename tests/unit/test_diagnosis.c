// SPDX-License-Identifier: MIT
/*
 * What is wrong with a machine's NPUs: each reason is told from the others, with the device it is
 * about and what to do. Machines are folders with the files that sysfs would have.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../tools/npu-run/diagnosis.h"
#include "fake_root.h"

#define DEVICES "/sys/bus/platform/devices/"
#define NPU DEVICES "c100000.npu"
#define CARD "/sys/bus/pci/devices/0000:00:04.0"
#define TREE "/sys/firmware/devicetree/base"

static struct diagnosis diagnosis;

static void put_kernel(const char *release)
{
	fake_root_text("/proc/sys/kernel/osrelease", release);
}

static void put_loaded_module(void)
{
	fake_root_text("/sys/module/npu/refcnt", "0\n");
}

/* An NPU in the device tree, enabled, with a device of the kernel's. */
static void put_npu(const char *compatible, size_t size)
{
	fake_root_put(NPU "/of_node/compatible", compatible, size);
	fake_root_text(NPU "/driver_override", "(null)\n");
}

static void put_nv_small(void)
{
	static const char list[] = "vendor,soc-npu\0nvidia,nv_small";

	put_npu(list, sizeof(list));
}

static void put_working_npu(void)
{
	put_kernel("6.1.0-1-arm64\n");
	put_loaded_module();
	put_nv_small();
	fake_root_link(NPU "/driver", "../../../../bus/platform/drivers/npu");
	fake_root_text(NPU "/drm/card0/dev", "226:0\n");
	fake_root_text(NPU "/drm/renderD128/dev", "226:128\n");
}

/* The only trouble there is, and it has these words in it. */
static void only(const char *kind, const char *device, const char *text, const char *remedy)
{
	const struct trouble *trouble = diagnosis.trouble;

	diagnosis_make(fake_root(), &diagnosis);
	assert_int_equal(diagnosis.count, 1);
	assert_string_equal(trouble->kind, kind);
	assert_string_equal(trouble->device, device);
	if (!strstr(trouble->text, text))
		fail_msg("'%s' does not say '%s'", trouble->text, text);
	if (!strstr(trouble->remedy, remedy))
		fail_msg("'%s' does not say '%s'", trouble->remedy, remedy);
}

static void nothing_is_wrong(void **state)
{
	char driver[16];

	(void)state;
	put_working_npu();
	fake_root_text("/dev/dri/renderD128", "");
	diagnosis_make(fake_root(), &diagnosis);
	assert_int_equal(diagnosis.count, 0);

	fake_root_link("/sys/class/drm/renderD128/device/driver", "../x/npu");
	assert_true(hardware_node_driver(fake_root(), "/dev/dri/renderD128", driver, 16));
	assert_string_equal(driver, "npu");
	assert_false(hardware_node_driver(fake_root(), "/dev/dri/renderD129", driver, 16));
}

static void no_hardware(void **state)
{
	(void)state;
	put_kernel("6.1.0-1-arm64\n");
	fake_root_text(DEVICES "reg-dummy/driver_override", "\n");
	fake_root_text(CARD "/vendor", "0x8086\n");
	fake_root_text(CARD "/device", "0x10f0\n");
	only("no-hardware", "", "no NPU", "new_id");
}

static void kernel_is_too_old(void **state)
{
	(void)state;
	put_kernel("5.15.148-tegra\n");
	put_nv_small();
	only("kernel-too-old", "", "kernel 5.15.148-tegra", "6.1 or later");
	put_kernel("6.0.19\n");
	only("kernel-too-old", "", "kernel 6.0.19", "6.1 or later");
}

static void module_is_not_loaded(void **state)
{
	(void)state;
	put_kernel("6.1.0-1-arm64\n");
	put_nv_small();
	fake_root_text("/lib/modules/6.1.0-1-arm64/modules.dep",
		       "kernel/drivers/xnpu.ko: kernel/npu.ko\nupdates/dkms/npu.ko.xz: drm.ko\n");
	only("module-not-loaded", "", "not loaded", "modprobe npu");
}

static void module_is_not_installed(void **state)
{
	(void)state;
	put_kernel("6.1.0-1-arm64\n");
	put_nv_small();
	/* One that needs it, and one that is called alike, are not it. */
	fake_root_text("/lib/modules/6.1.0-1-arm64/modules.dep",
		       "kernel/drivers/xnpu.ko: kernel/npu.ko\n");
	only("module-not-installed", "", "none for kernel 6.1.0-1-arm64",
	     "KDIR=/lib/modules/6.1.0-1-arm64/build");
}

static void node_is_disabled(void **state)
{
	static const char compatible[] = "nvidia,nv_large";

	(void)state;
	put_kernel("6.1.0-1-arm64\n");
	put_loaded_module();
	fake_root_put(TREE "/soc/npu@c100000/compatible", compatible, sizeof(compatible));
	fake_root_put(TREE "/soc/npu@c100000/status", "disabled", 9);
	fake_root_put(TREE "/soc/status", "okay", 5);
	only("disabled", "/soc/npu@c100000", "not to be used", "status = \"okay\"");
	/* Its bus can be the one that is not enabled. */
	fake_root_put(TREE "/soc/npu@c100000/status", "okay", 5);
	fake_root_put(TREE "/soc/status", "reserved", 9);
	only("disabled", "/soc/npu@c100000", "not to be used", "those above it");
}

static void another_driver_has_it(void **state)
{
	(void)state;
	put_kernel("6.1.0-1-arm64\n");
	put_loaded_module();
	put_nv_small();
	fake_root_link(NPU "/driver", "../../../../bus/platform/drivers/uio_pdrv_genirq");
	only("other-driver", "c100000.npu", "driver uio_pdrv_genirq has it",
	     "echo c100000.npu >/sys/bus/platform/drivers/uio_pdrv_genirq/unbind; echo c100000.npu");
	fake_root_text(NPU "/driver_override", "uio_pdrv_genirq\n");
	only("other-driver", "c100000.npu", "driver uio_pdrv_genirq has it",
	     "echo >/sys/bus/platform/devices/c100000.npu/driver_override; ");
}

static void a_card_of_vfio(void **state)
{
	(void)state;
	put_kernel("6.12.0\n");
	put_loaded_module();
	fake_root_text(CARD "/vendor", "0x1af4\n");
	fake_root_text(CARD "/device", "0x10f1\n");
	fake_root_link(CARD "/driver", "../../../../bus/pci/drivers/vfio-pci");
	only("other-driver", "0000:00:04.0", "driver vfio-pci has it",
	     "/sys/bus/pci/drivers/vfio-pci/unbind");
}

static void driver_override_keeps_it_free(void **state)
{
	(void)state;
	put_kernel("6.1.0-1-arm64\n");
	put_loaded_module();
	put_nv_small();
	fake_root_text(NPU "/driver_override", "vfio-platform\n");
	only("driver-override", "c100000.npu", "leaves it to vfio-platform only",
	     "echo >/sys/bus/platform/devices/c100000.npu/driver_override");
}

static void no_driver_has_it(void **state)
{
	(void)state;
	put_kernel("6.1.0-1-arm64\n");
	put_loaded_module();
	put_nv_small();
	only("not-bound", "c100000.npu", "no driver has it",
	     "echo c100000.npu >/sys/bus/platform/drivers/npu/bind");
}

static void the_probe_is_deferred(void **state)
{
	(void)state;
	put_kernel("6.1.0-1-arm64\n");
	put_loaded_module();
	put_nv_small();
	fake_root_text("/sys/kernel/debug/devices_deferred",
		       "c100000.npu2\tno\nc100000.npu\tplatform: wait for supplier clock\n");
	only("deferred", "c100000.npu", "wait for supplier clock", "clock, reset, supply");
}

static void there_is_no_node(void **state)
{
	(void)state;
	put_kernel("6.1.0-1-arm64\n");
	put_loaded_module();
	put_nv_small();
	fake_root_link(NPU "/driver", "../../../../bus/platform/drivers/npu");
	only("no-node", "c100000.npu", "no node", "dmesg");
}

static void a_container_has_no_file(void **state)
{
	(void)state;
	put_working_npu();
	only("no-device-file", "/dev/dri/renderD128", "no such file",
	     "--device /dev/dri/renderD128");
	/* Opening a node that is reported already is no second reason. */
	diagnosis_add_node(&diagnosis, "/dev/dri/renderD128", -ENOENT, "x");
	assert_int_equal(diagnosis.count, 1);
}

static void a_node_cannot_be_opened(void **state)
{
	(void)state;
	put_working_npu();
	fake_root_text("/dev/dri/renderD128", "");
	diagnosis_make(fake_root(), &diagnosis);
	diagnosis_add_node(&diagnosis, "/dev/dri/renderD128", -EACCES,
			   "/dev/dri/renderD128: no permission, the node belongs to group render");
	diagnosis_add_node(&diagnosis, "/dev/dri/renderD129", -ENOTSUP, "odd limits");
	assert_int_equal(diagnosis.count, 2);
	assert_string_equal(diagnosis.trouble[0].kind, "no-permission");
	assert_string_equal(diagnosis.trouble[0].device, "/dev/dri/renderD128");
	assert_string_equal(diagnosis.trouble[0].text,
			    "no permission, the node belongs to group render");
	assert_string_equal(diagnosis.trouble[1].kind, "driver-mismatch");
	assert_string_equal(diagnosis.trouble[1].text, "odd limits");
}

static void an_engine_it_does_not_know(void **state)
{
	static const char compatible[] = "nvidia,nvdla_os_initial";

	(void)state;
	put_kernel("6.1.0-1-riscv64\n");
	put_loaded_module();
	put_npu(compatible, sizeof(compatible));
	only("unknown-configuration", "c100000.npu", "is an nv_full", "nv_small and nv_large");
}

/* A machine with more of them than there is room for. */
static void too_many(void **state)
{
	static const char compatible[] = "nvidia,nv_small";
	char path[80];

	(void)state;
	put_kernel("6.1.0-1-arm64\n");
	for (int i = 0; i < HARDWARE_MAX + 5; i++) {
		snprintf(path, sizeof(path), DEVICES "%d.npu/of_node/compatible", i);
		fake_root_put(path, compatible, sizeof(compatible));
	}
	diagnosis_make(fake_root(), &diagnosis);
	assert_int_equal(diagnosis.count, 1);
	put_loaded_module();
	diagnosis_make(fake_root(), &diagnosis);
	assert_int_equal(diagnosis.count, HARDWARE_MAX);
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "/dev/dri/renderD%d", i);
		diagnosis_add_node(&diagnosis, path, -EIO, "x");
	}
	assert_int_equal(diagnosis.count, DIAGNOSIS_MAX);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, fake_root_create, fake_root_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nothing_is_wrong),
		CASE(no_hardware),
		CASE(kernel_is_too_old),
		CASE(module_is_not_loaded),
		CASE(module_is_not_installed),
		CASE(node_is_disabled),
		CASE(another_driver_has_it),
		CASE(a_card_of_vfio),
		CASE(driver_override_keeps_it_free),
		CASE(no_driver_has_it),
		CASE(the_probe_is_deferred),
		CASE(there_is_no_node),
		CASE(a_container_has_no_file),
		CASE(a_node_cannot_be_opened),
		CASE(an_engine_it_does_not_know),
		CASE(too_many),
	};

	return cmocka_run_group_tests_name("diagnosis", tests, NULL, NULL);
}
