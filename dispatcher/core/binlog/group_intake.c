#include "dispatcher/core/binlog/group_state.h"

#include <assert.h>
#include <stdio.h>

#include "dispatcher/core/binlog/rows.h"
#include "dispatcher/core/binlog/statement.h"

static sluice_error_t fail(const group_assembler_t *self, const char *location,
                           sluice_error_t error, const char *what, error_report_t *report)
{
    (void)error_report_set(report, error, "%s", what);
    return group_at_place(self, location, error, report);
}

static void complete(group_assembler_t *self, bool has_rows)
{
    if (!has_rows)
        group_rows_clear(self->rows);
    self->has_rows = has_rows;
    self->phase = PHASE_COMPLETE;
}

/* ---- GTID ---- */

static sluice_error_t take_gtid(group_assembler_t *self, const binlog_header_t *header,
                                bytes_t body, const char *location, error_report_t *report)
{
    if (self->phase == PHASE_INSIDE)
        return fail(self, location, SLUICE_ERROR_SOURCE_CORRUPT,
                    "a group begins before this one has ended", report);
    if (binlog_gtid_parse(header, body, &self->gtid) != SLUICE_OK)
        return fail(self, location, SLUICE_ERROR_SOURCE_CORRUPT, "a GTID event is damaged", report);
    uint64_t newest = gtid_positions_sequence(&self->positions, self->gtid.domain);
    if (self->gtid.sequence <= newest && group_is_ours(self) && !self->is_seeking)
        return fail(self, location, SLUICE_ERROR_SOURCE_SEQUENCE,
                    "the sequence number does not ascend; SET GLOBAL gtid_strict_mode=1 on the "
                    "source and start the changefeed again behind this place",
                    report);
    if (self->gtid.sequence <= newest) {
        self->phase = PHASE_PASSING;
        return SLUICE_OK;
    }
    if (!gtid_positions_has_room(&self->positions, self->gtid.domain))
        return fail(self, location, SLUICE_ERROR_TOO_LARGE,
                    "the log has more GTID domains than a position can hold", report);
    if (group_is_ours(self))
        self->is_seeking = false;
    self->gtid_time = (wall_ms_t){(uint64_t)header->timestamp * 1000};
    group_maps_begin_group(&self->maps);
    self->phase = PHASE_INSIDE;
    return SLUICE_OK;
}

/* ---- QUERY ---- */

static bool may_touch(const group_assembler_t *self, const binlog_query_t *query)
{
    const group_resolver_t *resolver = &self->options.resolver;
    return !resolver->may_touch || resolver->may_touch(resolver->context, query);
}

static sluice_error_t take_statement(group_assembler_t *self, const char *location,
                                     error_report_t *report)
{
    if (!may_touch(self, &self->query))
        return SLUICE_OK;
    return fail(self, location,
                group_is_ours(self) ? SLUICE_ERROR_SOURCE_STATEMENT_FORMAT
                                    : SLUICE_ERROR_SOURCE_DOMAIN,
                "row changes were logged as a statement, which cannot be replicated; SET GLOBAL "
                "binlog_format=ROW, and let no session set another format",
                report);
}

/* The one statement of a standalone group, or the CREATE of a CREATE TABLE … SELECT. */
static sluice_error_t take_ddl(group_assembler_t *self, const char *location,
                               error_report_t *report)
{
    if (self->has_query)
        return fail(self, location, SLUICE_ERROR_SOURCE_CORRUPT, "a group with two schema changes",
                    report);
    if (!group_is_ours(self))
        return may_touch(self, &self->query)
                   ? fail(self, location, SLUICE_ERROR_SOURCE_DOMAIN,
                          "another GTID domain changes the schema of carried tables", report)
                   : SLUICE_OK;
    self->has_query = true;
    return SLUICE_OK;
}

static sluice_error_t take_standalone(group_assembler_t *self, statement_kind_t kind,
                                      const char *location, error_report_t *report)
{
    const uint8_t undecided = GTID_EXTRA_START_ALTER | GTID_EXTRA_ROLLBACK_ALTER;
    sluice_error_t error = SLUICE_OK;
    if (kind == STATEMENT_ROWS)
        error = take_statement(self, location, report);
    else if (kind != STATEMENT_NEUTRAL && !(self->gtid.flags_extra & undecided) &&
             !(self->gtid.flags & GTID_COMPLETED_XA))
        error = take_ddl(self, location, report);
    if (error == SLUICE_OK)
        complete(self, false);
    return error;
}

static sluice_error_t take_savepoint(group_assembler_t *self, statement_kind_t kind, bytes_t name,
                                     const char *location, error_report_t *report)
{
    sluice_error_t error = kind == STATEMENT_SAVEPOINT ? group_rows_savepoint(self->rows, name)
                                                       : group_rows_rollback_to(self->rows, name);
    if (error == SLUICE_ERROR_NOT_FOUND)
        return fail(self, location, SLUICE_ERROR_SOURCE_CORRUPT,
                    "ROLLBACK TO a savepoint that was never set", report);
    if (error != SLUICE_OK)
        return fail(self, location, error, "too many savepoints in one transaction", report);
    return SLUICE_OK;
}

static sluice_error_t take_inner(group_assembler_t *self, statement_kind_t kind, bytes_t savepoint,
                                 const char *location, error_report_t *report)
{
    switch (kind) {
    case STATEMENT_COMMIT:
        complete(self, true);
        return SLUICE_OK;
    case STATEMENT_ROLLBACK:
        self->has_query = false;
        complete(self, false);
        return SLUICE_OK;
    case STATEMENT_SAVEPOINT:
    case STATEMENT_ROLLBACK_TO:
        return take_savepoint(self, kind, savepoint, location, report);
    case STATEMENT_BEGIN:
    case STATEMENT_XA:
    case STATEMENT_NEUTRAL:
        return SLUICE_OK;
    case STATEMENT_OTHER:
        if (self->gtid.flags & GTID_DDL)
            return take_ddl(self, location, report);
        return take_statement(self, location, report);
    case STATEMENT_ROWS:
        return take_statement(self, location, report);
    }
    return SLUICE_OK;
}

static sluice_error_t take_query(group_assembler_t *self, const binlog_header_t *header,
                                 bytes_t body, const char *location, error_report_t *report)
{
    binlog_query_t ddl = self->query;
    if (!self->has_query)
        arena_reset(&self->query_arena);
    if (binlog_query_parse(header, body, &self->query_arena, &self->query) != SLUICE_OK)
        return fail(self, location, SLUICE_ERROR_SOURCE_CORRUPT, "a query event is damaged",
                    report);
    bool had_query = self->has_query;
    bytes_t savepoint;
    statement_kind_t kind = header->type == BINLOG_EXECUTE_LOAD_QUERY
                                ? STATEMENT_ROWS
                                : statement_classify(self->query.sql, &savepoint);
    sluice_error_t error = self->gtid.flags & GTID_STANDALONE
                               ? take_standalone(self, kind, location, report)
                               : take_inner(self, kind, savepoint, location, report);
    if (had_query)
        self->query = ddl;
    return error;
}

/* ---- rows ---- */

static sluice_error_t take_table_map(group_assembler_t *self, bytes_t body, const char *location,
                                     error_report_t *report)
{
    bool is_deferred = self->has_query; /* its table comes into being with the group's own DDL */
    return group_at_place(
        self, location,
        group_maps_take(&self->maps, body, &self->options.resolver, is_deferred, report), report);
}

static sluice_error_t check_origin(const group_assembler_t *self, const char *location,
                                   error_report_t *report)
{
    if (!group_is_ours(self))
        return fail(self, location, SLUICE_ERROR_SOURCE_DOMAIN,
                    "another GTID domain changes rows of a carried table", report);
    if (self->gtid.flags & GTID_PREPARED_XA)
        return fail(self, location, SLUICE_ERROR_SOURCE_XA,
                    "an XA transaction that was prepared changes rows of a carried table, which "
                    "cannot be replicated yet; use XA COMMIT … ONE PHASE",
                    report);
    return SLUICE_OK;
}

static sluice_error_t take_rows(group_assembler_t *self, uint8_t type, bytes_t body,
                                const char *location, error_report_t *report)
{
    uint64_t map_id;
    uint16_t flags;
    if (rows_event_peek(body, &map_id, &flags) != SLUICE_OK)
        return fail(self, location, SLUICE_ERROR_SOURCE_CORRUPT, "a row event is damaged", report);
    group_map_t *entry = group_maps_find(&self->maps, map_id);
    if (!entry && map_id == ROWS_MAP_ID_NONE && (flags & ROWS_STATEMENT_END))
        return SLUICE_OK;
    if (!entry)
        return fail(self, location, SLUICE_ERROR_SOURCE_CORRUPT,
                    "a row event without its table map", report);
    if (!entry->map)
        return SLUICE_OK;
    sluice_error_t error = check_origin(self, location, report);
    if (error != SLUICE_OK)
        return error;
    if (entry->slot_group != self->maps.group) {
        entry->slot = group_rows_add_map(self->rows, entry->map);
        entry->slot_group = self->maps.group;
    }
    return group_at_place(self, location,
                          group_rows_add(self->rows, entry->slot, type, body, report), report);
}

/* ---- push ---- */

static sluice_error_t take_inside(group_assembler_t *self, const binlog_header_t *header,
                                  bytes_t body, const char *location, error_report_t *report)
{
    if (rows_event_type(header->type, NULL))
        return take_rows(self, header->type, body, location, report);
    switch (header->type) {
    case BINLOG_TABLE_MAP:
        return take_table_map(self, body, location, report);
    case BINLOG_XID:
        complete(self, true);
        return SLUICE_OK;
    case BINLOG_XA_PREPARE:
        complete(self, true);
        return SLUICE_OK;
    default:
        return take_query(self, header, body, location, report);
    }
}

/* Events that say nothing of the data. Values of variables belong to statements logged as text,
 * which are judged by their own event. */
static bool is_passed(uint8_t type)
{
    switch (type) {
    case BINLOG_STOP:
    case BINLOG_ROTATE:
    case BINLOG_INTVAR:
    case BINLOG_RAND:
    case BINLOG_USER_VAR:
    case BINLOG_BEGIN_LOAD_QUERY:
    case BINLOG_HEARTBEAT:
    case BINLOG_ANNOTATE_ROWS:
    case BINLOG_CHECKPOINT:
    case BINLOG_GTID_LIST:
    case BINLOG_START_ENCRYPTION:
        return true;
    default:
        return false;
    }
}

static bool is_content(uint8_t type)
{
    switch (type) {
    case BINLOG_QUERY:
    case BINLOG_QUERY_COMPRESSED:
    case BINLOG_EXECUTE_LOAD_QUERY:
    case BINLOG_XID:
    case BINLOG_XA_PREPARE:
    case BINLOG_TABLE_MAP:
        return true;
    default:
        return rows_event_type(type, NULL);
    }
}

static sluice_error_t refuse_type(group_assembler_t *self, uint8_t type, const char *location,
                                  error_report_t *report)
{
    char what[128];
    if (type == BINLOG_INCIDENT)
        return fail(self, location, SLUICE_ERROR_SOURCE_CORRUPT,
                    "the source wrote an incident: its log lacks changes", report);
    snprintf(what, sizeof what, "an event of type %u, which is not known", type);
    return fail(self, location, SLUICE_ERROR_SOURCE_CORRUPT, what, report);
}

sluice_error_t group_assembler_push(group_assembler_t *assembler, bytes_t event,
                                    const char *location, error_report_t *report)
{
    assert(assembler->phase != PHASE_COMPLETE);
    binlog_header_t header;
    bytes_t body;
    if (binlog_header_parse(event, &header, &body) != SLUICE_OK)
        return fail(assembler, location, SLUICE_ERROR_SOURCE_CORRUPT,
                    "an event is shorter than its header", report);
    if (header.type == BINLOG_GTID)
        return take_gtid(assembler, &header, body, location, report);
    if (header.type == BINLOG_FORMAT_DESCRIPTION) {
        /* A server that crashed left the group before this unfinished and rolled it back. */
        if (assembler->phase == PHASE_INSIDE)
            group_forget(assembler);
        return SLUICE_OK;
    }
    if (is_passed(header.type) || assembler->phase == PHASE_PASSING)
        return SLUICE_OK;
    if (!is_content(header.type))
        return header.flags & BINLOG_FLAG_IGNORABLE
                   ? SLUICE_OK
                   : refuse_type(assembler, header.type, location, report);
    if (assembler->phase == PHASE_BETWEEN)
        return fail(assembler, location, SLUICE_ERROR_SOURCE_CORRUPT,
                    "an event outside of any group; it follows this one", report);
    return take_inside(assembler, &header, body, location, report);
}
