#include "cli/report.h"

#include "base/text.h"
#include "cli/common.h"
#include "cli/report_text.h"

#define TIME_SHOWN 19 /* of RFC 3339: up to the seconds */

const char *text_at(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

json_int_t int_at(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

void print_heading(const struct canvas *canvas, const char *text)
{
	(void)fprintf(canvas->file, "%s%s%s\n", paint_on(canvas, PAINT_BOLD), text,
			paint_off(canvas));
}

void print_if(const struct canvas *canvas, const char *before, const char *text, const char *after)
{
	if (!text)
		return;
	(void)fputs(before, canvas->file);
	print_foreign(canvas->file, text);
	(void)fputs(after, canvas->file);
}

void print_place(const struct canvas *canvas, const json_t *object)
{
	if (!text_at(object, "file"))
		return;
	(void)fprintf(canvas->file, "  %s# ", paint_on(canvas, PAINT_DIM));
	print_foreign(canvas->file, text_at(object, "file"));
	(void)fprintf(canvas->file, ":%" JSON_INTEGER_FORMAT "%s", int_at(object, "line"),
			paint_off(canvas));
}

void print_time(const struct canvas *canvas, const char *before, const char *time,
		const char *after)
{
	AUTO(mem_freep) char *shown = NULL;

	if (!time)
		return;
	shown = mem_strndup(time, TIME_SHOWN);
	if (strlen(shown) == TIME_SHOWN && shown[10] == 'T')
		shown[10] = ' ';
	(void)fputs(before, canvas->file);
	print_foreign(canvas->file, shown);
	(void)fprintf(canvas->file, "Z%s", after);
}

void print_bad(const struct canvas *canvas, const char *text)
{
	if (!text)
		return;
	(void)fprintf(canvas->file, "      %s", paint_on(canvas, PAINT_REMOVE));
	print_foreign(canvas->file, text);
	(void)fprintf(canvas->file, "%s\n", paint_off(canvas));
}

/* ---- explain ---- */

static void explain_origin(const struct canvas *canvas, const json_t *explain)
{
	const json_t *entry = json_object_get(explain, "entry");
	const json_t *rule = json_object_get(explain, "rule");

	if (json_is_object(entry)) {
		print_if(canvas, "  entry      ", text_at(entry, "dn"), "");
		print_if(canvas, "  (", text_at(entry, "source"), ")\n");
		print_if(canvas, "  anchor     ", text_at(entry, "anchor"), "\n");
	} else {
		(void)fputs("  entry      none: no directory entry stands behind it\n",
				canvas->file);
	}
	if (json_is_object(rule)) {
		print_if(canvas, "  rule       ", text_at(rule, "file"), "");
		(void)fprintf(canvas->file, ":%" JSON_INTEGER_FORMAT "\n", int_at(rule, "line"));
	}
	print_if(canvas, "  key        ", text_at(explain, "key"), "\n");
}

static void explain_wanted(const struct canvas *canvas, const json_t *wanted)
{
	/* The iterators of jansson want a pointer to non-const, but change nothing. */
	json_t *object = (json_t *)(uintptr_t)wanted;
	const char *name;
	json_t *value;

	if (json_object_size(wanted))
		(void)fputs("  wanted\n", canvas->file);
	json_object_foreach(object, name, value)
	{
		(void)fputs("    ", canvas->file);
		print_foreign(canvas->file, name);
		if (json_is_string(value))
			print_if(canvas, " \"", json_string_value(value), "\"\n");
		else
			(void)fputs(json_is_true(value)                        ? " true\n"
							: json_is_false(value) ? " false\n"
									       : " -\n",
					canvas->file);
	}
}

static void explain_principals(const struct canvas *canvas, const json_t *principals)
{
	const json_t *principal;
	size_t i;

	if (!json_array_size(principals))
		(void)fputs("  Databricks not there\n", canvas->file);
	json_array_foreach(principals, i, principal)
	{
		print_if(canvas, "  Databricks ", text_at(principal, "target"), "");
		print_if(canvas, ", id ", text_at(principal, "id"), "");
		print_if(canvas, ", ", text_at(principal, "origin"), "");
		(void)fputs(json_is_false(json_object_get(principal, "active")) ? ", not active\n"
										: "\n",
				canvas->file);
	}
}

static void explain_groups(const struct canvas *canvas, const json_t *groups)
{
	const json_t *group;
	size_t i;

	if (json_array_size(groups))
		(void)fputs("  groups\n", canvas->file);
	json_array_foreach(groups, i, group)
	{
		print_if(canvas, "    ", text_at(group, "name"), "");
		print_if(canvas, " (", text_at(group, "target"), ")");
		print_if(canvas, "  through ", text_at(group, "via"), "");
		(void)fputc('\n', canvas->file);
	}
}

static void explain_members(const struct canvas *canvas, const json_t *members)
{
	const json_t *names = json_object_get(members, "names");
	json_int_t count = int_at(members, "count");
	const json_t *name;
	size_t i;

	if (!json_is_object(members))
		return;
	(void)fprintf(canvas->file, "  members    %" JSON_INTEGER_FORMAT "\n", count);
	json_array_foreach(names, i, name) print_if(canvas, "    ", json_string_value(name), "\n");
	if (count > (json_int_t)json_array_size(names))
		(void)fprintf(canvas->file, "    and %" JSON_INTEGER_FORMAT " more\n",
				count - (json_int_t)json_array_size(names));
}

static void explain_grants(const struct canvas *canvas, const json_t *grants, const char *self)
{
	const json_t *grant;
	size_t i;

	if (json_array_size(grants))
		(void)fputs("  grants\n", canvas->file);
	json_array_foreach(grants, i, grant)
	{
		const char *to = text_at(grant, "to");

		print_if(canvas, "    ", text_at(grant, "target"), "");
		print_if(canvas, ": ", text_at(grant, "kind"), "");
		print_if(canvas, " ", text_at(grant, "value"), "");
		if (!text_equal_folded(to, self))
			print_if(canvas, "  through ", to, "");
		print_place(canvas, grant);
		if (json_is_false(json_object_get(grant, "ours")))
			(void)fputs("  (no rule asked for it)", canvas->file);
		(void)fputc('\n', canvas->file);
	}
}

static void explain_tokens(const struct canvas *canvas, const json_t *tokens)
{
	const json_t *item;
	size_t i;

	json_array_foreach(tokens, i, item)
	{
		print_if(canvas, i ? "             " : "  tokens     ", text_at(item, "target"),
				"");
		(void)fprintf(canvas->file, ": %" JSON_INTEGER_FORMAT " that work\n",
				int_at(item, "live"));
	}
}

static void explain_unread(const struct canvas *canvas, const json_t *unread)
{
	const json_t *item;
	size_t i;

	json_array_foreach(unread, i, item)
	{
		print_if(canvas, "  not read now: ", text_at(item, "target"), "");
		print_if(canvas, ": ", text_at(item, "reason"), "");
		(void)fputc('\n', canvas->file);
	}
}

static void explain_operations(const struct canvas *canvas, const char *title, const json_t *list,
		const struct settings *settings)
{
	if (!json_array_size(list))
		return;
	print_heading(canvas, title);
	print_operations_json(canvas, list, settings, true);
}

void report_explain(
		const struct canvas *canvas, const json_t *explain, const struct settings *settings)
{
	const char *state = text_at(explain, "state");
	AUTO(mem_freep) char *words = mem_strdup(state ? state : "?");
	const json_t *quarantine = json_object_get(explain, "quarantine");

	for (char *c = words; *c; c++)
		*c = *c == '_' ? ' ' : *c;
	print_if(canvas, "",
			text_equal(text_at(explain, "kind"), "service_principal")
					? "service principal"
					: text_at(explain, "kind"),
			" ");
	(void)fputs(paint_on(canvas, PAINT_BOLD), canvas->file);
	print_if(canvas, "\"", text_at(explain, "name"), "\"");
	(void)fputs(paint_off(canvas), canvas->file);
	print_if(canvas, ": ", words, "\n");
	explain_origin(canvas, explain);
	explain_wanted(canvas, json_object_get(explain, "wanted"));
	explain_principals(canvas, json_object_get(explain, "principals"));
	explain_groups(canvas, json_object_get(explain, "groups"));
	explain_members(canvas, json_object_get(explain, "members"));
	explain_grants(canvas, json_object_get(explain, "grants"), text_at(explain, "name"));
	report_permissions(
			canvas, json_object_get(explain, "permissions"), text_at(explain, "name"));
	explain_tokens(canvas, json_object_get(explain, "tokens"));
	explain_unread(canvas, json_object_get(explain, "unread"));
	if (json_is_object(quarantine)) {
		print_heading(canvas, "Quarantined");
		print_quarantine(canvas, quarantine);
	}
	explain_operations(canvas, "Held", json_object_get(explain, "held"), settings);
	explain_operations(canvas, "To do", json_object_get(explain, "pending"), settings);
}
