#include "dispatcher/sink/value_text.h"

#include <stdio.h>

size_t value_text_inet4(const uint8_t address[4], char text[VALUE_TEXT_SIZE])
{
    return (size_t)snprintf(text, VALUE_TEXT_SIZE, "%u.%u.%u.%u", address[0], address[1],
                            address[2], address[3]);
}

static unsigned group(const uint8_t address[16], int index)
{
    return (unsigned)(address[2 * index] << 8 | address[2 * index + 1]);
}

/* The first longest run of zero groups; *len 0 if there is none. */
static int longest_gap(const uint8_t address[16], int *len)
{
    int best = 0;
    *len = 0;
    for (int at = 0; at < 8;) {
        int run = 0;
        while (at + run < 8 && group(address, at + run) == 0)
            run++;
        if (run > *len) {
            best = at;
            *len = run;
        }
        at += run + 1;
    }
    return best;
}

size_t value_text_inet6(const uint8_t address[16], char text[VALUE_TEXT_SIZE])
{
    int gap_len;
    int gap = longest_gap(address, &gap_len);
    bool is_dotted = gap == 0 && (gap_len == 6 || (gap_len == 5 && group(address, 5) == 0xffff));
    size_t len = 0;
    for (int i = 0; i < (is_dotted ? 6 : 8); i++) {
        if (gap_len && i >= gap && i < gap + gap_len) {
            if (i == gap)
                text[len++] = ':';
            continue;
        }
        if (i > 0)
            text[len++] = ':';
        len += (size_t)snprintf(text + len, VALUE_TEXT_SIZE - len, "%x", group(address, i));
    }
    if (gap_len && gap + gap_len == 8)
        text[len++] = ':';
    if (is_dotted) {
        text[len++] = ':';
        len += value_text_inet4(address + 12, text + len);
    }
    text[len] = '\0';
    return len;
}

size_t value_text_uuid(const uint8_t uuid[16], char text[VALUE_TEXT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    size_t len = 0;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text[len++] = '-';
        text[len++] = digits[uuid[i] >> 4];
        text[len++] = digits[uuid[i] & 15];
    }
    text[len] = '\0';
    return len;
}

bytes_t value_text_address(const column_definition_t *column, bytes_t bytes,
                           char text[VALUE_TEXT_SIZE])
{
    size_t len = 0;
    if (column->type == COLUMN_INET4 && bytes.len == 4)
        len = value_text_inet4(bytes.data, text);
    else if (column->type == COLUMN_INET6 && bytes.len == 16)
        len = value_text_inet6(bytes.data, text);
    else if (column->type == COLUMN_UUID && bytes.len == 16)
        len = value_text_uuid(bytes.data, text);
    return bytes_of(text, len);
}

bool value_text_enum(const column_definition_t *column, uint64_t index, bytes_t *label)
{
    *label = bytes_of("", 0);
    if (index > column->member_count)
        return false;
    if (index > 0)
        *label = bytes_of_text(column->members[index - 1]);
    return true;
}

bool value_text_set(const column_definition_t *column, uint64_t bits, arena_t *arena,
                    bytes_t *labels)
{
    *labels = bytes_of("", 0);
    if (column->member_count < 64 && bits >> column->member_count)
        return false;
    if (bits && !(bits & (bits - 1))) {
        *labels = bytes_of_text(column->members[__builtin_ctzll(bits)]);
        return true;
    }
    size_t size = 0;
    for (uint32_t i = 0; i < column->member_count; i++)
        size += bits >> i & 1 ? strlen(column->members[i]) + 1 : 0;
    if (size == 0)
        return true;
    char *text = arena_alloc(arena, size);
    size_t len = 0;
    for (uint32_t i = 0; i < column->member_count; i++) {
        if (!(bits >> i & 1))
            continue;
        if (len)
            text[len++] = ',';
        size_t label = strlen(column->members[i]);
        memcpy(text + len, column->members[i], label);
        len += label;
    }
    *labels = bytes_of(text, len);
    return true;
}
