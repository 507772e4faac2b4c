/*
 * Names of schemas and tables as the source compares them: as written, or without regard to case
 * when the source runs with lower_case_table_names = 1 or 2.
 *
 * Threads: functions of their arguments only.
 */
#ifndef SLUICE_COMMON_FILTER_NAME_CASE_H
#define SLUICE_COMMON_FILTER_NAME_CASE_H

#include "common/base/bytes.h"

/* Writes the lower-case form of the UTF-8 text into `folded`, which has room for as many bytes as
 * `text` has, and returns its length. Folds ASCII, Latin-1, Latin Extended-A, Greek and Cyrillic,
 * whose two cases are equally long in UTF-8; everything else, and bytes that are not UTF-8, stay.
 */
size_t name_fold(bytes_t text, uint8_t *folded);

/* MariaDB's keywords and ASCII names: equal without regard to the case of A to Z. */
bool name_equal_ascii(bytes_t a, const char *b);

#endif
