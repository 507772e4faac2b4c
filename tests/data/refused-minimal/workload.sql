INSERT INTO d.t VALUES (1, 1, 1);
SET SESSION binlog_row_image = MINIMAL;
UPDATE d.t SET a = 2 WHERE id = 1;
