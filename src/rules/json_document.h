/*
 * json_document -- JSON with positions, as the same tree that YAML makes (rules/document.h), and such trees as JSON.
 *
 * Strict RFC 8259: nothing is repaired. Refused besides: a key that is there twice, because most readers silently take the
 * last one, and \u0000. A string is a quoted scalar; numbers, true, false and null are plain ones.
 */
#ifndef L2D_RULES_JSON_DOCUMENT_H
#define L2D_RULES_JSON_DOCUMENT_H

#include "base/buf.h"
#include "rules/document.h"

/* As document_parse; limits are the same. An empty text is an error. */
MUST_CHECK enum err_code json_document_parse(struct span text, const char *shown_as,
		struct arena *arena, struct document_node **ret, struct err *err);

/* On one line, without blanks. Plain scalars that JSON has no other word for are texts. */
void json_document_write(const struct document_node *node, struct buf *out);

/* Whether text is a number as JSON writes it. */
bool json_text_is_number(const char *text);
/* Plain true or false. */
bool json_document_is_flag(const struct document_node *node);

#endif
