# SPDX-License-Identifier: MIT
#
# The command line stands on the public header only. It is linked with the static library, so that
# one file runs from the build tree, in the virtual board and after installation alike.

NPU_RUN := $(B)/tools/npu-run/npu-run
NPU_RUN_OBJS := $(addprefix $(B)/tools/npu-run/, main.o options.o device.o json.o error.o \
	cmd_info.o cmd_matmul.o cmd_plan.o cmd_selftest.o cmd_tensors.o multiply.o operands.o \
	stages.o trial.o reference.o npy.o npy_write.o save.o plot_axis.o plot_text.o plot_svg.o)

# Networks, float and quantized.
NETWORK_OBJS := $(addprefix $(B)/tools/npu-run/network/, samples.o dense.o float_network.o \
	technique.o quant_network.o quant_save.o quant_load.o learnt.o weights.o stream.o \
	migrate.o precision.o quantize.o device_layer.o edge.o pack.o runner.o float_runner.o \
	subject.o)
NPU_RUN_OBJS += $(NETWORK_OBJS) $(addprefix $(B)/tools/npu-run/, cmd_quantize.o \
	quantize_options.o quantize_report.o cmd_eval.o eval_report.o eval_json.o eval_chart.o)

# Without fused multiply-add every machine rounds the same way.
$(NETWORK_OBJS): override CFLAGS += -ffp-contract=off

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
