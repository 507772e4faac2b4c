#include "common/runtime/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static sluice_error_t read_first_line(const char *path, arena_t *arena, const char **password,
                                      error_report_t *report)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION, "password file %s: %s", path,
                                strerror(errno));
    char line[SECRET_BYTES_MAX + 2];
    size_t len = fread(line, 1, sizeof line - 1, file);
    bool failed = ferror(file) != 0;
    fclose(file);
    if (failed)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "password file %s: cannot be read", path);
    line[len] = '\0';
    size_t line_len = strcspn(line, "\r\n");
    if (line_len == 0 || line_len > SECRET_BYTES_MAX)
        return error_report_set(report, SLUICE_ERROR_CONFIGURATION,
                                "password file %s: its first line is empty or too long", path);
    *password = arena_strndup(arena, line, line_len);
    return SLUICE_OK;
}

sluice_error_t secret_password(const uri_t *uri, const char *environment_name, arena_t *arena,
                               const char **password, error_report_t *report)
{
    *password = NULL;
    if (uri->password) {
        *password = arena_strdup(arena, uri->password);
        return SLUICE_OK;
    }
    const char *path = uri_parameter(uri, "password-file");
    if (path)
        return read_first_line(path, arena, password, report);
    const char *value = environment_name ? getenv(environment_name) : NULL;
    if (value && *value)
        *password = arena_strdup(arena, value);
    return SLUICE_OK;
}
