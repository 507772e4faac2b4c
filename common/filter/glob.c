#include "common/filter/glob.h"

/* Bytes of the character at `text`, at least 1 and at most `len`. */
static size_t character_len(const uint8_t *text, size_t len)
{
    size_t wanted = text[0] < 0xC0 ? 1 : text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;
    return wanted < len ? wanted : len;
}

/* One character as a number that keeps the order of code points. */
static uint32_t character_at(const uint8_t *text, size_t len)
{
    uint32_t character = 0;
    for (size_t i = 0; i < len; i++)
        character = character << 8 | text[i];
    return character;
}

/* Length of the set that begins with [ at the front, its ] included; 0 if it is not closed. */
static size_t set_len(bytes_t pattern)
{
    size_t i = 1;
    if (i < pattern.len && (pattern.data[i] == '!' || pattern.data[i] == '^'))
        i++;
    for (size_t first = i; i < pattern.len; i++) {
        if (pattern.data[i] == ']' && i > first)
            return i + 1;
        if (pattern.data[i] == '\\')
            i++;
    }
    return 0;
}

/* Reads one member of a set, moves *at behind it. */
static uint32_t set_character(bytes_t set, size_t *at)
{
    if (set.data[*at] == '\\' && *at + 1 < set.len)
        (*at)++;
    size_t len = character_len(set.data + *at, set.len - *at);
    uint32_t character = character_at(set.data + *at, len);
    *at += len;
    return character;
}

/* `set` is what lies between [ and ]. */
static bool set_has(bytes_t set, uint32_t character)
{
    size_t at = 0;
    bool negative = set.len > 0 && (set.data[0] == '!' || set.data[0] == '^');
    bool found = false;
    if (negative)
        at = 1;
    while (at < set.len) {
        uint32_t low = set_character(set, &at);
        uint32_t high = low;
        if (at + 1 < set.len && set.data[at] == '-') {
            at++;
            high = set_character(set, &at);
        }
        found = found || (character >= low && character <= high);
    }
    return found != negative;
}

bool glob_is_valid(bytes_t pattern)
{
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.data[i] == '\\') {
            if (++i == pattern.len)
                return false;
        } else if (pattern.data[i] == '[') {
            size_t len = set_len((bytes_t){pattern.data + i, pattern.len - i});
            if (len == 0)
                return false;
            i += len - 1;
        }
    }
    return true;
}

/* Matches one pattern element that is not * against the front of the text. Gives the bytes taken
 * from both; false: no match. */
static bool match_one(bytes_t pattern, bytes_t text, size_t *pattern_used, size_t *text_used)
{
    if (text.len == 0)
        return false;
    size_t len = character_len(text.data, text.len);
    *text_used = len;
    *pattern_used = 1;
    if (pattern.data[0] == '?')
        return true;
    if (pattern.data[0] == '[') {
        size_t set = set_len(pattern);
        *pattern_used = set;
        return set_has((bytes_t){pattern.data + 1, set - 2}, character_at(text.data, len));
    }
    size_t escape = pattern.data[0] == '\\' ? 1 : 0;
    *pattern_used = 1 + escape;
    *text_used = 1;
    return pattern.data[escape] == text.data[0];
}

/* Goes back to the last * only, so the time is at most pattern × text. */
bool glob_matches(bytes_t pattern, bytes_t text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, star_text = 0;
    while (t < text.len || p < pattern.len) {
        if (p < pattern.len && pattern.data[p] == '*') {
            star = ++p;
            star_text = t;
            continue;
        }
        size_t pattern_used = 0, text_used = 0;
        if (p < pattern.len &&
            match_one((bytes_t){pattern.data + p, pattern.len - p},
                      (bytes_t){text.data + t, text.len - t}, &pattern_used, &text_used)) {
            p += pattern_used;
            t += text_used;
            continue;
        }
        if (star == SIZE_MAX || star_text >= text.len)
            return false;
        t = ++star_text;
        p = star;
    }
    return true;
}

bool glob_matches_all(bytes_t pattern)
{
    for (size_t i = 0; i < pattern.len; i++)
        if (pattern.data[i] != '*')
            return false;
    return pattern.len > 0;
}
