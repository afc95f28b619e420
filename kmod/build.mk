# SPDX-License-Identifier: MIT
#
# npu.ko. The sources are mirrored below $(O) before each build, so that several kernels are built
# side by side and the tree stays clean.
#
#   make kmod KDIR=/path/to/headers [ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-]
#   make kmod KCOV=1 ...   one that records which of its code ran, in a kernel with KCOV
#   make kmod_install ...  and INSTALL_MOD_PATH=, the root of the machine it is for
#   make lint-kmod ...     gcc's warnings and sparse's, which fail here

# The validator is built in user space, too, for its tests.
CPPFLAGS_kmod = $(DRM_CFLAGS)

KDIR ?= /lib/modules/$(shell uname -r)/build
KMOD_SOURCES := Kbuild uapi/drm/npu_accel.h \
	$(wildcard kmod/*.[ch] kmod/*/*.[ch] kmod/compat.sh)
KRELEASE = $(shell sed -n 's/.*"\(.*\)".*/\1/p' $(KDIR)/include/generated/utsrelease.h 2>/dev/null)
KMOD_DIR = $(O)/kmod/$(KRELEASE)
# A module in the folder $(1). O= on the command line is ours; Kbuild would take it for its own. Type
# information needs pahole, which few have, and nobody needs it in a module.
KBUILD_MAKE = MAKEFLAGS="$(filter-out O=%,$(MAKEFLAGS))" $(MAKE) -C $(KDIR) M=$(abspath $(1)) \
	$(if $(ARCH),ARCH=$(ARCH)) \
	$(if $(CROSS_COMPILE),CROSS_COMPILE=$(CROSS_COMPILE)) \
	$(if $(KCOV),KCOV_INSTRUMENT=y KCFLAGS=-g) \
	$(if $(shell command -v pahole),,CONFIG_DEBUG_INFO_BTF_MODULES=)
KMOD_MAKE = $(call KBUILD_MAKE,$(KMOD_DIR))

.PHONY: kmod kmod-sources lint-kmod
kmod-sources:
	$(if $(KRELEASE),,$(error $(KDIR) holds no kernel headers: give KDIR=, or install linux-headers-$(shell uname -r)))
	@for f in $(KMOD_SOURCES); do \
		mkdir -p $(KMOD_DIR)/$$(dirname $$f); \
		cmp -s $$f $(KMOD_DIR)/$$f || cp $$f $(KMOD_DIR)/$$f; \
	done

kmod: kmod-sources
	+$(KMOD_MAKE) modules

# Kbuild runs depmod only where the headers have a System.map, which Debian's have not.
.PHONY: kmod_install
kmod_install: kmod
	+$(KMOD_MAKE) $(if $(INSTALL_MOD_PATH),INSTALL_MOD_PATH=$(abspath $(INSTALL_MOD_PATH))) \
		modules_install
	PATH="$$PATH:/usr/sbin:/sbin" depmod -b $(if $(INSTALL_MOD_PATH),$(INSTALL_MOD_PATH),/) \
		$(KRELEASE)

SPARSE ?= $(shell command -v sparse)

lint-kmod: kmod-sources
	+$(KMOD_MAKE) $(if $(SPARSE),C=2 CF=-Wsparse-error) W=1 KCFLAGS=-Werror modules
