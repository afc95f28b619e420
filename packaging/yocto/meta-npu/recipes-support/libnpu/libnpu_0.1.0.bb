# SPDX-License-Identifier: MIT
SUMMARY = "Integer matrix multiplication on neural processing units"
DESCRIPTION = "libnpu multiplies int8 matrices on NPUs of the NVDLA family or, with the same bits, on the CPU. npu-run is its command line."
SECTION = "libs"
LICENSE = "MIT"
LIC_FILES_CHKSUM = "file://LICENSES/MIT.txt;md5=4ad2740496d6f03529a064346944fa74"

DEPENDS = "libdrm"

inherit pkgconfig

FILESEXTRAPATHS:prepend := "${NPU_TREE}:"
SRC_URI = "file://LICENSES \
           file://Makefile \
           file://docs/man \
           file://examples \
           file://kmod \
           file://libnpu \
           file://packaging/build.mk \
           file://tests \
           file://tools \
           file://uapi"

S = "${UNPACKDIR}"

EXTRA_OEMAKE = "V=1 SHARED=1 prefix=${prefix} bindir=${bindir} libdir=${libdir} \
                includedir=${includedir} datadir=${datadir} mandir=${mandir}"

do_compile() {
    oe_runmake runtime
}

do_install() {
    oe_runmake DESTDIR=${D} install-libnpu install-npu-run
}

PACKAGE_BEFORE_PN = "npu-tools"
FILES:npu-tools = "${bindir}/npu-run ${datadir}/bash-completion ${datadir}/zsh ${datadir}/fish"
