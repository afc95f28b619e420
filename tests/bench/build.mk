# SPDX-License-Identifier: MIT
#
# Measurements. They are repeatable because the virtual board counts instructions and cycles. The
# processor's share is measured with an engine so fast that its time vanishes. Packing is measured on
# the build machine, in its own time: cache and memory are what matters, and the board has neither.
#
#   make bench [BENCH_FLAGS=--json]
#   make bench-cpu [BENCH_FLAGS=--json]	this machine's CPU, beside other libraries for it

BENCH := $(B)/tests/bench/npu-bench
BENCH_OBJS := $(addprefix $(B)/tests/, bench/main.o bench/report.o bench/instructions.o \
	bench/engine.o bench/pack.o device/drm_node.o device/workbench.o matmul_case.o reference.o)

$(BENCH): $(BENCH_OBJS) $(LIBNPU_A)
	@echo "  LD      $@"
	$(CC) -o $@ $^ $(LDFLAGS_ALL) $(LIBNPU_LIBS) $(CMOCKA_LIBS)

device-tests: $(BENCH)

.PHONY: bench
bench: guest $(BENCH)
	$(BENCH) pack $(BENCH_FLAGS)
	$(BOARD) run --icount --clock 4000000000 $(GUEST) -- npu-bench instructions $(BENCH_FLAGS)
	$(BOARD) run --icount $(GUEST) -- npu-bench engine $(BENCH_FLAGS)

# ---- this machine's CPU ----

# $(call has_headers,NAME...): as many as the compiler finds, whether or not setup.sh was run.
has_headers = $(shell printf '\043include <%s>\n' $(1) | $(CC) -fsyntax-only -x c - 2>/dev/null \
	&& echo y)

ONEDNN_y = onednn
ONEDNN_LIBS_y = -ldnnl -fopenmp
XNNPACK_y = xnnpack
XNNPACK_LIBS_y = -lXNNPACK -lpthreadpool

CPU_BENCH := $(B)/tests/bench/cpu/npu-bench-cpu
ifneq ($(filter bench-cpu $(CPU_BENCH),$(MAKECMDGOALS)),)
HAVE_ONEDNN := $(call has_headers,dnnl.h omp.h)
HAVE_XNNPACK := $(call has_headers,xnnpack.h)
endif
CPU_BENCH_OBJS := $(addprefix $(B)/tests/bench/cpu/, main.o match.o table.o libnpu.o reader.o pack.o stages.o \
	$(addsuffix .o,$(ONEDNN_$(HAVE_ONEDNN)) $(XNNPACK_$(HAVE_XNNPACK))))

$(CPU_BENCH_OBJS): override CFLAGS += -O3 -fopenmp $(HAVE_ONEDNN:y=-DHAVE_ONEDNN) \
	$(HAVE_XNNPACK:y=-DHAVE_XNNPACK)
$(B)/tests/bench/cpu/xnnpack.o: override CFLAGS += $(if $(shell grep -ls \
	xnn_reshape_fully_connected_nc_qs8 /usr/include/xnnpack.h),-DXNNPACK_HAS_RESHAPE)

$(CPU_BENCH): $(CPU_BENCH_OBJS) $(LIBNPU_A)
	@echo "  LD      $@"
	$(CC) -o $@ $^ $(LDFLAGS_ALL) $(LIBNPU_LIBS) $(ONEDNN_LIBS_$(HAVE_ONEDNN)) \
		$(XNNPACK_LIBS_$(HAVE_XNNPACK))

.PHONY: bench-cpu
bench-cpu:
	scripts/setup.sh build peers
	$(MAKE) $(CPU_BENCH)
	$(CPU_BENCH) $(BENCH_FLAGS)
