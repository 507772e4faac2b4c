/* Changefeeds in the SQLite meta store. */
#include <stdlib.h>

#include "common/base/memory.h"
#include "maintainer/meta/config_json.h"
#include "maintainer/meta/sqlite_internal.h"

static bool state_from_name(bytes_t name, changefeed_state_t *state)
{
    for (int i = CHANGEFEED_NORMAL; i <= CHANGEFEED_REMOVED; i++)
        if (bytes_equal(name, bytes_of_text(changefeed_state_name((changefeed_state_t)i)))) {
            *state = (changefeed_state_t)i;
            return true;
        }
    return false;
}

static sluice_error_t damaged(const char *what, bytes_t name, error_report_t *report)
{
    return error_report_set(report, SLUICE_ERROR_META_STORE, "meta store: %s of changefeed %.*s",
                            what, (int)name.len, (const char *)name.data);
}

static sluice_error_t read_config(bytes_t text, arena_t *arena, changefeed_config_t *config,
                                  error_report_t *report)
{
    json_error_t problem;
    json_t *json = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &problem);
    error_report_t why;
    sluice_error_t error = config_json_to(json, arena, config, &why);
    json_decref(json);
    return error == SLUICE_OK ? SLUICE_OK
                              : error_report_set(report, SLUICE_ERROR_META_STORE,
                                                 "meta store: configuration: %s", why.text);
}

#define COLUMNS                                                                                    \
    "uuid, generation, name, maintainer_epoch, config, state, error, error_text, checkpoint,"      \
    " anchor_ts, anchor_time, anchor_gtids, schema_to"

static sluice_error_t read_changefeed(statement_t *row, arena_t *arena, stored_changefeed_t *stored,
                                      error_report_t *report)
{
    bytes_t uuid = statement_bytes(row, arena);
    stored->ref.generation = statement_number(row);
    bytes_t name = statement_bytes(row, arena);
    stored->maintainer_epoch = statement_number(row);
    bytes_t config = statement_bytes(row, arena);
    bytes_t state = statement_bytes(row, arena);
    stored->error = sluice_error_from_name((const char *)statement_bytes(row, arena).data);
    stored->error_text = statement_bytes(row, arena);
    stored->checkpoint = (commit_ts_t){statement_number(row)};
    stored->anchor.commit_ts = (commit_ts_t){statement_number(row)};
    stored->anchor.commit_time = (wall_ms_t){statement_number(row)};
    bytes_t gtids = statement_bytes(row, arena);
    stored->schema_to = (commit_ts_t){statement_number(row)};
    if (uuid.len != sizeof stored->ref.uuid.bytes || gtids.len >= ANCHOR_GTID_LIST_MAX)
        return damaged("cannot read the position", name, report);
    memcpy(stored->ref.uuid.bytes, uuid.data, uuid.len);
    memcpy(stored->anchor.gtid_list, gtids.data, gtids.len);
    if (!state_from_name(state, &stored->state))
        return damaged("cannot read the state", name, report);
    return read_config(config, arena, &stored->config, report);
}

static sluice_error_t raise_epochs(meta_store_t *store, uint64_t epoch_min, size_t *count,
                                   error_report_t *report)
{
    int changes = 0;
    statement_t statement = statement_begin(
        store, "UPDATE changefeeds SET maintainer_epoch = max(maintainer_epoch + 1, ?)", report);
    statement_bind_number(&statement, epoch_min);
    sluice_error_t error = statement_execute(&statement, &changes);
    *count = (size_t)changes;
    return error;
}

/* What the check of a changefeed left that was never created, since the process ended before. */
static sluice_error_t forget_orphans(meta_store_t *store, error_report_t *report)
{
    static const char sql[] =
        "DELETE FROM snapshots WHERE uuid NOT IN (SELECT uuid FROM changefeeds);"
        "DELETE FROM ddls WHERE uuid NOT IN (SELECT uuid FROM changefeeds)";
    return sqlite_run(sqlite_store(store)->db, sql, report);
}

sluice_error_t sqlite_take_over(meta_store_t *store, uint64_t epoch_min, arena_t *arena,
                                stored_changefeed_t **list, uint32_t *count, error_report_t *report)
{
    size_t rows = 0;
    sluice_error_t error = raise_epochs(store, epoch_min, &rows, report);
    if (error == SLUICE_OK)
        error = forget_orphans(store, report);
    *list = arena_calloc(arena, rows, sizeof **list);
    *count = 0;
    if (error != SLUICE_OK)
        return error;
    statement_t reading =
        statement_begin(store, "SELECT " COLUMNS " FROM changefeeds ORDER BY name", report);
    while (error == SLUICE_OK && *count < rows && statement_next(&reading))
        error = read_changefeed(&reading, arena, &(*list)[(*count)++], report);
    sluice_error_t finished = statement_finish(&reading);
    return error == SLUICE_OK ? finished : error;
}

sluice_error_t sqlite_load_changefeed(meta_store_t *store, const changefeed_ref_t *changefeed,
                                      arena_t *arena, stored_changefeed_t *stored,
                                      error_report_t *report)
{
    *stored = (stored_changefeed_t){0};
    statement_t reading = statement_begin(
        store, "SELECT " COLUMNS " FROM changefeeds WHERE uuid = ? AND generation = ?", report);
    statement_bind_uuid(&reading, changefeed);
    statement_bind_number(&reading, changefeed->generation);
    bool found = statement_next(&reading);
    sluice_error_t error =
        found ? read_changefeed(&reading, arena, stored, report) : SLUICE_ERROR_NOT_FOUND;
    sluice_error_t finished = statement_finish(&reading);
    if (finished == SLUICE_OK && !found)
        error_report_set(report, error, "meta store: there is no such changefeed");
    return finished == SLUICE_OK ? error : finished;
}

sluice_error_t sqlite_check_owner(meta_store_t *store, const changefeed_ref_t *changefeed,
                                  uint64_t maintainer_epoch, error_report_t *report)
{
    statement_t statement = statement_begin(
        store, "SELECT generation, maintainer_epoch FROM changefeeds WHERE uuid = ?", report);
    statement_bind_uuid(&statement, changefeed);
    bool found = statement_next(&statement);
    uint64_t generation = found ? statement_number(&statement) : 0;
    uint64_t stored_epoch = found ? statement_number(&statement) : 0;
    sluice_error_t error = statement_finish(&statement);
    if (error != SLUICE_OK)
        return error;
    if (!found)
        return error_report_set(report, SLUICE_ERROR_NOT_FOUND,
                                "meta store: there is no such changefeed");
    if (generation != changefeed->generation || stored_epoch > maintainer_epoch)
        return error_report_set(report, SLUICE_ERROR_NOT_OWNER,
                                "meta store: the changefeed has generation %llu and epoch %llu by "
                                "now",
                                (unsigned long long)generation, (unsigned long long)stored_epoch);
    return SLUICE_OK;
}

/* Whether the changefeed may be written as a whole: nobody later has it, nobody else its name. */
static sluice_error_t check_replaceable(meta_store_t *store, const stored_changefeed_t *changefeed,
                                        error_report_t *report)
{
    statement_t statement = statement_begin(
        store, "SELECT uuid = ?1, maintainer_epoch FROM changefeeds WHERE uuid = ?1 OR name = ?2",
        report);
    statement_bind_uuid(&statement, &changefeed->ref);
    statement_bind_text(&statement, changefeed->config.name);
    bool is_name_taken = false, is_later = false;
    while (statement_next(&statement)) {
        bool is_same = statement_number(&statement) != 0;
        uint64_t epoch = statement_number(&statement);
        is_name_taken |= !is_same;
        is_later |= is_same && epoch > changefeed->maintainer_epoch;
    }
    sluice_error_t error = statement_finish(&statement);
    if (error != SLUICE_OK)
        return error;
    if (is_name_taken)
        return error_report_set(report, SLUICE_ERROR_EXISTS,
                                "meta store: another changefeed has that name");
    return is_later ? error_report_set(report, SLUICE_ERROR_NOT_OWNER,
                                       "meta store: a later maintainer has the changefeed")
                    : SLUICE_OK;
}

static sluice_error_t forget_older_generations(meta_store_t *store,
                                               const changefeed_ref_t *changefeed,
                                               error_report_t *report)
{
    static const char *const statements[] = {
        "DELETE FROM snapshots WHERE uuid = ? AND generation < ?",
        "DELETE FROM ddls WHERE uuid = ? AND generation < ?"};
    sluice_error_t error = SLUICE_OK;
    for (size_t i = 0; i < 2 && error == SLUICE_OK; i++) {
        statement_t statement = statement_begin(store, statements[i], report);
        statement_bind_uuid(&statement, changefeed);
        statement_bind_number(&statement, changefeed->generation);
        error = statement_execute(&statement, NULL);
    }
    return error;
}

static sluice_error_t write_changefeed(meta_store_t *store, const stored_changefeed_t *changefeed,
                                       const char *config, error_report_t *report)
{
    statement_t statement = statement_begin(store,
                                            "INSERT OR REPLACE INTO changefeeds (" COLUMNS
                                            ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                                            report);
    statement_bind_uuid(&statement, &changefeed->ref);
    statement_bind_number(&statement, changefeed->ref.generation);
    statement_bind_text(&statement, changefeed->config.name);
    statement_bind_number(&statement, changefeed->maintainer_epoch);
    statement_bind_text(&statement, bytes_of_text(config));
    statement_bind_text(&statement, bytes_of_text(changefeed_state_name(changefeed->state)));
    statement_bind_text(&statement, bytes_of_text(sluice_error_name(changefeed->error)));
    statement_bind_text(&statement, changefeed->error_text);
    statement_bind_number(&statement, changefeed->checkpoint.v);
    statement_bind_number(&statement, changefeed->anchor.commit_ts.v);
    statement_bind_number(&statement, changefeed->anchor.commit_time.v);
    statement_bind_text(&statement, bytes_of_text(changefeed->anchor.gtid_list));
    statement_bind_number(&statement, changefeed->schema_to.v);
    return statement_execute(&statement, NULL);
}

sluice_error_t sqlite_put_changefeed(meta_store_t *store, const stored_changefeed_t *changefeed,
                                     error_report_t *report)
{
    sluice_error_t error = check_replaceable(store, changefeed, report);
    if (error != SLUICE_OK)
        return error;
    json_t *json = config_json_from(&changefeed->config, false);
    char *config = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (!config)
        memory_exhausted(1);
    error = write_changefeed(store, changefeed, config, report);
    free(config);
    return error == SLUICE_OK ? forget_older_generations(store, &changefeed->ref, report) : error;
}

sluice_error_t sqlite_put_state(meta_store_t *store, const changefeed_ref_t *changefeed,
                                const stored_changefeed_t *state, error_report_t *report)
{
    sluice_error_t error = sqlite_check_owner(store, changefeed, state->maintainer_epoch, report);
    if (error != SLUICE_OK)
        return error;
    statement_t statement = statement_begin(
        store,
        "UPDATE changefeeds SET state = ?, maintainer_epoch = ?, error = ?, error_text = ?"
        " WHERE uuid = ?",
        report);
    statement_bind_text(&statement, bytes_of_text(changefeed_state_name(state->state)));
    statement_bind_number(&statement, state->maintainer_epoch);
    statement_bind_text(&statement, bytes_of_text(sluice_error_name(state->error)));
    statement_bind_text(&statement, state->error_text);
    statement_bind_uuid(&statement, changefeed);
    return statement_execute(&statement, NULL);
}

sluice_error_t sqlite_put_checkpoint(meta_store_t *store, const changefeed_ref_t *changefeed,
                                     uint64_t maintainer_epoch, commit_ts_t checkpoint,
                                     const anchor_t *anchor, error_report_t *report)
{
    int changes = 0;
    statement_t statement = statement_begin(
        store,
        "UPDATE changefeeds SET checkpoint = ?, anchor_ts = ?, anchor_time = ?, anchor_gtids = ?"
        " WHERE uuid = ? AND generation = ? AND maintainer_epoch = ?",
        report);
    statement_bind_number(&statement, checkpoint.v);
    statement_bind_number(&statement, anchor->commit_ts.v);
    statement_bind_number(&statement, anchor->commit_time.v);
    statement_bind_text(&statement, bytes_of_text(anchor->gtid_list));
    statement_bind_uuid(&statement, changefeed);
    statement_bind_number(&statement, changefeed->generation);
    statement_bind_number(&statement, maintainer_epoch);
    sluice_error_t error = statement_execute(&statement, &changes);
    if (error != SLUICE_OK || changes == 1)
        return error;
    error = sqlite_check_owner(store, changefeed, maintainer_epoch, report);
    return error != SLUICE_OK ? error
                              : error_report_set(report, SLUICE_ERROR_NOT_OWNER,
                                                 "meta store: the epoch is not the stored one");
}

sluice_error_t sqlite_forget_changefeed(meta_store_t *store, const changefeed_ref_t *changefeed,
                                        error_report_t *report)
{
    static const char *const statements[] = {"DELETE FROM snapshots WHERE uuid = ?",
                                             "DELETE FROM ddls WHERE uuid = ?",
                                             "DELETE FROM changefeeds WHERE uuid = ?"};
    sluice_error_t error = SLUICE_OK;
    for (size_t i = 0; i < 3 && error == SLUICE_OK; i++) {
        statement_t statement = statement_begin(store, statements[i], report);
        statement_bind_uuid(&statement, changefeed);
        error = statement_execute(&statement, NULL);
    }
    return error;
}
