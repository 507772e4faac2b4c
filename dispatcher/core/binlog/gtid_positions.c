#include "dispatcher/core/binlog/gtid_positions.h"

#include <assert.h>
#include <stdlib.h>

static gtid_position_t *find(gtid_positions_t *positions, uint32_t domain)
{
    for (uint32_t i = 0; i < positions->count; i++)
        if (positions->entries[i].domain == domain)
            return &positions->entries[i];
    return NULL;
}

sluice_error_t gtid_positions_parse(gtid_positions_t *positions, const char *gtid_list)
{
    *positions = (gtid_positions_t){0};
    uint64_t unused;
    sluice_error_t error = gtid_list_sequence(gtid_list, 0, &unused); /* checks the whole text */
    const char *at = gtid_list;
    while (error == SLUICE_OK && *at) {
        char *end;
        gtid_position_t position;
        position.domain = (uint32_t)strtoull(at, &end, 10);
        position.server_id = (uint32_t)strtoull(end + 1, &end, 10);
        position.sequence = strtoull(end + 1, &end, 10);
        at = *end ? end + 1 : end;
        error = gtid_positions_set(positions, position);
    }
    return error;
}

uint64_t gtid_positions_sequence(const gtid_positions_t *positions, uint32_t domain)
{
    const gtid_position_t *position = find((gtid_positions_t *)positions, domain);
    return position ? position->sequence : 0;
}

bool gtid_positions_has_room(const gtid_positions_t *positions, uint32_t domain)
{
    return positions->count < GTID_POSITIONS_MAX || find((gtid_positions_t *)positions, domain);
}

sluice_error_t gtid_positions_set(gtid_positions_t *positions, gtid_position_t position)
{
    gtid_position_t *known = find(positions, position.domain);
    if (!known) {
        if (positions->count == GTID_POSITIONS_MAX)
            return SLUICE_ERROR_TOO_LARGE;
        known = &positions->entries[positions->count++];
    }
    *known = position;
    return SLUICE_OK;
}

void gtid_positions_format(const gtid_positions_t *positions, char gtid_list[ANCHOR_GTID_LIST_MAX])
{
    gtid_list[0] = '\0';
    for (uint32_t i = 0; i < positions->count; i++) {
        const gtid_position_t *p = &positions->entries[i];
        sluice_error_t error = gtid_list_set(gtid_list, p->domain, p->server_id, p->sequence);
        assert(error == SLUICE_OK); /* GTID_POSITIONS_MAX of them fit */
        (void)error;
    }
}
