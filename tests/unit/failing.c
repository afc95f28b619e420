// SPDX-License-Identifier: MIT
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "failing.h"
#include "fake_fence.h"

/* Whose turn it is; nobody's, if there is no source. */
static const struct failing_source *_Atomic armed;
static atomic_uint left;
static atomic_bool failed;
static int with;

/* No step makes so many calls. */
#define ENOUGH 100000

bool failing_turn(const struct failing_source *source)
{
	if (armed != source || failed)
		return false;
	if (atomic_fetch_sub(&left, 1))
		return false;
	failed = true;
	errno = with;
	return true;
}

static void arm(const struct failing_source *source, unsigned int after, int code)
{
	with = code;
	left = after;
	failed = false;
	armed = source;
}

static bool disarm(void)
{
	armed = NULL;
	return failed;
}

static void arm_memory(unsigned int after, int code)
{
	arm(&failing_memory, after, code);
}

static void arm_calls(unsigned int after, int code)
{
	arm(&failing_calls, after, code);
}

const struct failing_source failing_memory = { arm_memory, disarm };
const struct failing_source failing_calls = { arm_calls, disarm };

/* ---- Steps ------------------------------------------------------------------------------ */

static void undo(const struct failing_step *step)
{
	if (step->undo)
		step->undo();
}

static void judge(const struct failing_step *step, unsigned int turn, int code, int ret,
		  const struct npu_error *err)
{
	/* A call that was interrupted, or came too early, is made again. */
	if (!ret && !step->bears && code != EINTR && code != EBUSY)
		fail_msg("%s: succeeds although call %u failed", step->name, turn);
	if (ret && ret != -code && ret != -ENOMEM && ret != step->other)
		fail_msg("%s: %d in place of %d where call %u failed: %s", step->name, ret, -code,
			 turn, err->text);
	if (ret && (err->code != ret || !err->text[0]))
		fail_msg("%s: says nothing where call %u failed", step->name, turn);
}

static unsigned int try_step(const struct failing_source *source, int code,
			     const struct failing_step *step)
{
	for (unsigned int turn = 0; turn < ENOUGH; turn++) {
		struct npu_error err = { 0 };
		int ret;

		source->arm(turn, code);
		ret = step->make(&err);
		if (!source->disarm()) {
			if (ret)
				fail_msg("%s: %d: %s", step->name, ret, err.text);
			return turn;
		}
		judge(step, turn, code, ret, &err);
		if (!ret)
			undo(step);
	}
	fail_msg("%s: makes more calls than there can be", step->name);
	return 0;
}

unsigned int failing_try(const struct failing_source *source, int code,
			 const struct failing_step *steps, size_t count)
{
	unsigned int all = 0, fds = open_fds();

	for (size_t i = 0; i < count; i++)
		all += try_step(source, code, &steps[i]);
	while (count--)
		undo(&steps[count]);
	assert_int_equal(open_fds(), fds);
	print_message("%u calls failed with %d\n", all, code);
	return all;
}

/* ---- Memory ----------------------------------------------------------------------------- */

/* A function that is wrapped, and how it says that it has failed. */
#define MEMORY(type, name, parameters, arguments)  \
	type __real_##name parameters;             \
	type __wrap_##name parameters;             \
	type __wrap_##name parameters              \
	{                                          \
		if (failing_turn(&failing_memory)) \
			return NULL;               \
		return __real_##name arguments;    \
	}

MEMORY(void *, malloc, (size_t bytes), (bytes))
MEMORY(void *, calloc, (size_t count, size_t bytes), (count, bytes))
MEMORY(void *, realloc, (void *old, size_t bytes), (old, bytes))
MEMORY(void *, reallocarray, (void *old, size_t count, size_t bytes), (old, count, bytes))
MEMORY(void *, aligned_alloc, (size_t align, size_t bytes), (align, bytes))
MEMORY(char *, strdup, (const char *text), (text))
MEMORY(char *, strndup, (const char *text, size_t length), (text, length))

int __wrap_asprintf(char **out, const char *format, ...);
int vasprintf(char **out, const char *format, va_list args);

int __wrap_asprintf(char **out, const char *format, ...)
{
	va_list args;
	int ret;

	if (failing_turn(&failing_memory))
		return -1;
	va_start(args, format);
	ret = vasprintf(out, format, args);
	va_end(args);
	return ret;
}
