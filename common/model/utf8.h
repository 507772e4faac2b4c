/*
 * UTF-8 as bytes: writing a character, finding how far text is well-formed. Pure.
 */
#ifndef SLUICE_COMMON_MODEL_UTF8_H
#define SLUICE_COMMON_MODEL_UTF8_H

#include "common/base/bytes.h"

/* Writes `character` (a Unicode scalar value) as UTF-8; returns 1 to 4. */
size_t utf8_put(uint32_t character, uint8_t utf8[4]);

/* How many bytes at the front of `text` are ASCII. */
size_t utf8_ascii_prefix(bytes_t text);

/* How many bytes at the front of `text` are well-formed (no surrogates, no overlong forms). */
size_t utf8_valid_prefix(bytes_t text);

#endif
