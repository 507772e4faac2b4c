#include "dispatcher/core/ddl/collation.h"

#include "common/filter/name_case.h"
#include "dispatcher/core/ddl/collation_names.h"

typedef struct {
    const char *charset;
    const char *default_collation;
    uint32_t bytes_max;
} charset_facts_t;

static const charset_facts_t charsets[] = {
    {"armscii8", "armscii8_general_ci", 1}, {"ascii", "ascii_general_ci", 1},
    {"big5", "big5_chinese_ci", 2},         {"binary", "binary", 1},
    {"cp1250", "cp1250_general_ci", 1},     {"cp1251", "cp1251_general_ci", 1},
    {"cp1256", "cp1256_general_ci", 1},     {"cp1257", "cp1257_general_ci", 1},
    {"cp850", "cp850_general_ci", 1},       {"cp852", "cp852_general_ci", 1},
    {"cp866", "cp866_general_ci", 1},       {"cp932", "cp932_japanese_ci", 2},
    {"dec8", "dec8_swedish_ci", 1},         {"eucjpms", "eucjpms_japanese_ci", 3},
    {"euckr", "euckr_korean_ci", 2},        {"gb2312", "gb2312_chinese_ci", 2},
    {"gbk", "gbk_chinese_ci", 2},           {"geostd8", "geostd8_general_ci", 1},
    {"greek", "greek_general_ci", 1},       {"hebrew", "hebrew_general_ci", 1},
    {"hp8", "hp8_english_ci", 1},           {"keybcs2", "keybcs2_general_ci", 1},
    {"koi8r", "koi8r_general_ci", 1},       {"koi8u", "koi8u_general_ci", 1},
    {"latin1", "latin1_swedish_ci", 1},     {"latin2", "latin2_general_ci", 1},
    {"latin5", "latin5_turkish_ci", 1},     {"latin7", "latin7_general_ci", 1},
    {"macce", "macce_general_ci", 1},       {"macroman", "macroman_general_ci", 1},
    {"sjis", "sjis_japanese_ci", 2},        {"swe7", "swe7_swedish_ci", 1},
    {"tis620", "tis620_thai_ci", 1},        {"ucs2", "ucs2_general_ci", 2},
    {"ujis", "ujis_japanese_ci", 3},        {"utf16", "utf16_general_ci", 4},
    {"utf16le", "utf16le_general_ci", 4},   {"utf32", "utf32_general_ci", 4},
    {"utf8mb3", "utf8mb3_general_ci", 3},   {"utf8mb4", "utf8mb4_general_ci", 4},
};

static const charset_facts_t *find_facts(bytes_t charset)
{
    for (size_t i = 0; i < sizeof charsets / sizeof charsets[0]; i++)
        if (name_equal_ascii(charset, charsets[i].charset))
            return &charsets[i];
    return NULL;
}

static char *lower(bytes_t name, arena_t *arena)
{
    char *text = arena_strndup(arena, name.data, name.len);
    for (char *c = text; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 0x20);
    return text;
}

const char *charset_normalise(bytes_t name, arena_t *arena)
{
    return name_equal_ascii(name, "utf8") ? "utf8mb3" : lower(name, arena);
}

const char *collation_normalise(bytes_t name, arena_t *arena)
{
    char *text = lower(name, arena);
    return strncmp(text, "utf8_", 5) == 0 ? arena_printf(arena, "utf8mb3_%s", text + 5) : text;
}

const char *charset_default_collation(const char *charset)
{
    const charset_facts_t *facts = charset ? find_facts(bytes_of_text(charset)) : NULL;
    return facts ? facts->default_collation : NULL;
}

uint32_t charset_bytes_max(const char *charset)
{
    const charset_facts_t *facts = charset ? find_facts(bytes_of_text(charset)) : NULL;
    return facts ? facts->bytes_max : 1;
}

const char *collation_charset(const char *collation, arena_t *arena)
{
    (void)arena;
    const char *end = strchr(collation, '_');
    size_t len = end ? (size_t)(end - collation) : strlen(collation);
    const charset_facts_t *facts = find_facts(bytes_of(collation, len));
    return facts ? facts->charset : NULL;
}

/* From 2048 on an id is made of charset, language, padding, accents and case; so are the names. */
static const char *uca1400_name(uint32_t id, arena_t *arena)
{
    static const char *const owners[] = {"utf8mb3", "utf8mb4", "ucs2", "utf16", "utf32"};
    static const char *const languages[] = {
        "",         "_icelandic", "_latvian",    "_romanian",   "_slovenian",
        "_polish",  "_estonian",  "_spanish",    "_swedish",    "_turkish",
        "_czech",   "_danish",    "_lithuanian", "_slovak",     "_spanish2",
        "_roman",   "_persian",   "_esperanto",  "_hungarian",  "_sinhala",
        "_german2", NULL,         NULL,          "_vietnamese", "_croatian"};
    uint32_t rest = id - 2048, owner = rest / 256, language = rest % 256 / 8;
    if (owner >= sizeof owners / sizeof owners[0] ||
        language >= sizeof languages / sizeof languages[0] || !languages[language])
        return NULL;
    return arena_printf(arena, "%s_uca1400%s%s_%s_%s", owners[owner], languages[language],
                        rest & 4 ? "_nopad" : "", rest & 2 ? "as" : "ai", rest & 1 ? "cs" : "ci");
}

static const char *regular_name(uint32_t id)
{
    size_t low = 0, high = collation_name_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (collation_names[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < collation_name_count && collation_names[low].id == id ? collation_names[low].name
                                                                       : NULL;
}

charset_choice_t collation_by_id(uint32_t id, arena_t *arena)
{
    const char *name = id >= 2048 ? uca1400_name(id, arena) : regular_name(id);
    if (!name)
        return (charset_choice_t){0};
    return (charset_choice_t){collation_charset(name, arena), name};
}

charset_choice_t charset_choose(const char *charset, const char *collation,
                                charset_choice_t inherited, arena_t *arena)
{
    if (!charset && !collation)
        return inherited;
    if (!collation)
        return (charset_choice_t){charset, charset_default_collation(charset)};
    const char *owner = collation_charset(collation, arena);
    if (owner)
        return (charset_choice_t){owner, collation};
    if (!charset)
        charset = inherited.charset;
    /* uca1400_… without its charset, which the context gives. */
    if (charset && strncmp(collation, "uca1400", 7) == 0)
        collation = arena_printf(arena, "%s_%s", charset, collation);
    return (charset_choice_t){charset, collation};
}
