/* SPDX-License-Identifier: MIT
 *
 * How the C programs measure: the clock, and what they print of many times. */
#pragma once

#include <stdlib.h>
#include <time.h>

static inline double now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static inline int ascending(const void* a, const void* b) {
  const double x = *(const double*)a;
  const double y = *(const double*)b;
  return x < y ? -1 : x > y;
}

/* Smallest first: percentiles are then places in the array. */
static inline void sort_times(double* times, int count) {
  qsort(times, (size_t)count, sizeof(double), ascending);
}
