/*
 * The SQL that the comparison asks a MariaDB, and what it makes of the answers. Pure.
 * Threads: stateless.
 */
#ifndef SLUICE_MAINTAINER_CTL_COMPARE_MARIADB_TEXT_H
#define SLUICE_MAINTAINER_CTL_COMPARE_MARIADB_TEXT_H

#include "maintainer/ctl/compare/database.h"

/* `name` in backquotes. */
char *mariadb_text_identifier(arena_t *arena, const char *name);

char *mariadb_text_show_create(arena_t *arena, const compare_table_t *table);

/* SHOW CREATE without what may differ rightly: AUTO_INCREMENT=, the engine (a sink holds everything
 * in InnoDB). */
char *mariadb_text_normal_definition(arena_t *arena, const char *definition);

/* name, data_type, column_type, column_key of each column in order. */
char *mariadb_text_columns_query(arena_t *arena, const compare_table_t *table);

/* How a column of this data_type / column_type is made canonical. */
canon_t mariadb_text_canon(const char *data_type, const char *column_type);

/* SELECT of all columns in canonical form. */
char *mariadb_text_select(arena_t *arena, const compare_table_t *table, bool as_utf8);

#endif
