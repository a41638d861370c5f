/* SPDX-License-Identifier: MIT */
#ifndef MLOS_SDK_C_MEMFD_H_
#define MLOS_SDK_C_MEMFD_H_

#include "internal.h"

/* A memfd of that size, sealed against shrinking and growing, backed as a whole, and mapped. */
int make_memfd(size_t size_bytes, int* fd, char** data, mlos_error_t* error);

#endif /* MLOS_SDK_C_MEMFD_H_ */
