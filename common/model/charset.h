/*
 * Text of MariaDB's charsets made UTF-8, and which charset a collation id means.
 *
 * What a byte means is what a MariaDB 10.11 server says it means: single-byte charsets have their
 * tables here, UTF-16 and its relatives are decoded here, the East Asian ones go through iconv with
 * the exceptions in which the server differs from it. A byte that cannot begin a character becomes
 * U+FFFD and is counted.
 *
 * Threads: a charset_t is a constant; a converter belongs to one thread.
 */
#ifndef SLUICE_COMMON_MODEL_CHARSET_H
#define SLUICE_COMMON_MODEL_CHARSET_H

#include "common/base/arena.h"
#include "common/base/error.h"

typedef struct charset charset_t;

/* Holds iconv's state and the count of replaced bytes. */
typedef struct charset_converter charset_converter_t;

/* The charset's name ("utf8mb4", "latin1", "binary", …) for a collation id of MariaDB; NULL for an
 * id that no collation of 10.11 has. */
const char *charset_of_collation(uint32_t collation_id);

/* By MariaDB's name, ASCII case-insensitive; "utf8" is utf8mb3. NULL: unknown. */
const charset_t *charset_find(const char *name);

const char *charset_name(const charset_t *charset);

/* "binary": bytes that are no text and are never converted. */
bool charset_is_binary(const charset_t *charset);

charset_converter_t *charset_converter_new(void);
void charset_converter_destroy(charset_converter_t **converter);

/* Whether this machine can convert `charset`: SLUICE_ERROR_UNSUPPORTED with the charset's name when
 * the C library lacks the conversion. */
sluice_error_t charset_check(charset_converter_t *converter, const charset_t *charset,
                             error_report_t *report) SLUICE_MUST_USE;

/* `text` as UTF-8. `*utf8` borrows `text` where nothing has to change, else it lives in `arena`.
 * "binary" is handed through. SLUICE_ERROR_UNSUPPORTED as charset_check. */
sluice_error_t charset_to_utf8(charset_converter_t *converter, const charset_t *charset,
                               bytes_t text, arena_t *arena, bytes_t *utf8) SLUICE_MUST_USE;

/* How many bytes became U+FFFD since the converter was made. */
uint64_t charset_converter_replaced(const charset_converter_t *converter);

#endif
