/* SPDX-License-Identifier: MIT */
/* The text in front of the data of an .npy file: a Python dictionary of three entries. */
#ifndef NPU_RUN_NPY_HEADER_H
#define NPU_RUN_NPY_HEADER_H

#include <stddef.h>

#include "npy.h"

/* Fills in everything of @npy but the data. Refuses arrays in Fortran order. */
int npy_header_parse(const char *text, size_t length, struct npy *npy, struct npu_error *err);

#endif
