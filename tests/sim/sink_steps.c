#include <stdio.h>
#include <string.h>

#include "tests/sim/sink_internal.h"

#define ROUNDS_MAX 4
#define NAME_LOCK_TRIES 8
#define NAME_LOCK_NS (1 * NS_PER_S)
#define DDL_MAX_NS (3 * NS_PER_S)
#define REFUSED 8 /* of a thousand statements: not now */

static served_t fail(sim_call_t *call, sluice_error_t error, const char *text)
{
    call->error = error;
    snprintf(call->text, sizeof call->text, "%s", text);
    server_unlock(call->connection);
    return SERVED;
}

/* The server is busy with something else now and then. */
static bool is_busy(sim_call_t *call)
{
    return sim_has_faults(call->sink->world) && sim_random_rarely(&call->sink->random, REFUSED);
}

static served_t not_owner(sim_call_t *call, const sink_claim_t *claim)
{
    server_moment(call, SIM_NOT_OWNER, claim->span.table_id, call->commit_ts,
                  call->kind == CALL_SYNCPOINT);
    return fail(call, SLUICE_ERROR_NOT_OWNER, "another assignment owns the span");
}

/* ---- claims ---- */

static served_t claim_commit(sim_call_t *call)
{
    for (uint32_t i = 0; i < call->claim_count; i++)
        if (call->claim_errors[i] == SLUICE_OK)
            ledger_claim(call->sink, &call->changefeed, &call->claims[i], call->claim_progress[i]);
    server_unlock(call->connection);
    call->step = NULL;
    for (uint32_t i = 0; i < call->claim_count; i++)
        server_moment(call, call->claim_errors[i] == SLUICE_OK ? SIM_CLAIMED : SIM_CLAIM_REFUSED,
                      call->claims[i].span.table_id, call->claim_progress[i], false);
    return SERVED;
}

static served_t claim_look(sim_call_t *call)
{
    for (uint32_t i = 0; i < call->claim_count; i++)
        call->claim_errors[i] =
            ledger_look(call->sink, &call->changefeed, &call->claims[i], &call->claim_progress[i]);
    call->step = claim_commit;
    return SERVED;
}

/* In ascending order, so that no two claims wait for each other. */
static served_t claim_lock(sim_call_t *call)
{
    if (is_busy(call))
        return fail(call, SLUICE_ERROR_SINK_BUSY, "deadlock found");
    for (uint32_t i = 0; i < call->claim_count; i++)
        if (!server_lock(call, &call->claims[i]))
            return SERVED_WAITING;
    call->step = claim_look;
    return SERVED;
}

/* ---- rows ---- */

static call_step_fn write_advance;

static served_t write_commit(sim_call_t *call)
{
    for (uint32_t i = 0; i < call->write_count; i++)
        if (call->writes[i].is_open)
            rows_commit(call, &call->writes[i]);
    server_unlock(call->connection);
    call->step = NULL;
    for (uint32_t i = 0; i < call->write_count; i++) {
        const call_write_t *write = &call->writes[i];
        if (write->is_open)
            server_moment(call, SIM_ROWS_COMMITTED, write->claim.span.table_id, write->progress,
                          false);
    }
    return SERVED;
}

static served_t write_rows(sim_call_t *call)
{
    error_report_t report = {0};
    if (is_busy(call))
        return fail(call, SLUICE_ERROR_SINK_BUSY, "deadlock found");
    for (uint32_t i = 0; i < call->write_count; i++) {
        call_write_t *write = &call->writes[i];
        sluice_error_t error = write->is_open ? rows_build(call, write, &report) : SLUICE_OK;
        if (error != SLUICE_OK)
            return fail(call, error, report.text);
    }
    call->connection->has_rows = true;
    call->step = write_commit;
    return SERVED;
}

/* Reads, outside of a transaction, what became of each write. */
static served_t write_decide(sim_call_t *call)
{
    bool is_any_open = false;
    for (uint32_t i = 0; i < call->write_count; i++) {
        call_write_t *write = &call->writes[i];
        if (!write->is_open)
            continue;
        const progress_row_t *row = ledger_own_row(call->sink, &call->changefeed, &write->claim);
        bool is_there = row && write->moves_progress && row->progress.v >= write->progress.v;
        if (!row || (is_there && row->progress.v > write->progress.v)) {
            write->error = SLUICE_ERROR_NOT_OWNER;
            server_moment(call, SIM_NOT_OWNER, write->claim.span.table_id, write->progress, false);
        }
        write->is_open = row && !is_there;
        is_any_open |= write->is_open;
    }
    call->step = is_any_open ? write_advance : NULL;
    if (!is_any_open)
        server_unlock(call->connection);
    if (++call->tries == ROUNDS_MAX && is_any_open)
        return fail(call, SLUICE_ERROR_SINK_BUSY, "progress rows of the sink keep changing");
    return SERVED;
}

/* Moves the progress of all spans, which locks their rows and proves that they are ours. */
static served_t write_advance(sim_call_t *call)
{
    bool all_ours = true;
    for (uint32_t i = 0; i < call->write_count; i++)
        if (call->writes[i].is_open && !server_lock(call, &call->writes[i].claim))
            return SERVED_WAITING;
    for (uint32_t i = 0; i < call->write_count; i++) {
        const call_write_t *write = &call->writes[i];
        if (!write->is_open)
            continue;
        const progress_row_t *row = ledger_own_row(call->sink, &call->changefeed, &write->claim);
        all_ours &= row && (!write->moves_progress || row->progress.v < write->progress.v);
    }
    if (!all_ours && call->sink->flavour == SIM_SINK_MARIADB)
        server_unlock(call->connection);
    call->step = all_ours ? write_rows : write_decide;
    return SERVED;
}

/* ---- DDL ---- */

/* The transaction proves its right: the row stays locked until it ends. */
static bool prove(sim_call_t *call, served_t *served)
{
    const sink_claim_t *claim = &call->claims[0];
    if (!server_lock(call, claim)) {
        *served = SERVED_WAITING;
        return false;
    }
    if (ledger_own_row(call->sink, &call->changefeed, claim))
        return true;
    *served = not_owner(call, claim);
    return false;
}

/* What is to be run: without what the filter keeps out. */
static bool statement_of(const sim_call_t *call, sim_statement_t *statement)
{
    const sim_group_t *group = sim_log_group(call->sink->log, call->commit_ts);
    if (!group || !group->is_ddl ||
        !sim_log_restrict(call->sink->log, &group->statement, statement)) {
        sim_violated(call->sink->world, "B1", "the sink is told to run a DDL at %llu that is none",
                     (unsigned long long)call->commit_ts.v);
        return false;
    }
    return true;
}

static bool is_drop(const sim_statement_t *statement)
{
    return statement->kind == STATEMENT_DROP || statement->kind == STATEMENT_DROP_VIEW ||
           statement->kind == STATEMENT_DROP_DATABASE;
}

/* What to do about a DDL that was found half-way. */
static void decide(sim_call_t *call, const sim_statement_t *statement, uint64_t before)
{
    const sim_database_t *database = &call->sink->database;
    const sim_name_t *target = &statement->names[0];
    bool is_absent = target->table[0] ? !sim_database_find(database, target)
                                      : !sim_database_find_schema(database, target->schema);
    bool is_create = statement->kind <= STATEMENT_CREATE_OR_REPLACE ||
                     statement->kind == STATEMENT_CREATE_DATABASE ||
                     statement->kind == STATEMENT_CREATE_VIEW;
    call->if_exists = is_drop(statement);
    call->runs = call->if_exists || (is_create && is_absent) ||
                 sim_database_describe(database, statement) == before;
    sim_trace(call->sink->world, "sink", "found the DDL at %llu half-way: %s",
              (unsigned long long)call->commit_ts.v, call->runs ? "runs it" : "it was run");
}

static served_t ddl_finish(sim_call_t *call)
{
    ddl_record_t *record = ledger_find_record(call->sink, &call->changefeed, call->commit_ts);
    if (record)
        record->is_done = true;
    call->step = NULL;
    server_moment(call, SIM_DDL_AFTER, call->claims[0].span.table_id, call->commit_ts, false);
    return SERVED;
}

static served_t ddl_withdraw(sim_call_t *call)
{
    ddl_record_t *record = ledger_find_record(call->sink, &call->changefeed, call->commit_ts);
    if (record)
        ledger_remove_record(call->sink, record);
    return fail(call, SLUICE_ERROR_SINK_BUSY, "lock wait timeout; the record was taken back");
}

static bool concerns(const sim_statement_t *statement, const table_definition_t *definition)
{
    for (uint32_t i = 0; i < statement->name_count; i++) {
        const sim_name_t *name = &statement->names[i];
        if (strcmp(name->schema, definition->schema) == 0 &&
            (!name->table[0] || strcmp(name->table, definition->name) == 0))
            return true;
    }
    return false;
}

/* A transaction of somebody else that has written rows of a table holds its form. */
static bool is_held(const sim_call_t *call, const sim_statement_t *statement)
{
    for (const sim_call_t *other = call->sink->calls; other; other = other->next) {
        if (other == call || !other->connection || other->connection->call != other ||
            !other->connection->has_rows)
            continue;
        for (uint32_t i = 0; i < other->write_count; i++)
            if (other->writes[i].is_open && other->writes[i].batch.definition &&
                concerns(statement, other->writes[i].batch.definition))
                return true;
    }
    return false;
}

static served_t ddl_execute(sim_call_t *call)
{
    sim_statement_t statement;
    error_report_t report = {0};
    sim_sink_t *sink = call->sink;
    if (!statement_of(call, &statement))
        return fail(call, SLUICE_ERROR_SINK_REFUSED, "no such statement");
    if (!call->is_executing) {
        if (is_held(call, &statement))
            return SERVED_WAITING;
        bool is_slow = sim_has_faults(sink->world) && sim_random_chance(&sink->random, 15);
        server_run(call, is_slow ? sim_random_below(&sink->random, DDL_MAX_NS) : 0);
        return SERVED_WAITING;
    }
    if (is_busy(call)) {
        call->step = is_drop(&statement) ? NULL : ddl_withdraw;
        if (!call->step)
            return fail(call, SLUICE_ERROR_SINK_BUSY, "lock wait timeout");
        return SERVED;
    }
    if (!rows_run_ddl(call, &statement, call->if_exists, &report))
        return fail(call, report.code, report.text);
    call->step = ddl_finish;
    server_moment(call, SIM_DDL_RAN, call->claims[0].span.table_id, call->commit_ts, false);
    return SERVED;
}

static served_t ddl_begin(sim_call_t *call)
{
    served_t served;
    sim_statement_t statement;
    if (!prove(call, &served))
        return served;
    if (!statement_of(call, &statement))
        return fail(call, SLUICE_ERROR_SINK_REFUSED, "no such statement");
    const ddl_record_t *record = ledger_find_record(call->sink, &call->changefeed, call->commit_ts);
    if (record && record->is_done) {
        call->step = NULL;
        server_unlock(call->connection);
        return SERVED;
    }
    call->runs = true;
    if (record)
        decide(call, &statement, record->before);
    else
        ledger_add_record(call->sink, &call->changefeed, call->ddl,
                          sim_database_describe(&call->sink->database, &statement));
    server_unlock(call->connection);
    call->step = call->runs ? ddl_execute : ddl_finish;
    server_moment(call, SIM_DDL_BEFORE, call->claims[0].span.table_id, call->commit_ts, false);
    return SERVED;
}

static served_t ddl_lock(sim_call_t *call)
{
    if (server_lock_name(call, call->commit_ts)) {
        call->step = ddl_begin;
        return SERVED;
    }
    if (mono_elapsed(call->waits_since, sim_now(call->sink->world)) >
        NAME_LOCK_TRIES * NAME_LOCK_NS)
        return fail(call, SLUICE_ERROR_SINK_BUSY,
                    "another connection of the sink is still executing this statement");
    return SERVED_WAITING;
}

/* ---- sync points and housekeeping ---- */

/* Once; left alone if it is there. */
static void note_syncpoint(sim_sink_t *sink, commit_ts_t commit_ts)
{
    uint8_t *is_there = &sink->syncpoints[check_place(sink, commit_ts)];
    sink->progress += !*is_there;
    *is_there = 1;
}

static served_t syncpoint_insert(sim_call_t *call)
{
    sim_sink_t *sink = call->sink;
    if (!sim_log_has_syncpoint(sink->log, call->commit_ts))
        sim_violated(sink->world, "B1", "a sync point at %llu where there is none",
                     (unsigned long long)call->commit_ts.v);
    else
        note_syncpoint(sink, call->commit_ts);
    server_unlock(call->connection);
    call->step = NULL;
    server_moment(call, SIM_SYNCPOINT, call->claims[0].span.table_id, call->commit_ts, true);
    return SERVED;
}

static served_t syncpoint_prove(sim_call_t *call)
{
    served_t served;
    if (!prove(call, &served))
        return served;
    call->step = syncpoint_insert;
    return SERVED;
}

static served_t clean_up(sim_call_t *call)
{
    ledger_clean_up(call->sink, &call->changefeed, call->commit_ts);
    server_unlock(call->connection);
    call->step = NULL;
    return SERVED;
}

/* ---- SQLite: one transaction for all ---- */

static served_t file_ddl_commit(sim_call_t *call)
{
    sim_statement_t statement;
    error_report_t report = {0};
    if (!statement_of(call, &statement))
        return fail(call, SLUICE_ERROR_SINK_REFUSED, "no such statement");
    ddl_record_t *record = ledger_add_record(call->sink, &call->changefeed, call->ddl, 0);
    if (!rows_run_ddl(call, &statement, false, &report)) {
        ledger_remove_record(call->sink, record);
        return fail(call, report.code, report.text);
    }
    record->is_done = true;
    server_unlock(call->connection);
    call->step = NULL;
    server_moment(call, SIM_DDL_AFTER, call->claims[0].span.table_id, call->commit_ts, false);
    return SERVED;
}

static served_t file_ddl(sim_call_t *call)
{
    served_t served;
    if (!prove(call, &served))
        return served;
    const ddl_record_t *record = ledger_find_record(call->sink, &call->changefeed, call->commit_ts);
    call->step = record ? NULL : file_ddl_commit;
    if (record)
        server_unlock(call->connection);
    else
        server_moment(call, SIM_DDL_BEFORE, call->claims[0].span.table_id, call->commit_ts, false);
    return SERVED;
}

static served_t file_begin(sim_call_t *call)
{
    static call_step_fn *const steps[] = {[CALL_CLAIM] = claim_look,
                                          [CALL_WRITE] = write_advance,
                                          [CALL_DDL] = file_ddl,
                                          [CALL_SYNCPOINT] = syncpoint_prove,
                                          [CALL_CLEAN_UP] = clean_up};
    if (!server_lock_file(call))
        return SERVED_WAITING;
    call->step = steps[call->kind];
    return SERVED;
}

call_step_fn *call_first_step(const sim_call_t *call)
{
    static call_step_fn *const steps[] = {[CALL_CLAIM] = claim_lock,
                                          [CALL_WRITE] = write_advance,
                                          [CALL_DDL] = ddl_lock,
                                          [CALL_SYNCPOINT] = syncpoint_prove,
                                          [CALL_CLEAN_UP] = clean_up};
    if (call->sink->real_api)
        return real_step;
    return call->sink->flavour == SIM_SINK_SQLITE ? file_begin : steps[call->kind];
}
