# SPDX-License-Identifier: MIT
#
# The command line stands on the public header only. It is linked with the static library, so that
# one file runs from the build tree, in the virtual board and after installation alike. SHARED=1 links
# it with the shared one: for distributions, which repair a library in one place.

NPU_RUN := $(B)/tools/npu-run/npu-run
NPU_RUN_OBJS := $(addprefix $(B)/tools/npu-run/, main.o options.o device.o json.o error.o \
	interrupt.o model_options.o save.o sysfs.o \
	plot_axis.o plot_svg.o plot_text.o \
	cmd_bench.o bench.o bench_chart.o bench_report.o conditions.o distribution.o \
	cmd_cdi.o cdi.o \
	cmd_eval.o eval_report.o eval_json.o eval_chart.o \
	cmd_info.o hardware.o diagnosis.o \
	cmd_matmul.o multiply.o operands.o auto_scale.o stages.o npy.o npy_write.o \
	cmd_plan.o choices.o plan_request.o \
	cmd_quantize.o quantize_options.o quantize_report.o \
	cmd_selftest.o faults.o trial.o reference.o \
	cmd_tensors.o \
	cmd_top.o fdinfo.o usage.o \
	cmd_trace.o chrome_trace.o trace_event.o tracefs.o)

# Networks, float and quantized.
NETWORK_OBJS := $(addprefix $(B)/tools/npu-run/network/, samples.o dense.o float_network.o \
	technique.o quant_network.o quant_save.o quant_load.o learnt.o weights.o stream.o \
	migrate.o precision.o quantize.o device_layer.o edge.o pack.o runner.o float_runner.o \
	subject.o)
NPU_RUN_OBJS += $(NETWORK_OBJS)

$(NPU_RUN_OBJS): override CFLAGS += $(CFLAGS_NARROW)
# Without fused multiply-add every machine rounds the same way.
$(NETWORK_OBJS): override CFLAGS += -ffp-contract=off

ALL += $(NPU_RUN)

.PHONY: npu-run
npu-run: $(NPU_RUN)

# Remembers how npu-run was linked, so that another SHARED links it again.
NPU_RUN_LINKED := $(B)/tools/npu-run/linked-$(if $(SHARED),shared,static)
$(NPU_RUN_LINKED):
	@mkdir -p $(@D)
	rm -f $(@D)/linked-*
	touch $@

$(NPU_RUN): $(NPU_RUN_OBJS) $(if $(SHARED),$(LIBNPU),$(LIBNPU_A)) $(NPU_RUN_LINKED)
	@echo "  LD      $@"
	$(CC) -o $@ $(filter-out $(NPU_RUN_LINKED),$^) $(LDFLAGS_ALL) $(LIBNPU_LIBS)

# ---- install ----

bindir ?= $(prefix)/bin
datadir ?= $(prefix)/share
bashcompletiondir ?= $(datadir)/bash-completion/completions
zshcompletiondir ?= $(datadir)/zsh/site-functions
fishcompletiondir ?= $(datadir)/fish/vendor_completions.d

# $(call install_each,FOLDER,FILES): nothing, not even the folder, where there are no files.
install_each = $(if $(2),install -d $(DESTDIR)$(1) && install -m 644 $(2) $(DESTDIR)$(1)/)

.PHONY: install-npu-run
install: install-npu-run
install-npu-run: $(NPU_RUN)
	install -d $(DESTDIR)$(bindir)
	install -m 755 $(NPU_RUN) $(DESTDIR)$(bindir)/
	$(call install_each,$(mandir)/man1,$(wildcard docs/man/npu-run*.1))
	$(call install_each,$(fishcompletiondir),$(wildcard tools/npu-run/completion/*.fish))
	$(call install_each,$(zshcompletiondir),$(wildcard tools/npu-run/completion/_*))
	$(if $(wildcard tools/npu-run/completion/npu-run.bash), \
		install -d $(DESTDIR)$(bashcompletiondir) && install -m 644 \
		tools/npu-run/completion/npu-run.bash $(DESTDIR)$(bashcompletiondir)/npu-run)
