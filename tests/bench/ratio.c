#include "tests/bench/ratio.h"

#include <stdio.h>
#include <stdlib.h>

static int failures;

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double ratio_median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    return values[count / 2];
}

void ratio_report(const char *name, double *ratios, int count, double wanted, bool at_least)
{
    double median = ratio_median(ratios, count);
    bool passes = at_least ? median >= wanted : median <= wanted;
    printf("%-52s %9.3f  [%.3f, %.3f]  wanted %s %.3f  %s\n", name, median, ratios[0],
           ratios[count - 1], at_least ? ">=" : "<=", wanted, passes ? "pass" : "FAIL");
    fflush(stdout);
    failures += !passes;
}

int ratio_failures(void)
{
    return failures;
}
