# SPDX-License-Identifier: MIT
SUMMARY = "Kernel driver of integer neural processing units (NVDLA)"
DESCRIPTION = "npu.ko offers NPUs of the NVDLA family as DRM devices. It checks each byte that a job will touch, so that no IOMMU is needed."
SECTION = "kernel"
LICENSE = "GPL-2.0-only AND MIT WITH Linux-syscall-note"
LIC_FILES_CHKSUM = "file://LICENSES/GPL-2.0-only.txt;md5=b234ee4d69f5fce4486a80fdaf4a4263 \
                    file://LICENSES/Linux-syscall-note.txt;md5=a78e978915ba648b46e27b1d453730ff"

inherit module

FILESEXTRAPATHS:prepend := "${NPU_TREE}:"
SRC_URI = "file://Kbuild \
           file://LICENSES \
           file://kmod \
           file://packaging/system \
           file://uapi"

S = "${UNPACKDIR}"

# The driver has no Makefile for Kbuild to be called by; the class calls make, and make the kernel's.
EXTRA_OEMAKE += "-C ${STAGING_KERNEL_DIR} M=${S}"
MAKE_TARGETS = "modules"

do_install:append() {
    install -D -m 0644 ${S}/packaging/system/60-npu.rules \
        ${D}${nonarch_base_libdir}/udev/rules.d/60-npu.rules
}

FILES:${PN} += "${nonarch_base_libdir}/udev/rules.d"
RPROVIDES:${PN} += "kernel-module-npu"
