# SPDX-License-Identifier: MIT

LIBNPU_VERSION := 0.1.0
LIBNPU_SONAME := libnpu.so.0

LIBNPU_SRCS := $(addprefix libnpu/, \
	error.c device.c buffer.c arena.c tensor.c weights.c weights_file.c weights_share.c \
	packed.c checksum.c epilogue.c matmul.c queue.c layout.c plan.c requant.c quant/affine.c \
	$(addprefix backend/, cpu.c cpu_buffer.c cpu_kernels.c node.c nvdla_buffer.c \
		nvdla_device.c nvdla_job.c nvdla_matmul.c nvdla_operands.c nvdla_queue.c \
		nvdla_split.c nvdla_stage.c nvdla_weights.c))

LIBNPU_OBJS := $(LIBNPU_SRCS:%.c=$(B)/%.o)
LIBNPU_LIBS := $(DRM_LIBS) -lm

# What programs of this tree link with: the shared library, found beside them when they run, or the
# static one in tests that look inside.
LIBNPU := $(B)/libnpu/libnpu.so
LIBNPU_A := $(B)/libnpu/libnpu.a

ALL += $(LIBNPU) $(LIBNPU_A)

CPPFLAGS_libnpu = -D_FILE_OFFSET_BITS=64 $(DRM_CFLAGS) -fvisibility=hidden
$(B)/libnpu/backend/cpu_kernels.o $(B)/libnpu/layout.o: override CFLAGS += -O3

$(B)/libnpu/libnpu.so.$(LIBNPU_VERSION): $(LIBNPU_OBJS) libnpu/libnpu.map
	@echo "  LD      $@"
	$(CC) -shared -Wl,-soname,$(LIBNPU_SONAME) -Wl,--version-script=libnpu/libnpu.map \
		-o $@ $(LIBNPU_OBJS) $(LDFLAGS_ALL) $(LIBNPU_LIBS)

$(LIBNPU): $(B)/libnpu/libnpu.so.$(LIBNPU_VERSION)
	ln -sf $(<F) $(@D)/$(LIBNPU_SONAME)
	ln -sf $(LIBNPU_SONAME) $@

$(LIBNPU_A): $(LIBNPU_OBJS)
	@echo "  AR      $@"
	rm -f $@
	$(CROSS_COMPILE)ar rcs $@ $^

# ---- install ----

libdir ?= $(prefix)/lib
includedir ?= $(prefix)/include
mandir ?= $(prefix)/share/man

.PHONY: install install-libnpu
install: install-libnpu
install-libnpu: $(LIBNPU)
	install -d $(DESTDIR)$(libdir)/pkgconfig $(DESTDIR)$(includedir)
	install -m 644 libnpu/include/npu.h $(DESTDIR)$(includedir)/
	install -m 755 $(B)/libnpu/libnpu.so.$(LIBNPU_VERSION) $(DESTDIR)$(libdir)/
	ln -sf libnpu.so.$(LIBNPU_VERSION) $(DESTDIR)$(libdir)/$(LIBNPU_SONAME)
	ln -sf $(LIBNPU_SONAME) $(DESTDIR)$(libdir)/libnpu.so
	sed -e 's|@prefix@|$(prefix)|' -e 's|@libdir@|$(libdir)|' \
		-e 's|@includedir@|$(includedir)|' -e 's|@version@|$(LIBNPU_VERSION)|' \
		libnpu/libnpu.pc.in >$(DESTDIR)$(libdir)/pkgconfig/libnpu.pc
	chmod 644 $(DESTDIR)$(libdir)/pkgconfig/libnpu.pc
	install -d $(DESTDIR)$(mandir)/man3
	install -m 644 docs/man/*.3 $(DESTDIR)$(mandir)/man3/
	# Each call finds the page that describes it.
	for page in docs/man/*.3; do \
		for name in $$(sed -n 's/^\.Nm \([a-z0-9_]*\).*/\1/p' $$page); do \
			ln -sf $${page##*/} $(DESTDIR)$(mandir)/man3/$$name.3; \
		done; \
	done
