"""Rows of a MariaDB table as the SQLite sink is documented to hold them (dispatcher/sink/sqlite/column.h)."""
import sqlite3

INTEGERS = ("tinyint", "smallint", "mediumint", "int", "bigint", "year")
TEXTS = ("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set")
LABELLED = ("decimal", "date", "time", "datetime", "timestamp", "inet4", "inet6", "uuid")


def _expression(name, data_type):
    if data_type in INTEGERS or data_type in ("bit", "decimal"):
        return f"CONCAT({name} + 0)"  # without the zeros of ZEROFILL
    if data_type in ("float", "double"):
        return f"CAST({name} AS DOUBLE)"
    if data_type in TEXTS:
        return f"CONVERT({name} USING utf8mb4)"
    return f"CAST({name} AS CHAR)" if data_type in LABELLED else f"HEX({name})"


def _stored(value, data_type, column_type):
    """(SQLite's storage class, value)."""
    if value is None:
        return "null", None
    if data_type in ("float", "double"):
        return "real", repr(value + 0.0)  # -0.0 becomes 0.0
    if column_type == "bit(64)":
        return "blob", int(value).to_bytes(8, "big")
    if data_type == "bigint" and "unsigned" in column_type:
        return "text", value
    if data_type in INTEGERS or data_type == "bit":
        return "integer", int(value)
    if data_type in TEXTS or data_type in LABELLED:
        return "text", value if isinstance(value, str) else value.decode("utf-8")
    return "blob", bytes.fromhex(value)


def expected(server, schema, table):
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET time_zone = '+00:00'")
        cursor.execute("SELECT column_name, data_type, column_type FROM information_schema.columns "
                       "WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position", (schema, table))
        columns = cursor.fetchall()
        expressions = ", ".join(_expression(f"`{name}`", data_type) for name, data_type, _ in columns)
        cursor.execute(f"SELECT {expressions} FROM `{schema}`.`{table}`")
        return sorted(([_stored(value, data_type, column_type)
                        for value, (_, data_type, column_type) in zip(row, columns)]
                       for row in cursor.fetchall()), key=repr)


def found(path, schema, table):
    """Every value with its storage class."""
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        rows = connection.execute(f'SELECT * FROM "{schema}.{table}"').fetchall()
    classes = {type(None): "null", int: "integer", float: "real", str: "text", bytes: "blob"}
    return sorted(([(classes[type(value)], repr(value) if isinstance(value, float) else value) for value in row]
                   for row in rows), key=repr)
