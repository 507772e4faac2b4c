"""Rows of a MariaDB table as canal-json writes them, for comparing a source with what was replayed."""
import struct

from tests.replay import values


def expression(name, data_type, column_type=""):
    quoted = "`" + name.replace("`", "``") + "`"
    if data_type in ("enum", "set", "bit", "year") or (data_type in values.INTEGERS and "zerofill" in column_type):
        return f"CAST(CAST({quoted} AS UNSIGNED) AS CHAR)"
    if data_type == "decimal":
        return f"CAST({quoted} + 0 AS CHAR)"
    if data_type in ("float", "double"):
        return f"CAST({quoted} AS DOUBLE)"
    if data_type in values.TEXTS:
        return f"CONVERT({quoted} USING utf8mb4)"
    if data_type in ("binary", "geometry", "point", "linestring", "polygon", "multipoint",
                     "multilinestring", "multipolygon", "geometrycollection") or data_type in values.BINARIES:
        return f"HEX({quoted})"
    return f"CAST({quoted} AS CHAR)"


def as_text(value, data_type):
    if value is None:
        return None
    if data_type in ("float", "double"):
        return float(value)
    if "HEX" in expression("x", data_type):
        return bytes.fromhex(value).decode("latin-1")
    return value if isinstance(value, str) else value.decode("utf-8")


def rows(cursor, schema, table):
    """Every row as a dictionary; the session's time zone is set to UTC."""
    cursor.execute("SET time_zone = '+00:00'")
    cursor.execute("SELECT column_name, data_type, column_type FROM information_schema.columns WHERE table_schema = %s "
                   "AND table_name = %s ORDER BY ordinal_position", (schema, table))
    described = cursor.fetchall()
    columns = [(name, data_type.lower()) for name, data_type, _ in described]
    expressions = ", ".join(expression(name, data_type.lower(), column_type) for name, data_type, column_type in described)
    cursor.execute(f"SELECT {expressions} FROM `{schema}`.`{table}`")
    return [{name: number_text(as_text(value, data_type), data_type)
             for (name, data_type), value in zip(columns, row)} for row in cursor.fetchall()]


def number_text(value, data_type):
    """The shortest text of a FLOAT or DOUBLE, as C's %g writes it."""
    if not isinstance(value, float):
        return value
    for digits in range(6, 10) if data_type == "float" else range(15, 18):
        text = f"{value:.{digits}g}"
        if reads_back(text, value, data_type):
            return text
    return repr(value)


def reads_back(text, value, data_type):
    if data_type == "double":
        return float(text) == value
    return struct.unpack("f", struct.pack("f", float(text)))[0] == value
