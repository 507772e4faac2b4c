#include "dispatcher/sink/mariadb/ddl.h"

#include <stdio.h>
#include <xxhash.h>

#include "common/runtime/fail_point.h"
#include "common/runtime/log.h"
#include "dispatcher/sink/mariadb/ddl_context.h"
#include "dispatcher/sink/mariadb/ddl_record.h"
#include "dispatcher/sink/mariadb/ddl_text.h"
#include "dispatcher/sink/mariadb/objects.h"
#include "dispatcher/sink/mariadb/wait.h"

typedef struct {
    const mariadb_owner_t *owner;
    const char *changefeed_name;
    const ddl_event_t *event;
    arena_t arena;
    const mariadb_object_t *objects;
    uint32_t object_count;
    sql_text_t before, now;
} ddl_work_t;

void mariadb_ddl_lock_name(const changefeed_ref_t *changefeed, commit_ts_t commit_ts,
                           char name[MARIADB_DDL_LOCK_NAME_SIZE])
{
    struct {
        uint8_t uuid[16];
        uint64_t generation, commit_ts;
    } key = {.generation = changefeed->generation, .commit_ts = commit_ts.v};
    memcpy(key.uuid, changefeed->uuid.bytes, sizeof key.uuid);
    XXH128_hash_t hash = XXH3_128bits(&key, sizeof key);
    snprintf(name, MARIADB_DDL_LOCK_NAME_SIZE, "sluice-%016llx%016llx",
             (unsigned long long)hash.high64, (unsigned long long)hash.low64);
}

static void log_decided(const ddl_work_t *work, ddl_decision_t decision)
{
    static const char *const texts[] = {"found a DDL half-way: it was not run, running it",
                                        "found a DROP half-way: repeating it",
                                        "found a DDL half-way: it was run"};
    LOG(LOG_LEVEL_WARNING, "sink", work->changefeed_name, texts[decision],
        log_number("commit_ts", work->event->commit_ts.v), log_text("ddl", work->event->sql_utf8),
        log_text("before", sql_text_get(&work->before)), log_text("now", sql_text_get(&work->now)));
}

/* Decides by record and objects, and leaves a record "before" committed unless it is done. */
static sluice_error_t decide(ddl_work_t *work, ddl_decision_t *decision, error_report_t *report)
{
    mariadb_session_t *session = work->owner->session;
    const changefeed_ref_t *changefeed = &work->owner->changefeed;
    ddl_record_state_t state;
    sluice_error_t error = mariadb_ddl_record_read(session, changefeed, work->event->commit_ts,
                                                   &state, &work->before, report);
    *decision = DDL_WAS_DONE;
    if (error != SLUICE_OK || state == DDL_RECORD_DONE)
        return error;
    bool target_is_absent;
    error = mariadb_objects_describe(session, work->objects, work->object_count, &work->now,
                                     &target_is_absent, report);
    if (error != SLUICE_OK)
        return error;
    if (state == DDL_RECORD_BEFORE) {
        *decision = mariadb_ddl_decide(work->event->verb, sql_text_get(&work->before),
                                       sql_text_get(&work->now), target_is_absent);
        log_decided(work, *decision);
        return mariadb_session_commit(session, report);
    }
    *decision = DDL_RUN;
    error = mariadb_ddl_record_begin(session, changefeed, work->event, &work->now, report);
    return error == SLUICE_OK ? mariadb_session_commit(session, report) : error;
}

static bool is_drop(ddl_verb_t verb)
{
    return mariadb_ddl_decide(verb, "", "", false) == DDL_RUN_IF_EXISTS;
}

/* The server has said that it did not run: the next try must not take what somebody mends meanwhile
 * for its effect. A DROP of several objects may have dropped some. */
static void failure_withdraw(const ddl_work_t *work)
{
    mariadb_session_t *session = work->owner->session;
    error_report_t report = {0};
    if (!mariadb_session_is_open(session) || is_drop(work->event->verb))
        return;
    if (mariadb_ddl_record_withdraw(session, &work->owner->changefeed, work->event->commit_ts,
                                    &report) != SLUICE_OK)
        LOG(LOG_LEVEL_WARNING, "sink", work->changefeed_name, "cannot take a DDL record back",
            log_number("commit_ts", work->event->commit_ts.v), log_text("error", report.text));
}

static sluice_error_t statement_run(ddl_work_t *work, bool if_exists, error_report_t *report)
{
    mariadb_session_t *session = work->owner->session;
    mariadb_ddl_text_t text;
    mariadb_ddl_text_make(work->event, if_exists, &work->arena, &text);
    if (text.replaced)
        LOG(LOG_LEVEL_WARNING, "sink", work->changefeed_name,
            "engine replaced by InnoDB, since no other holds rows and progress in one transaction",
            log_number("commit_ts", work->event->commit_ts.v), log_text("engine", text.replaced),
            log_text("ddl", work->event->sql_utf8));
    sluice_error_t error = mariadb_ddl_context_apply(session, work->event, text.is_utf8, report);
    if (error == SLUICE_OK)
        error = FAIL_POINT("sink.ddl.execute", work->event->commit_ts.v, work->event->sql_utf8);
    if (error == SLUICE_OK)
        error = mariadb_session_run_bytes(session, text.sql, report);
    if (error != SLUICE_OK)
        failure_withdraw(work);
    return error;
}

static sluice_error_t locked_run(ddl_work_t *work, const sink_claim_t *claim,
                                 error_report_t *report)
{
    mariadb_session_t *session = work->owner->session;
    const ddl_event_t *event = work->event;
    sluice_error_t error = FAIL_POINT("sink.ddl.locked", event->commit_ts.v, event->sql_utf8);
    if (error == SLUICE_OK)
        error = mariadb_claim_prove(work->owner, claim, report);
    if (error != SLUICE_OK)
        return error;
    ddl_decision_t decision;
    error = decide(work, &decision, report);
    if (error == SLUICE_OK)
        error = FAIL_POINT("sink.ddl.recorded", event->commit_ts.v, event->sql_utf8);
    if (error != SLUICE_OK)
        return error;
    if (decision != DDL_WAS_DONE) {
        error = statement_run(work, decision == DDL_RUN_IF_EXISTS, report);
        if (error == SLUICE_OK)
            error = FAIL_POINT("sink.ddl.executed", event->commit_ts.v, event->sql_utf8);
    }
    if (error == SLUICE_OK)
        error =
            mariadb_ddl_record_finish(session, &work->owner->changefeed, event->commit_ts, report);
    if (error == SLUICE_OK)
        error = FAIL_POINT("sink.ddl.finished", event->commit_ts.v, event->sql_utf8);
    return error;
}

sluice_error_t mariadb_ddl_run(const mariadb_owner_t *owner, const char *changefeed_name,
                               const sink_claim_t *claim, const ddl_event_t *event,
                               error_report_t *report)
{
    ddl_work_t work = {.owner = owner, .changefeed_name = changefeed_name, .event = event};
    work.object_count = mariadb_objects_of(event, &work.arena, &work.objects);
    char name[MARIADB_DDL_LOCK_NAME_SIZE];
    mariadb_ddl_lock_name(&owner->changefeed, event->commit_ts, name);
    sluice_error_t error = mariadb_session_open(owner->session, report);
    if (error == SLUICE_OK)
        error = FAIL_POINT("sink.ddl.lock", event->commit_ts.v, event->sql_utf8);
    if (error == SLUICE_OK)
        error = mariadb_wait_lock(owner->session, name, report);
    if (error == SLUICE_OK)
        error = locked_run(&work, claim, report);
    /* Closing rolls back and gives the lock back. */
    mariadb_session_close(owner->session);
    sql_text_clear(&work.before);
    sql_text_clear(&work.now);
    arena_clear(&work.arena);
    return error;
}
