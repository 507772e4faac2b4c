SET GLOBAL log_bin_compress=1, GLOBAL log_bin_compress_min_len=10, GLOBAL binlog_checksum=NONE;
source ../types/setup.sql
