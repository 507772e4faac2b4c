#include "maintainer/shell/open_sender.h"

typedef struct {
    changefeed_open_t piece;
    open_piece_t *take;
    void *context;
} cutter_t;

static void emit(cutter_t *cutter, bool is_last)
{
    cutter->piece.is_last_piece = is_last;
    cutter->take(cutter->context, &cutter->piece);
    cutter->piece.piece++;
    cutter->piece.snapshot = bytes_of(NULL, 0);
    cutter->piece.ddl_count = 0;
}

static void cut_snapshot(cutter_t *cutter, bytes_t snapshot)
{
    while (snapshot.len > OPEN_PIECE_BYTES) {
        cutter->piece.snapshot = bytes_of(snapshot.data, OPEN_PIECE_BYTES);
        snapshot = bytes_of(snapshot.data + OPEN_PIECE_BYTES, snapshot.len - OPEN_PIECE_BYTES);
        emit(cutter, false);
    }
    cutter->piece.snapshot = snapshot;
}

static void cut_ddls(cutter_t *cutter, const schema_ddl_t *ddls, uint32_t count)
{
    size_t filled = cutter->piece.snapshot.len;
    cutter->piece.ddls = ddls;
    for (uint32_t i = 0; i < count; i++) {
        size_t len = ddls[i].content.len + sizeof ddls[i];
        if (filled + len > OPEN_PIECE_BYTES && filled > 0) {
            emit(cutter, false);
            cutter->piece.ddls = &ddls[i];
            filled = 0;
        }
        cutter->piece.ddl_count++;
        filled += len;
    }
}

void open_sender_cut(const changefeed_open_t *whole, open_piece_t *take, void *context)
{
    cutter_t cutter = {.piece = *whole, .take = take, .context = context};
    cutter.piece.piece = 0;
    cutter.piece.ddl_count = 0;
    cut_snapshot(&cutter, whole->snapshot);
    cut_ddls(&cutter, whole->ddls, whole->ddl_count);
    emit(&cutter, true);
}

typedef struct {
    control_router_t *router;
    mono_ns_t now;
    const effect_t *effect;
} sending_t;

static void send_piece(void *context, const changefeed_open_t *piece)
{
    const sending_t *sending = context;
    message_t message = {.header = {.version = SLUICE_PROTOCOL_VERSION,
                                    .type = MESSAGE_CHANGEFEED_OPEN,
                                    .sender = sending->router->name,
                                    .incarnation = sending->router->incarnation,
                                    .maintainer_epoch = sending->effect->maintainer_epoch},
                         .changefeed_open = *piece};
    control_router_send(sending->router, sending->now, &sending->effect->node,
                        sending->effect->incarnation, &message);
}

sluice_error_t open_sender_send(meta_store_t *store, control_router_t *router, mono_ns_t now,
                                const effect_t *effect, error_report_t *report)
{
    arena_t arena = {0};
    stored_changefeed_t stored;
    meta_schema_t schema;
    const changefeed_ref_t *feed = &effect->changefeed;
    sluice_error_t error = store->class->load_changefeed(store, feed, &arena, &stored, report);
    if (error == SLUICE_OK)
        error = store->class->load_schema(store, feed, effect->position.anchor.commit_ts, &arena,
                                          &schema, report);
    if (error == SLUICE_OK) {
        changefeed_open_t whole = {.changefeed = *feed,
                                   .config = stored.config,
                                   .anchor = effect->position.anchor,
                                   .checkpoint = effect->position.checkpoint,
                                   .snapshot_ts = schema.snapshot_ts,
                                   .snapshot = schema.snapshot,
                                   .ddls = schema.ddls,
                                   .ddl_count = schema.ddl_count};
        sending_t sending = {.router = router, .now = now, .effect = effect};
        open_sender_cut(&whole, send_piece, &sending);
    }
    arena_clear(&arena);
    return error;
}
