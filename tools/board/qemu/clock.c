// SPDX-License-Identifier: MIT
/*
 * The NPU's clock. A busy model gets its cycles from a timer in guest time and before every
 * register access, never ahead of the guest: what a driver sees at some moment, running operations
 * and the order of its own writes included, is what it would see on a board.
 *
 * A model that needs more host time for a cycle than the cycle lasts cannot keep up. It then gets
 * a bounded share of the host, and its clock slips: guest time passes, device cycles do not.
 */
#include "compat.h"
#include "clock.h"

static uint64_t cycles_at(const struct board_clock *clock, int64_t now)
{
	return muldiv64(now - clock->epoch_ns, clock->hz, NANOSECONDS_PER_SECOND);
}

static void restart(struct board_clock *clock)
{
	clock->epoch_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
	clock->cycles = 0;
}

/*
 * One slice of the model. How much of the host a cycle takes differs between models by five orders
 * of magnitude, so the size of a slice follows from the time the last one took.
 */
static void run_slice(struct board_clock *clock, uint64_t cycles)
{
	int64_t begin = get_clock_realtime();
	uint64_t done;

	if (clock->host_us)
		cycles = MIN(cycles, clock->slice);
	done = clock->model->run(clock->model->npu, cycles);
	/* A model that is busy and lets no cycle pass would stop time. */
	clock->cycles += done ? done : cycles;

	if (get_clock_realtime() - begin > clock->host_us * 1000LL / 4)
		clock->slice = MAX(clock->slice / 2, 1);
	else if (cycles == clock->slice)
		clock->slice *= 2;
}

/* Returns the host time it took, or 0 when the model has all the cycles it is due. */
static int64_t catch_up(struct board_clock *clock)
{
	uint64_t due = cycles_at(clock, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
	int64_t begin = get_clock_realtime();

	while (clock->cycles < due && clock->model->busy(clock->model->npu)) {
		int64_t spent = get_clock_realtime() - begin;

		if (clock->host_us && spent > clock->host_us * 1000LL) {
			restart(clock);
			return spent;
		}
		run_slice(clock, due - clock->cycles);
	}
	return 0;
}

static void tick(void *opaque)
{
	struct board_clock *clock = opaque;
	int64_t spent = catch_up(clock);

	clock->running = clock->model->busy(clock->model->npu);
	/* A slow model leaves a fifth of the time for the processor's own access to the board. */
	if (clock->running)
		timer_mod_ns(&clock->timer,
			     qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + clock->tick_ns + spent / 4);
}

void board_clock_init(struct board_clock *clock, struct board_model *model)
{
	clock->model = model;
	clock->slice = 64;
	timer_init_ns(&clock->timer, QEMU_CLOCK_VIRTUAL, tick, clock);
}

void board_clock_sync(struct board_clock *clock)
{
	if (clock->running)
		catch_up(clock);
}

void board_clock_kick(struct board_clock *clock)
{
	if (clock->running || !clock->model->busy(clock->model->npu))
		return;
	clock->running = true;
	restart(clock);
	timer_mod_ns(&clock->timer, clock->epoch_ns + clock->tick_ns);
}

void board_clock_stop(struct board_clock *clock)
{
	clock->running = false;
	timer_del(&clock->timer);
}
