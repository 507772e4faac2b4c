#include "common/base/ids.h"

#include <stdio.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static uint64_t hash_or_one(XXH3_state_t *state)
{
    uint64_t hash = XXH3_64bits_digest(state);
    return hash ? hash : 1;
}

table_id_t table_id_derive(bytes_t schema, bytes_t table, commit_ts_t created)
{
    static const uint8_t separator = 0;
    uint8_t ts[8];
    for (unsigned i = 0; i < 8; i++)
        ts[i] = (uint8_t)(created.v >> (8 * i));
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    XXH3_64bits_update(&state, schema.data, schema.len);
    XXH3_64bits_update(&state, &separator, 1);
    XXH3_64bits_update(&state, table.data, table.len);
    XXH3_64bits_update(&state, &separator, 1);
    XXH3_64bits_update(&state, ts, sizeof ts);
    return (table_id_t){hash_or_one(&state)};
}

schema_id_t schema_id_derive(bytes_t schema)
{
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    XXH3_64bits_update(&state, schema.data, schema.len);
    return (schema_id_t){hash_or_one(&state)};
}

void dispatcher_id_format(dispatcher_id_t id, char text[DISPATCHER_ID_TEXT_SIZE])
{
    snprintf(text, DISPATCHER_ID_TEXT_SIZE, "%016llx%016llx", (unsigned long long)id.hi,
             (unsigned long long)id.lo);
}

static bool is_name_byte(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

static bool is_name(bytes_t text, size_t max)
{
    if (text.len == 0 || text.len > max)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!is_name_byte(text.data[i]))
            return false;
    return true;
}

bool node_id_parse(bytes_t text, node_id_t *id)
{
    memset(id, 0, sizeof *id);
    if (!is_name(text, NODE_ID_SIZE - 1))
        return false;
    memcpy(id->text, text.data, text.len);
    return true;
}

bool changefeed_name_is_valid(bytes_t name)
{
    return is_name(name, CHANGEFEED_NAME_MAX);
}

void changefeed_uuid_format(changefeed_uuid_t uuid, char text[CHANGEFEED_UUID_TEXT_SIZE])
{
    for (unsigned i = 0; i < sizeof uuid.bytes; i++)
        snprintf(text + (size_t)2 * i, 3, "%02x", uuid.bytes[i]);
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

bool changefeed_uuid_parse(bytes_t text, changefeed_uuid_t *uuid)
{
    if (text.len != 2 * sizeof uuid->bytes)
        return false;
    for (unsigned i = 0; i < sizeof uuid->bytes; i++) {
        int high = hex_digit(text.data[2 * i]), low = hex_digit(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        uuid->bytes[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}
