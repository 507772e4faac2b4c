/*
 * JSON strings into growing text, escaped as Go's encoders do, whose output canal-json's consumers
 * know: quotes, backslash, \n \r \t, other control characters, < > & and U+2028, U+2029 as \u….
 *
 * Written by hand and not by a library: lines of text are what this sink makes, and building and
 * freeing a tree of objects for each costs more than everything else it does.
 */
#ifndef SLUICE_DISPATCHER_SINK_FILE_JSON_TEXT_H
#define SLUICE_DISPATCHER_SINK_FILE_JSON_TEXT_H

#include "dispatcher/sink/sink_text.h"

/* With the quotes; `text` is UTF-8. */
void json_text_string(sink_text_t *out, bytes_t text);
/* Each byte as the character of that number (ISO-8859-1): how canal-json carries binary values. */
void json_text_binary(sink_text_t *out, bytes_t bytes);

#endif
