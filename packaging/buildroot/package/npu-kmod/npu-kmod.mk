################################################################################
#
# npu-kmod, SPDX-License-Identifier: MIT
#
################################################################################

NPU_KMOD_VERSION = $(NPU_TREE_VERSION)
NPU_KMOD_SITE = $(NPU_TREE)
NPU_KMOD_SITE_METHOD = local
NPU_KMOD_LICENSE = GPL-2.0, MIT with Linux-syscall-note (uapi)
NPU_KMOD_LICENSE_FILES = LICENSES/GPL-2.0-only.txt LICENSES/MIT.txt \
	LICENSES/Linux-syscall-note.txt

# DRM_SCHED and SYNC_FILE have no prompt. A driver that uses them selects them, and etnaviv, which
# every machine may have, asks for nothing else.
define NPU_KMOD_LINUX_CONFIG_FIXUPS
	$(call KCONFIG_ENABLE_OPT,CONFIG_DRM)
	$(call KCONFIG_ENABLE_OPT,CONFIG_DRM_ETNAVIV)
	$(call KCONFIG_ENABLE_OPT,CONFIG_CMA)
	$(call KCONFIG_ENABLE_OPT,CONFIG_DMA_CMA)
endef

define NPU_KMOD_INSTALL_TARGET_CMDS
	$(MAKE) -C $(@D) DESTDIR=$(TARGET_DIR) prefix=/usr \
		$(if $(BR2_INIT_SYSTEMD),,modulesloaddir=) install-system
endef

$(eval $(kernel-module))
$(eval $(generic-package))
