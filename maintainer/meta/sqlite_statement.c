/* Statements of the SQLite meta store, and what its errors mean. */
#include "maintainer/meta/sqlite_internal.h"

static sluice_error_t code_of(int code)
{
    switch (code & 0xFF) {
    case SQLITE_FULL:
        return SLUICE_ERROR_NO_SPACE;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return SLUICE_ERROR_LOCKED;
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        return SLUICE_ERROR_IO;
    default:
        return SLUICE_ERROR_META_STORE;
    }
}

sluice_error_t sqlite_failure(sqlite3 *db, error_report_t *report)
{
    const char *path = sqlite3_db_filename(db, "main");
    int system_error = sqlite3_system_errno(db);
    return error_report_set(report, code_of(sqlite3_extended_errcode(db)), "meta store: %s: %s%s%s",
                            path ? path : "", sqlite3_errmsg(db), system_error ? ": " : "",
                            system_error ? strerror(system_error) : "");
}

sluice_error_t sqlite_run(sqlite3 *db, const char *sql, error_report_t *report)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? SLUICE_OK
                                                                : sqlite_failure(db, report);
}

statement_t statement_begin(meta_store_t *store, const char *sql, error_report_t *report)
{
    statement_t self = {.db = sqlite_store(store)->db, .report = report};
    if (sqlite3_prepare_v2(self.db, sql, -1, &self.statement, NULL) != SQLITE_OK)
        self.error = sqlite_failure(self.db, report);
    return self;
}

static void note(statement_t *self, int code)
{
    if (code != SQLITE_OK && self->error == SLUICE_OK)
        self->error = sqlite_failure(self->db, self->report);
}

/* SQLite's integers are signed: the same 64 bits. Nothing is compared in SQL that passes 2^63. */
void statement_bind_number(statement_t *self, uint64_t number)
{
    if (self->error == SLUICE_OK)
        note(self, sqlite3_bind_int64(self->statement, ++self->bound, (sqlite3_int64)number));
}

void statement_bind_text(statement_t *self, bytes_t text)
{
    const char *data = text.len ? (const char *)text.data : "";
    if (self->error == SLUICE_OK)
        note(self, sqlite3_bind_text64(self->statement, ++self->bound, data, text.len,
                                       SQLITE_STATIC, SQLITE_UTF8));
}

void statement_bind_blob(statement_t *self, bytes_t blob)
{
    const void *data = blob.len ? (const void *)blob.data : "";
    if (self->error == SLUICE_OK)
        note(self,
             sqlite3_bind_blob64(self->statement, ++self->bound, data, blob.len, SQLITE_STATIC));
}

void statement_bind_uuid(statement_t *self, const changefeed_ref_t *changefeed)
{
    statement_bind_blob(self, bytes_of(changefeed->uuid.bytes, sizeof changefeed->uuid.bytes));
}

bool statement_next(statement_t *self)
{
    if (self->error != SLUICE_OK)
        return false;
    self->column = 0;
    int code = sqlite3_step(self->statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        note(self, code);
    return code == SQLITE_ROW;
}

uint64_t statement_number(statement_t *self)
{
    return (uint64_t)sqlite3_column_int64(self->statement, self->column++);
}

bytes_t statement_bytes(statement_t *self, arena_t *arena)
{
    const void *data = sqlite3_column_blob(self->statement, self->column);
    int len = sqlite3_column_bytes(self->statement, self->column++);
    return arena_bytes(arena, bytes_of(data, (size_t)len));
}

sluice_error_t statement_finish(statement_t *self)
{
    sqlite3_finalize(self->statement);
    self->statement = NULL;
    return self->error;
}

sluice_error_t statement_execute(statement_t *self, int *changes)
{
    while (statement_next(self))
        ;
    if (changes)
        *changes = self->error == SLUICE_OK ? sqlite3_changes(self->db) : 0;
    return statement_finish(self);
}
