#include "dispatcher/core/node/node_changefeed.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/core/node/node_changefeed_internal.h"
#include "dispatcher/core/node/schema_envelope.h"

static position_t position_of(void *context, dispatcher_id_t dispatcher_id)
{
    const node_changefeed_t *changefeed = context;
    return dispatcher_set_position(changefeed->dispatchers, dispatcher_id);
}

static void open_cores(node_changefeed_t *changefeed, const node_settings_t *settings,
                       uint64_t maintainer_epoch)
{
    uint64_t resend_ns = changefeed->link->settings.resend_ms * NS_PER_MS;
    dispatcher_set_options_t options = settings->dispatchers;
    if (resend_ns > 0)
        options.resend.interval_ns = resend_ns;
    options.path.answer_wait_ns = 2 * options.resend.interval_ns;
    changefeed->dispatchers = dispatcher_set_new(&options, maintainer_epoch);
    session_options_t session = settings->session;
    session.tries_others = changefeed->others != NULL;
    session_set_options_t sessions = {
        .session = session,
        .position_of = position_of,
        .context = changefeed,
    };
    changefeed->sessions = session_set_new(&sessions);
}

static sluice_error_t open_ports(node_changefeed_t *changefeed, const changefeed_open_t *open,
                                 error_report_t *report)
{
    schema_envelope_t envelope;
    if (schema_envelope_decode(open->snapshot, &envelope) != SLUICE_OK)
        return error_report_set(report, SLUICE_ERROR_MALFORMED,
                                "the schema snapshot is none that this version understands");
    changefeed->lower_case_names = envelope.lower_case_names;
    changefeed_request_t request = {
        .open = open,
        .slot = changefeed->link->settings.slot,
        .lower_case_names = envelope.lower_case_names,
        .snapshot = envelope.snapshot,
    };
    changefeed_ports_t ports = {0};
    sluice_error_t error = changefeed->host->open(changefeed->host->self, &request, &ports, report);
    changefeed->hosted = ports.self;
    changefeed->feed = ports.feed;
    changefeed->sink = ports.sink;
    return error;
}

sluice_error_t node_changefeed_open(const node_changefeed_options_t *options,
                                    const changefeed_open_t *open, node_changefeed_t **changefeed,
                                    error_report_t *report)
{
    node_changefeed_t *opened = memory_zalloc(sizeof *opened);
    opened->host = options->host;
    opened->others = options->others;
    opened->candidate_lag_ms = options->settings->candidate_lag_ms;
    opened->link = options->link;
    opened->ref = open->changefeed;
    opened->name = arena_strndup(&opened->arena, open->config.name.data, open->config.name.len);
    opened->send_at = opened->clean_up_at = MONO_NEVER;
    sluice_error_t error = open_ports(opened, open, report);
    if (error != SLUICE_OK) {
        node_changefeed_destroy(&opened);
        return error;
    }
    open_cores(opened, options->settings, options->maintainer_epoch);
    *changefeed = opened;
    return SLUICE_OK;
}

void node_changefeed_destroy(node_changefeed_t **changefeed)
{
    node_changefeed_t *self = *changefeed;
    if (!self)
        return;
    session_set_destroy(&self->sessions);
    dispatcher_set_destroy(&self->dispatchers);
    node_changefeed_clear_others(self);
    arena_clear(&self->arena);
    free(self);
    *changefeed = NULL;
}

/* ---- what it is ---- */

changefeed_ref_t node_changefeed_ref(const node_changefeed_t *changefeed)
{
    return changefeed->ref;
}

const char *node_changefeed_name(const node_changefeed_t *changefeed)
{
    return changefeed->name;
}

node_link_t *node_changefeed_link(const node_changefeed_t *changefeed)
{
    return changefeed->link;
}

void *node_changefeed_hosted(const node_changefeed_t *changefeed)
{
    return changefeed->hosted;
}

uint64_t node_changefeed_epoch(const node_changefeed_t *changefeed)
{
    return dispatcher_set_epoch(changefeed->dispatchers);
}

uint32_t node_changefeed_dispatchers(const node_changefeed_t *changefeed)
{
    return dispatcher_set_count(changefeed->dispatchers);
}

/* ---- the maintainer ---- */

bool node_changefeed_reopen(node_changefeed_t *changefeed, node_link_t *link,
                            uint64_t maintainer_epoch, mono_ns_t now)
{
    uint64_t epoch = dispatcher_set_epoch(changefeed->dispatchers);
    if (!dispatcher_set_bootstrap(changefeed->dispatchers, maintainer_epoch, now))
        return false;
    if (maintainer_epoch != epoch)
        schema_report_listens_anew(&changefeed->schema);
    changefeed->link = link;
    node_changefeed_carry_out(changefeed, now);
    return true;
}

void node_changefeed_link_up(node_changefeed_t *changefeed, mono_ns_t now)
{
    dispatcher_set_offer_again(changefeed->dispatchers, now);
}

static void handle_persisted(node_changefeed_t *changefeed, commit_ts_t persisted, mono_ns_t now)
{
    if (persisted.v <= changefeed->persisted.v)
        return;
    changefeed->persisted = persisted;
    /* The checkpoint may be persisted before the DDLs below it are. */
    commit_ts_t told =
        changefeed->schema.is_active ? changefeed->schema.acknowledged : COMMIT_TS_MAX;
    changefeed->feed.set_persisted(changefeed->feed.self, persisted, told);
    if (changefeed->clean_up_at.v == UINT64_MAX)
        changefeed->clean_up_at = now;
}

static bool handle_bootstrap(node_changefeed_t *changefeed, node_link_t *link,
                             const message_t *message, mono_ns_t now)
{
    if (!node_changefeed_reopen(changefeed, link, message->header.maintainer_epoch, now))
        return false;
    node_changefeed_send_bootstrap(changefeed);
    for (int mode = 0; mode < PIPELINE_COUNT; mode++) {
        const dispatcher_t *trigger =
            dispatcher_set_trigger(changefeed->dispatchers, (pipeline_t)mode);
        if (trigger)
            node_changefeed_want_table_list(changefeed, (pipeline_t)mode,
                                            dispatcher_position(trigger).checkpoint);
    }
    return true;
}

bool node_changefeed_handle(node_changefeed_t *changefeed, node_link_t *link,
                            const message_t *message, mono_ns_t now)
{
    uint64_t epoch = message->header.maintainer_epoch;
    if (message->header.type == MESSAGE_BOOTSTRAP_REQUEST)
        return handle_bootstrap(changefeed, link, message, now);
    if (epoch != dispatcher_set_epoch(changefeed->dispatchers))
        return false;
    bool is_taken = true;
    if (message->header.type == MESSAGE_SCHEDULE_REQUEST) {
        is_taken = dispatcher_set_schedule(changefeed->dispatchers, epoch,
                                           &message->schedule_request, now);
    } else if (message->header.type == MESSAGE_HEARTBEAT_RESPONSE) {
        is_taken = dispatcher_set_respond(changefeed->dispatchers, epoch,
                                          &message->heartbeat_response, now);
        handle_persisted(changefeed, message->heartbeat_response.persisted_checkpoint, now);
    } else if (message->header.type == MESSAGE_SCHEMA_SNAPSHOT_ACK) {
        schema_report_acknowledged(&changefeed->schema, message->schema_snapshot_ack.at);
    } else if (message->header.type == MESSAGE_CANDIDATES_RESPONSE) {
        node_changefeed_handle_candidates(changefeed, &message->candidates_response, now);
    }
    node_changefeed_carry_out(changefeed, now);
    return is_taken;
}

void node_changefeed_stop(node_changefeed_t *changefeed, bool gracefully, mono_ns_t now)
{
    if (gracefully)
        dispatcher_set_close_all(changefeed->dispatchers, now);
    else
        dispatcher_set_abandon_all(changefeed->dispatchers, now);
    node_changefeed_carry_out(changefeed, now);
}

bool node_changefeed_is_idle(const node_changefeed_t *changefeed)
{
    return dispatcher_set_count(changefeed->dispatchers) == 0;
}
