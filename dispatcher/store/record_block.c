#include "dispatcher/store/record_block.h"

#define HEAD_SIZE (8 + 8 + 4)

uint32_t record_block_fit(const store_record_t *records, uint32_t count, size_t *bytes)
{
    uint32_t fit = 0;
    *bytes = 0;
    while (fit < count && records[fit].table_id.v == records[0].table_id.v) {
        size_t more = HEAD_SIZE + records[fit].bytes.len;
        if (fit > 0 && *bytes + more > RECORD_BLOCK_BYTES_MAX)
            break;
        *bytes += more;
        fit++;
    }
    return fit;
}

static uint8_t *put_number(uint8_t *to, uint64_t number, size_t len)
{
    for (size_t i = 0; i < len; i++)
        *to++ = (uint8_t)(number >> (8 * i));
    return to;
}

void record_block_write(const store_record_t *records, uint32_t count, uint8_t *to)
{
    for (uint32_t i = 0; i < count; i++) {
        to = put_number(to, records[i].key.commit_ts.v, 8);
        to = put_number(to, records[i].key.number, 8);
        to = put_number(to, records[i].bytes.len, 4);
        memcpy(to, records[i].bytes.data, records[i].bytes.len);
        to += records[i].bytes.len;
    }
}

static uint64_t number_at(const uint8_t *from, size_t len)
{
    uint64_t number = 0;
    for (size_t i = 0; i < len; i++)
        number |= (uint64_t)from[i] << (8 * i);
    return number;
}

bool record_block_next(bytes_t *block, store_key_t *key, bytes_t *bytes, bool *is_damaged)
{
    *is_damaged = false;
    if (block->len == 0)
        return false;
    size_t len = block->len < HEAD_SIZE ? SIZE_MAX : number_at(block->data + 16, 4);
    if (block->len < HEAD_SIZE || len > block->len - HEAD_SIZE) {
        *is_damaged = true;
        return false;
    }
    *key = (store_key_t){{number_at(block->data, 8)}, number_at(block->data + 8, 8)};
    *bytes = bytes_of(block->data + HEAD_SIZE, len);
    *block = bytes_of(block->data + HEAD_SIZE + len, block->len - HEAD_SIZE - len);
    return true;
}
