# SPDX-License-Identifier: MIT

# The header is the one place that says the version. What programs are linked against is counted
# apart from it: the number in the SONAME changes when, and only when, an old program would break.
LIBNPU_VERSION := $(shell sed -n 's/^\#define NPU_VERSION_[A-Z]* *//p' libnpu/include/npu.h | \
	paste -sd.)
LIBNPU_SONAME := libnpu.so.1
LIBNPU_FILE := $(LIBNPU_SONAME).$(LIBNPU_VERSION)

LIBNPU_SRCS := $(addprefix libnpu/, \
	error.c device.c buffer.c arena.c tensor.c weights.c weight_source.c weights_file.c save.c \
	weights_share.c packed.c checksum.c epilogue.c output.c matmul.c query.c queue.c submit.c \
	backlog.c claim.c fence.c layout.c square.c cost.c plan.c requant.c \
	$(addprefix quant/, affine.c matrix.c fixed.c dynamic.c histogram.c observer.c \
		observer_image.c calibrate.c kmeans.c codebook.c) \
	$(addprefix file/, open.c file.c decode.c blocks.c npy.c safetensors.c \
		safetensors_write.c notes.c json.c gguf.c) \
	$(addprefix eval/, check.c deviation.c clipping.c scores.c) \
	$(addprefix tune/, check.c hessian.c problem.c panel.c round.c smooth.c rotate.c fake.c qat.c \
		qat_backward.c choose.c follower.c) \
	$(addprefix backend/, cpu.c cpu_buffer.c cpu_matmul.c cpu_weights.c node.c \
		nvdla_buffer.c nvdla_chunks.c nvdla_config.c nvdla_device.c nvdla_division.c \
		nvdla_exact.c nvdla_fence.c nvdla_job.c nvdla_matmul.c nvdla_passes.c nvdla_plan.c \
		nvdla_queue.c nvdla_split.c nvdla_stage.c nvdla_weights.c))

# The CPU's arithmetic: with instructions that not every processor has, one kernel a file.
CPU_KERNELS_x86_64 := avx2 avx512_vnni amx fixed16_avx512
CPU_KERNELS_aarch64 := neon neon_dot neon_i8mm
CPU_KERNELS := portable $(CPU_KERNELS_$(firstword $(subst -, ,$(TRIPLET))))
CPU_SRCS := $(addprefix libnpu/backend/cpu/, gemm.c pack.c interleave.c pool.c dispatch.c fixed16.c \
	$(CPU_KERNELS:%=%.c))
LIBNPU_SRCS += $(CPU_SRCS)

LIBNPU_OBJS := $(LIBNPU_SRCS:%.c=$(B)/%.o)
LIBNPU_LIBS := $(DRM_LIBS) -lm -pthread

# What programs of this tree link with: the shared library, found beside them when they run, or the
# static one in tests that look inside.
LIBNPU := $(B)/libnpu/libnpu.so
LIBNPU_A := $(B)/libnpu/libnpu.a

ALL += $(LIBNPU) $(LIBNPU_A)

.PHONY: libnpu
libnpu: $(LIBNPU) $(LIBNPU_A)

CPPFLAGS_libnpu = -D_FILE_OFFSET_BITS=64 $(DRM_CFLAGS) -fvisibility=hidden
$(addprefix $(B)/libnpu/, weight_source.o layout.o square.o): override CFLAGS += -O3
$(B)/libnpu/file/decode.o $(B)/libnpu/file/blocks.o: override CFLAGS += -O3
# The bits of a result are what the operations in the source say.
$(B)/libnpu/requant.o: override CFLAGS += -O3 -ffp-contract=off -fno-trapping-math \
	$(if $(findstring x86_64,$(TRIPLET)),-mprefer-vector-width=512)
$(B)/libnpu/quant/%.o: override CFLAGS += -ffp-contract=off $(CFLAGS_NARROW)
$(CPU_SRCS:%.c=$(B)/%.o): override CFLAGS += -O3
# No infinity, no NaN: a minimum is one instruction.
$(B)/libnpu/backend/cpu/fixed16.o: override CFLAGS += -ffinite-math-only -fno-signed-zeros \
	-fno-trapping-math
$(B)/libnpu/backend/cpu/avx2.o: override CFLAGS += -mavx2
$(B)/libnpu/backend/cpu/avx512_vnni.o: override CFLAGS += -mavx512f -mavx512vnni
$(B)/libnpu/backend/cpu/amx.o: override CFLAGS += -mamx-tile -mamx-int8
$(B)/libnpu/backend/cpu/fixed16_avx512.o: override CFLAGS += -mavx512f -mavx512bw -mavx512dq \
	-mavx512vl
$(B)/libnpu/backend/cpu/neon_dot.o: override CFLAGS += -march=armv8.2-a+dotprod
$(B)/libnpu/backend/cpu/neon_i8mm.o: override CFLAGS += -march=armv8.2-a+i8mm
$(B)/libnpu/eval/%.o: override CFLAGS += -ffp-contract=off $(CFLAGS_NARROW)
$(B)/libnpu/tune/%.o: override CFLAGS += -O3 -ffp-contract=off $(CFLAGS_NARROW)
$(B)/libnpu/file/%.o: override CFLAGS += $(CFLAGS_NARROW)
$(addprefix $(B)/libnpu/, packed.o weights.o weights_file.o weights_share.o checksum.o \
	save.o): override CFLAGS += $(CFLAGS_NARROW)

$(B)/libnpu/$(LIBNPU_FILE): $(LIBNPU_OBJS) libnpu/libnpu.map
	@echo "  LD      $@"
	$(CC) -shared -Wl,-soname,$(LIBNPU_SONAME) -Wl,--version-script=libnpu/libnpu.map \
		-o $@ $(LIBNPU_OBJS) $(LDFLAGS_ALL) $(LIBNPU_LIBS)

$(LIBNPU): $(B)/libnpu/$(LIBNPU_FILE)
	ln -sf $(<F) $(@D)/$(LIBNPU_SONAME)
	ln -sf $(LIBNPU_SONAME) $@

$(LIBNPU_A): $(LIBNPU_OBJS)
	@echo "  AR      $@"
	rm -f $@
	$(AR) rcs $@ $^

# ---- install ----

libdir ?= $(prefix)/lib
includedir ?= $(prefix)/include
mandir ?= $(prefix)/share/man

.PHONY: install install-libnpu
install: install-libnpu
install-libnpu: $(LIBNPU) $(LIBNPU_A)
	install -d $(DESTDIR)$(libdir)/pkgconfig $(DESTDIR)$(includedir) $(DESTDIR)$(mandir)/man3
	install -m 644 libnpu/include/*.h $(DESTDIR)$(includedir)/
	install -m 755 $(B)/libnpu/$(LIBNPU_FILE) $(DESTDIR)$(libdir)/
	ln -sf $(LIBNPU_FILE) $(DESTDIR)$(libdir)/$(LIBNPU_SONAME)
	ln -sf $(LIBNPU_SONAME) $(DESTDIR)$(libdir)/libnpu.so
	install -m 644 $(LIBNPU_A) $(DESTDIR)$(libdir)/
	sed -e 's|@prefix@|$(prefix)|' -e 's|@libdir@|$(libdir)|' \
		-e 's|@includedir@|$(includedir)|' -e 's|@version@|$(LIBNPU_VERSION)|' \
		libnpu/libnpu.pc.in >$(DESTDIR)$(libdir)/pkgconfig/libnpu.pc
	chmod 644 $(DESTDIR)$(libdir)/pkgconfig/libnpu.pc
	install -m 644 docs/man/*.3 $(DESTDIR)$(mandir)/man3/
	# Each call finds the page that describes it.
	for page in docs/man/*.3; do \
		for name in $$(sed -n 's/^\.Nm \([a-z0-9_]*\).*/\1/p' $$page); do \
			ln -sf $${page##*/} $(DESTDIR)$(mandir)/man3/$$name.3; \
		done; \
	done
