#include "tests/sim/meta_store.h"

#include <stdlib.h>

#include "common/base/memory.h"

enum { FEEDS_MAX = 16, SNAPSHOTS_MAX = 64, DDLS_MAX = 1024 };
/* Of a thousand writes: durable, but the answer was lost. */
#define LOST_ANSWERS 3

typedef struct {
    commit_ts_t at;
    uint32_t pieces;
    bool is_complete;
    uint8_t *bytes;
    size_t len;
} snapshot_t;

typedef struct {
    changefeed_ref_t ref; /* a snapshot may come before its changefeed */
    snapshot_t snapshots[SNAPSHOTS_MAX];
    uint32_t snapshot_count;
    schema_ddl_t ddls[DDLS_MAX]; /* ascending; contents are malloced */
    uint32_t ddl_count;
} schema_t;

typedef struct {
    bool is_used;
    arena_t arena; /* of `stored` */
    stored_changefeed_t stored;
} feed_t;

struct sim_store {
    sim_world_t *world;
    sim_random_t random;
    uint64_t owner;
    bool is_gone;
    sim_slot_t slots[SIM_NODES_MAX];
    uint32_t slot_count;
    feed_t feeds[FEEDS_MAX];
    schema_t *schemas[FEEDS_MAX];
};

/* ---- life ---- */

sim_store_t *sim_store_new(sim_world_t *world)
{
    sim_store_t *store = memory_zalloc(sizeof *store);
    store->world = world;
    store->random = sim_random_split(&world->random);
    return store;
}

static void schema_free(schema_t *schema)
{
    for (uint32_t i = 0; i < schema->snapshot_count; i++)
        free(schema->snapshots[i].bytes);
    for (uint32_t i = 0; i < schema->ddl_count; i++)
        free((void *)(uintptr_t)schema->ddls[i].content.data);
    free(schema);
}

void sim_store_destroy(sim_store_t **store)
{
    for (uint32_t i = 0; i < FEEDS_MAX; i++) {
        arena_clear(&(*store)->feeds[i].arena);
        if ((*store)->schemas[i])
            schema_free((*store)->schemas[i]);
    }
    free(*store);
    *store = NULL;
}

void sim_store_set_gone(sim_store_t *store, bool is_gone)
{
    store->is_gone = is_gone;
    sim_trace(store->world, "store", is_gone ? "is gone" : "is back");
}

/* ---- changefeeds ---- */

static bool same_ref(const changefeed_ref_t *a, const changefeed_ref_t *b)
{
    return changefeed_uuid_equal(a->uuid, b->uuid) && a->generation == b->generation;
}

static feed_t *find_uuid(const sim_store_t *store, changefeed_uuid_t uuid)
{
    for (uint32_t i = 0; i < FEEDS_MAX; i++)
        if (store->feeds[i].is_used && changefeed_uuid_equal(store->feeds[i].stored.ref.uuid, uuid))
            return (feed_t *)(uintptr_t)&store->feeds[i];
    return NULL;
}

const stored_changefeed_t *sim_store_find(const sim_store_t *store, bytes_t name)
{
    for (uint32_t i = 0; i < FEEDS_MAX; i++)
        if (store->feeds[i].is_used && bytes_equal(store->feeds[i].stored.config.name, name))
            return &store->feeds[i].stored;
    return NULL;
}

static stored_changefeed_t stored_copy(arena_t *arena, const stored_changefeed_t *from)
{
    stored_changefeed_t copy = *from;
    copy.config = changefeed_config_copy(arena, &from->config);
    copy.error_text = arena_bytes(arena, from->error_text);
    return copy;
}

static sluice_error_t put_changefeed(sim_store_t *store, const effect_t *effect)
{
    feed_t *feed = find_uuid(store, effect->changefeed.uuid);
    if (feed && feed->stored.maintainer_epoch > effect->maintainer_epoch)
        return SLUICE_ERROR_NOT_OWNER;
    if (!feed && sim_store_find(store, effect->stored.config.name))
        return SLUICE_ERROR_EXISTS;
    for (uint32_t i = 0; !feed && i < FEEDS_MAX; i++)
        if (!store->feeds[i].is_used)
            feed = &store->feeds[i];
    if (!feed)
        return SLUICE_ERROR_NO_SPACE;
    arena_t arena = {0};
    stored_changefeed_t stored = stored_copy(&arena, &effect->stored);
    stored.ref = effect->changefeed;
    stored.maintainer_epoch = effect->maintainer_epoch;
    arena_clear(&feed->arena);
    *feed = (feed_t){.is_used = true, .arena = arena, .stored = stored};
    return SLUICE_OK;
}

/* That changefeed if the writer may write it. */
static sluice_error_t find_own(const sim_store_t *store, const effect_t *effect, feed_t **feed)
{
    *feed = find_uuid(store, effect->changefeed.uuid);
    if (!*feed)
        return SLUICE_ERROR_NOT_FOUND;
    return (*feed)->stored.ref.generation != effect->changefeed.generation ||
                   (*feed)->stored.maintainer_epoch > effect->maintainer_epoch
               ? SLUICE_ERROR_NOT_OWNER
               : SLUICE_OK;
}

static sluice_error_t put_state(sim_store_t *store, const effect_t *effect)
{
    feed_t *feed;
    sluice_error_t error = find_own(store, effect, &feed);
    if (error != SLUICE_OK)
        return error;
    stored_changefeed_t *stored = &feed->stored;
    stored->state = effect->stored.state;
    stored->error = effect->stored.error;
    stored->error_text = arena_bytes(&feed->arena, effect->stored.error_text);
    stored->maintainer_epoch = effect->maintainer_epoch;
    return SLUICE_OK;
}

static sluice_error_t put_checkpoint(sim_store_t *store, const effect_t *effect)
{
    feed_t *feed;
    sluice_error_t error = find_own(store, effect, &feed);
    if (error == SLUICE_OK && feed->stored.maintainer_epoch != effect->maintainer_epoch)
        error = SLUICE_ERROR_NOT_OWNER;
    if (error != SLUICE_OK)
        return error;
    feed->stored.checkpoint = effect->position.checkpoint;
    feed->stored.anchor = effect->position.anchor;
    return SLUICE_OK;
}

static sluice_error_t forget_changefeed(sim_store_t *store, const effect_t *effect)
{
    feed_t *feed = find_uuid(store, effect->changefeed.uuid);
    if (feed) {
        arena_clear(&feed->arena);
        *feed = (feed_t){0};
    }
    for (uint32_t i = 0; i < FEEDS_MAX; i++)
        if (store->schemas[i] &&
            changefeed_uuid_equal(store->schemas[i]->ref.uuid, effect->changefeed.uuid)) {
            schema_free(store->schemas[i]);
            store->schemas[i] = NULL;
        }
    return SLUICE_OK;
}

/* ---- schemas ---- */

static schema_t *find_schema(const sim_store_t *store, const changefeed_ref_t *ref)
{
    for (uint32_t i = 0; i < FEEDS_MAX; i++)
        if (store->schemas[i] && same_ref(&store->schemas[i]->ref, ref))
            return store->schemas[i];
    return NULL;
}

static schema_t *need_schema(sim_store_t *store, const changefeed_ref_t *ref)
{
    schema_t *schema = find_schema(store, ref);
    for (uint32_t i = 0; !schema && i < FEEDS_MAX; i++)
        if (!store->schemas[i]) {
            schema = store->schemas[i] = memory_zalloc(sizeof *schema);
            schema->ref = *ref;
        }
    return schema;
}

static snapshot_t *need_snapshot(schema_t *schema, commit_ts_t at)
{
    for (uint32_t i = 0; i < schema->snapshot_count; i++)
        if (schema->snapshots[i].at.v == at.v)
            return &schema->snapshots[i];
    if (schema->snapshot_count == SNAPSHOTS_MAX)
        return NULL;
    snapshot_t *snapshot = &schema->snapshots[schema->snapshot_count++];
    *snapshot = (snapshot_t){.at = at};
    return snapshot;
}

static sluice_error_t put_snapshot(sim_store_t *store, const effect_t *effect)
{
    schema_t *schema = need_schema(store, &effect->changefeed);
    snapshot_t *snapshot = schema ? need_snapshot(schema, effect->snapshot.at) : NULL;
    if (!snapshot)
        return SLUICE_ERROR_NO_SPACE;
    if (snapshot->is_complete)
        return SLUICE_OK;
    if (effect->snapshot.piece == 0)
        snapshot->pieces = 0, snapshot->len = 0;
    if (effect->snapshot.piece != snapshot->pieces)
        return SLUICE_ERROR_STATE;
    bytes_t content = effect->snapshot.content;
    snapshot->bytes = memory_realloc(snapshot->bytes, snapshot->len + content.len + 1);
    if (content.len)
        memcpy(snapshot->bytes + snapshot->len, content.data, content.len);
    snapshot->len += content.len;
    snapshot->pieces++;
    snapshot->is_complete = effect->snapshot.is_last_piece;
    return SLUICE_OK;
}

static sluice_error_t put_ddl(schema_t *schema, const schema_ddl_t *ddl)
{
    uint32_t at = schema->ddl_count;
    while (at > 0 && schema->ddls[at - 1].commit_ts.v >= ddl->commit_ts.v)
        at--;
    if (at < schema->ddl_count && schema->ddls[at].commit_ts.v == ddl->commit_ts.v)
        return SLUICE_OK;
    if (schema->ddl_count == DDLS_MAX)
        return SLUICE_ERROR_NO_SPACE;
    memmove(&schema->ddls[at + 1], &schema->ddls[at],
            (schema->ddl_count++ - at) * sizeof schema->ddls[0]);
    uint8_t *content = memory_alloc(ddl->content.len + 1);
    if (ddl->content.len)
        memcpy(content, ddl->content.data, ddl->content.len);
    schema->ddls[at] = *ddl;
    schema->ddls[at].content = bytes_of(content, ddl->content.len);
    return SLUICE_OK;
}

static sluice_error_t put_ddls(sim_store_t *store, const effect_t *effect)
{
    feed_t *feed;
    sluice_error_t error = find_own(store, effect, &feed);
    schema_t *schema = need_schema(store, &effect->changefeed);
    if (error == SLUICE_OK && !schema)
        error = SLUICE_ERROR_NO_SPACE;
    for (uint32_t i = 0; error == SLUICE_OK && i < effect->ddls.count; i++)
        error = put_ddl(schema, &effect->ddls.list[i]);
    if (error == SLUICE_OK && feed->stored.schema_to.v < effect->ddls.schema_to.v)
        feed->stored.schema_to = effect->ddls.schema_to;
    return error;
}

static sluice_error_t forget_schema(sim_store_t *store, const effect_t *effect)
{
    schema_t *schema = find_schema(store, &effect->changefeed);
    if (!schema)
        return SLUICE_OK;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < schema->snapshot_count; i++)
        if (schema->snapshots[i].at.v < effect->at.v)
            free(schema->snapshots[i].bytes);
        else
            schema->snapshots[kept++] = schema->snapshots[i];
    schema->snapshot_count = kept;
    kept = 0;
    for (uint32_t i = 0; i < schema->ddl_count; i++)
        if (schema->ddls[i].commit_ts.v <= effect->at.v)
            free((void *)(uintptr_t)schema->ddls[i].content.data);
        else
            schema->ddls[kept++] = schema->ddls[i];
    schema->ddl_count = kept;
    return SLUICE_OK;
}

static const snapshot_t *best_snapshot(const schema_t *schema, commit_ts_t at)
{
    const snapshot_t *best = NULL;
    for (uint32_t i = 0; i < schema->snapshot_count; i++) {
        const snapshot_t *snapshot = &schema->snapshots[i];
        if (snapshot->is_complete && snapshot->at.v <= at.v &&
            (!best || snapshot->at.v > best->at.v))
            best = snapshot;
    }
    return best;
}

bool sim_store_leads_to(const sim_store_t *store, const changefeed_ref_t *ref, commit_ts_t anchor,
                        commit_ts_t ddl)
{
    const schema_t *schema = find_schema(store, ref);
    const snapshot_t *best = schema ? best_snapshot(schema, anchor) : NULL;
    if (!best)
        return false;
    if (ddl.v <= best->at.v || ddl.v > anchor.v)
        return true;
    for (uint32_t i = 0; i < schema->ddl_count; i++)
        if (schema->ddls[i].commit_ts.v == ddl.v)
            return true;
    return false;
}

bool sim_store_load_open(const sim_store_t *store, const changefeed_ref_t *ref, commit_ts_t at,
                         arena_t *arena, changefeed_open_t *open)
{
    const feed_t *feed = find_uuid(store, ref->uuid);
    const schema_t *schema = find_schema(store, ref);
    if (!feed || feed->stored.ref.generation != ref->generation || !schema || store->is_gone)
        return false;
    const snapshot_t *best = best_snapshot(schema, at);
    if (!best)
        return false;
    schema_ddl_t *ddls = arena_calloc(arena, schema->ddl_count, sizeof *ddls);
    open->ddls = ddls;
    open->ddl_count = 0;
    for (uint32_t i = 0; i < schema->ddl_count; i++)
        if (schema->ddls[i].commit_ts.v > best->at.v && schema->ddls[i].commit_ts.v <= at.v) {
            ddls[open->ddl_count] = schema->ddls[i];
            ddls[open->ddl_count++].content = arena_bytes(arena, schema->ddls[i].content);
        }
    open->changefeed = *ref;
    open->config = changefeed_config_copy(arena, &feed->stored.config);
    open->snapshot_ts = best->at;
    open->snapshot = arena_bytes(arena, bytes_of(best->bytes, best->len));
    return true;
}

/* ---- writing ---- */

static sluice_error_t put_slot(sim_store_t *store, const effect_t *effect)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < store->slot_count; i++)
        if (store->slots[i].slot != effect->slot &&
            !node_id_equal(&store->slots[i].node, &effect->node))
            store->slots[kept++] = store->slots[i];
    if (kept == SIM_NODES_MAX)
        return SLUICE_ERROR_NO_SPACE;
    store->slots[kept++] = (sim_slot_t){effect->node, effect->slot};
    store->slot_count = kept;
    return SLUICE_OK;
}

bool sim_store_is_write(effect_kind_t kind)
{
    return kind >= EFFECT_PERSIST_SLOT && kind <= EFFECT_FORGET_CHANGEFEED;
}

static sluice_error_t write_effect(sim_store_t *store, const effect_t *effect)
{
    switch (effect->kind) {
    case EFFECT_PERSIST_SLOT:
        return put_slot(store, effect);
    case EFFECT_PERSIST_CHANGEFEED:
        return put_changefeed(store, effect);
    case EFFECT_PERSIST_STATE:
        return put_state(store, effect);
    case EFFECT_PERSIST_CHECKPOINT:
        return put_checkpoint(store, effect);
    case EFFECT_PERSIST_SNAPSHOT:
        return put_snapshot(store, effect);
    case EFFECT_PERSIST_DDLS:
        return put_ddls(store, effect);
    case EFFECT_FORGET_SCHEMA:
        return forget_schema(store, effect);
    case EFFECT_FORGET_CHANGEFEED:
        return forget_changefeed(store, effect);
    case EFFECT_SEND:
    case EFFECT_SEND_OPEN:
    case EFFECT_CONFIRM_EPOCH:
    case EFFECT_LOG:
    case EFFECT_ANSWER:
        break;
    }
    return SLUICE_ERROR_BUG;
}

static void tell(sim_store_t *store, sim_moment_kind_t kind, sim_process_t *process,
                 const effect_t *effects, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sim_moment(store->world, &(sim_moment_t){.kind = kind,
                                                 .from = process,
                                                 .effect = &effects[i],
                                                 .changefeed = effects[i].changefeed});
}

void sim_store_write(sim_store_t *store, sim_process_t *process, uint64_t owner,
                     const effect_t *effects, size_t count, sluice_error_t *errors)
{
    sluice_error_t common = store->is_gone          ? SLUICE_ERROR_IO
                            : owner != store->owner ? SLUICE_ERROR_NOT_OWNER
                                                    : SLUICE_OK;
    if (common == SLUICE_OK)
        tell(store, SIM_PERSISTING, process, effects, count);
    if (process->is_doomed)
        return;
    bool is_answered =
        !store->world->has_faults || !sim_random_rarely(&store->random, LOST_ANSWERS);
    for (size_t i = 0; i < count; i++) {
        errors[i] = common == SLUICE_OK ? write_effect(store, &effects[i]) : common;
        if (errors[i] == SLUICE_OK)
            tell(store, SIM_PERSISTED, process, &effects[i], 1);
        /* Of a checkpoint this makes no difference but when it is written again, after a pause,
         * from before it. */
        if (!is_answered && effects[i].kind != EFFECT_PERSIST_CHECKPOINT)
            errors[i] = SLUICE_ERROR_IO;
    }
}

bool sim_store_confirm(const sim_store_t *store, uint64_t owner)
{
    return !store->is_gone && store->owner == owner;
}

uint64_t sim_store_take_over(sim_store_t *store, uint64_t epoch_min, arena_t *arena,
                             stored_changefeed_t **list, uint32_t *count, sim_slot_t **slots,
                             uint32_t *slot_count)
{
    if (store->is_gone)
        return 0;
    *list = arena_calloc(arena, FEEDS_MAX, sizeof **list);
    *count = 0;
    for (uint32_t i = 0; i < FEEDS_MAX; i++) {
        stored_changefeed_t *stored = &store->feeds[i].stored;
        if (!store->feeds[i].is_used)
            continue;
        stored->maintainer_epoch =
            stored->maintainer_epoch + 1 > epoch_min ? stored->maintainer_epoch + 1 : epoch_min;
        (*list)[(*count)++] = stored_copy(arena, stored);
    }
    *slots = store->slots;
    *slot_count = store->slot_count;
    return ++store->owner;
}

uint64_t sim_store_owner(const sim_store_t *store)
{
    return store->owner;
}
