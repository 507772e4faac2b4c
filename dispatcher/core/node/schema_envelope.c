#include "dispatcher/core/node/schema_envelope.h"

#define HEADER_BYTES 4
#define VERSION 1
#define FLAG_LOWER_CASE_NAMES 1

bytes_t schema_envelope_encode(const schema_envelope_t *envelope, arena_t *arena)
{
    uint8_t *bytes = arena_alloc(arena, HEADER_BYTES + envelope->snapshot.len);
    bytes[0] = 'S';
    bytes[1] = 'E';
    bytes[2] = VERSION;
    bytes[3] = envelope->lower_case_names ? FLAG_LOWER_CASE_NAMES : 0;
    if (envelope->snapshot.len > 0)
        memcpy(bytes + HEADER_BYTES, envelope->snapshot.data, envelope->snapshot.len);
    return bytes_of(bytes, HEADER_BYTES + envelope->snapshot.len);
}

sluice_error_t schema_envelope_decode(bytes_t bytes, schema_envelope_t *envelope)
{
    if (bytes.len < HEADER_BYTES || bytes.data[0] != 'S' || bytes.data[1] != 'E')
        return SLUICE_ERROR_MALFORMED;
    if (bytes.data[2] != VERSION || (bytes.data[3] & ~FLAG_LOWER_CASE_NAMES) != 0)
        return SLUICE_ERROR_UNSUPPORTED;
    envelope->lower_case_names = bytes.data[3] & FLAG_LOWER_CASE_NAMES;
    envelope->snapshot = bytes_of(bytes.data + HEADER_BYTES, bytes.len - HEADER_BYTES);
    return SLUICE_OK;
}
