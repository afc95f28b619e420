/* SPDX-License-Identifier: MIT */
#ifndef LIBNPU_VECTORS_H
#define LIBNPU_VECTORS_H

/*
 * Compiles a function once for each set of vector instructions, and has the loader choose. Which
 * takes a loader that can, and a sanitizer that is not yet at work when it does.
 */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) && \
	!defined(__SANITIZE_THREAD__)
#define NPU_VECTORS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define NPU_VECTORS
#endif

#endif /* LIBNPU_VECTORS_H */
