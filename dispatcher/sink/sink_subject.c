#include "dispatcher/sink/sink_subject.h"

#include <stdio.h>
#include <string.h>

#define SUBJECT_SIZE 2048

static _Thread_local char subject[SUBJECT_SIZE];

const char *sink_subject_of_claims(const sink_claim_t *claims, uint32_t count)
{
    size_t len = 0;
    subject[0] = '\0';
    for (uint32_t i = 0; i < count && i < SINK_SUBJECT_MAX && len < sizeof subject; i++)
        len += (size_t)snprintf(subject + len, sizeof subject - len, "%s%llu", i ? " " : "",
                                (unsigned long long)claims[i].span.table_id.v);
    return subject;
}

const char *sink_subject_of_writes(const sink_write_t *writes, uint32_t count)
{
    size_t len = 0;
    subject[0] = '\0';
    for (uint32_t i = 0; i < count && i < SINK_SUBJECT_MAX && len < sizeof subject; i++) {
        if (writes[i].part_count == 0)
            continue;
        const table_definition_t *definition = writes[i].parts[0]->definition;
        len += (size_t)snprintf(subject + len, sizeof subject - len, "%s%s.%s", len ? " " : "",
                                definition->schema, definition->name);
    }
    return subject;
}
