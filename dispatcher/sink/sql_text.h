/*
 * A growing SQL statement: names and values go in quoted, so that no caller writes a quote itself.
 *
 * Threads: a value of one thread. All zero is an empty text; sql_text_clear frees it.
 */
#ifndef SLUICE_DISPATCHER_SINK_SQL_TEXT_H
#define SLUICE_DISPATCHER_SINK_SQL_TEXT_H

#include "common/base/bytes.h"
#include "common/base/error.h"

typedef struct {
    char *data; /* NUL behind `len`; NULL while nothing was added */
    size_t len, room;
} sql_text_t;

void sql_text_clear(sql_text_t *text);
/* Forgets the content, keeps the memory. */
void sql_text_reset(sql_text_t *text);

void sql_text_add(sql_text_t *text, const char *sql);
void sql_text_add_bytes(sql_text_t *text, bytes_t bytes);
void sql_text_printf(sql_text_t *text, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(2), noinline));

/* `name` in backticks, as MariaDB quotes. */
void sql_text_add_name(sql_text_t *text, const char *name);
/* `schema`.`name` */
void sql_text_add_table(sql_text_t *text, const char *schema, const char *name);
/* X'…': bytes whatever they are; binary to the server. */
void sql_text_add_hex(sql_text_t *text, bytes_t bytes);
/* '…' for a session whose client charset is UTF-8 and whose sql_mode lets backslashes escape. */
void sql_text_add_string(sql_text_t *text, const char *value);

/* For error messages: the text, "" when empty. Borrowed until the next change. */
const char *sql_text_get(const sql_text_t *text);

#endif
