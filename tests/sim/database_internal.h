/*
 * What database.c (content, texts) and database_execute.c (statements) share.
 */
#ifndef SLUICE_TESTS_SIM_DATABASE_INTERNAL_H
#define SLUICE_TESTS_SIM_DATABASE_INTERNAL_H

#include "tests/sim/database.h"

/* The table that a CREATE makes, without rows. */
void table_init(sim_table_t *table, const sim_statement_t *statement);
void table_free(sim_table_t *table);
sim_table_t *table_copy(const sim_table_t *from);
/* After any change of its form, or of all its rows. */
void table_hash_again(sim_table_t *table);

#endif
