INSERT INTO d.t VALUES (1, 1, 1);
SET SESSION binlog_format = STATEMENT;
UPDATE d.t SET a = 2 WHERE id = 1;
