#!/bin/sh
# Starts a MariaDB server for trials and tests: a root account without password that may come from anywhere.
# Not for data that matters.
set -eu
if [ ! -d /var/lib/mysql/mysql ]; then
    mariadb-install-db --no-defaults --datadir=/var/lib/mysql --skip-test-db \
        --auth-root-authentication-method=normal >/dev/null
    cat >/var/lib/mysql/init.sql <<'SQL'
CREATE USER IF NOT EXISTS root@'%';
GRANT ALL PRIVILEGES ON *.* TO root@'%' WITH GRANT OPTION;
SQL
fi
exec mariadbd --no-defaults --datadir=/var/lib/mysql --socket=/run/mysqld/mysqld.sock \
    --init-file=/var/lib/mysql/init.sql --bind-address=0.0.0.0 "$@"
