/*
 * How RocksDB is set up for the event store: nothing is compacted or compressed, memory is bounded
 * to about 50 MB. Used by rocksdb_store.c alone.
 */
#ifndef SLUICE_DISPATCHER_STORE_ROCKSDB_SETUP_H
#define SLUICE_DISPATCHER_STORE_ROCKSDB_SETUP_H

#include <rocksdb/c.h>
#include <stdint.h>

/* To be destroyed. */
rocksdb_options_t *rocksdb_setup(uint64_t segment_bytes_max);

#endif
