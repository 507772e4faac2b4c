/*
 * One table's part of a transaction as bytes, for the event store and for another node: commit_ts,
 * commit_time, the place among the transaction's parts, the TABLE_MAPs as the log has them, and the
 * row events, not decoded. The table's definition is not among them: whoever keeps or sends the
 * bytes has it beside them.
 *
 * The bytes end with a checksum, so that damage is an error and never other rows. What is read may
 * come from anybody: memory taken is bounded by a small multiple of the bytes given, and what comes
 * out can be read by rows.h without further checks.
 *
 * Pure. Threads: functions of their arguments.
 */
#ifndef SLUICE_DISPATCHER_CORE_BINLOG_ROWS_CODEC_H
#define SLUICE_DISPATCHER_CORE_BINLOG_ROWS_CODEC_H

#include "common/base/error.h"
#include "dispatcher/core/transaction.h"

/* `rows` is one of the transaction's tables. An event's body is shorter than 4 GiB, as in the log.
 */
size_t rows_codec_size(const transaction_t *transaction, const table_rows_t *rows);
/* Writes just rows_codec_size bytes. */
void rows_codec_encode(const transaction_t *transaction, const table_rows_t *rows, uint8_t *to);

/* A transaction with this one table and one reference; nothing is borrowed from `bytes`. A
 * reference to `definition` is taken, and the maps are bound to it. *last_map is a map that was
 * decoded before, or NULL: it is used again where it is the same, and becomes the last one decoded;
 * the caller owns its reference. `last_map` itself may be NULL.
 * SLUICE_ERROR_MALFORMED: these are not bytes of rows_codec_encode; SLUICE_ERROR_SCHEMA_MISMATCH:
 * they are, of another definition. *transaction is then NULL. */
sluice_error_t rows_codec_decode(bytes_t bytes, const table_definition_t *definition,
                                 const table_map_t **last_map, transaction_t **transaction,
                                 error_report_t *report) SLUICE_MUST_USE;

#endif
