/* cmocka with the headers it wants before it. Every test file includes this first. */
#ifndef SLUICE_TESTS_TESTING_H
#define SLUICE_TESTS_TESTING_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#endif
