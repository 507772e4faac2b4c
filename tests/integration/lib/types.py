"""Every column type with its extremes: (name, declaration, SQL values)."""

INTS = {
    "tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64,
}


def _ints():
    for name, bits in INTS.items():
        top = 2 ** (bits - 1)
        yield name, name.upper(), [str(-top), "-1", "0", "1", str(top - 1)]
        yield name + "_u", name.upper() + " UNSIGNED", ["0", "1", str(top), str(2 * top - 1)]


def _texts():
    for charset, value in (("utf8mb4", "'grün €, 𝄞, 中'"), ("latin1", "'grün € ÿ'"), ("gbk", "'中文'"),
                           ("utf8mb3", "'zäh €'"), ("ucs2", "'ŝuŝt'"), ("utf16", "'𝄞'"),
                           ("sjis", "'日本'"), ("koi8r", "'мир'"), ("cp1251", "'мир'"),
                           ("ascii", "'plain'"), ("big5", "'中文'"), ("latin2", "'žluť'"),
                           ("utf16le", "'𝄞'"), ("utf32", "'𝄞 ü'"), ("cp932", "'①日本'"), ("eucjpms", "'①日本'"),
                           ("ujis", "'日本'"), ("euckr", "'한국'"), ("gb2312", "'中文'"), ("greek", "'ελλ'"),
                           ("hebrew", "'שלום'"), ("koi8u", "'їжак'"), ("latin5", "'ğış'"), ("latin7", "'ąčę'"),
                           ("cp850", "'é½'"), ("cp852", "'žš'"), ("cp866", "'мир'"), ("cp1250", "'žluť€'"),
                           ("cp1256", "'سلام'"), ("cp1257", "'ąčę'"), ("tis620", "'ไทย'"), ("macroman", "'é∑'"),
                           ("macce", "'žluť'"), ("armscii8", "'Հայ'"), ("hp8", "'é£'"), ("dec8", "'é'"),
                           ("swe7", "'aö'"), ("keybcs2", "'žluť'"), ("geostd8", "'აბ'")):
        yield f"vc_{charset}", f"VARCHAR(60) CHARACTER SET {charset}", [value, "''", "'tail  '", "' x'"]
        yield f"ch_{charset}", f"CHAR(20) CHARACTER SET {charset}", [value, "''", "'a b'"]
        yield f"tx_{charset}", f"TEXT CHARACTER SET {charset}", [value, "''", f"REPEAT({value}, 500)"]


def _sizes():
    """Where the log changes how it writes a length or a value."""
    for size in (1, 8, 9, 16, 17, 24, 25, 32, 33, 63):
        labels = ",".join(f"'l{n}'" for n in range(size))
        yield f"set{size}_of", f"SET({labels})", ["''", "'l0'", f"'l{size - 1}'", str(2 ** size - 1)]
    for size in (255, 256):
        labels = ",".join(f"'l{n}'" for n in range(size))
        yield f"enum{size}_of", f"ENUM({labels})", ["'l0'", f"'l{size - 1}'"]
    for size in (0, 63, 64, 85, 86, 255):
        yield f"char{size}_of", f"CHAR({size})", ["''", f"REPEAT('€', {size})", f"REPEAT('x', {min(size, 3)})"]
    for size in (0, 1, 63, 64, 255, 256):
        yield f"varchar{size}_of", f"VARCHAR({size})", ["''", f"REPEAT('€', {size})"]
        yield f"varbinary{size}_of", f"VARBINARY({size})", ["''", f"REPEAT(0xff, {size})", f"REPEAT(0x00, {size})"]
    for size in (8, 9, 16, 17, 32, 33, 56, 57):
        yield f"bit{size}_of", f"BIT({size})", ["0", "1", str(2 ** size - 1), str(2 ** (size - 1))]
    for digits, scale in ((1, 0), (1, 1), (9, 0), (9, 9), (10, 0), (10, 9), (18, 9), (19, 10), (27, 0), (65, 0), (20, 19)):
        most = "9" * (digits - scale) + ("." + "9" * scale if scale else "")
        yield f"dec{digits}_{scale}_of", f"DECIMAL({digits},{scale})", ["0", most, "-" + most]


TYPES = [
    *_ints(),
    *_sizes(),
    ("bool", "BOOL", ["TRUE", "FALSE", "-128"]),
    ("zerofill", "INT(8) ZEROFILL", ["0", "42", "4294967295"]),
    ("dec", "DECIMAL(10,2)", ["0", "-0.01", "99999999.99", "-99999999.99", "1.10"]),
    ("dec_int", "DECIMAL(5,0)", ["0", "-99999", "99999"]),
    ("dec_wide", "DECIMAL(65,30)", ["0", "99999999999999999999999999999999999.999999999999999999999999999999",
                                    "-99999999999999999999999999999999999.999999999999999999999999999999",
                                    "0.000000000000000000000000000001"]),
    ("dec_frac", "DECIMAL(38,38)", ["0.00000000000000000000000000000000000001",
                                    "-0.99999999999999999999999999999999999999"]),
    ("dec_u", "DECIMAL(20,9) UNSIGNED", ["0", "12345678901.987654321"]),
    ("float", "FLOAT", ["0", "-0.0", "1.1", "-3.402823466e38", "1.175494351e-38", "0.1", "16777217"]),
    ("float_ps", "FLOAT(7,3)", ["1234.567", "-0.001"]),
    ("double", "DOUBLE", ["0", "0.1", "-1.7976931348623157e308", "2.2250738585072014e-308", "1e22",
                          "123456789.123456789"]),
    ("double_u", "DOUBLE UNSIGNED", ["0", "0.3333333333333333"]),
    ("bit1", "BIT(1)", ["b'0'", "b'1'"]),
    ("bit13", "BIT(13)", ["b'0'", "b'1000000000001'", "b'1111111111111'"]),
    ("bit63", "BIT(63)", ["0", "9223372036854775807"]),
    ("bit64", "BIT(64)", ["0", "1", "18446744073709551615"]),
    ("year", "YEAR", ["0", "1901", "2155"]),
    ("date", "DATE", ["'0000-00-00'", "'0001-01-01'", "'9999-12-31'", "'2024-02-29'", "'2024-00-00'"]),
    *[(f"time{n}", f"TIME({n})", ["'00:00:00'", "'838:59:59'", "'-838:59:59'", "'-00:00:00.999999'",
                                  "'12:34:56.987654'", "'-12:34:56.98'", "'-00:00:01.000002'"])
      for n in range(7)],
    *[(f"datetime{n}", f"DATETIME({n})", ["'0000-00-00 00:00:00'", "'1000-01-01 00:00:00'",
                                          "'9999-12-31 23:59:59.999999'", "'2024-02-29 12:34:56.123456'"])
      for n in range(7)],
    *[(f"timestamp{n}", f"TIMESTAMP({n}) NULL", ["'0000-00-00 00:00:00'", "'1970-01-01 00:00:01'",
                                                 "'2038-01-19 03:14:07.999999'",
                                                 "'2024-07-01 12:34:56.654321'"])
      for n in range(7)],
    *_texts(),
    ("vc_long", "VARCHAR(16000)", ["REPEAT('x', 16000)", "''", "REPEAT('ü', 255)"]),
    ("vc_comp", "VARCHAR(1000) COMPRESSED", ["REPEAT('abc', 300)", "''", "'short'"]),
    ("tx_comp", "TEXT COMPRESSED", ["REPEAT('abc', 3000)", "''", "'s'"]),
    ("tinytext", "TINYTEXT", ["''", "REPEAT('a', 255)"]),
    ("mediumtext", "MEDIUMTEXT", ["REPEAT('m', 70000)"]),
    ("longtext", "LONGTEXT", ["REPEAT('lü', 100000)"]),
    ("nul_text", "TEXT", ["CONCAT('a', CHAR(0), 'b')", "'\\\\ \\' \" \\n \\t'"]),
    ("binary", "BINARY(4)", ["0x00000000", "0x0001", "0x01020300", "'ab'"]),
    ("binary255", "BINARY(255)", ["0x00", "REPEAT(0xff, 255)", "'x'"]),
    ("varbinary", "VARBINARY(300)", ["''", "0x00", "0x05070a0f24322b63783c26fffe2d3746", "REPEAT(0xff, 300)"]),
    ("blob", "BLOB", ["''", "0x00ff00", "REPEAT(0x0a, 60000)"]),
    ("blob_comp", "BLOB COMPRESSED", ["REPEAT(0x00, 5000)", "0xff", "''"]),
    ("tinyblob", "TINYBLOB", ["0xff"]),
    ("mediumblob", "MEDIUMBLOB", ["REPEAT(0xfe, 70000)"]),
    ("longblob", "LONGBLOB", ["REPEAT(0x00ff, 300000)"]),
    ("json", "JSON", ["'{\"a\": [1, 2.50, null, \"ü\"]}'", "'[]'", "'\"x\"'"]),
    ("enum", "ENUM('a','zäh','c c','')", ["'a'", "'zäh'", "'c c'", "4"]),
    ("enum_error", "ENUM('a','b')", ["'a'", "0"]),
    ("enum_latin1", "ENUM('é','ß') CHARACTER SET latin1", ["'é'", "'ß'"]),
    ("enum_big", "ENUM(" + ",".join(f"'m{n}'" for n in range(300)) + ")", ["'m0'", "'m299'"]),
    ("set", "SET('a','zäh','c')", ["''", "'a'", "'a,zäh,c'"]),
    ("set64", "SET(" + ",".join(f"'s{n}'" for n in range(64)) + ")", ["''", "'s0'", "'s63'", "18446744073709551615"]),
    ("enum_quotes", "ENUM('it''s','a\\\\b','a,b','\"','€')", ["1", "2", "3", "4", "5"]),
    ("enum_ucs2", "ENUM('ŝ','日') CHARACTER SET ucs2", ["1", "2"]),
    ("set_sjis", "SET('表','日本') CHARACTER SET sjis", ["1", "2", "3"]),
    ("vc_uca", "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_ai_ci", ["'é'", "'z'", "'tail  '"]),
    ("vc_nopad", "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin", ["'a'", "'a '", "'A'", "'a  '"]),
    ("vc_bin", "VARCHAR(40) CHARACTER SET latin1 COLLATE latin1_bin", ["'é'", "'e'", "'E'"]),
    ("double_ps", "DOUBLE(20,4)", ["-1234567890.1234", "0.0001"]),
    ("float_zf", "FLOAT(8,2) ZEROFILL", ["0", "1.5"]),
    ("dec_zf", "DECIMAL(10,2) ZEROFILL", ["0", "1.5"]),
    ("big_zf", "BIGINT(20) ZEROFILL", ["0", "18446744073709551615"]),
    ("year_now", "YEAR", ["2024", "'70'"]),
    ("multipoint", "MULTIPOINT", ["ST_GeomFromText('MULTIPOINT(1 1, 2 2)')"]),
    ("inet4", "INET4", ["'0.0.0.0'", "'255.255.255.0'", "'10.1.2.3'"]),
    ("inet6", "INET6", ["'::'", "'2001:db8::ff00:42:8300'", "'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'",
                        "'1234:5678::'"]),
    ("uuid", "UUID", ["'00000000-0000-0000-0000-000000000000'", "'123e4567-e89b-12d3-a456-426655440000'",
                      "'ffffffff-ffff-ffff-ffff-ffffffffffff'"]),
    ("point", "POINT", ["ST_GeomFromText('POINT(1 2)', 4326)", "ST_GeomFromText('POINT(-1.5 0)')"]),
    ("geometry", "GEOMETRY", ["ST_GeomFromText('LINESTRING(0 0, 1 1, 2 0)')",
                              "ST_GeomFromText('MULTIPOLYGON(((0 0,0 3,3 3,3 0,0 0)))', 4326)"]),
    ("generated_virtual", "INT AS (id * 2) VIRTUAL", None),
    ("generated_stored", "INT AS (id + 1) STORED", None),
    ("invisible", "INT INVISIBLE DEFAULT 7", ["1", "NULL"]),
]
