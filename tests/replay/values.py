"""Values as canal-json writes them: strings or None."""
import decimal
import re


class Unknown:
    """A value that the lines do not tell; equal to everything."""

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    __hash__ = None

    def __repr__(self):
        return "<unknown>"


UNKNOWN = Unknown()
INTEGERS = ("tinyint", "smallint", "mediumint", "int", "bigint")
TEXTS = ("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "json")
BINARIES = ("varbinary", "tinyblob", "blob", "mediumblob", "longblob")


def split_type(mysql_type):
    """'decimal(10,2) unsigned' -> ('decimal', '10,2')."""
    found = re.match(r"(\w+)(?:\((.*)\))?", mysql_type, re.S)
    return found.group(1), found.group(2) or ""


def members(argument):
    return [label.replace("''", "'") for label in re.findall(r"'((?:[^']|'')*)'", argument)]


def of_literal(mysql_type, text):
    """What a column of this type holds when its DEFAULT is the literal."""
    base, argument = split_type(mysql_type)
    if base in INTEGERS or base == "year":
        return str(int(decimal.Decimal(text).to_integral_value(decimal.ROUND_HALF_UP)))
    if base == "decimal":
        scale = int(argument.split(",")[1])
        return str(decimal.Decimal(text).quantize(decimal.Decimal(1).scaleb(-scale),
                                                  decimal.ROUND_HALF_UP))
    if base == "enum":
        return str(members(argument).index(text) + 1) if text else "0"
    if base == "set":
        labels = members(argument)
        return str(sum(1 << labels.index(label) for label in text.split(",") if label))
    if base == "bit":
        found = re.fullmatch(r"b'([01]+)'", text)
        return str(int(found.group(1), 2)) if found else text
    if base in ("datetime", "time") and int(argument or 0) == len(text.partition(".")[2]):
        return text
    if base == "binary":
        return text.ljust(int(argument or 1), "\0")
    if base in TEXTS or base in BINARIES or base == "date":
        return text
    return UNKNOWN


def implicit(mysql_type):
    """What a NOT NULL column holds for which nothing is said."""
    base, argument = split_type(mysql_type)
    if base in INTEGERS or base in ("year", "bit", "set", "decimal"):
        return of_literal(mysql_type, "" if base == "set" else "0")
    if base == "enum":
        return "1"
    if base in TEXTS or base in BINARIES:
        return ""
    if base == "binary":
        return "\0" * int(argument or 1)
    if base == "date":
        return "0000-00-00"
    return UNKNOWN


def of_new_column(column):
    """What rows that are there get in a column of a DDL line."""
    kind = column["defaultKind"]
    if kind == "literal":
        return of_literal(column["mysqlType"], column["default"])
    if kind in ("expression", "generated"):
        return UNKNOWN
    return implicit(column["mysqlType"]) if column["notNull"] else None


def survives(before, after):
    """Whether an ALTER from one type to the other leaves what canal-json writes as it is."""
    (old, old_argument), (new, new_argument) = split_type(before), split_type(after)
    if before == after or (old in INTEGERS and new in INTEGERS):
        return True
    if old in INTEGERS and new in TEXTS and "zerofill" not in before:
        return True
    if old in TEXTS and new in TEXTS:
        return new != "char" or old == "char"
    if old in ("enum", "set") and old == new:
        labels = members(old_argument)
        return members(new_argument)[:len(labels)] == labels
    if old == new == "decimal":
        return old_argument.split(",")[1] == new_argument.split(",")[1]
    return old in BINARIES and new in BINARIES
