#include "dispatcher/core/binlog/group_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>

#include "common/base/memory.h"
#include "dispatcher/core/binlog/group_parts.h"
#include "dispatcher/core/binlog/rows.h"

/* A place in the group: bytes that all records before it take, each with its header, whether they
 * are in the spill or in memory. */
typedef struct {
    bytes_t name;
    uint64_t offset;
} savepoint_t;

struct group_rows {
    uint64_t bytes_max;
    group_spill_t spill;
    arena_t arena; /* bodies of `records` */
    row_record_t *records;
    uint32_t record_count, record_max;
    uint64_t bytes;     /* of the records in memory, headers included */
    uint64_t spilled;   /* bytes in the spill; memory follows them */
    uint64_t read;      /* taken out of the spill so far */
    bool has_given;     /* a part was handed out */
    bool has_unchecked; /* records were added before their map was bound */
    const table_map_t **maps;
    uint32_t map_count, map_max;
    uint64_t *last_of; /* by slot: where its last record in the spill begins; UINT64_MAX: none */
    arena_t names;     /* of savepoints */
    savepoint_t *savepoints;
    uint32_t savepoint_count, savepoint_max;
};

/* A record in the spill is this header and its body. */
typedef struct {
    uint32_t slot;
    uint32_t kind;
    uint64_t len;
} record_header_t;

static uint64_t record_size(const row_record_t *record)
{
    return sizeof(record_header_t) + record->body.len;
}

group_rows_t *group_rows_new(uint64_t bytes_max, const group_spill_t *spill)
{
    group_rows_t *rows = memory_zalloc(sizeof *rows);
    rows->bytes_max = bytes_max;
    rows->spill = *spill;
    return rows;
}

void group_rows_destroy(group_rows_t **rows)
{
    group_rows_t *self = *rows;
    *rows = NULL;
    if (!self)
        return;
    group_rows_clear(self);
    arena_clear(&self->arena);
    arena_clear(&self->names);
    free(self->records);
    free(self->maps);
    free(self->last_of);
    free(self->savepoints);
    free(self);
}

void group_rows_clear(group_rows_t *rows)
{
    for (uint32_t i = 0; i < rows->map_count; i++)
        table_map_unref(&rows->maps[i]);
    if (rows->spilled)
        rows->spill.clear(rows->spill.context);
    arena_reset(&rows->arena);
    arena_reset(&rows->names);
    rows->map_count = rows->record_count = rows->savepoint_count = 0;
    rows->bytes = rows->spilled = rows->read = 0;
    rows->has_given = rows->has_unchecked = false;
}

static void *grow(void *array, uint32_t count, uint32_t *max, size_t size)
{
    if (count < *max)
        return array;
    *max = *max ? *max * 2 : 16;
    return memory_realloc(array, *max * size);
}

uint32_t group_rows_add_map(group_rows_t *rows, const table_map_t *map)
{
    rows->maps = grow(rows->maps, rows->map_count, &rows->map_max, sizeof(const table_map_t *));
    rows->maps[rows->map_count] = table_map_ref(map);
    return rows->map_count++;
}

uint32_t group_rows_map_count(const group_rows_t *rows)
{
    return rows->map_count;
}

const table_map_t *group_rows_map(const group_rows_t *rows, uint32_t slot)
{
    assert(slot < rows->map_count);
    return rows->maps[slot];
}

void group_rows_leave_out(group_rows_t *rows, uint32_t slot)
{
    assert(slot < rows->map_count);
    table_map_unref(&rows->maps[slot]);
}

/* Writes what is in memory behind what is spilled already. */
static sluice_error_t spill_all(group_rows_t *rows, error_report_t *report)
{
    if (!rows->spill.write)
        return error_report_set(report, SLUICE_ERROR_TOO_LARGE,
                                "a transaction of more than %llu bytes, and nowhere to put it",
                                (unsigned long long)rows->bytes_max);
    for (uint32_t i = 0; i < rows->record_count; i++) {
        const row_record_t *record = &rows->records[i];
        record_header_t header = {record->slot, (uint32_t)record->kind, record->body.len};
        sluice_error_t error = rows->spill.write(rows->spill.context, rows->spilled,
                                                 bytes_of(&header, sizeof header), report);
        if (error == SLUICE_OK)
            error = rows->spill.write(rows->spill.context, rows->spilled + sizeof header,
                                      record->body, report);
        if (error != SLUICE_OK)
            return error;
        rows->spilled += record_size(record);
    }
    rows->record_count = 0;
    rows->bytes = 0;
    arena_reset(&rows->arena);
    return SLUICE_OK;
}

static void append(group_rows_t *rows, row_record_t record)
{
    rows->records =
        grow(rows->records, rows->record_count, &rows->record_max, sizeof *rows->records);
    rows->records[rows->record_count++] = record;
    rows->bytes += record_size(&record);
}

sluice_error_t group_rows_add(group_rows_t *rows, uint32_t slot, uint8_t type, bytes_t body,
                              error_report_t *report)
{
    row_record_t record = {.slot = slot};
    bool is_rows = rows_event_type(type, &record.kind);
    assert(is_rows && slot < rows->map_count);
    if (rows_event_normalize(type, body, &rows->arena, &record.body) != SLUICE_OK)
        return error_report_set(report, SLUICE_ERROR_SOURCE_CORRUPT, "a row event is damaged");
    if (rows->maps[slot]->decoders) {
        sluice_error_t error = row_record_check(&record, rows->maps[slot], report);
        if (error != SLUICE_OK)
            return error;
    } else {
        rows->has_unchecked = true;
    }
    append(rows, record);
    return rows->bytes > rows->bytes_max ? spill_all(rows, report) : SLUICE_OK;
}

bool group_rows_is_empty(const group_rows_t *rows)
{
    return rows->record_count == 0 && rows->spilled == 0;
}

/* Names of savepoints are compared without regard to case, as MariaDB does. */
static bool find_savepoint(const group_rows_t *rows, bytes_t name, uint32_t *index)
{
    for (uint32_t i = rows->savepoint_count; i > 0; i--) {
        bytes_t known = rows->savepoints[i - 1].name;
        if (known.len == name.len &&
            strncasecmp((const char *)known.data, (const char *)name.data, name.len) == 0) {
            *index = i - 1;
            return true;
        }
    }
    return false;
}

sluice_error_t group_rows_savepoint(group_rows_t *rows, bytes_t name)
{
    uint32_t index;
    if (find_savepoint(rows, name, &index)) {
        rows->savepoint_count--;
        memmove(&rows->savepoints[index], &rows->savepoints[index + 1],
                (rows->savepoint_count - index) * sizeof *rows->savepoints);
    }
    if (rows->savepoint_count == GROUP_SAVEPOINTS_MAX)
        return SLUICE_ERROR_TOO_LARGE;
    rows->savepoints = grow(rows->savepoints, rows->savepoint_count, &rows->savepoint_max,
                            sizeof *rows->savepoints);
    rows->savepoints[rows->savepoint_count++] = (savepoint_t){
        .name = arena_bytes(&rows->names, name), .offset = rows->spilled + rows->bytes};
    return SLUICE_OK;
}

sluice_error_t group_rows_rollback_to(group_rows_t *rows, bytes_t name)
{
    uint32_t index;
    if (!find_savepoint(rows, name, &index))
        return SLUICE_ERROR_NOT_FOUND;
    uint64_t offset = rows->savepoints[index].offset;
    rows->savepoint_count = index + 1;
    while (rows->record_count > 0 && rows->spilled + rows->bytes > offset)
        rows->bytes -= record_size(&rows->records[--rows->record_count]);
    if (rows->spilled > offset)
        rows->spilled = offset;
    return SLUICE_OK;
}

static sluice_error_t read_header(group_rows_t *rows, record_header_t *header,
                                  error_report_t *report)
{
    sluice_error_t error =
        rows->spill.read(rows->spill.context, rows->read, header, sizeof *header, report);
    if (error != SLUICE_OK)
        return error;
    if (header->slot >= rows->map_count || header->kind > ROW_DELETE ||
        header->len > rows->spilled - rows->read - sizeof *header)
        return error_report_set(report, SLUICE_ERROR_IO,
                                "the temporary file of a large transaction is damaged");
    return SLUICE_OK;
}

/* Where the last record of each map is. */
static sluice_error_t find_last(group_rows_t *rows, error_report_t *report)
{
    rows->last_of = memory_realloc(rows->last_of, rows->map_count * sizeof *rows->last_of);
    for (uint32_t i = 0; i < rows->map_count; i++)
        rows->last_of[i] = UINT64_MAX;
    sluice_error_t error = SLUICE_OK;
    while (error == SLUICE_OK && rows->read < rows->spilled) {
        record_header_t header;
        error = read_header(rows, &header, report);
        if (error != SLUICE_OK)
            break;
        rows->last_of[header.slot] = rows->read;
        rows->read += sizeof header + header.len;
    }
    rows->read = 0;
    return error;
}

/* Whether records of the table are still in the spill. */
static bool continues(const group_rows_t *rows, const table_definition_t *definition)
{
    for (uint32_t i = 0; i < rows->map_count; i++) {
        if (rows->maps[i] && rows->maps[i]->definition == definition &&
            rows->last_of[i] != UINT64_MAX && rows->last_of[i] >= rows->read)
            return true;
    }
    return false;
}

/* Passes records of maps that were left out, so that what is left unread is to be handed out. */
static sluice_error_t pass_left_out(group_rows_t *rows, error_report_t *report)
{
    while (rows->read < rows->spilled) {
        record_header_t header;
        sluice_error_t error = read_header(rows, &header, report);
        if (error != SLUICE_OK || rows->maps[header.slot])
            return error;
        rows->read += sizeof header + header.len;
    }
    return SLUICE_OK;
}

static sluice_error_t read_one(group_rows_t *rows, error_report_t *report)
{
    record_header_t header;
    sluice_error_t error = read_header(rows, &header, report);
    if (error != SLUICE_OK)
        return error;
    uint8_t *body = arena_alloc(&rows->arena, header.len + 1);
    error =
        rows->spill.read(rows->spill.context, rows->read + sizeof header, body, header.len, report);
    if (error != SLUICE_OK)
        return error;
    rows->read += sizeof header + header.len;
    append(rows, (row_record_t){.slot = header.slot,
                                .kind = (row_kind_t)header.kind,
                                .body = bytes_of(body, header.len)});
    return pass_left_out(rows, report);
}

/* Fills memory with the next records of the spill, about bytes_max of them. */
static sluice_error_t read_back(group_rows_t *rows, error_report_t *report)
{
    sluice_error_t error = pass_left_out(rows, report);
    while (error == SLUICE_OK && rows->read < rows->spilled && rows->bytes < rows->bytes_max)
        error = read_one(rows, report);
    return error;
}

/* Records of maps that were left out go; images that could not be checked before are. */
static sluice_error_t sift(group_rows_t *rows, error_report_t *report)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < rows->record_count; i++) {
        const row_record_t *record = &rows->records[i];
        const table_map_t *map = rows->maps[record->slot];
        if (!map)
            continue;
        sluice_error_t error = row_record_check(record, map, report);
        if (error != SLUICE_OK)
            return error;
        rows->records[kept++] = *record;
    }
    rows->record_count = kept;
    return SLUICE_OK;
}

static void mark_continued(const group_rows_t *rows, transaction_t *transaction)
{
    table_rows_t *tables = (table_rows_t *)(uintptr_t)transaction->tables;
    for (uint32_t i = 0; !transaction->is_last_part && i < transaction->table_count; i++)
        tables[i].continues = continues(rows, tables[i].definition);
}

sluice_error_t group_rows_take(group_rows_t *rows, transaction_t **transaction,
                               error_report_t *report)
{
    *transaction = NULL;
    sluice_error_t error = SLUICE_OK;
    if (rows->spilled && rows->record_count)
        error = spill_all(rows, report);
    if (error == SLUICE_OK && rows->spilled && !rows->has_given)
        error = find_last(rows, report);
    if (error == SLUICE_OK)
        error = read_back(rows, report);
    if (error == SLUICE_OK && rows->has_unchecked)
        error = sift(rows, report);
    if (error != SLUICE_OK || rows->record_count == 0)
        return error;
    *transaction = transaction_build(rows->maps, rows->map_count, rows->records, rows->record_count,
                                     &rows->arena);
    (*transaction)->is_first_part = !rows->has_given;
    (*transaction)->is_last_part = rows->read == rows->spilled;
    mark_continued(rows, *transaction);
    rows->has_given = true;
    rows->record_count = 0;
    rows->bytes = 0;
    return SLUICE_OK;
}
