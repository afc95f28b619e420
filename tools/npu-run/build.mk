# SPDX-License-Identifier: MIT
#
# The command line stands on the public header only. It is linked with the static library, so that
# one file runs from the build tree, in the virtual board and after installation alike.

NPU_RUN := $(B)/tools/npu-run/npu-run
NPU_RUN_OBJS := $(addprefix $(B)/tools/npu-run/, main.o options.o device.o json.o error.o \
	interrupt.o save.o sysfs.o \
	plot_axis.o plot_svg.o plot_text.o \
	cmd_bench.o bench.o bench_chart.o bench_report.o conditions.o distribution.o \
	cmd_cdi.o cdi.o \
	cmd_info.o hardware.o diagnosis.o \
	cmd_matmul.o multiply.o operands.o stages.o npy.o npy_write.o \
	cmd_plan.o \
	cmd_selftest.o faults.o trial.o reference.o \
	cmd_tensors.o \
	cmd_top.o fdinfo.o usage.o \
	cmd_trace.o chrome_trace.o trace_event.o tracefs.o)

ALL += $(NPU_RUN)

$(NPU_RUN): $(NPU_RUN_OBJS) $(LIBNPU_A)
	@echo "  LD      $@"
	$(CC) -o $@ $^ $(LDFLAGS_ALL) $(LIBNPU_LIBS)

# ---- install ----

bindir ?= $(prefix)/bin

.PHONY: install-npu-run
install: install-npu-run
install-npu-run: $(NPU_RUN)
	install -d $(DESTDIR)$(bindir) $(DESTDIR)$(mandir)/man1
	install -m 755 $(NPU_RUN) $(DESTDIR)$(bindir)/
	install -m 644 $(wildcard docs/man/npu-run*.1) $(DESTDIR)$(mandir)/man1/
