/*
 * Text that grows in an arena.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_TEXT_BUILDER_H
#define SLUICE_DISPATCHER_CORE_DDL_TEXT_BUILDER_H

#include "common/base/arena.h"

/* A value; data is in the arena and moves when it grows. */
typedef struct {
    arena_t *arena;
    char *data;
    size_t len, capacity;
} text_builder_t;

void text_builder_init(text_builder_t *builder, arena_t *arena);
void text_add(text_builder_t *builder, const char *text);
void text_add_bytes(text_builder_t *builder, const void *data, size_t len);
void text_add_char(text_builder_t *builder, char c);
void text_add_format(text_builder_t *builder, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* In backticks, backticks doubled. */
void text_add_identifier(text_builder_t *builder, const char *name);
/* `schema`.`name`; the name alone when schema is NULL. */
void text_add_qualified(text_builder_t *builder, const char *schema, const char *name);
/* As a string literal for sql_mode ''. */
void text_add_literal(text_builder_t *builder, bytes_t value);
/* NUL-terminated; the builder can go on growing, which leaves this text as it is or moves it. */
char *text_finish(text_builder_t *builder);

#endif
