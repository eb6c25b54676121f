/*
 * report_text -- what the report*.c files write reports with. Private to them.
 */
#ifndef L2D_CLI_REPORT_TEXT_H
#define L2D_CLI_REPORT_TEXT_H

#include <jansson.h>

#include "cli/terminal.h"

const char *text_at(const json_t *object, const char *name);
json_int_t int_at(const json_t *object, const char *name);
void print_heading(const struct canvas *canvas, const char *text);
/* "BEFORE TEXT AFTER" if there is a text. */
void print_if(const struct canvas *canvas, const char *before, const char *text, const char *after);
/* The same with "2026-11-24 13:33:37Z" of an RFC 3339 time. */
void print_time(const struct canvas *canvas, const char *before, const char *time,
		const char *after);
/* A line of its own, indented; nothing for NULL. */
void print_bad(const struct canvas *canvas, const char *text);
void print_quarantine(const struct canvas *canvas, const json_t *item);
/* "  # FILE:LINE" of an object that has the two. */
void print_place(const struct canvas *canvas, const json_t *object);

#endif
