source ../types/workload.sql
