/* The life of a changefeed: pre-flight, open, close, and its schema snapshot. */
#include "common/wire/codec_internal.h"

static bool is_bounded_text(ProtobufCBinaryData text)
{
    return text.len <= SETTING_BYTES_MAX && !(text.len && memchr(text.data, 0, text.len));
}

static ProtobufCBinaryData *put_list(codec_t *codec, const bytes_t *list, uint32_t count)
{
    ProtobufCBinaryData *to = arena_calloc(codec->arena, count, sizeof *to);
    for (uint32_t i = 0; i < count; i++)
        to[i] = codec_put_bytes(list[i]);
    return to;
}

static const bytes_t *get_list(codec_t *codec, const ProtobufCBinaryData *from, size_t count)
{
    bytes_t *list = arena_calloc(codec->arena, count, sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = codec_get_bytes(from[i]);
    return list;
}

/* ---- configuration ---- */

static Wire__ChangefeedConfig *put_config(codec_t *codec, const changefeed_config_t *config)
{
    Wire__ChangefeedConfig *to = codec_new(codec, &wire__changefeed_config__descriptor);
    to->name = codec_put_bytes(config->name);
    to->source = codec_put_bytes(config->source);
    to->sink = codec_put_bytes(config->sink);
    to->n_filter_rules = config->filter_rule_count;
    to->filter_rules = put_list(codec, config->filter_rules, config->filter_rule_count);
    to->n_options = config->option_count;
    to->options = arena_calloc(codec->arena, config->option_count, sizeof *to->options);
    for (uint32_t i = 0; i < config->option_count; i++) {
        to->options[i] = codec_new(codec, &wire__option__descriptor);
        to->options[i]->key = codec_put_bytes(config->options[i].key);
        to->options[i]->value = codec_put_bytes(config->options[i].value);
    }
    to->start = config->start;
    to->start_gtid_list = codec_put_bytes(config->start_gtid_list);
    to->domain = config->domain;
    return to;
}

static bool get_options(codec_t *codec, const Wire__ChangefeedConfig *from,
                        changefeed_config_t *config)
{
    option_t *options = arena_calloc(codec->arena, from->n_options, sizeof *options);
    for (size_t i = 0; i < from->n_options; i++) {
        const Wire__Option *option = from->options[i];
        if (!is_bounded_text(option->key) || !is_bounded_text(option->value) ||
            option->key.len == 0)
            return false;
        options[i] = (option_t){codec_get_bytes(option->key), codec_get_bytes(option->value)};
    }
    config->options = options;
    config->option_count = (uint32_t)from->n_options;
    return true;
}

static bool get_config(codec_t *codec, const Wire__ChangefeedConfig *from,
                       changefeed_config_t *config)
{
    if (!from || from->start > START_POSITION || from->n_filter_rules > SETTINGS_MAX ||
        from->n_options > SETTINGS_MAX)
        return false;
    *config = (changefeed_config_t){.name = codec_get_bytes(from->name),
                                    .source = codec_get_bytes(from->source),
                                    .sink = codec_get_bytes(from->sink),
                                    .filter_rules =
                                        get_list(codec, from->filter_rules, from->n_filter_rules),
                                    .filter_rule_count = (uint32_t)from->n_filter_rules,
                                    .start = (start_kind_t)from->start,
                                    .start_gtid_list = codec_get_bytes(from->start_gtid_list),
                                    .domain = from->domain};
    for (size_t i = 0; i < from->n_filter_rules; i++)
        if (!is_bounded_text(from->filter_rules[i]))
            return false;
    return changefeed_name_is_valid(config->name) && is_bounded_text(from->source) &&
           is_bounded_text(from->sink) && from->source.len && from->sink.len &&
           from->start_gtid_list.len < ANCHOR_GTID_LIST_MAX &&
           is_bounded_text(from->start_gtid_list) && get_options(codec, from, config);
}

/* ---- pre-flight ---- */

sluice_error_t codec_encode_check_request(codec_t *codec, const message_t *message,
                                          ProtobufCMessage **body)
{
    const check_request_t *request = &message->check_request;
    Wire__CheckRequest *to = codec_new(codec, &wire__check_request__descriptor);
    to->check_id = request->check_id;
    to->changefeed = codec_put_changefeed(codec, &request->changefeed);
    to->config = put_config(codec, &request->config);
    to->node_count = request->node_count;
    to->all_on_one_host = request->all_on_one_host;
    *body = &to->base;
    return SLUICE_OK;
}

sluice_error_t codec_decode_check_request(codec_t *codec, const ProtobufCMessage *body,
                                          message_t *message)
{
    const Wire__CheckRequest *from = (const Wire__CheckRequest *)body;
    check_request_t *request = &message->check_request;
    request->check_id = from->check_id;
    request->node_count = from->node_count;
    request->all_on_one_host = from->all_on_one_host;
    return codec_get_changefeed(from->changefeed, &request->changefeed) &&
                   get_config(codec, from->config, &request->config)
               ? SLUICE_OK
               : SLUICE_ERROR_MALFORMED;
}

sluice_error_t codec_encode_check_response(codec_t *codec, const message_t *message,
                                           ProtobufCMessage **body)
{
    const check_response_t *response = &message->check_response;
    if (response->warning_count > SETTINGS_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    Wire__CheckResponse *to = codec_new(codec, &wire__check_response__descriptor);
    to->check_id = response->check_id;
    to->error = codec_put_error(response->error);
    to->text = codec_put_bytes(response->text);
    to->n_warnings = response->warning_count;
    to->warnings = put_list(codec, response->warnings, response->warning_count);
    if (response->error == SLUICE_OK)
        to->anchor = codec_put_anchor(codec, &response->anchor);
    to->source_domain = response->source_domain;
    to->lower_case_names = response->lower_case_names;
    to->piece = response->piece;
    to->is_last_piece = response->is_last_piece;
    to->snapshot = codec_put_bytes(response->snapshot);
    *body = &to->base;
    return SLUICE_OK;
}

sluice_error_t codec_decode_check_response(codec_t *codec, const ProtobufCMessage *body,
                                           message_t *message)
{
    const Wire__CheckResponse *from = (const Wire__CheckResponse *)body;
    if (from->text.len > TEXT_BYTES_MAX || from->n_warnings > SETTINGS_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    check_response_t *response = &message->check_response;
    *response = (check_response_t){.check_id = from->check_id,
                                   .error = codec_get_error(codec, from->error),
                                   .text = codec_get_bytes(from->text),
                                   .warnings = get_list(codec, from->warnings, from->n_warnings),
                                   .warning_count = (uint32_t)from->n_warnings,
                                   .source_domain = from->source_domain,
                                   .lower_case_names = from->lower_case_names,
                                   .piece = from->piece,
                                   .is_last_piece = from->is_last_piece,
                                   .snapshot = codec_get_bytes(from->snapshot)};
    if (response->error != SLUICE_OK)
        return from->anchor ? SLUICE_ERROR_MALFORMED : SLUICE_OK;
    return codec_get_anchor(from->anchor, &response->anchor) ? SLUICE_OK : SLUICE_ERROR_MALFORMED;
}

/* ---- open and close ---- */

static Wire__SchemaDdl **put_ddls(codec_t *codec, const schema_ddl_t *ddls, uint32_t count)
{
    Wire__SchemaDdl **to = arena_calloc(codec->arena, count, sizeof *to);
    for (uint32_t i = 0; i < count; i++) {
        to[i] = codec_new(codec, &wire__schema_ddl__descriptor);
        to[i]->commit_ts = ddls[i].commit_ts.v;
        to[i]->commit_time = ddls[i].commit_time.v;
        to[i]->content = codec_put_bytes(ddls[i].content);
    }
    return to;
}

/* DDLs are applied in order, so that they must ascend and none may be missing: all or nothing. */
static bool get_ddls(codec_t *codec, Wire__SchemaDdl *const *from, size_t count,
                     const schema_ddl_t **ddls, uint32_t *ddl_count)
{
    schema_ddl_t *list = arena_calloc(codec->arena, count, sizeof *list);
    uint64_t previous = 0;
    for (size_t i = 0; i < count; i++) {
        if (from[i]->commit_ts <= previous || from[i]->commit_ts == COMMIT_TS_MAX.v)
            return false;
        previous = from[i]->commit_ts;
        list[i] = (schema_ddl_t){.commit_ts = {from[i]->commit_ts},
                                 .commit_time = {from[i]->commit_time},
                                 .content = codec_get_bytes(from[i]->content)};
    }
    *ddls = list;
    *ddl_count = (uint32_t)count;
    return true;
}

sluice_error_t codec_encode_changefeed_open(codec_t *codec, const message_t *message,
                                            ProtobufCMessage **body)
{
    const changefeed_open_t *open = &message->changefeed_open;
    Wire__ChangefeedOpen *to = codec_new(codec, &wire__changefeed_open__descriptor);
    to->changefeed = codec_put_changefeed(codec, &open->changefeed);
    if (open->piece == 0) {
        to->config = put_config(codec, &open->config);
        to->anchor = codec_put_anchor(codec, &open->anchor);
    }
    to->checkpoint = open->checkpoint.v;
    to->snapshot_ts = open->snapshot_ts.v;
    to->piece = open->piece;
    to->is_last_piece = open->is_last_piece;
    to->snapshot = codec_put_bytes(open->snapshot);
    to->n_ddls = open->ddl_count;
    to->ddls = put_ddls(codec, open->ddls, open->ddl_count);
    *body = &to->base;
    return SLUICE_OK;
}

sluice_error_t codec_decode_changefeed_open(codec_t *codec, const ProtobufCMessage *body,
                                            message_t *message)
{
    const Wire__ChangefeedOpen *from = (const Wire__ChangefeedOpen *)body;
    changefeed_open_t *open = &message->changefeed_open;
    open->checkpoint = (commit_ts_t){from->checkpoint};
    open->snapshot_ts = (commit_ts_t){from->snapshot_ts};
    open->piece = from->piece;
    open->is_last_piece = from->is_last_piece;
    open->snapshot = codec_get_bytes(from->snapshot);
    bool has_first = from->config && from->anchor;
    if (!codec_get_changefeed(from->changefeed, &open->changefeed) ||
        from->checkpoint == COMMIT_TS_MAX.v || has_first != (from->piece == 0))
        return SLUICE_ERROR_MALFORMED;
    if (has_first && (!get_config(codec, from->config, &open->config) ||
                      !codec_get_anchor(from->anchor, &open->anchor)))
        return SLUICE_ERROR_MALFORMED;
    return get_ddls(codec, from->ddls, from->n_ddls, &open->ddls, &open->ddl_count)
               ? SLUICE_OK
               : SLUICE_ERROR_MALFORMED;
}

sluice_error_t codec_encode_changefeed_opened(codec_t *codec, const message_t *message,
                                              ProtobufCMessage **body)
{
    Wire__ChangefeedOpened *to = codec_new(codec, &wire__changefeed_opened__descriptor);
    to->changefeed = codec_put_changefeed(codec, &message->changefeed_opened.changefeed);
    to->error = codec_put_error(message->changefeed_opened.error);
    to->text = codec_put_bytes(message->changefeed_opened.text);
    *body = &to->base;
    return SLUICE_OK;
}

sluice_error_t codec_decode_changefeed_opened(codec_t *codec, const ProtobufCMessage *body,
                                              message_t *message)
{
    const Wire__ChangefeedOpened *from = (const Wire__ChangefeedOpened *)body;
    changefeed_opened_t *opened = &message->changefeed_opened;
    opened->error = codec_get_error(codec, from->error);
    opened->text = codec_get_bytes(from->text);
    return codec_get_changefeed(from->changefeed, &opened->changefeed) &&
                   from->text.len <= TEXT_BYTES_MAX
               ? SLUICE_OK
               : SLUICE_ERROR_MALFORMED;
}

sluice_error_t codec_encode_changefeed_close(codec_t *codec, const message_t *message,
                                             ProtobufCMessage **body)
{
    Wire__ChangefeedClose *to = codec_new(codec, &wire__changefeed_close__descriptor);
    to->changefeed = codec_put_changefeed(codec, &message->changefeed_close.changefeed);
    to->is_removed = message->changefeed_close.is_removed;
    if (to->is_removed)
        to->config = put_config(codec, &message->changefeed_close.config);
    *body = &to->base;
    return SLUICE_OK;
}

sluice_error_t codec_decode_changefeed_close(codec_t *codec, const ProtobufCMessage *body,
                                             message_t *message)
{
    const Wire__ChangefeedClose *from = (const Wire__ChangefeedClose *)body;
    changefeed_close_t *close = &message->changefeed_close;
    close->is_removed = from->is_removed;
    if (!codec_get_changefeed(from->changefeed, &close->changefeed) ||
        close->is_removed != (from->config != NULL))
        return SLUICE_ERROR_MALFORMED;
    return !from->config || get_config(codec, from->config, &close->config)
               ? SLUICE_OK
               : SLUICE_ERROR_MALFORMED;
}

sluice_error_t codec_encode_changefeed_closed(codec_t *codec, const message_t *message,
                                              ProtobufCMessage **body)
{
    Wire__ChangefeedClosed *to = codec_new(codec, &wire__changefeed_closed__descriptor);
    to->changefeed = codec_put_changefeed(codec, &message->changefeed_closed.changefeed);
    *body = &to->base;
    return SLUICE_OK;
}

sluice_error_t codec_decode_changefeed_closed(codec_t *codec, const ProtobufCMessage *body,
                                              message_t *message)
{
    (void)codec;
    const Wire__ChangefeedClosed *from = (const Wire__ChangefeedClosed *)body;
    return codec_get_changefeed(from->changefeed, &message->changefeed_closed.changefeed)
               ? SLUICE_OK
               : SLUICE_ERROR_MALFORMED;
}

/* ---- schema snapshot ---- */

sluice_error_t codec_encode_schema_snapshot(codec_t *codec, const message_t *message,
                                            ProtobufCMessage **body)
{
    const schema_snapshot_t *snapshot = &message->schema_snapshot;
    Wire__SchemaSnapshot *to = codec_new(codec, &wire__schema_snapshot__descriptor);
    to->changefeed = codec_put_changefeed(codec, &snapshot->changefeed);
    to->at = snapshot->at.v;
    to->piece = snapshot->piece;
    to->is_last_piece = snapshot->is_last_piece;
    to->snapshot = codec_put_bytes(snapshot->snapshot);
    *body = &to->base;
    return SLUICE_OK;
}

sluice_error_t codec_decode_schema_snapshot(codec_t *codec, const ProtobufCMessage *body,
                                            message_t *message)
{
    (void)codec;
    const Wire__SchemaSnapshot *from = (const Wire__SchemaSnapshot *)body;
    schema_snapshot_t *snapshot = &message->schema_snapshot;
    *snapshot = (schema_snapshot_t){.at = {from->at},
                                    .piece = from->piece,
                                    .is_last_piece = from->is_last_piece,
                                    .snapshot = codec_get_bytes(from->snapshot)};
    return codec_get_changefeed(from->changefeed, &snapshot->changefeed) &&
                   from->at != COMMIT_TS_MAX.v
               ? SLUICE_OK
               : SLUICE_ERROR_MALFORMED;
}

sluice_error_t codec_encode_schema_ddls(codec_t *codec, const message_t *message,
                                        ProtobufCMessage **body)
{
    const schema_ddls_t *ddls = &message->schema_ddls;
    Wire__SchemaDdls *to = codec_new(codec, &wire__schema_ddls__descriptor);
    to->changefeed = codec_put_changefeed(codec, &ddls->changefeed);
    to->n_ddls = ddls->ddl_count;
    to->ddls = put_ddls(codec, ddls->ddls, ddls->ddl_count);
    to->after = ddls->after.v;
    to->up_to = ddls->up_to.v;
    *body = &to->base;
    return SLUICE_OK;
}

/* All of them lie in (after, up_to]. */
static bool is_inside(const schema_ddls_t *ddls)
{
    if (ddls->after.v > ddls->up_to.v || ddls->up_to.v == COMMIT_TS_MAX.v)
        return false;
    return ddls->ddl_count == 0 || (ddls->ddls[0].commit_ts.v > ddls->after.v &&
                                    ddls->ddls[ddls->ddl_count - 1].commit_ts.v <= ddls->up_to.v);
}

sluice_error_t codec_decode_schema_ddls(codec_t *codec, const ProtobufCMessage *body,
                                        message_t *message)
{
    const Wire__SchemaDdls *from = (const Wire__SchemaDdls *)body;
    schema_ddls_t *ddls = &message->schema_ddls;
    ddls->after = (commit_ts_t){from->after};
    ddls->up_to = (commit_ts_t){from->up_to};
    return codec_get_changefeed(from->changefeed, &ddls->changefeed) &&
                   get_ddls(codec, from->ddls, from->n_ddls, &ddls->ddls, &ddls->ddl_count) &&
                   is_inside(ddls)
               ? SLUICE_OK
               : SLUICE_ERROR_MALFORMED;
}

sluice_error_t codec_encode_schema_snapshot_ack(codec_t *codec, const message_t *message,
                                                ProtobufCMessage **body)
{
    Wire__SchemaSnapshotAck *to = codec_new(codec, &wire__schema_snapshot_ack__descriptor);
    to->changefeed = codec_put_changefeed(codec, &message->schema_snapshot_ack.changefeed);
    to->at = message->schema_snapshot_ack.at.v;
    *body = &to->base;
    return SLUICE_OK;
}

sluice_error_t codec_decode_schema_snapshot_ack(codec_t *codec, const ProtobufCMessage *body,
                                                message_t *message)
{
    (void)codec;
    const Wire__SchemaSnapshotAck *from = (const Wire__SchemaSnapshotAck *)body;
    message->schema_snapshot_ack.at = (commit_ts_t){from->at};
    return codec_get_changefeed(from->changefeed, &message->schema_snapshot_ack.changefeed)
               ? SLUICE_OK
               : SLUICE_ERROR_MALFORMED;
}
