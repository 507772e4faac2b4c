#include "dispatcher/core/ddl/definition_shapes.h"

#include <xxhash.h>

#include "dispatcher/core/ddl/definition_codec.h"

void definition_shapes_clear(definition_shapes_t *shapes)
{
    size_t at = 0;
    const table_definition_t *shape;
    while ((shape = key_map_next(&shapes->by_hash, &at)))
        table_definition_unref(&shape);
    key_map_clear(&shapes->by_hash);
    arena_clear(&shapes->scratch);
    *shapes = (definition_shapes_t){0};
}

static bytes_t pack_shape(definition_shapes_t *shapes, const table_definition_t *definition)
{
    text_builder_t to;
    text_builder_init(&to, &shapes->scratch);
    definition_pack_shape(definition, &to);
    return bytes_of(to.data, to.len);
}

static map_key_t key_of(bytes_t packed)
{
    XXH128_hash_t hash = XXH3_128bits(packed.data, packed.len);
    return (map_key_t){hash.high64, hash.low64};
}

/* Only the table's own reference is left: no other thread can take a further one. */
static bool is_unused(const table_definition_t *shape)
{
    return atomic_load_explicit(&((table_definition_t *)shape)->references, memory_order_acquire) ==
           1;
}

static void sweep(definition_shapes_t *shapes)
{
    key_map_t kept = {0};
    size_t at = 0;
    const table_definition_t *shape;
    while ((shape = key_map_next(&shapes->by_hash, &at))) {
        arena_reset(&shapes->scratch);
        if (is_unused(shape))
            table_definition_unref(&shape);
        else
            key_map_put(&kept, key_of(pack_shape(shapes, shape)), (void *)shape);
    }
    key_map_clear(&shapes->by_hash);
    shapes->by_hash = kept;
}

static void add(definition_shapes_t *shapes, map_key_t key, const table_definition_t *definition)
{
    if (shapes->by_hash.count >= shapes->sweep_at) {
        sweep(shapes);
        shapes->sweep_at = 2 * shapes->by_hash.count + SHAPES_UNUSED_MAX;
    }
    key_map_put(&shapes->by_hash, key, (void *)table_definition_ref(definition));
}

const table_definition_t *definition_shapes_share(definition_shapes_t *shapes,
                                                  const table_definition_t *definition)
{
    if (definition->shape)
        return definition;
    arena_reset(&shapes->scratch);
    bytes_t packed = pack_shape(shapes, definition);
    map_key_t key = key_of(packed);
    const table_definition_t *shape = key_map_get(&shapes->by_hash, key);
    if (!shape) {
        add(shapes, key, definition);
        return definition;
    }
    if (shape == definition || !bytes_equal(pack_shape(shapes, shape), packed))
        return definition;
    const table_definition_t *shared = table_definition_shaped(definition, shape);
    table_definition_unref(&definition);
    return shared;
}
