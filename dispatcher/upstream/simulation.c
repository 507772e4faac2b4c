#include "dispatcher/upstream/simulation.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/upstream/simulation_internal.h"

#define GROUPS_PER_SECOND 1000
#define BEGINNING_S 1750000000
#define FLAGS_TRANSACTION (GTID_TRANSACTIONAL | 0x08)

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= UINT64_C(0xff51afd7ed558ccd);
    x ^= x >> 33;
    x *= UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ x >> 33;
}

uint64_t simulation_random(simulation_t *self)
{
    self->random += UINT64_C(0x9e3779b97f4a7c15);
    return mix(self->random);
}

simulated_table_t *simulation_add_table(simulation_t *self)
{
    if (self->table_count == self->table_capacity) {
        self->table_capacity = self->table_capacity ? self->table_capacity * 2 : 16;
        self->tables = memory_realloc(self->tables, self->table_capacity * sizeof *self->tables);
    }
    simulated_table_t *table = memory_zalloc(sizeof *table);
    self->tables[self->table_count++] = table;
    snprintf(table->name, sizeof table->name, "t%llu", (unsigned long long)self->names_used++);
    table->map_id = ++self->map_ids_used;
    table->first_row = table->next_row = 1;
    return table;
}

simulation_t *simulation_new(const simulation_options_t *options)
{
    simulation_t *self = memory_zalloc(sizeof *self);
    self->options = *options;
    self->random = mix(options->seed + 1);
    for (uint32_t i = 0; i < options->tables; i++)
        simulation_add_table(self);
    return self;
}

void simulation_destroy(simulation_t **simulation)
{
    simulation_t *self = *simulation;
    *simulation = NULL;
    if (!self)
        return;
    for (uint32_t i = 0; i < self->table_count; i++)
        free(self->tables[i]);
    free(self->tables);
    binlog_writer_clear(&self->unwanted);
    free(self);
}

commit_ts_t simulation_position(const simulation_t *simulation)
{
    return (commit_ts_t){simulation->sequence};
}

wall_ms_t simulation_time(const simulation_t *simulation)
{
    return (wall_ms_t){(BEGINNING_S + simulation->sequence / GROUPS_PER_SECOND) * 1000};
}

/* ---- rows ---- */

static const binlog_column_t fixed_columns[] = {
    {.name = "id", .type = BINLOG_TYPE_LONGLONG, .is_numeric = true},
    {.name = "a", .type = BINLOG_TYPE_LONG, .is_nullable = true, .is_numeric = true},
    {.name = "b",
     .type = BINLOG_TYPE_VARCHAR,
     .meta = {0, 1}, /* 64 characters of 4 bytes: 256 */
     .meta_len = 2,
     .is_nullable = true,
     .is_text = true},
    {.name = "c", .type = BINLOG_TYPE_DECIMAL, .meta = {12, 2}, .meta_len = 2, .is_numeric = true},
    {.name = "d", .type = BINLOG_TYPE_DATETIME2, .meta = {3}, .meta_len = 1, .is_nullable = true},
};
#define FIXED_COLUMNS (sizeof fixed_columns / sizeof *fixed_columns)

static uint32_t column_count(const simulated_table_t *table)
{
    return (uint32_t)FIXED_COLUMNS + table->extra_count;
}

static void put_map(const simulated_table_t *table, binlog_writer_t *writer)
{
    binlog_column_t columns[FIXED_COLUMNS + SIMULATED_EXTRA_MAX];
    memcpy(columns, fixed_columns, sizeof fixed_columns);
    for (uint32_t i = 0; i < table->extra_count; i++)
        columns[FIXED_COLUMNS + i] = (binlog_column_t){.name = table->extras[i].name,
                                                       .type = BINLOG_TYPE_LONG,
                                                       .is_nullable = true,
                                                       .is_numeric = true};
    binlog_write_table_map(writer, table->map_id, SIMULATED_SCHEMA, table->name, columns,
                           column_count(table));
}

static void put_text(binlog_writer_t *writer, uint64_t row, uint64_t hash)
{
    static const char *const words[] = {"sluice", "gate", "river", "mühle",
                                        "wehr",   "水",   "lock",  "weir"};
    char text[64];
    int len = snprintf(text, sizeof text, "%s %llu", words[hash & 7], (unsigned long long)row);
    binlog_put_varchar(writer, text, (size_t)len, 2);
}

/* What a row holds follows from its key and from the group that wrote it last. */
static void put_row(const simulated_table_t *table, uint64_t row, uint64_t written,
                    binlog_writer_t *writer)
{
    uint64_t hash = mix(row * UINT64_C(0x9e3779b97f4a7c15) + written);
    bool is_a_null = hash % 13 == 0, is_b_null = hash % 17 == 0, is_d_null = hash % 19 == 0;
    size_t nulls_at = writer->len;
    uint32_t nulls = (uint32_t)is_a_null << 1 | (uint32_t)is_b_null << 2 | (uint32_t)is_d_null << 4;
    /* Unused bits of the last byte are ones. */
    nulls |= UINT32_MAX << column_count(table);
    binlog_put(writer, nulls, (column_count(table) + 7) / 8);
    assert(writer->len - nulls_at <= sizeof nulls);
    binlog_put(writer, row, 8);
    if (!is_a_null)
        binlog_put(writer, hash >> 32, 4);
    if (!is_b_null)
        put_text(writer, row, hash);
    binlog_put_decimal_12_2(writer, (int64_t)(hash % UINT64_C(1999999999999)) - 999999999999);
    if (!is_d_null)
        binlog_put_datetime_3(writer, (uint16_t)(1970 + hash % 80), (uint8_t)(1 + hash / 80 % 12),
                              (uint8_t)(1 + hash / 960 % 28),
                              (uint32_t)(hash / 26880 % (24 * 3600 * 1000)));
    for (uint32_t i = 0; i < table->extra_count; i++) {
        const simulated_column_t *extra = &table->extras[i];
        uint64_t value = written < extra->added ? SIMULATED_EXTRA_DEFAULT : hash >> (8 * i);
        binlog_put(writer, value, 4);
    }
}

static uint64_t *written_of(simulated_table_t *table, uint64_t row)
{
    return &table->written[row % SIMULATED_ROWS_KEPT];
}

static row_kind_t choose_kind(simulation_t *self, const simulated_table_t *table)
{
    uint64_t live = table->next_row - table->first_row;
    uint64_t roll = simulation_random(self) % 10;
    if (live == 0 || (live < SIMULATED_ROWS_KEPT && roll < 5))
        return ROW_INSERT;
    return roll < 8 ? ROW_UPDATE : ROW_DELETE;
}

static void put_insert(simulation_t *self, simulated_table_t *table, uint32_t count,
                       binlog_writer_t *writer)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t row = table->next_row++;
        *written_of(table, row) = self->sequence;
        put_row(table, row, self->sequence, writer);
    }
}

static void put_update(simulation_t *self, simulated_table_t *table, uint32_t count,
                       binlog_writer_t *writer)
{
    uint64_t live = table->next_row - table->first_row;
    uint64_t first = simulation_random(self) % live;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t row = table->first_row + (first + i) % live;
        put_row(table, row, *written_of(table, row), writer);
        *written_of(table, row) = self->sequence;
        put_row(table, row, self->sequence, writer);
    }
}

static void put_delete(simulated_table_t *table, uint32_t count, binlog_writer_t *writer)
{
    for (uint32_t i = 0; i < count; i++) {
        put_row(table, table->first_row, *written_of(table, table->first_row), writer);
        table->first_row++;
    }
}

static uint32_t at_most(uint64_t limit, uint32_t count)
{
    return limit < count ? (uint32_t)limit : count;
}

/* One ROWS event; no row twice in it. */
void simulation_put_rows(simulation_t *self, simulated_table_t *table, uint32_t count,
                         row_kind_t kind, binlog_writer_t *writer)
{
    uint64_t live = table->next_row - table->first_row;
    uint64_t limit = kind == ROW_INSERT ? SIMULATED_ROWS_KEPT - live : live;
    count = at_most(limit, count);
    binlog_begin_rows(writer, kind, table->map_id, column_count(table), true);
    switch (kind) {
    case ROW_INSERT:
        put_insert(self, table, count, writer);
        break;
    case ROW_UPDATE:
        put_update(self, table, count, writer);
        break;
    case ROW_DELETE:
        put_delete(table, count, writer);
        break;
    }
    binlog_end_event(writer);
}

void simulation_put_map(const simulated_table_t *table, binlog_writer_t *writer)
{
    put_map(table, writer);
}

static void put_transaction(simulation_t *self, binlog_writer_t *writer)
{
    uint32_t tables = at_most(self->table_count, self->options.tables_per_transaction);
    uint32_t first = (uint32_t)(simulation_random(self) % self->table_count);
    uint32_t rows = self->options.rows_per_transaction / tables;
    binlog_write_gtid(writer, self->options.domain, self->sequence, FLAGS_TRANSACTION);
    for (uint32_t i = 0; i < tables; i++) {
        simulated_table_t *table = self->tables[(first + i) % self->table_count];
        put_map(table, writer);
        simulation_put_rows(self, table, rows ? rows : 1, choose_kind(self, table), writer);
    }
    binlog_write_xid(writer, self->sequence);
}

bool simulation_next(simulation_t *simulation, binlog_writer_t *writer)
{
    simulation_t *self = simulation;
    if (self->options.transactions && self->sequence >= self->options.transactions)
        return false;
    if (!writer) {
        writer = &self->unwanted;
        binlog_writer_reset(writer);
    }
    self->sequence++;
    writer->server_id = SIMULATION_SERVER_ID;
    writer->timestamp = (uint32_t)(simulation_time(self).v / 1000);
    if (self->options.ddl_every && self->sequence % self->options.ddl_every == 0)
        simulation_put_ddl(self, writer);
    else
        put_transaction(self, writer);
    return true;
}

/* ---- schema ---- */

void simulation_format_create(const simulated_table_t *table, char *text, size_t size)
{
    size_t len =
        (size_t)snprintf(text, size,
                         "CREATE TABLE `%s` (\n  `id` bigint(20) NOT NULL,\n"
                         "  `a` int(11) DEFAULT NULL,\n  `b` varchar(64) DEFAULT NULL,\n"
                         "  `c` decimal(12,2) NOT NULL,\n  `d` datetime(3) DEFAULT NULL,\n",
                         table->name);
    for (uint32_t i = 0; i < table->extra_count; i++)
        len += (size_t)snprintf(text + len, size - len, "  `%s` int(11) DEFAULT %d,\n",
                                table->extras[i].name, SIMULATED_EXTRA_DEFAULT);
    len += (size_t)snprintf(text + len, size - len, "  PRIMARY KEY (`id`)");
    for (uint32_t i = 0; i < table->index_count; i++)
        len += (size_t)snprintf(text + len, size - len, ",\n  KEY `i%u` (`a`)", i);
    snprintf(text + len, size - len,
             "\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci");
}

void simulation_visit(const simulation_t *simulation, simulation_visit_fn *visit, void *context)
{
    char text[SIMULATED_CREATE_SIZE];
    for (uint32_t i = 0; i < simulation->table_count; i++) {
        simulation_format_create(simulation->tables[i], text, sizeof text);
        visit(context, SIMULATED_SCHEMA, text);
    }
    if (simulation->has_view)
        visit(context, SIMULATED_SCHEMA, "CREATE VIEW `one` AS select 1 AS `x`");
}
