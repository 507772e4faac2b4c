#include "common/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const names[SLUICE_ERROR_COUNT] = {
#define X(code, name) [code] = name,
    SLUICE_ERRORS(X)
#undef X
};

const char *sluice_error_name(sluice_error_t code)
{
    if ((unsigned)code >= SLUICE_ERROR_COUNT)
        return "unknown";
    return names[code];
}

sluice_error_t sluice_error_from_name(const char *name)
{
    for (unsigned i = 0; i < SLUICE_ERROR_COUNT; i++)
        if (strcmp(names[i], name) == 0)
            return (sluice_error_t)i;
    return SLUICE_ERROR_BUG;
}

bool sluice_error_is_retriable(sluice_error_t code)
{
    return code == SLUICE_ERROR_AGAIN || code == SLUICE_ERROR_TIMEOUT ||
           code == SLUICE_ERROR_NO_SPACE || code == SLUICE_ERROR_SOURCE_CONNECTION ||
           code == SLUICE_ERROR_SOURCE_BUSY || code == SLUICE_ERROR_SINK_CONNECTION ||
           code == SLUICE_ERROR_SINK_BUSY || code == SLUICE_ERROR_LOCKED;
}

bool sluice_error_is_of_log(sluice_error_t code)
{
    return (code >= SLUICE_ERROR_SOURCE_CONNECTION && code <= SLUICE_ERROR_SOURCE_SEQUENCE) ||
           code == SLUICE_ERROR_SCHEMA_MISMATCH || code == SLUICE_ERROR_DDL_UNSUPPORTED ||
           code == SLUICE_ERROR_ENTERS_FILTER;
}

sluice_error_t error_report_set(error_report_t *report, sluice_error_t code, const char *format,
                                ...)
{
    if (!report)
        return code;
    va_list arguments;
    va_start(arguments, format);
    report->code = code;
    vsnprintf(report->text, sizeof report->text, format, arguments);
    va_end(arguments);
    return code;
}
