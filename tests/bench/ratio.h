/*
 * How a benchmark says what it measured: one line a target, with name, median of the ratios,
 * minimum and maximum, what is wanted, pass or fail (PERFORMANCE.md). Threads: one.
 */
#ifndef SLUICE_TESTS_BENCH_RATIO_H
#define SLUICE_TESTS_BENCH_RATIO_H

#include <stdbool.h>

/* Sorts the values. */
double ratio_median(double *values, int count);

/* Prints the line of a target that wants at least, or at most, so much; sorts the ratios. */
void ratio_report(const char *name, double *ratios, int count, double wanted, bool at_least);

/* Lines that said FAIL so far. */
int ratio_failures(void);

#endif
