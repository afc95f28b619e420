################################################################################
#
# libnpu, SPDX-License-Identifier: MIT
#
################################################################################

LIBNPU_VERSION = $(NPU_TREE_VERSION)
LIBNPU_SITE = $(NPU_TREE)
LIBNPU_SITE_METHOD = local
LIBNPU_LICENSE = MIT
LIBNPU_LICENSE_FILES = LICENSES/MIT.txt
LIBNPU_INSTALL_STAGING = YES
LIBNPU_DEPENDENCIES = host-pkgconf libdrm

# The folder "build" of the tree is the developers'.
LIBNPU_MAKE = $(TARGET_MAKE_ENV) $(MAKE) -C $(@D) $(TARGET_CONFIGURE_OPTS) \
	O=buildroot prefix=/usr SHARED=1

LIBNPU_TARGETS = install-libnpu
ifeq ($(BR2_PACKAGE_LIBNPU_TOOLS),y)
LIBNPU_TARGETS += install-npu-run
endif

define LIBNPU_BUILD_CMDS
	$(LIBNPU_MAKE) $(LIBNPU_TARGETS:install-%=%)
endef

define LIBNPU_INSTALL_STAGING_CMDS
	$(LIBNPU_MAKE) DESTDIR=$(STAGING_DIR) install-libnpu
endef

define LIBNPU_INSTALL_TARGET_CMDS
	$(LIBNPU_MAKE) DESTDIR=$(TARGET_DIR) $(LIBNPU_TARGETS)
endef

$(eval $(generic-package))
