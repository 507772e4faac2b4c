/*
 * Data of charset.c, kept apart: meanings of bytes in single-byte charsets, places where MariaDB's
 * multi-byte charsets differ from those of the C library, collation ids.
 */
#ifndef SLUICE_COMMON_MODEL_CHARSET_TABLES_H
#define SLUICE_COMMON_MODEL_CHARSET_TABLES_H

#include <stddef.h>
#include <stdint.h>

extern const uint16_t charset_upper_armscii8[128];
extern const uint16_t charset_upper_cp1250[128];
extern const uint16_t charset_upper_cp1251[128];
extern const uint16_t charset_upper_cp1256[128];
extern const uint16_t charset_upper_cp1257[128];
extern const uint16_t charset_upper_cp850[128];
extern const uint16_t charset_upper_cp852[128];
extern const uint16_t charset_upper_cp866[128];
extern const uint16_t charset_upper_dec8[128];
extern const uint16_t charset_upper_geostd8[128];
extern const uint16_t charset_upper_greek[128];
extern const uint16_t charset_upper_hebrew[128];
extern const uint16_t charset_upper_hp8[128];
extern const uint16_t charset_upper_keybcs2[128];
extern const uint16_t charset_upper_koi8r[128];
extern const uint16_t charset_upper_koi8u[128];
extern const uint16_t charset_upper_latin1[128];
extern const uint16_t charset_upper_latin2[128];
extern const uint16_t charset_upper_latin5[128];
extern const uint16_t charset_upper_latin7[128];
extern const uint16_t charset_upper_macce[128];
extern const uint16_t charset_upper_macroman[128];
extern const uint16_t charset_upper_tis620[128];
extern const uint16_t charset_lower_swe7[128];

/* One character of a multi-byte charset, as its bytes in big-endian order, and what MariaDB makes
 * of it where iconv makes something else. Sorted by code. */
typedef struct {
    uint32_t code;
    uint32_t character;
} charset_exception_t;

#define CHARSET_BIG5_EXCEPTION_COUNT 267
#define CHARSET_SJIS_EXCEPTION_COUNT 3
#define CHARSET_UJIS_EXCEPTION_COUNT 9
extern const charset_exception_t charset_big5_exceptions[CHARSET_BIG5_EXCEPTION_COUNT];
extern const charset_exception_t charset_sjis_exceptions[CHARSET_SJIS_EXCEPTION_COUNT];
extern const charset_exception_t charset_ujis_exceptions[CHARSET_UJIS_EXCEPTION_COUNT];

/* Collations first..last belong to one charset. Sorted. */
typedef struct {
    uint16_t first, last;
    const char *charset;
} charset_collations_t;

#define CHARSET_COLLATION_RANGE_COUNT 107
extern const charset_collations_t charset_collations[CHARSET_COLLATION_RANGE_COUNT];

#endif
