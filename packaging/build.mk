# SPDX-License-Identifier: MIT
#
# What belongs to a system and to no program, and packages of it all.
#
#   make runtime         library and tools, and nothing else: what packages are made of
#   make install         all of it; uninstall removes what install with the same variables put there
#   make install-dkms    the driver's source, for dkms, to $(prefix)/src
#   make deb             Debian packages, in $(O)/deb
#   make check-install   install, and cross builds, into folders below $(O)
#   make check-packages  Debian packages, in clean Debian systems

udevrulesdir ?= $(prefix)/lib/udev/rules.d
modulesloaddir ?= $(prefix)/lib/modules-load.d
srcdir ?= $(prefix)/src

.PHONY: runtime install-system
runtime: libnpu npu-run

# An empty modulesloaddir leaves that file out: where npu.ko is not there, systemd takes it amiss.
install: install-system
install-system:
	$(call install_each,$(udevrulesdir),packaging/system/60-npu.rules)
	$(if $(modulesloaddir),$(call install_each,$(modulesloaddir),packaging/system/npu.conf))

# Whatever install would put somewhere is what goes. Folders stay.
.PHONY: uninstall
uninstall:
	rm -rf $(O)/uninstall
	$(MAKE) DESTDIR=$(abspath $(O))/uninstall install
	(cd $(O)/uninstall && find . ! -type d) | while read -r file; do \
		rm -f "$(DESTDIR)$${file#.}"; \
	done
	rm -rf $(O)/uninstall

# ---- dkms ----

AUTOINSTALL := yes
DKMS_DIR = $(DESTDIR)$(srcdir)/npu-$(LIBNPU_VERSION)

.PHONY: install-dkms
install-dkms:
	for file in $(KMOD_SOURCES); do \
		install -D -m 644 $$file $(DKMS_DIR)/$$file || exit; \
	done
	sed -e 's|@version@|$(LIBNPU_VERSION)|' -e 's|@autoinstall@|$(AUTOINSTALL)|' \
		packaging/dkms/dkms.conf.in >$(DKMS_DIR)/dkms.conf
	chmod 644 $(DKMS_DIR)/dkms.conf

# ---- Debian packages ----

DEB_DIR := $(O)/deb
DEB_TREE := $(DEB_DIR)/npu-$(LIBNPU_VERSION)

# A source package of what is tracked, with debian/ where Debian's tools want it.
.PHONY: deb-source deb
deb-source:
	rm -rf $(DEB_DIR)
	mkdir -p $(DEB_TREE)
	git ls-files -z | tar --null -T - -cf - | tar -xf - -C $(DEB_TREE)
	tar -C $(DEB_DIR) -cJf $(DEB_DIR)/npu_$(LIBNPU_VERSION).orig.tar.xz $(notdir $(DEB_TREE))
	cp -r $(DEB_TREE)/packaging/debian $(DEB_TREE)/debian

deb: deb-source
	cd $(DEB_TREE) && env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS dpkg-buildpackage -us -uc $(DEB_FLAGS)

# ---- tests ----

.PHONY: check-install check-packages
check-install:
	scripts/setup.sh packaging
	tests/overlay.sh $$(echo $$($(BOARD) kdir)/../*-common/include)
	tests/install.sh $(O)

# As root, for chroot.
check-packages:
	scripts/setup.sh packaging
	for suite in bookworm trixie; do \
		$(if $(filter-out 0,$(shell id -u)),sudo) tests/packages.sh $$suite || exit; \
	done
