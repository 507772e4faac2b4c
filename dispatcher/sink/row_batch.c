#include "dispatcher/sink/row_batch.h"

#include <assert.h>

#include "dispatcher/core/binlog/rows.h"
#include "dispatcher/sink/row_net.h"

static sluice_error_t event_collect(arena_t *arena, const rows_event_t *event, row_net_t *net,
                                    error_report_t *report)
{
    rows_reader_t reader;
    sluice_error_t error = rows_reader_init(&reader, event, report);
    while (error == SLUICE_OK) {
        row_change_t change;
        error = rows_reader_next(&reader, arena, &change, report);
        if (error == SLUICE_OK)
            row_net_add(net, &change);
    }
    return error == SLUICE_ERROR_NOT_FOUND ? SLUICE_OK : error;
}

sluice_error_t row_batch_build(arena_t *arena, const table_rows_t *const *parts,
                               uint32_t part_count, row_batch_t *batch, error_report_t *report)
{
    assert(part_count > 0);
    row_net_t *net = row_net_new(arena, parts[0]->definition);
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < part_count; i++) {
        bytes += parts[i]->bytes;
        for (uint32_t j = 0; j < parts[i]->event_count; j++) {
            sluice_error_t error = event_collect(arena, &parts[i]->events[j], net, report);
            if (error != SLUICE_OK)
                return error;
        }
    }
    row_net_finish(net, batch);
    batch->source_bytes = bytes;
    return SLUICE_OK;
}
