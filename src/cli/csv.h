/*
 * csv -- rows of comma-separated values (RFC 4180) on standard output.
 */
#ifndef L2D_CLI_CSV_H
#define L2D_CLI_CSV_H

#include <stdio.h>

#include <jansson.h>

/*
 * A text that a spreadsheet would take for a formula (it begins with = + - @, a tab or a carriage return) gets an
 * apostrophe in front, so that opening a report computes nothing.
 */
/* Fields by name from a JSON object, in that order; what is not there, null or no text, number or truth is empty. */
void csv_row(FILE *file, const json_t *object, const char *const *fields, size_t count);
/* The names of the columns. */
void csv_header(FILE *file, const char *const *fields, size_t count);
/* One field, and "," or the end of the line behind it; NULL is empty. */
void csv_field(FILE *file, const char *text, const char *after);

#endif
