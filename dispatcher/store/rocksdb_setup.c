#include "dispatcher/store/rocksdb_setup.h"

#include "dispatcher/store/record_block.h"

/* What it takes in memory: rows that are not in a file yet, and blocks just read. */
#define WRITE_BUFFER_BYTES (UINT64_C(8) << 20)
#define ALL_WRITE_BUFFERS_BYTES (UINT64_C(32) << 20)
#define CACHE_BYTES (UINT64_C(8) << 20)
#define OPEN_FILES_MAX 256

rocksdb_options_t *rocksdb_setup(uint64_t segment_bytes_max)
{
    rocksdb_options_t *options = rocksdb_options_create();
    uint64_t buffer =
        WRITE_BUFFER_BYTES < segment_bytes_max ? WRITE_BUFFER_BYTES : segment_bytes_max;
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_write_buffer_size(options, buffer);
    rocksdb_options_set_max_write_buffer_number(options, 3);
    rocksdb_options_set_db_write_buffer_size(options, ALL_WRITE_BUFFERS_BYTES);
    rocksdb_options_set_compression(options, rocksdb_no_compression);
    rocksdb_options_set_disable_auto_compactions(options, 1);
    /* Files of a segment stay side by side; their number is bounded by its size. */
    rocksdb_options_set_level0_slowdown_writes_trigger(options, 1 << 20);
    rocksdb_options_set_level0_stop_writes_trigger(options, 1 << 20);
    rocksdb_options_set_max_open_files(options, OPEN_FILES_MAX);
    /* The directory is looked through for files that nobody knows at each flush, not each six
     * hours. */
    rocksdb_options_set_delete_obsolete_files_period_micros(options, 0);
    rocksdb_options_set_keep_log_file_num(options, 1);
    rocksdb_options_set_max_log_file_size(options, 1 << 20);
    rocksdb_options_set_info_log_level(options, 3); /* errors */
    rocksdb_options_set_stats_dump_period_sec(options, 0);
    rocksdb_options_set_manifest_preallocation_size(options, 64 << 10);
    rocksdb_cache_t *cache = rocksdb_cache_create_lru(CACHE_BYTES);
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(table, cache);
    rocksdb_block_based_options_set_block_size(table, RECORD_BLOCK_BYTES_MAX);
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_block_based_options_destroy(table);
    rocksdb_cache_destroy(cache);
    return options;
}
