// SPDX-License-Identifier: MIT
/*
 * The NPU as a device without a bus: what the guest can read and write. QEMU's big lock is held in
 * all of it, timers included, so calls into the model are serialised.
 */
#include "compat.h"
#include "core.h"

static uint64_t regs_read(void *opaque, hwaddr addr, unsigned int size)
{
	struct board_core *core = opaque;

	if (core->in_reset)
		return 0;
	board_clock_sync(&core->clock);
	return core->model.read(core->model.npu, addr);
}

static void regs_write(void *opaque, hwaddr addr, uint64_t value, unsigned int size)
{
	struct board_core *core = opaque;

	if (core->in_reset)
		return;
	board_clock_sync(&core->clock);
	core->model.write(core->model.npu, addr, value);
	board_clock_kick(&core->clock);
}

static const MemoryRegionOps regs_ops = {
	.read = regs_read,
	.write = regs_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.valid = { .min_access_size = 4, .max_access_size = 4 },
	.impl = { .min_access_size = 4, .max_access_size = 4 },
};

static void enter_reset(struct board_core *core)
{
	board_model_log_stuck(&core->model);
	board_clock_stop(&core->clock);
	core->model.reset(core->model.npu);
	core->irq(core->front, 0);
}

/* Coming out of reset may be work, such as clearing a buffer. */
static void leave_reset(struct board_core *core)
{
	board_clock_kick(&core->clock);
}

void board_core_reset(struct board_core *core)
{
	enter_reset(core);
	leave_reset(core);
}

void board_core_hold(struct board_core *core, bool line)
{
	if (line == core->in_reset)
		return;
	core->in_reset = line;
	if (line)
		enter_reset(core);
	else
		leave_reset(core);
}

/* The reset block: bit 0 of its only register is the NPU's reset line, active high. */
static uint64_t reset_read(void *opaque, hwaddr addr, unsigned int size)
{
	struct board_core *core = opaque;

	return addr == 0 && core->in_reset;
}

static void reset_write(void *opaque, hwaddr addr, uint64_t value, unsigned int size)
{
	if (addr == 0)
		board_core_hold(opaque, value & 1);
}

static const MemoryRegionOps reset_ops = {
	.read = reset_read,
	.write = reset_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.valid = { .min_access_size = 4, .max_access_size = 4 },
};

static void commit_fault(struct board_core *core)
{
	if (core->fault_len > BOARD_CONTROL_TEXT_MAX) {
		core->fault_result = E2BIG;
	} else {
		core->fault[core->fault_len] = '\0';
		board_clock_sync(&core->clock);
		core->fault_result = -board_model_inject(&core->model, core->fault);
		if (!core->in_reset)
			board_clock_kick(&core->clock);
	}
	core->fault_len = 0;
}

static uint64_t control_read(void *opaque, hwaddr addr, unsigned int size)
{
	struct board_core *core = opaque;

	switch (addr) {
	case BOARD_CONTROL_ID:
		return BOARD_CONTROL_MAGIC;
	case BOARD_CONTROL_COMMIT:
		return core->fault_result;
	default:
		return 0;
	}
}

static void control_write(void *opaque, hwaddr addr, uint64_t value, unsigned int size)
{
	struct board_core *core = opaque;

	switch (addr) {
	case BOARD_CONTROL_DATA:
		if (core->fault_len < BOARD_CONTROL_TEXT_MAX)
			core->fault[core->fault_len] = value;
		core->fault_len = MIN(core->fault_len + 1, BOARD_CONTROL_TEXT_MAX + 1);
		break;
	case BOARD_CONTROL_COMMIT:
		commit_fault(core);
		break;
	}
}

static const MemoryRegionOps control_ops = {
	.read = control_read,
	.write = control_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.valid = { .min_access_size = 4, .max_access_size = 4 },
};

static int bus_read(void *opaque, uint64_t addr, void *buf, size_t len)
{
	struct board_core *core = opaque;

	return address_space_read(core->memory, addr, MEMTXATTRS_UNSPECIFIED, buf, len) ? -1 : 0;
}

static int bus_write(void *opaque, uint64_t addr, const void *buf, size_t len)
{
	struct board_core *core = opaque;

	return address_space_write(core->memory, addr, MEMTXATTRS_UNSPECIFIED, buf, len) ? -1 : 0;
}

static void bus_irq(void *opaque, int level)
{
	struct board_core *core = opaque;

	core->irq(core->front, level);
}

static bool inject_all(struct board_core *core, Error **errp)
{
	g_auto(GStrv) faults = g_strsplit(core->faults ? core->faults : "", ";", -1);
	char **fault;
	int err;

	for (fault = faults; *fault; fault++) {
		if (!**fault)
			continue;
		err = board_model_inject(&core->model, *fault);
		if (err) {
			error_setg(errp, "the model does not take the fault '%s': %s", *fault,
				   strerror(-err));
			return false;
		}
	}
	return true;
}

bool board_core_init(struct board_core *core, Object *owner, Error **errp)
{
	const struct npu_model_bus bus = {
		.opaque = core,
		.read = bus_read,
		.write = bus_write,
		.irq = bus_irq,
	};

	if (!core->model_path) {
		error_setg(errp, "the property model names no file");
		return false;
	}
	if (!board_model_open(&core->model, core->model_path,
			      core->config ? core->config : "nv_small", &bus, errp))
		return false;
	board_clock_init(&core->clock, &core->model);
	memory_region_init_io(&core->regs, owner, &regs_ops, core, "npu", BOARD_REGS_SIZE);
	memory_region_init_io(&core->reset, owner, &reset_ops, core, "npu-reset", BOARD_RESET_SIZE);
	memory_region_init_io(&core->control, owner, &control_ops, core, "board-control",
			      BOARD_CONTROL_SIZE);
	if (!inject_all(core, errp))
		return false;
	/* A model may begin its life with work, as after a reset. */
	board_clock_kick(&core->clock);
	return true;
}
