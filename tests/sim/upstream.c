#include "tests/sim/upstream.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "dispatcher/core/binlog/event.h"
#include "dispatcher/core/ddl/schema_tracker.h"
#include "tests/sim/upstream_internal.h"

#define SERVER_ID 1
#define FLAGS_DDL (GTID_STANDALONE | 0x08 | GTID_DDL)
#define FLAGS_CREATE_SELECT (0x08 | GTID_DDL)
#define FLAGS_TRANSACTION (GTID_TRANSACTIONAL | 0x08)
#define SELECTED_ROWS 3

/* ---- truth ---- */

static bool is_outside(const sim_name_t *name)
{
    return strcmp(name->schema, OUTSIDE) == 0;
}

static sim_history_t *find_history(const sim_log_t *log, uint64_t identity)
{
    for (uint32_t i = 0; i < log->history_count; i++)
        if (log->histories[i].identity == identity)
            return &log->histories[i];
    return NULL;
}

static sim_history_t *add_history(sim_log_t *log, uint64_t identity)
{
    if (log->history_count == log->history_capacity) {
        log->history_capacity = log->history_capacity ? log->history_capacity * 2 : 64;
        log->histories =
            memory_realloc(log->histories, log->history_capacity * sizeof *log->histories);
    }
    log->histories[log->history_count] = (sim_history_t){.identity = identity};
    return &log->histories[log->history_count++];
}

/* The table has become what it is now. What is born outside the filter, or has left it, is of no
 * interest. */
static void note_table(sim_log_t *log, const sim_table_t *table, bool is_dropped)
{
    sim_history_t *history = find_history(log, table->identity);
    if (history ? !history->versions[history->count - 1].truth.is_carried
                : is_outside(&table->name))
        return;
    if (!history)
        history = add_history(log, table->identity);
    uint64_t at = log->start + log->entry_count;
    if (history->count == 0 || history->versions[history->count - 1].at.v != at) {
        if (history->count == history->capacity) {
            history->capacity = history->capacity ? history->capacity * 2 : 8;
            history->versions =
                memory_realloc(history->versions, history->capacity * sizeof *history->versions);
        }
        history->count++;
    }
    history->versions[history->count - 1] =
        (sim_version_t){.at = {at},
                        .truth = {.exists = !is_dropped,
                                  .is_carried = !is_outside(&table->name),
                                  .since = {at},
                                  .form_hash = table->form_hash,
                                  .rows_hash = table->rows_hash}};
}

sim_truth_t sim_log_truth(const sim_log_t *log, uint64_t identity, commit_ts_t at)
{
    const sim_history_t *history = find_history(log, identity);
    uint32_t low = 0, high = history ? history->count : 0;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (history->versions[middle].at.v <= at.v)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? (sim_truth_t){0} : history->versions[low - 1].truth;
}

void sim_log_visit(const sim_log_t *log, void (*visit)(void *context, uint64_t identity),
                   void *context)
{
    for (uint32_t i = 0; i < log->history_count; i++)
        visit(context, log->histories[i].identity);
}

/* ---- life ---- */

static void add_schema(sim_log_t *log, schema_tracker_t *tracker, const char *name)
{
    sim_statement_t statement = {.kind = STATEMENT_CREATE_DATABASE, .name_count = 1};
    error_report_t report;
    snprintf(statement.names[0].schema, SIM_NAME_SIZE, "%s", name);
    bool is_done = sim_database_execute(&log->source, &statement, false, NULL, NULL, &report);
    sluice_error_t error = schema_tracker_add_schema(tracker, bytes_of_text(name), "utf8mb4",
                                                     "utf8mb4_general_ci", &report);
    assert(is_done && error == SLUICE_OK);
    (void)is_done, (void)error;
}

static void add_table(sim_log_t *log, schema_tracker_t *tracker, const char *schema, uint32_t index)
{
    static const table_shape_t shapes[] = {TABLE_SHAPE_KEY, TABLE_SHAPE_UNIQUE, TABLE_SHAPE_KEYLESS,
                                           TABLE_SHAPE_KEY, TABLE_SHAPE_PARTITIONED};
    sim_statement_t statement = {.kind = STATEMENT_CREATE,
                                 .name_count = 1,
                                 .shape = shapes[index % (sizeof shapes / sizeof *shapes)],
                                 .identity = ++log->names};
    if (statement.shape == TABLE_SHAPE_PARTITIONED && !log->options.has_partitions)
        statement.shape = TABLE_SHAPE_KEY;
    error_report_t report = {0};
    snprintf(statement.names[0].schema, SIM_NAME_SIZE, "%s", schema);
    snprintf(statement.names[0].table, SIM_NAME_SIZE, "t%u", index);
    bool is_done = sim_database_execute(&log->source, &statement, false, NULL, NULL, &report);
    sim_table_t *table = sim_database_find(&log->source, &statement.names[0]);
    char text[STATEMENT_SQL_SIZE];
    sim_table_show(table, text, sizeof text);
    sluice_error_t error =
        schema_tracker_add_table(tracker, bytes_of_text(schema), bytes_of_text(text), &report);
    assert(is_done && error == SLUICE_OK);
    (void)is_done, (void)error;
    table->map_id = ++log->maps;
    note_table(log, table, false);
}

/* What a sink holds then: nothing that is outside the filter. */
static void copy_beginning(sim_log_t *log)
{
    sim_database_copy(&log->beginning, &log->source);
    for (sim_table_t *table = log->source.tables; table; table = table->next) {
        sim_statement_t statement = {
            .kind = STATEMENT_DROP, .name_count = 1, .names = {table->name}};
        error_report_t report;
        if (is_outside(&table->name))
            sim_database_execute(&log->beginning, &statement, true, NULL, NULL, &report);
    }
}

static void make_beginning(sim_log_t *log)
{
    error_report_t report;
    sluice_error_t error = table_filter_new(log->config.filter_rules, log->config.filter_rule_count,
                                            false, &log->filter, &report);
    assert(error == SLUICE_OK);
    schema_tracker_options_t how = {.filter = log->filter};
    schema_tracker_t *tracker = schema_tracker_new(&how);
    add_schema(log, tracker, "a");
    add_schema(log, tracker, "b");
    add_schema(log, tracker, OUTSIDE);
    for (uint32_t i = 0; i < log->options.tables; i++)
        add_table(log, tracker, "a", i);
    if (log->options.has_outside)
        for (uint32_t i = 0; i < 2; i++)
            add_table(log, tracker, OUTSIDE, i);
    schema_tracker_set_position(tracker, (commit_ts_t){log->start});
    error = schema_tracker_snapshot(tracker, (commit_ts_t){log->start}, true, &log->arena,
                                    &log->snapshot);
    assert(error == SLUICE_OK);
    (void)error;
    schema_tracker_destroy(&tracker);
    copy_beginning(log);
}

sim_log_options_t sim_log_options_draw(sim_random_t *random, uint32_t tables, uint64_t groups,
                                       uint64_t interval_ns, uint64_t syncpoint_ms)
{
    static const uint32_t ddl_percents[] = {2, 10, 25, 50};
    return (sim_log_options_t){
        .tables = tables,
        .groups = groups,
        .interval_ns = interval_ns,
        .syncpoint_ms = syncpoint_ms,
        .ddl_percent = ddl_percents[sim_random_below(random, 4)],
        .has_idle_phases = sim_random_chance(random, 30),
        .has_outside = sim_random_chance(random, 40),
        .has_partitions = sim_random_chance(random, 40),
    };
}

sim_log_t *sim_log_new(const sim_log_options_t *options, sim_random_t *random)
{
    static const bytes_t rules[] = {{(const uint8_t *)"*.*", 3}, {(const uint8_t *)"!out.*", 6}};
    static const uint64_t starts[] = {0, 9, 1000};
    sim_log_t *log = memory_zalloc(sizeof *log);
    log->options = *options;
    log->random = sim_random_split(random);
    log->start = starts[sim_random_below(&log->random, 3)];
    log->config = (changefeed_config_t){.name = bytes_of_text("sim"),
                                        .source = bytes_of_text("simulated://"),
                                        .sink = bytes_of_text("simulated://"),
                                        .filter_rules = rules,
                                        .filter_rule_count = 2};
    log->writer.server_id = SERVER_ID;
    log->writer.timestamp = (uint32_t)SIM_LOG_BEGINNING_S;
    binlog_write_format_description(&log->writer);
    log->format_len = log->writer.len;
    make_beginning(log);
    return log;
}

void sim_log_destroy(sim_log_t **log)
{
    sim_log_t *self = *log;
    *log = NULL;
    if (!self)
        return;
    for (uint32_t i = 0; i < self->history_count; i++)
        free(self->histories[i].versions);
    free(self->histories);
    free(self->entries);
    free(self->changes);
    binlog_writer_clear(&self->writer);
    table_filter_destroy(&self->filter);
    sim_database_clear(&self->source);
    sim_database_clear(&self->beginning);
    arena_clear(&self->arena);
    free(self);
}

/* ---- groups ---- */

sim_entry_t *log_begin(sim_log_t *log, uint64_t after_ns)
{
    if (log->entry_count == log->entry_capacity) {
        log->entry_capacity = log->entry_capacity ? log->entry_capacity * 2 : 256;
        log->entries = memory_realloc(log->entries, log->entry_capacity * sizeof *log->entries);
    }
    log->now_ns += after_ns;
    uint64_t second = SIM_LOG_BEGINNING_S + log->now_ns / NS_PER_S;
    log->writer.timestamp = (uint32_t)second;
    sim_entry_t *entry = &log->entries[log->entry_count++];
    *entry = (sim_entry_t){.group = {.commit_ts = {log->start + log->entry_count},
                                     .commit_time = {second * 1000},
                                     .visible_ns = log->now_ns},
                           .begin = log->writer.len,
                           .end = log->writer.len,
                           .first_change = log->change_count};
    return entry;
}

static sim_entry_t *last_entry(sim_log_t *log)
{
    return &log->entries[log->entry_count - 1];
}

static void touched(void *context, sim_table_t *table, bool is_dropped)
{
    sim_log_t *log = context;
    table->map_id = ++log->maps;
    note_table(log, table, is_dropped);
}

bool log_statement(sim_log_t *log, uint64_t after_ns, const sim_statement_t *statement,
                   error_report_t *report)
{
    char sql[STATEMENT_SQL_SIZE];
    sim_statement_t own = *statement;
    own.identity = ++log->names;
    sim_database_sql(&log->source, &own, sql, sizeof sql);
    sim_entry_t *entry = log_begin(log, after_ns);
    entry->group.is_ddl = true;
    entry->group.statement = own;
    if (!sim_database_execute(&log->source, &own, false, touched, log, report)) {
        log->entry_count--;
        log->now_ns -= after_ns;
        return false;
    }
    bool has_rows = own.kind == STATEMENT_CREATE_SELECT;
    binlog_write_gtid(&log->writer, 0, entry->group.commit_ts.v,
                      has_rows ? FLAGS_CREATE_SELECT : FLAGS_DDL);
    binlog_write_query(&log->writer, own.names[0].schema, sql);
    if (has_rows) {
        log_rows(log, sim_database_find(&log->source, &own.names[0]), SELECTED_ROWS);
        log_end_transaction(log);
    }
    last_entry(log)->end = log->writer.len;
    return true;
}

void log_begin_transaction(sim_log_t *log)
{
    binlog_write_gtid(&log->writer, 0, last_entry(log)->group.commit_ts.v, FLAGS_TRANSACTION);
}

void log_end_transaction(sim_log_t *log)
{
    binlog_write_xid(&log->writer, log->entry_count);
    last_entry(log)->end = log->writer.len;
}

static void put_row(sim_log_t *log, const sim_table_t *table, const sim_row_t *row)
{
    uint32_t nulls = UINT32_MAX << table->column_count;
    for (uint32_t i = 0; i < table->column_count; i++)
        nulls |= (row->nulls >> table->columns[i].slot & 1) << i;
    binlog_put(&log->writer, nulls, (table->column_count + 7) / 8);
    for (uint32_t i = 0; i < table->column_count; i++)
        if (!(row->nulls >> table->columns[i].slot & 1))
            binlog_put(&log->writer, (uint64_t)row->values[table->columns[i].slot], 8);
}

static void put_map(sim_log_t *log, const sim_table_t *table)
{
    binlog_column_t columns[COLUMN_SLOTS];
    for (uint32_t i = 0; i < table->column_count; i++) {
        const sim_column_t *column = &table->columns[i];
        columns[i] = (binlog_column_t){.name = column->name,
                                       .type = BINLOG_TYPE_LONGLONG,
                                       .is_numeric = true,
                                       .is_nullable = column->slot == COLUMN_SLOT_U ||
                                                      column->slot >= COLUMN_SLOT_EXTRA};
    }
    binlog_write_table_map(&log->writer, table->map_id, table->name.schema, table->name.table,
                           columns, table->column_count);
}

static void put_change(sim_log_t *log, const sim_table_t *table, const sim_change_t *change)
{
    binlog_begin_rows(&log->writer, change->kind, table->map_id, table->column_count, true);
    if (change->kind != ROW_INSERT)
        put_row(log, table, &change->before);
    if (change->kind != ROW_DELETE)
        put_row(log, table, &change->after);
    binlog_end_event(&log->writer);
}

static void apply_change(sim_table_t *table, const sim_change_t *change)
{
    if (change->kind != ROW_INSERT)
        sim_table_remove_row(table, sim_table_find_equal(table, &change->before));
    if (change->kind != ROW_DELETE)
        sim_table_add_row(table, &change->after);
}

/* ---- what a transaction does to one table ---- */

static int64_t new_id(sim_log_t *log, const sim_table_t *table)
{
    int64_t base = 0;
    if (table->partition_count > 0) {
        uint32_t partition = (uint32_t)sim_random_below(&log->random, table->partition_count);
        base = table->partitions[partition].end - PARTITION_ROWS;
    }
    for (;;) {
        int64_t id = base + (int64_t)sim_random_between(&log->random, 1, 3 * TABLE_ROWS_MAX);
        if (table->shape == TABLE_SHAPE_KEYLESS || !sim_table_find_row(table, id))
            return id;
    }
}

static bool has_u(const sim_table_t *table, int64_t u)
{
    for (uint32_t i = 0; i < table->row_count; i++)
        if (!(table->rows[i].nulls >> COLUMN_SLOT_U & 1) &&
            table->rows[i].values[COLUMN_SLOT_U] == u)
            return true;
    return false;
}

static void set_u(sim_log_t *log, const sim_table_t *table, sim_row_t *row)
{
    int64_t u = (int64_t)sim_random_below(&log->random, 2 * TABLE_ROWS_MAX);
    bool is_null = sim_random_chance(&log->random, 20) ||
                   (table->shape == TABLE_SHAPE_UNIQUE && has_u(table, u));
    row->values[COLUMN_SLOT_U] = is_null ? 0 : u;
    row->nulls = (row->nulls & ~(1u << COLUMN_SLOT_U)) | (uint32_t)is_null << COLUMN_SLOT_U;
}

static void set_extras(sim_log_t *log, const sim_table_t *table, sim_row_t *row)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        uint8_t slot = table->columns[i].slot;
        if (slot < COLUMN_SLOT_EXTRA)
            continue;
        bool is_null = sim_random_chance(&log->random, 20);
        row->values[slot] = is_null ? 0 : (int64_t)sim_random_below(&log->random, 100);
        row->nulls = (row->nulls & ~(1u << slot)) | (uint32_t)is_null << slot;
    }
}

static void set_marks(sim_log_t *log, const sim_table_t *table, sim_row_t *row)
{
    row->values[COLUMN_SLOT_ORIGIN] = (int64_t)table->identity;
    row->values[COLUMN_SLOT_SEQ] = (int64_t)++log->seqs;
    row->values[COLUMN_SLOT_TS] = (int64_t)last_entry(log)->group.commit_ts.v;
}

/* The next change of a table. `last` is the one before it in the transaction, NULL: none. */
static sim_change_t draw_change(sim_log_t *log, const sim_table_t *table, const sim_change_t *last)
{
    uint64_t roll = sim_random_below(&log->random, 100);
    bool is_full = table->row_count >= TABLE_ROWS_MAX;
    sim_change_t change = {.identity = table->identity};
    if (table->row_count == 0 || (roll < 45 && !is_full)) {
        change.kind = ROW_INSERT;
        change.after.values[COLUMN_SLOT_ID] = new_id(log, table);
        set_u(log, table, &change.after);
        /* What a second unique key had just let go of is taken again. */
        if (last && last->kind == ROW_DELETE && !has_u(table, last->before.values[COLUMN_SLOT_U]))
            change.after.values[COLUMN_SLOT_U] = last->before.values[COLUMN_SLOT_U];
        set_extras(log, table, &change.after);
        set_marks(log, table, &change.after);
        if (table->shape == TABLE_SHAPE_KEYLESS && last && last->kind == ROW_INSERT &&
            sim_random_chance(&log->random, 50))
            change.after = last->after;
        return change;
    }
    change.before = table->rows[sim_random_below(&log->random, table->row_count)];
    change.kind = roll < 80 && !(is_full && roll < 45) ? ROW_UPDATE : ROW_DELETE;
    if (change.kind == ROW_DELETE)
        return change;
    change.after = change.before;
    if (sim_random_chance(&log->random, 15))
        change.after.values[COLUMN_SLOT_ID] = new_id(log, table);
    if (sim_random_chance(&log->random, 30))
        set_u(log, table, &change.after);
    set_extras(log, table, &change.after);
    set_marks(log, table, &change.after);
    return change;
}

static void add_change(sim_log_t *log, const sim_change_t *change)
{
    if (log->change_count == log->change_capacity) {
        log->change_capacity = log->change_capacity ? log->change_capacity * 2 : 256;
        log->changes = memory_realloc(log->changes, log->change_capacity * sizeof *log->changes);
    }
    log->changes[log->change_count++] = *change;
    last_entry(log)->change_count++;
}

void log_rows(sim_log_t *log, sim_table_t *table, uint32_t count)
{
    put_map(log, table);
    sim_change_t change, last;
    for (uint32_t i = 0; i < count; i++) {
        change = draw_change(log, table, i ? &last : NULL);
        put_change(log, table, &change);
        apply_change(table, &change);
        add_change(log, &change);
        last = change;
    }
    note_table(log, table, false);
}

void log_rolled_back(sim_log_t *log, uint64_t after_ns, const sim_table_t *table)
{
    log_begin(log, after_ns);
    log_begin_transaction(log);
    put_map(log, table);
    sim_change_t change = draw_change(log, table, NULL);
    put_change(log, table, &change);
    binlog_write_query(&log->writer, table->name.schema, "ROLLBACK");
    last_entry(log)->end = log->writer.len;
}

/* ---- questions ---- */

anchor_t sim_log_anchor(const sim_log_t *log, commit_ts_t commit_ts)
{
    const sim_group_t *group = sim_log_group(log, commit_ts);
    anchor_t anchor = {.commit_ts = commit_ts,
                       .commit_time = {group ? group->commit_time.v : SIM_LOG_BEGINNING_S * 1000}};
    if (commit_ts.v > 0)
        snprintf(anchor.gtid_list, sizeof anchor.gtid_list, "0-%d-%llu", SERVER_ID,
                 (unsigned long long)commit_ts.v);
    return anchor;
}

anchor_t sim_log_start(const sim_log_t *log)
{
    return sim_log_anchor(log, (commit_ts_t){log->start});
}

bytes_t sim_log_snapshot(const sim_log_t *log)
{
    return log->snapshot;
}

const table_filter_t *sim_log_filter(const sim_log_t *log)
{
    return log->filter;
}

const changefeed_config_t *sim_log_config(const sim_log_t *log)
{
    return &log->config;
}

uint64_t sim_log_syncpoint_ms(const sim_log_t *log)
{
    return log->options.syncpoint_ms;
}

commit_ts_t sim_log_first(const sim_log_t *log)
{
    return (commit_ts_t){log->start + 1};
}

commit_ts_t sim_log_last(const sim_log_t *log)
{
    return (commit_ts_t){log->start + log->entry_count};
}

static const sim_entry_t *find_entry(const sim_log_t *log, commit_ts_t commit_ts)
{
    if (commit_ts.v <= log->start || commit_ts.v > log->start + log->entry_count)
        return NULL;
    return &log->entries[commit_ts.v - log->start - 1];
}

const sim_group_t *sim_log_group(const sim_log_t *log, commit_ts_t commit_ts)
{
    const sim_entry_t *entry = find_entry(log, commit_ts);
    return entry ? &entry->group : NULL;
}

bytes_t sim_log_events(const sim_log_t *log, commit_ts_t commit_ts)
{
    const sim_entry_t *entry = find_entry(log, commit_ts);
    return entry ? bytes_of(log->writer.data + entry->begin, entry->end - entry->begin)
                 : (bytes_t){0};
}

bytes_t sim_log_beginning(const sim_log_t *log)
{
    return bytes_of(log->writer.data, log->format_len);
}

commit_ts_t sim_log_visible(const sim_log_t *log, mono_ns_t now)
{
    uint32_t low = 0, high = log->entry_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (log->entries[middle].group.visible_ns <= now.v)
            low = middle + 1;
        else
            high = middle;
    }
    return (commit_ts_t){log->start + low};
}

bool sim_log_restrict(const sim_log_t *log, const sim_statement_t *statement,
                      sim_statement_t *restricted)
{
    (void)log;
    *restricted = *statement;
    if (statement->kind == STATEMENT_ANALYZE)
        return false;
    bool is_pairs =
        statement->kind == STATEMENT_RENAME || statement->kind == STATEMENT_ALTER_RENAME;
    bool is_list = statement->kind == STATEMENT_DROP || statement->kind == STATEMENT_DROP_VIEW;
    if (!is_pairs && !is_list)
        return !is_outside(&statement->names[0]);
    uint32_t step = is_pairs ? 2 : 1;
    restricted->name_count = 0;
    for (uint32_t i = 0; i < statement->name_count; i += step)
        if (!is_outside(&statement->names[i]))
            for (uint32_t j = 0; j < step; j++)
                restricted->names[restricted->name_count++] = statement->names[i + j];
    return restricted->name_count > 0;
}

bool sim_log_is_carried_ddl(const sim_log_t *log, commit_ts_t commit_ts)
{
    const sim_entry_t *entry = find_entry(log, commit_ts);
    sim_statement_t restricted;
    return entry && entry->group.is_ddl &&
           sim_log_restrict(log, &entry->group.statement, &restricted);
}

bool sim_log_has_syncpoint(const sim_log_t *log, commit_ts_t commit_ts)
{
    const sim_entry_t *next = find_entry(log, (commit_ts_t){commit_ts.v + 1});
    if (!next || commit_ts.v == 0 || log->options.syncpoint_ms == 0)
        return false;
    uint64_t interval_s = log->options.syncpoint_ms / 1000;
    interval_s = interval_s ? interval_s : 1;
    uint64_t before = sim_log_anchor(log, commit_ts).commit_time.v / 1000;
    return next->group.commit_time.v / 1000 / interval_s > before / interval_s;
}

void sim_log_replay(const sim_log_t *log, commit_ts_t at, sim_database_t *database)
{
    sim_database_copy(database, &log->beginning);
    for (uint32_t i = 0; i < log->entry_count && log->entries[i].group.commit_ts.v <= at.v; i++) {
        const sim_entry_t *entry = &log->entries[i];
        sim_statement_t restricted;
        error_report_t report;
        if (entry->group.is_ddl && sim_log_restrict(log, &entry->group.statement, &restricted)) {
            bool is_done = sim_database_execute(database, &restricted, false, NULL, NULL, &report);
            assert(is_done);
            (void)is_done;
        }
        for (uint32_t j = 0; j < entry->change_count; j++) {
            const sim_change_t *change = &log->changes[entry->first_change + j];
            sim_table_t *table = sim_database_find_identity(database, change->identity);
            if (table && !is_outside(&table->name))
                apply_change(table, change);
        }
    }
}

void sim_log_describe(const sim_log_t *log, commit_ts_t commit_ts, char *text, size_t size)
{
    const sim_entry_t *entry = find_entry(log, commit_ts);
    const sim_statement_t *statement = &entry->group.statement;
    if (!entry->group.is_ddl) {
        size_t len = (size_t)snprintf(text, size, "rows");
        for (uint32_t i = 0; i < entry->change_count && len < size; i++) {
            uint64_t identity = log->changes[entry->first_change + i].identity;
            len += (size_t)snprintf(text + len, size - len, " %llu", (unsigned long long)identity);
        }
        return;
    }
    size_t len = (size_t)snprintf(text, size, "%s", sim_statement_kind_name(statement->kind));
    for (uint32_t i = 0; i < statement->name_count && len < size; i++)
        len += (size_t)snprintf(text + len, size - len, " %s.%s", statement->names[i].schema,
                                statement->names[i].table);
    if (len < size)
        snprintf(text + len, size - len, " %s %s, makes %llu", statement->words[0],
                 statement->words[1], (unsigned long long)statement->identity);
}
