// SPDX-License-Identifier: MIT
/*
 * What happens to those who work: they are killed, the engine hangs, the bus fails, the driver goes
 * and comes back, the system sleeps.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../device/board_control.h"
#include "../device/driver.h"
#include "load.h"

/* Ticks from one event of a kind to its next: primes, so that they meet in all ways. */
enum {
	KILL_TICKS = 3,
	FAULT_TICKS = 7,
	UNBIND_TICKS = 83,
	SLEEP_TICKS = 211
};

struct disturb {
	unsigned int kinds;
	struct board_control *control;
	struct driver_binding binding;
	unsigned int kills, faults, unbinds, sleeps, refused;
};

static int can_sleep(void)
{
	/* All of a sleep but its depth: the board has nobody who would wake it. */
	return !driver_write("/sys/power/pm_test", "platform") &&
	       !driver_write("/sys/module/suspend/parameters/pm_test_delay", "1");
}

struct disturb *disturb_open(unsigned int kinds)
{
	struct disturb *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->kinds = kinds;
	if (kinds & DISTURB_FAULT) {
		d->control = board_control_open();
		if (!d->control) {
			fprintf(stderr, "faults: this is not the virtual board\n");
			goto fail;
		}
		/* A hang is found out soon, so that there can be many. */
		driver_write("/sys/module/npu/parameters/timeout_floor_ms", "200");
	}
	if (kinds & DISTURB_UNBIND && !driver_find_all(&d->binding, 1)) {
		fprintf(stderr, "unbind: no NPU is bound to the driver\n");
		goto fail;
	}
	if (kinds & DISTURB_SLEEP && !can_sleep()) {
		fprintf(stderr, "sleep: this kernel cannot\n");
		goto fail;
	}
	return d;
fail:
	disturb_close(d);
	return NULL;
}

void disturb_close(struct disturb *d)
{
	board_control_close(d->control);
	free(d);
}

static void inject(struct disturb *d)
{
	static const char *const faults[] = {
		"hang:%u", "bus-error:%u", "lost-irq:%u", "late-irq:%u:5000", "spurious-irq",
	};
	char fault[32];

	snprintf(fault, sizeof(fault), faults[(unsigned int)random() % 5],
		 1 + (unsigned int)random() % 8);
	/* Refused while as many wait as the model can hold. */
	if (board_control_inject(d->control, fault))
		d->refused++;
	else
		d->faults++;
}

static void rebind(struct disturb *d)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/unbind", d->binding.driver);
	if (driver_write(path, d->binding.device))
		return;
	d->unbinds++;
	usleep(10000);
	snprintf(path, sizeof(path), "%s/bind", d->binding.driver);
	if (driver_write(path, d->binding.device))
		printf("the driver cannot be bound again\n");
}

void disturb_tick(struct disturb *d, unsigned int tick, pid_t victim)
{
	if (d->kinds & DISTURB_KILL && tick % KILL_TICKS == 0 && victim) {
		kill(victim, SIGKILL);
		d->kills++;
	}
	if (d->kinds & DISTURB_FAULT && tick % FAULT_TICKS == 0)
		inject(d);
	if (d->kinds & DISTURB_UNBIND && tick % UNBIND_TICKS == UNBIND_TICKS - 1)
		rebind(d);
	if (d->kinds & DISTURB_SLEEP && tick % SLEEP_TICKS == SLEEP_TICKS - 1 &&
	    !driver_write("/sys/power/state", "freeze"))
		d->sleeps++;
}

void disturb_report(const struct disturb *d)
{
	printf("disturbed: %u kills, %u faults, %u unbinds, %u sleeps\n", d->kills, d->faults,
	       d->unbinds, d->sleeps);
}
