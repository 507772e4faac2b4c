/*
 * SQL that makes the SQLite side of a table: names, CREATE TABLE, CREATE INDEX.
 *
 * Table db.t is the one table "db.t" of the file. Its primary key is what identifies its rows in
 * MariaDB (table_definition_row_key), NOT NULL and binary collation: MariaDB's own uniqueness is
 * never weaker. One column of storage INTEGER becomes INTEGER PRIMARY KEY, anything else WITHOUT
 * ROWID. Every other key, unique ones too, is a plain index, since a batch holds net effects and
 * may pass through states that a unique index would refuse; FULLTEXT and SPATIAL keys, foreign keys
 * and checks have no counterpart. Index names are made of the table's identity, so that they stay
 * when it is renamed.
 *
 * Threads: functions of their arguments.
 */
#ifndef SLUICE_DISPATCHER_SINK_SQLITE_TABLE_TEXT_H
#define SLUICE_DISPATCHER_SINK_SQLITE_TABLE_TEXT_H

#include "common/model/table_definition.h"
#include "dispatcher/sink/sink_text.h"

/* "db.t" in `arena`. */
const char *sqlite_table_name(arena_t *arena, const char *schema, const char *table);

/* Whether the key is an index of its own in SQLite. */
bool sqlite_key_is_index(const table_definition_t *definition, const key_definition_t *key);
/* The index's name in `arena`; at most 120 bytes, long key names are hashed. */
const char *sqlite_index_name(arena_t *arena, const table_definition_t *definition,
                              const key_definition_t *key);

/* CREATE TABLE `name` for the definition, without indexes. */
void sqlite_table_text_create(sink_text_t *sql, const table_definition_t *definition,
                              const char *name);
void sqlite_table_text_create_index(sink_text_t *sql, const table_definition_t *definition,
                                    const key_definition_t *key, const char *table_name,
                                    const char *index_name);

/* SLUICE_ERROR_DDL_UNSUPPORTED naming what cannot be in SQLite: a system-versioned table, a view, a
 * sequence, a keyless table whose columns hide every name of the rowid, too many columns. */
sluice_error_t sqlite_table_is_possible(const table_definition_t *definition,
                                        error_report_t *report) SLUICE_MUST_USE;

/* The name under which the hidden rowid of a table without a key can be reached. */
const char *sqlite_rowid_name(const table_definition_t *definition);

#endif
