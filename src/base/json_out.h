/*
 * json_out -- writes JSON text straight into a buf, for what is written so often that a tree of values would cost more
 * than all else: the journal, the audit, the simulator's lists. In texts U+FFFD
 * stands for what is no UTF-8.
 */
#ifndef L2D_BASE_JSON_OUT_H
#define L2D_BASE_JSON_OUT_H

#include "base/buf.h"

void json_add_text(struct buf *out, const char *text); /* with quotes and escapes */
void json_add_number(struct buf *out, uint64_t number);

/* `,"key":` in an object, without the comma if nothing but the opening brace stands before it. key: plain ASCII. */
void json_add_key(struct buf *out, const char *key);
void json_add_comma(
		struct buf *out); /* between items of an array: not behind its opening bracket */
/* `"key":"text"`; nothing at all for NULL. */
void json_add_member(struct buf *out, const char *key, const char *text);

#endif
