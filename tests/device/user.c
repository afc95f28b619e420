// SPDX-License-Identifier: MIT
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user.h"

/* Of this thread. What it is permitted stays, so that it can have the right again. */
static int override_limits(int on)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -1;
	if (on)
		data[0].effective |= 1u << CAP_SYS_RESOURCE;
	else
		data[0].effective &= ~(1u << CAP_SYS_RESOURCE);
	return (int)syscall(SYS_capset, &header, data);
}

int user_become(uid_t uid)
{
	return setreuid(uid, (uid_t)-1) || override_limits(0);
}

int user_become_root(void)
{
	return setreuid(0, (uid_t)-1) || override_limits(1);
}
