#include "dispatcher/core/binlog/group_state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/memory.h"

sluice_error_t group_assembler_new(const group_assembler_options_t *options,
                                   group_assembler_t **assembler)
{
    *assembler = NULL;
    group_assembler_t *self = memory_zalloc(sizeof *self);
    self->options = *options;
    self->commit_time = options->anchor.commit_time;
    self->is_seeking = true;
    sluice_error_t error = gtid_positions_parse(&self->positions, options->anchor.gtid_list);
    if (error == SLUICE_OK &&
        gtid_positions_sequence(&self->positions, options->domain) < options->anchor.commit_ts.v)
        error = gtid_positions_set(
            &self->positions, (gtid_position_t){options->domain, 0, options->anchor.commit_ts.v});
    if (error != SLUICE_OK) {
        free(self);
        return error;
    }
    self->rows = group_rows_new(options->group_bytes_max, &options->spill);
    *assembler = self;
    return SLUICE_OK;
}

void group_forget(group_assembler_t *self)
{
    self->phase = PHASE_BETWEEN;
    self->has_query = self->has_rows = false;
    group_rows_clear(self->rows);
}

sluice_error_t group_at_place(const group_assembler_t *self, const char *location,
                              sluice_error_t error, error_report_t *report)
{
    if (!report || error == SLUICE_OK)
        return error;
    size_t len = strlen(report->text);
    snprintf(report->text + len, sizeof report->text - len, " (GTID %u-%u-%llu%s%s)",
             self->gtid.domain, self->gtid.server_id, (unsigned long long)self->gtid.sequence,
             location ? ", " : "", location ? location : "");
    return error;
}

void group_assembler_destroy(group_assembler_t **assembler)
{
    group_assembler_t *self = *assembler;
    *assembler = NULL;
    if (!self)
        return;
    group_rows_destroy(&self->rows);
    group_maps_clear(&self->maps);
    arena_clear(&self->query_arena);
    free(self);
}

void group_assembler_reset(group_assembler_t *assembler)
{
    group_forget(assembler);
    assembler->is_seeking = true;
}

void group_assembler_anchor(const group_assembler_t *assembler, anchor_t *anchor)
{
    anchor->commit_ts =
        (commit_ts_t){gtid_positions_sequence(&assembler->positions, assembler->options.domain)};
    anchor->commit_time = assembler->commit_time;
    gtid_positions_format(&assembler->positions, anchor->gtid_list);
}

bool group_assembler_is_inside_group(const group_assembler_t *assembler)
{
    return assembler->phase == PHASE_INSIDE;
}

/* Rows of a table that the group's own DDL made, or that the DDL brought into the filter, could
 * not be understood before the DDL was. */
static sluice_error_t bind_deferred(group_assembler_t *self, error_report_t *report)
{
    for (uint32_t slot = 0; slot < group_rows_map_count(self->rows); slot++) {
        const table_map_t *map = group_rows_map(self->rows, slot);
        if (!map || map->decoders)
            continue;
        const table_definition_t *definition =
            group_resolve(&self->options.resolver, map->schema, map->name);
        if (!definition) {
            group_rows_leave_out(self->rows, slot);
            continue;
        }
        sluice_error_t error = table_map_bind((table_map_t *)map, definition, report);
        if (error != SLUICE_OK)
            return error;
    }
    return SLUICE_OK;
}

static void finish(group_assembler_t *self, group_t *group)
{
    group->is_last = true;
    bool is_set = gtid_positions_set(&self->positions,
                                     (gtid_position_t){self->gtid.domain, self->gtid.server_id,
                                                       self->gtid.sequence}) == SLUICE_OK;
    assert(is_set);
    self->phase = PHASE_BETWEEN;
    self->has_rows = false;
    group_rows_clear(self->rows);
}

static sluice_error_t take_rows_part(group_assembler_t *self, group_t *group,
                                     error_report_t *report)
{
    transaction_t *transaction;
    sluice_error_t error = bind_deferred(self, report);
    if (error == SLUICE_OK)
        error = group_rows_take(self->rows, &transaction, report);
    if (error != SLUICE_OK)
        return group_at_place(self, NULL, error, report);
    if (!transaction) {
        group->kind = GROUP_EMPTY;
        finish(self, group);
        return SLUICE_OK;
    }
    transaction->commit_ts = group->commit_ts;
    transaction->commit_time = group->commit_time;
    group->kind = GROUP_ROWS;
    group->transaction = transaction;
    if (transaction->is_last_part)
        finish(self, group);
    return SLUICE_OK;
}

sluice_error_t group_assembler_take(group_assembler_t *assembler, group_t *group,
                                    error_report_t *report)
{
    *group = (group_t){.kind = GROUP_NONE};
    if (assembler->phase != PHASE_COMPLETE)
        return SLUICE_OK;
    group->in_domain = group_is_ours(assembler);
    if (group->in_domain)
        assembler->commit_time = assembler->gtid_time;
    group->commit_time = assembler->commit_time;
    group->commit_ts =
        (commit_ts_t){group->in_domain ? assembler->gtid.sequence
                                       : gtid_positions_sequence(&assembler->positions,
                                                                 assembler->options.domain)};
    if (assembler->has_query) {
        assembler->has_query = false;
        group_maps_clear(&assembler->maps);
        group->kind = GROUP_DDL;
        group->query = &assembler->query;
        if (!assembler->has_rows || group_rows_is_empty(assembler->rows))
            finish(assembler, group);
        return SLUICE_OK;
    }
    if (assembler->has_rows)
        return take_rows_part(assembler, group, report);
    group->kind = GROUP_EMPTY;
    finish(assembler, group);
    return SLUICE_OK;
}
