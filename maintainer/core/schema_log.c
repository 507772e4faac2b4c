#include "maintainer/core/schema_log.h"

#include <stdlib.h>

#include "common/base/memory.h"

/* Whole snapshots that an anchor may still be behind. More cannot be: each is 1,000 DDLs long. */
enum { SNAPSHOTS_MAX = 64, PIECES_SAVING_MAX = 256 };

struct schema_log {
    commit_ts_t old_to; /* the chain of the persisted anchor reaches to here */
    bool has_new;       /* and behind a gap there is another */
    commit_ts_t new_from, new_to;
    commit_ts_t snapshots[SNAPSHOTS_MAX]; /* whole and persisted, ascending, not yet forgotten */
    uint32_t snapshot_count;
    /* DDLs being persisted; one message at a time. */
    bool is_saving_ddls;
    uint64_t ddls_id;
    node_index_t ddls_node;
    commit_ts_t after, up_to;
    /* The snapshot whose pieces are coming or being persisted. */
    bool is_receiving, has_last_piece;
    node_index_t snapshot_node;
    commit_ts_t snapshot_at;
    uint32_t next_piece;
    uint64_t piece_ids[PIECES_SAVING_MAX];
    uint32_t piece_count;
};

schema_log_t *schema_log_new(commit_ts_t complete_to)
{
    schema_log_t *log = memory_zalloc(sizeof *log);
    log->old_to = complete_to;
    return log;
}

void schema_log_destroy(schema_log_t **log)
{
    free(*log);
    *log = NULL;
}

commit_ts_t schema_log_complete_to(const schema_log_t *log)
{
    return log->has_new ? log->new_to : log->old_to;
}

static void acknowledge(const schema_log_t *log, node_index_t node, const sender_t *sender)
{
    message_t *message = sender_message(sender, node, MESSAGE_SCHEMA_SNAPSHOT_ACK);
    if (message)
        message->schema_snapshot_ack =
            (schema_snapshot_ack_t){.changefeed = sender->ref, .at = schema_log_complete_to(log)};
}

static void extend(schema_log_t *log, commit_ts_t after, commit_ts_t up_to)
{
    commit_ts_t *to = log->has_new ? &log->new_to : &log->old_to;
    if (after.v <= to->v && up_to.v > to->v)
        *to = up_to;
}

static const schema_ddl_t *copy_ddls(const sender_t *sender, const schema_ddls_t *from)
{
    arena_t *arena = &sender->effects->arena;
    schema_ddl_t *list = arena_calloc(arena, from->ddl_count, sizeof *list);
    for (uint32_t i = 0; i < from->ddl_count; i++) {
        list[i] = from->ddls[i];
        list[i].content = arena_bytes(arena, from->ddls[i].content);
    }
    return list;
}

void schema_log_ddls(schema_log_t *log, node_index_t node, const schema_ddls_t *ddls,
                     const sender_t *sender, uint64_t *next_persist_id)
{
    commit_ts_t complete_to = schema_log_complete_to(log);
    bool is_gap = ddls->after.v > complete_to.v;
    bool is_known = ddls->up_to.v <= complete_to.v;
    if (is_gap || is_known || ddls->ddl_count == 0) {
        if (!is_gap)
            extend(log, ddls->after, ddls->up_to);
        acknowledge(log, node, sender);
        return;
    }
    if (log->is_saving_ddls)
        return;
    log->is_saving_ddls = true;
    log->ddls_id = (*next_persist_id)++;
    log->ddls_node = node;
    log->after = ddls->after;
    log->up_to = ddls->up_to;
    const schema_ddl_t *list = copy_ddls(sender, ddls);
    effect_t *effect = effects_add(sender->effects, EFFECT_PERSIST_DDLS);
    effect->persist_id = log->ddls_id;
    effect->changefeed = sender->ref;
    effect->maintainer_epoch = sender->maintainer_epoch;
    effect->ddls.list = list;
    effect->ddls.count = ddls->ddl_count;
    effect->ddls.schema_to = ddls->up_to;
}

static bool is_whole(const schema_log_t *log, commit_ts_t at)
{
    for (uint32_t i = 0; i < log->snapshot_count; i++)
        if (log->snapshots[i].v == at.v)
            return true;
    return false;
}

void schema_log_snapshot(schema_log_t *log, node_index_t node, const schema_snapshot_t *snapshot,
                         const sender_t *sender, uint64_t *next_persist_id)
{
    if (is_whole(log, snapshot->at)) {
        acknowledge(log, node, sender);
        return;
    }
    /* One is here as a whole and on its way to the meta store. */
    if (log->is_receiving && log->has_last_piece)
        return;
    if (snapshot->piece == 0) {
        /* What became of pieces of one that never was whole does not matter. */
        log->piece_count = 0;
        log->is_receiving = true;
        log->has_last_piece = false;
        log->snapshot_at = snapshot->at;
        log->next_piece = 0;
        log->snapshot_node = node;
    }
    if (!log->is_receiving || snapshot->at.v != log->snapshot_at.v ||
        node.v != log->snapshot_node.v || snapshot->piece != log->next_piece ||
        log->piece_count == PIECES_SAVING_MAX)
        return;
    log->next_piece++;
    log->has_last_piece = snapshot->is_last_piece;
    uint64_t persist_id = log->piece_ids[log->piece_count++] = (*next_persist_id)++;
    bytes_t content = arena_bytes(&sender->effects->arena, snapshot->snapshot);
    effect_t *effect = effects_add(sender->effects, EFFECT_PERSIST_SNAPSHOT);
    effect->persist_id = persist_id;
    effect->changefeed = sender->ref;
    effect->maintainer_epoch = sender->maintainer_epoch;
    effect->snapshot.at = snapshot->at;
    effect->snapshot.piece = snapshot->piece;
    effect->snapshot.is_last_piece = snapshot->is_last_piece;
    effect->snapshot.content = content;
}

static void snapshot_is_whole(schema_log_t *log)
{
    log->is_receiving = false;
    if (log->snapshot_count == SNAPSHOTS_MAX) {
        memmove(log->snapshots, log->snapshots + 1, (SNAPSHOTS_MAX - 1) * sizeof log->snapshots[0]);
        log->snapshot_count--;
    }
    log->snapshots[log->snapshot_count++] = log->snapshot_at;
    if (log->snapshot_at.v <= schema_log_complete_to(log).v)
        return;
    log->has_new = true;
    log->new_from = log->new_to = log->snapshot_at;
}

static bool take_piece_id(schema_log_t *log, uint64_t persist_id)
{
    for (uint32_t i = 0; i < log->piece_count; i++)
        if (log->piece_ids[i] == persist_id) {
            log->piece_ids[i] = log->piece_ids[--log->piece_count];
            return true;
        }
    return false;
}

bool schema_log_persisted(schema_log_t *log, uint64_t persist_id, sluice_error_t error,
                          const sender_t *sender)
{
    if (log->is_saving_ddls && persist_id == log->ddls_id) {
        log->is_saving_ddls = false;
        if (error == SLUICE_OK) {
            extend(log, log->after, log->up_to);
            acknowledge(log, log->ddls_node, sender);
        }
        return true;
    }
    if (!take_piece_id(log, persist_id))
        return false;
    /* After a failure the node repeats it from the first piece. */
    if (error != SLUICE_OK)
        log->is_receiving = false;
    if (log->is_receiving && log->has_last_piece && log->piece_count == 0) {
        snapshot_is_whole(log);
        acknowledge(log, log->snapshot_node, sender);
    }
    return true;
}

bool schema_log_allows(const schema_log_t *log, commit_ts_t anchor)
{
    return anchor.v <= log->old_to.v ||
           (log->has_new && anchor.v >= log->new_from.v && anchor.v <= log->new_to.v);
}

commit_ts_t schema_log_bound(const schema_log_t *log, commit_ts_t checkpoint)
{
    if (log->has_new && checkpoint.v >= log->new_from.v)
        return checkpoint.v < log->new_to.v ? checkpoint : log->new_to;
    return checkpoint.v < log->old_to.v ? checkpoint : log->old_to;
}

void schema_log_anchored(schema_log_t *log, commit_ts_t anchor, const sender_t *sender)
{
    if (log->has_new && anchor.v >= log->new_from.v) {
        log->old_to = log->new_to;
        log->has_new = false;
    }
    uint32_t base = log->snapshot_count;
    while (base && log->snapshots[base - 1].v > anchor.v)
        base--;
    if (base == 0)
        return;
    effect_t *effect = effects_add(sender->effects, EFFECT_FORGET_SCHEMA);
    effect->changefeed = sender->ref;
    effect->maintainer_epoch = sender->maintainer_epoch;
    effect->at = log->snapshots[base - 1];
    /* The base is remembered by the meta store; here only what comes after it counts. */
    memmove(log->snapshots, log->snapshots + base,
            (log->snapshot_count - base) * sizeof log->snapshots[0]);
    log->snapshot_count -= base;
}
