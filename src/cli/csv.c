#include "cli/csv.h"

#include "base/mem.h"

void csv_field(FILE *file, const char *text, const char *after)
{
	bool quoted = text && strpbrk(text, ",\"\r\n");
	bool formula = text && *text && strchr("=+-@\t\r", *text);

	if (quoted)
		(void)fputc('"', file);
	if (formula)
		(void)fputc('\'', file);
	for (const char *c = text; c && *c; c++) {
		if (*c == '"')
			(void)fputc('"', file);
		(void)fputc(*c, file);
	}
	if (quoted)
		(void)fputc('"', file);
	(void)fputs(after, file);
}

void csv_header(FILE *file, const char *const *fields, size_t count)
{
	for (size_t i = 0; i < count; i++)
		csv_field(file, fields[i], i + 1 < count ? "," : "\r\n");
}

void csv_row(FILE *file, const json_t *object, const char *const *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_object_get(object, fields[i]);
		const char *after = i + 1 < count ? "," : "\r\n";

		if (json_is_integer(value))
			(void)fprintf(file, "%" JSON_INTEGER_FORMAT "%s", json_integer_value(value),
					after);
		else if (json_is_boolean(value))
			csv_field(file, json_is_true(value) ? "true" : "false", after);
		else
			csv_field(file, json_string_value(value), after);
	}
}
