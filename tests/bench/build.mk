# SPDX-License-Identifier: MIT
#
# Measurements. They are repeatable because the virtual board counts instructions and cycles. The
# processor's share is measured with an engine so fast that its time vanishes. Packing is measured on
# the build machine, in its own time: cache and memory are what matters, and the board has neither.
#
#   make bench [BENCH_FLAGS=--json]

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
