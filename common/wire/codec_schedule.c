/* What a new maintainer learns and what it orders: bootstrap, table list, schedule. */
#include "common/wire/codec_internal.h"

sluice_error_t codec_encode_bootstrap_request(codec_t *codec, const message_t *message,
                                              ProtobufCMessage **body)
{
    Wire__BootstrapRequest *to = codec_new(codec, &wire__bootstrap_request__descriptor);
    to->changefeed = codec_put_changefeed(codec, &message->bootstrap_request.changefeed);
    *body = &to->base;
    return SLUICE_OK;
}

sluice_error_t codec_decode_bootstrap_request(codec_t *codec, const ProtobufCMessage *body,
                                              message_t *message)
{
    (void)codec;
    const Wire__BootstrapRequest *from = (const Wire__BootstrapRequest *)body;
    return codec_get_changefeed(from->changefeed, &message->bootstrap_request.changefeed)
               ? SLUICE_OK
               : SLUICE_ERROR_MALFORMED;
}

/* ---- bootstrap answer ---- */

static Wire__BootstrapEntry *put_entry(codec_t *codec, const bootstrap_entry_t *entry)
{
    Wire__BootstrapEntry *to = codec_new(codec, &wire__bootstrap_entry__descriptor);
    to->dispatcher_hi = entry->dispatcher_id.hi;
    to->dispatcher_lo = entry->dispatcher_id.lo;
    to->span = codec_put_span(codec, entry->span);
    to->mode = entry->mode;
    to->state = entry->state;
    to->position = codec_put_position(codec, entry->position);
    to->assignment_maintainer_epoch = entry->assignment_epoch.maintainer_epoch;
    to->assignment_counter = entry->assignment_epoch.counter;
    to->stage = entry->stage;
    if (entry->stage != STAGE_NONE) {
        to->key = codec_put_key(codec, entry->key);
        to->is_blocked = entry->is_blocked;
        to->payload = entry->payload ? codec_put_payload(codec, entry->payload) : NULL;
    }
    return to;
}

sluice_error_t codec_encode_bootstrap_response(codec_t *codec, const message_t *message,
                                               ProtobufCMessage **body)
{
    const bootstrap_response_t *response = &message->bootstrap_response;
    if (response->entry_count > ENTRIES_PER_PIECE_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    Wire__BootstrapResponse *to = codec_new(codec, &wire__bootstrap_response__descriptor);
    to->changefeed = codec_put_changefeed(codec, &response->changefeed);
    to->piece = response->piece;
    to->is_last_piece = response->is_last_piece;
    to->watermark_seq = response->watermark_seq;
    to->n_entries = response->entry_count;
    to->entries = arena_calloc(codec->arena, response->entry_count, sizeof *to->entries);
    for (uint32_t i = 0; i < response->entry_count; i++)
        to->entries[i] = put_entry(codec, &response->entries[i]);
    *body = &to->base;
    return SLUICE_OK;
}

static bool get_barrier_state(codec_t *codec, const Wire__BootstrapEntry *from,
                              bootstrap_entry_t *entry)
{
    entry->stage = (block_stage_t)from->stage;
    if (entry->stage == STAGE_NONE)
        return !from->key && !from->payload;
    entry->is_blocked = from->is_blocked;
    if (!codec_get_key(from->key, &entry->key) || !codec_is_event(entry->key))
        return false;
    entry->payload = codec_get_payload(codec, from->payload, entry->key.is_syncpoint);
    return entry->payload != NULL;
}

static bool get_entry(codec_t *codec, const Wire__BootstrapEntry *from, bootstrap_entry_t *entry)
{
    *entry = (bootstrap_entry_t){
        .dispatcher_id = {from->dispatcher_hi, from->dispatcher_lo},
        .mode = (pipeline_t)from->mode,
        .state = (dispatcher_state_t)from->state,
        .assignment_epoch = {from->assignment_maintainer_epoch, from->assignment_counter}};
    return !dispatcher_id_is_none(entry->dispatcher_id) && codec_is_mode(from->mode) &&
           from->state <= DISPATCHER_FAILED && from->stage <= STAGE_DONE &&
           codec_get_span(from->span, &entry->span) &&
           codec_get_position(from->position, &entry->position) &&
           get_barrier_state(codec, from, entry);
}

sluice_error_t codec_decode_bootstrap_response(codec_t *codec, const ProtobufCMessage *body,
                                               message_t *message)
{
    const Wire__BootstrapResponse *from = (const Wire__BootstrapResponse *)body;
    bootstrap_response_t *response = &message->bootstrap_response;
    if (from->n_entries > ENTRIES_PER_PIECE_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    if (!codec_get_changefeed(from->changefeed, &response->changefeed))
        return SLUICE_ERROR_MALFORMED;
    response->piece = from->piece;
    response->is_last_piece = from->is_last_piece;
    response->watermark_seq = from->watermark_seq;
    bootstrap_entry_t *entries = arena_calloc(codec->arena, from->n_entries, sizeof *entries);
    for (size_t i = 0; i < from->n_entries; i++) {
        if (get_entry(codec, from->entries[i], &entries[response->entry_count]))
            response->entry_count++;
        else
            codec->refused++;
    }
    response->entries = entries;
    return SLUICE_OK;
}

/* ---- table list ---- */

sluice_error_t codec_encode_table_list(codec_t *codec, const message_t *message,
                                       ProtobufCMessage **body)
{
    const table_list_t *list = &message->table_list;
    if (list->table_count > ENTRIES_PER_PIECE_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    Wire__TableList *to = codec_new(codec, &wire__table_list__descriptor);
    to->changefeed = codec_put_changefeed(codec, &list->changefeed);
    to->mode = list->mode;
    to->at = list->at.v;
    to->piece = list->piece;
    to->is_last_piece = list->is_last_piece;
    to->n_tables = list->table_count;
    to->tables = codec_put_tables(codec, list->tables, list->table_count);
    *body = &to->base;
    return SLUICE_OK;
}

/* A table list with a hole would drop a table for good, so that one wrong entry refuses it all. */
sluice_error_t codec_decode_table_list(codec_t *codec, const ProtobufCMessage *body,
                                       message_t *message)
{
    const Wire__TableList *from = (const Wire__TableList *)body;
    table_list_t *list = &message->table_list;
    if (from->n_tables > ENTRIES_PER_PIECE_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    if (!codec_get_changefeed(from->changefeed, &list->changefeed) || !codec_is_mode(from->mode) ||
        from->at == COMMIT_TS_MAX.v)
        return SLUICE_ERROR_MALFORMED;
    list->mode = (pipeline_t)from->mode;
    list->at = (commit_ts_t){from->at};
    list->piece = from->piece;
    list->is_last_piece = from->is_last_piece;
    table_info_t *tables = arena_calloc(codec->arena, from->n_tables, sizeof *tables);
    for (size_t i = 0; i < from->n_tables; i++)
        if (!codec_get_table(from->tables[i], &tables[i]))
            return SLUICE_ERROR_MALFORMED;
    list->tables = tables;
    list->table_count = (uint32_t)from->n_tables;
    return SLUICE_OK;
}

/* ---- schedule ---- */

static Wire__ScheduleCreate *put_create(codec_t *codec, const schedule_create_t *create)
{
    Wire__ScheduleCreate *to = codec_new(codec, &wire__schedule_create__descriptor);
    to->dispatcher_hi = create->dispatcher_id.hi;
    to->dispatcher_lo = create->dispatcher_id.lo;
    to->span = codec_put_span(codec, create->span);
    to->mode = create->mode;
    to->start = codec_put_position(codec, create->start);
    to->created = create->created.v;
    to->assignment_maintainer_epoch = create->assignment_epoch.maintainer_epoch;
    to->assignment_counter = create->assignment_epoch.counter;
    to->wants_table_list = create->wants_table_list;
    to->is_split = create->is_split;
    return to;
}

sluice_error_t codec_encode_schedule_request(codec_t *codec, const message_t *message,
                                             ProtobufCMessage **body)
{
    const schedule_request_t *request = &message->schedule_request;
    if (request->create_count > ENTRIES_PER_PIECE_MAX ||
        request->close_count > ENTRIES_PER_PIECE_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    Wire__ScheduleRequest *to = codec_new(codec, &wire__schedule_request__descriptor);
    to->changefeed = codec_put_changefeed(codec, &request->changefeed);
    to->n_creates = request->create_count;
    to->creates = arena_calloc(codec->arena, request->create_count, sizeof *to->creates);
    for (uint32_t i = 0; i < request->create_count; i++)
        to->creates[i] = put_create(codec, &request->creates[i]);
    to->closes = codec_put_ids(request->closes);
    to->n_closes = (size_t)request->close_count * 2;
    *body = &to->base;
    return SLUICE_OK;
}

static bool get_create(const Wire__ScheduleCreate *from, schedule_create_t *create)
{
    *create = (schedule_create_t){
        .dispatcher_id = {from->dispatcher_hi, from->dispatcher_lo},
        .mode = (pipeline_t)from->mode,
        .created = {from->created},
        .assignment_epoch = {from->assignment_maintainer_epoch, from->assignment_counter},
        .wants_table_list = from->wants_table_list,
        .is_split = from->is_split};
    return !dispatcher_id_is_none(create->dispatcher_id) && codec_is_mode(from->mode) &&
           from->created != COMMIT_TS_MAX.v && codec_get_span(from->span, &create->span) &&
           codec_get_position(from->start, &create->start);
}

sluice_error_t codec_decode_schedule_request(codec_t *codec, const ProtobufCMessage *body,
                                             message_t *message)
{
    const Wire__ScheduleRequest *from = (const Wire__ScheduleRequest *)body;
    schedule_request_t *request = &message->schedule_request;
    if (from->n_creates > ENTRIES_PER_PIECE_MAX || from->n_closes > 2 * ENTRIES_PER_PIECE_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    if (!codec_get_changefeed(from->changefeed, &request->changefeed) ||
        !codec_get_ids(from->closes, from->n_closes, &request->closes, &request->close_count))
        return SLUICE_ERROR_MALFORMED;
    schedule_create_t *creates = arena_calloc(codec->arena, from->n_creates, sizeof *creates);
    for (size_t i = 0; i < from->n_creates; i++) {
        if (get_create(from->creates[i], &creates[request->create_count]))
            request->create_count++;
        else
            codec->refused++;
    }
    request->creates = creates;
    return SLUICE_OK;
}
