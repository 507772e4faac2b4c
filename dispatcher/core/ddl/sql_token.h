/*
 * Splits a statement into tokens as the source's lexer does: comments fall away, what an executable
 * comment holds is part of the statement if the source's server runs it, and sql_mode decides what
 * "…" and \ mean. The text must be UTF-8 already (common/model/charset.h): in gbk or sjis the
 * second byte of a character can be a quote or a backslash.
 *
 * Pure. Threads: functions of their arguments only.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_SQL_TOKEN_H
#define SLUICE_DISPATCHER_CORE_DDL_SQL_TOKEN_H

#include "common/base/arena.h"
#include "common/base/error.h"

/* Bits of MariaDB's sql_mode that change how a statement reads (sql_mode of the Query event). */
#define SQL_MODE_REAL_AS_FLOAT UINT64_C(0x1)
#define SQL_MODE_ANSI_QUOTES UINT64_C(0x4)
#define SQL_MODE_ORACLE UINT64_C(0x200)
#define SQL_MODE_NO_BACKSLASH_ESCAPES UINT64_C(0x100000)

/* A longer statement is not looked into. */
#define SQL_TEXT_BYTES_MAX (16u * 1024 * 1024)

typedef enum {
    TOKEN_END,
    TOKEN_WORD,   /* a keyword or a name without quotes */
    TOKEN_NAME,   /* a name in quotes */
    TOKEN_STRING, /* '…', "…", N'…' */
    TOKEN_NUMBER, /* 1, 1.5, .5, 1e5 */
    TOKEN_HEX,    /* 0x41, x'41'; value: the digits */
    TOKEN_BITS,   /* 0b1, b'1'; value: the digits */
    TOKEN_VARIABLE,
    TOKEN_SYMBOL /* one byte */
} token_kind_t;

typedef struct {
    token_kind_t kind;
    bool is_spaced;      /* something that is no token stood before it */
    uint32_t begin, end; /* in the text, quotes included */
    bytes_t value;       /* NAME, STRING: without quotes and escapes; else as written */
} token_t;

typedef struct {
    bytes_t text;
    const token_t *tokens; /* the last one is TOKEN_END */
    uint32_t count;        /* with TOKEN_END */
} token_list_t;

/* `text` is borrowed, everything else in the arena. server_version: 101119 for 10.11.19.
 * SLUICE_ERROR_MALFORMED: a quote or comment that does not end; SLUICE_ERROR_TOO_LARGE. */
sluice_error_t sql_tokenize(bytes_t text, uint64_t sql_mode, uint32_t server_version,
                            arena_t *arena, token_list_t *list) SLUICE_MUST_USE;

/* The tokens [from, to) as SQL for sql_mode '': names in backticks, strings in '…', where blanks or
 * comments stood one blank. NUL-terminated, in the arena. */
const char *sql_tokens_text(const token_list_t *list, uint32_t from, uint32_t to, arena_t *arena);

/* `value` as a string literal for sql_mode ''. */
const char *sql_string_literal(bytes_t value, arena_t *arena);

#endif
