#include "maintainer/shell/effect_runner.h"

#include "common/runtime/fail_point.h"
#include "maintainer/shell/open_sender.h"

#define COMPONENT "maintainer"
#define FIELDS_MAX 16

/* ---- the meta store ---- */

static bool is_write(effect_kind_t kind)
{
    switch (kind) {
    case EFFECT_PERSIST_SLOT:
    case EFFECT_PERSIST_CHANGEFEED:
    case EFFECT_PERSIST_STATE:
    case EFFECT_PERSIST_CHECKPOINT:
    case EFFECT_PERSIST_SNAPSHOT:
    case EFFECT_PERSIST_DDLS:
    case EFFECT_FORGET_SCHEMA:
    case EFFECT_FORGET_CHANGEFEED:
        return true;
    case EFFECT_SEND:
    case EFFECT_SEND_OPEN:
    case EFFECT_CONFIRM_EPOCH:
    case EFFECT_LOG:
    case EFFECT_ANSWER:
        return false;
    }
    return false;
}

static sluice_error_t write_stored(meta_store_t *store, const effect_t *effect,
                                   error_report_t *report)
{
    stored_changefeed_t stored = effect->stored;
    stored.ref = effect->changefeed;
    stored.maintainer_epoch = effect->maintainer_epoch;
    return effect->kind == EFFECT_PERSIST_CHANGEFEED
               ? store->class->put_changefeed(store, &stored, report)
               : store->class->put_state(store, &stored.ref, &stored, report);
}

static sluice_error_t write_effect(meta_store_t *store, const effect_t *effect,
                                   error_report_t *report)
{
    const meta_store_class_t *class = store->class;
    const changefeed_ref_t *feed = &effect->changefeed;
    switch (effect->kind) {
    case EFFECT_PERSIST_SLOT:
        return class->put_slot(store, &effect->node, effect->slot, report);
    case EFFECT_PERSIST_CHANGEFEED:
    case EFFECT_PERSIST_STATE:
        return write_stored(store, effect, report);
    case EFFECT_PERSIST_CHECKPOINT:
        return class->put_checkpoint(store, feed, effect->maintainer_epoch,
                                     effect->position.checkpoint, &effect->position.anchor, report);
    case EFFECT_PERSIST_SNAPSHOT:
        return class->put_snapshot(store, feed, effect->snapshot.at, effect->snapshot.piece,
                                   effect->snapshot.is_last_piece, effect->snapshot.content,
                                   report);
    case EFFECT_PERSIST_DDLS:
        return class->put_ddls(store, feed, effect->maintainer_epoch, effect->ddls.list,
                               effect->ddls.count, effect->ddls.schema_to, report);
    case EFFECT_FORGET_SCHEMA:
        return class->forget_schema(store, feed, effect->at, report);
    case EFFECT_FORGET_CHANGEFEED:
        return class->forget_changefeed(store, feed, report);
    case EFFECT_SEND:
    case EFFECT_SEND_OPEN:
    case EFFECT_CONFIRM_EPOCH:
    case EFFECT_LOG:
    case EFFECT_ANSWER:
        break;
    }
    return SLUICE_ERROR_BUG;
}

static void log_failure(effect_runner_t *runner, mono_ns_t now, const char *what,
                        const error_report_t *report)
{
    uint64_t suppressed;
    if (log_limiter_allow(&runner->limiter, now, &suppressed))
        LOG(LOG_LEVEL_ERROR, COMPONENT, NULL, what,
            log_text("error", sluice_error_name(report->code)), log_text("text", report->text),
            log_number("not_logged", suppressed));
}

static void write_failed(effect_runner_t *runner, mono_ns_t now, const error_report_t *report)
{
    runner->counters->persist_failed++;
    log_failure(runner, now, "meta store refused a write", report);
}

/* The outcome of a write is only known when the transaction around it is durable. */
static void report_outcomes(effect_runner_t *runner, mono_ns_t now, const effect_t *first,
                            const sluice_error_t *errors, size_t count, sluice_error_t common)
{
    for (size_t i = 0; i < count; i++)
        if (first[i].persist_id)
            coordinator_persisted(runner->coordinator, now, first[i].persist_id,
                                  common != SLUICE_OK ? common : errors[i]);
}

#define WRITES_TOGETHER_MAX 256

static const char *write_point(effect_kind_t kind, bool is_committed)
{
    switch (kind) {
    case EFFECT_PERSIST_SLOT:
        return is_committed ? "meta.slot.committed" : "meta.slot.commit";
    case EFFECT_PERSIST_CHANGEFEED:
        return is_committed ? "meta.changefeed.committed" : "meta.changefeed.commit";
    case EFFECT_PERSIST_STATE:
        return is_committed ? "meta.state.committed" : "meta.state.commit";
    case EFFECT_PERSIST_CHECKPOINT:
        return is_committed ? "meta.checkpoint.committed" : "meta.checkpoint.commit";
    case EFFECT_PERSIST_SNAPSHOT:
        return is_committed ? "meta.snapshot.committed" : "meta.snapshot.commit";
    case EFFECT_PERSIST_DDLS:
        return is_committed ? "meta.ddls.committed" : "meta.ddls.commit";
    case EFFECT_FORGET_SCHEMA:
    case EFFECT_FORGET_CHANGEFEED:
        return is_committed ? "meta.forget.committed" : "meta.forget.commit";
    case EFFECT_SEND:
    case EFFECT_SEND_OPEN:
    case EFFECT_CONFIRM_EPOCH:
    case EFFECT_LOG:
    case EFFECT_ANSWER:
        break;
    }
    return "";
}

static uint64_t write_commit_ts(const effect_t *effect)
{
    if (effect->kind == EFFECT_PERSIST_CHECKPOINT)
        return effect->position.checkpoint.v;
    if (effect->kind == EFFECT_PERSIST_SNAPSHOT)
        return effect->snapshot.at.v;
    return effect->kind == EFFECT_PERSIST_DDLS ? effect->ddls.schema_to.v : 0;
}

static sluice_error_t pass_writes(const effect_t *first, size_t count, bool is_committed)
{
    sluice_error_t error = SLUICE_OK;
    for (size_t i = 0; i < count && error == SLUICE_OK; i++)
        error = FAIL_POINT(write_point(first[i].kind, is_committed), write_commit_ts(&first[i]),
                           first[i].node.text);
    return error;
}

static size_t count_writes(const effect_t *first, size_t available)
{
    size_t count = 0;
    while (count < available && count < WRITES_TOGETHER_MAX && is_write(first[count].kind))
        count++;
    return count;
}

/* Makes writes in a row durable in one transaction; returns how many. */
static size_t run_writes(effect_runner_t *runner, mono_ns_t now, const effect_t *first,
                         size_t available)
{
    meta_store_t *store = runner->store;
    sluice_error_t errors[WRITES_TOGETHER_MAX] = {SLUICE_OK};
    error_report_t report = {0};
    size_t count = count_writes(first, available);
    sluice_error_t common = pass_writes(first, count, false);
    if (common == SLUICE_OK)
        common = store->class->begin(store, &report);
    for (size_t i = 0; i < count && common == SLUICE_OK; i++) {
        error_report_t why = {0};
        errors[i] = write_effect(store, &first[i], &why);
        if (errors[i] != SLUICE_OK)
            write_failed(runner, now, &why);
    }
    if (common == SLUICE_OK)
        common = store->class->commit(store, &report);
    if (common == SLUICE_OK)
        common = pass_writes(first, count, true);
    if (common != SLUICE_OK)
        write_failed(runner, now, &report);
    report_outcomes(runner, now, first, errors, count, common);
    return count;
}

/* ---- everything else ---- */

static void run_log(const log_line_t *line, arena_t *arena)
{
    log_attribute_t fields[FIELDS_MAX];
    uint32_t count = line->field_count < FIELDS_MAX ? line->field_count : FIELDS_MAX;
    for (uint32_t i = 0; i < count; i++)
        fields[i] = log_text(line->fields[i].key, line->fields[i].value);
    const char *feed = line->changefeed.len
                           ? arena_strndup(arena, line->changefeed.data, line->changefeed.len)
                           : NULL;
    log_event(line->level, COMPONENT, feed, line->event, fields, count);
}

static void confirm(effect_runner_t *runner, mono_ns_t now)
{
    error_report_t report = {0};
    sluice_error_t error = runner->store->class->confirm(runner->store, &report);
    if (error == SLUICE_OK)
        coordinator_epoch_confirmed(runner->coordinator, now);
    else if (error == SLUICE_ERROR_NOT_OWNER)
        runner->lost = report;
    else
        log_failure(runner, now, "meta store cannot be read", &report);
}

static void run_open(effect_runner_t *runner, mono_ns_t now, const effect_t *effect)
{
    error_report_t report = {0};
    if (open_sender_send(runner->store, runner->router, now, effect, &report) != SLUICE_OK)
        log_failure(runner, now, "changefeed cannot be opened on a node", &report);
}

static void run_other(effect_runner_t *runner, mono_ns_t now, const effect_t *effect,
                      arena_t *arena)
{
    switch (effect->kind) {
    case EFFECT_SEND:
        control_router_send(runner->router, now, &effect->node, effect->incarnation,
                            effect->message);
        break;
    case EFFECT_SEND_OPEN:
        run_open(runner, now, effect);
        break;
    case EFFECT_CONFIRM_EPOCH:
        confirm(runner, now);
        break;
    case EFFECT_LOG:
        run_log(&effect->log, arena);
        break;
    case EFFECT_ANSWER:
        api_answer(runner->api, effect->answer.request_id, effect->answer.error,
                   effect->answer.text);
        break;
    case EFFECT_PERSIST_SLOT:
    case EFFECT_PERSIST_CHANGEFEED:
    case EFFECT_PERSIST_STATE:
    case EFFECT_PERSIST_CHECKPOINT:
    case EFFECT_PERSIST_SNAPSHOT:
    case EFFECT_PERSIST_DDLS:
    case EFFECT_FORGET_SCHEMA:
    case EFFECT_FORGET_CHANGEFEED:
        break;
    }
}

void effect_runner_run(effect_runner_t *runner, mono_ns_t now, const effects_t *effects)
{
    arena_t arena = {0};
    runner->counters->effects += effects->count;
    for (size_t i = 0; i < effects->count;) {
        if (is_write(effects->items[i].kind)) {
            i += run_writes(runner, now, &effects->items[i], effects->count - i);
        } else {
            run_other(runner, now, &effects->items[i], &arena);
            i++;
        }
    }
    arena_clear(&arena);
}
