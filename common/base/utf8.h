/* UTF-8 as of RFC 3629: shortest form, no surrogates, up to U+10FFFF. Threads: stateless. */
#ifndef SLUICE_COMMON_BASE_UTF8_H
#define SLUICE_COMMON_BASE_UTF8_H

#include "common/base/bytes.h"

/* Length of the character at the start of `text`, 1 to 4; 0 when there is none. `text` must not be
 * empty. */
size_t utf8_character_len(bytes_t text);

bool utf8_is_valid(bytes_t text);

#endif
