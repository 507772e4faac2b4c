/*
 * Text that grows: SQL statements, lines of files. Always NUL-terminated behind its length.
 *
 * Threads: a value of one thread.
 */
#ifndef SLUICE_DISPATCHER_SINK_SINK_TEXT_H
#define SLUICE_DISPATCHER_SINK_SINK_TEXT_H

#include "common/base/bytes.h"
#include "common/base/error.h"

/* All zero is an empty text without memory of its own. */
typedef struct {
    char *text;
    size_t len;
    size_t size;
} sink_text_t;

void sink_text_clear(sink_text_t *builder); /* frees */
/* Forgets the text, keeps the memory. */
void sink_text_reset(sink_text_t *builder);

/* Room for `more` bytes behind the text; returns where they go. The caller then adds to `len`. */
char *sink_text_reserve(sink_text_t *builder, size_t more);

void sink_text_bytes(sink_text_t *builder, bytes_t bytes);
void sink_text_text(sink_text_t *builder, const char *text);
void sink_text_char(sink_text_t *builder, char c);
void sink_text_printf(sink_text_t *builder, const char *format, ...) SLUICE_PRINTF(2, 3);
void sink_text_unsigned(sink_text_t *builder, uint64_t number);

/* "name" with quotes doubled, as SQL's delimited identifier. */
void sink_text_identifier(sink_text_t *builder, const char *name);
/* 'text' with quotes doubled, as SQL's character string literal (no backslash escapes). */
void sink_text_literal(sink_text_t *builder, bytes_t text);

#endif
