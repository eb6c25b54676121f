/* who-can, explain PRINCIPAL OBJECT and diff for people. */
#include "cli/report.h"

#include "base/text.h"
#include "cli/report_text.h"

#define LEVEL_WIDTH 16

static void print_object(const struct canvas *canvas, const json_t *object)
{
	(void)fputs(paint_on(canvas, PAINT_BOLD), canvas->file);
	print_if(canvas, "", text_at(object, "type"), "");
	print_if(canvas, " \"", text_at(object, "name"), "\"");
	(void)fputs(paint_off(canvas), canvas->file);
	if (!text_equal(text_at(object, "name"), text_at(object, "id")))
		print_if(canvas, " (", text_at(object, "id"), ")");
	print_if(canvas, " in ", text_at(object, "target"), "\n");
	print_if(canvas, "  could not be read now, so this is how it was last seen: ",
			text_at(object, "stale"), "\n");
}

/* Where it comes from, in words. */
static void print_state(const struct canvas *canvas, const json_t *entry)
{
	const char *state = text_at(entry, "state");
	const char *inherited = text_at(entry, "inherited");

	if (text_equal(state, "missing"))
		print_if(canvas, "  missing: ", text_at(entry, "wanted"), " is wanted");
	else if (text_equal(state, "leftover"))
		(void)fputs("  ours, and no rule wants it any more", canvas->file);
	else if (text_equal(state, "foreign"))
		(void)fputs("  no rule asked for it", canvas->file);
	if (inherited) {
		print_if(canvas, "  ", text_at(entry, "direct") ? inherited : NULL, "");
		(void)fputs("  inherited", canvas->file);
		print_if(canvas, " from ", text_at(entry, "from"), "");
	}
	print_place(canvas, entry);
}

static void print_level(const struct canvas *canvas, const json_t *entry)
{
	const char *level = text_at(entry, "level");
	const char *paint = text_equal(text_at(entry, "state"), "missing")
			? paint_on(canvas, PAINT_ADD)
			: text_equal(text_at(entry, "state"), "foreign")
			? paint_on(canvas, PAINT_CHANGE)
			: "";

	(void)fprintf(canvas->file, "  %s%-*s%s", paint, LEVEL_WIDTH, level ? level : "-",
			*paint ? paint_off(canvas) : "");
}

static const char *kind_of(const json_t *entry)
{
	const char *kind = text_at(entry, "kind");

	return text_equal(kind, "service_principal") ? "service principal" : kind;
}

static void print_entry(const struct canvas *canvas, const json_t *entry)
{
	print_level(canvas, entry);
	print_if(canvas, "  ", kind_of(entry), " ");
	print_foreign(canvas->file, text_at(entry, "name"));
	print_if(canvas, "  through ", text_at(entry, "via"), "");
	print_state(canvas, entry);
	(void)fputc('\n', canvas->file);
}

static void print_unresolved(const struct canvas *canvas, const json_t *list, const char *field)
{
	const json_t *item;
	size_t i;

	if (json_array_size(list))
		print_heading(canvas, "Groups of which not everybody is known here");
	json_array_foreach(list, i, item)
	{
		print_level(canvas, item);
		print_if(canvas, "  ", text_at(item, field), "");
		if (json_is_integer(json_object_get(item, "members")))
			(void)fprintf(canvas->file, "  %" JSON_INTEGER_FORMAT " others",
					int_at(item, "members"));
		(void)fputc('\n', canvas->file);
	}
}

static void print_people(const struct canvas *canvas, const json_t *people)
{
	const json_t *person, *name;
	size_t i, j;

	if (json_is_array(people))
		print_heading(canvas,
				json_array_size(people) ? "People" : "No people that we know");
	json_array_foreach(people, i, person)
	{
		print_level(canvas, person);
		print_if(canvas, "  ", text_at(person, "name"), "");
		json_array_foreach(json_object_get(person, "through"), j, name)
		{
			print_if(canvas, j ? ", " : "  through ", json_string_value(name), "");
		}
		(void)fputc('\n', canvas->file);
	}
}

void report_who_can(const struct canvas *canvas, const json_t *answer)
{
	const json_t *entries = json_object_get(answer, "entries"), *entry;
	size_t i;

	print_object(canvas, json_object_get(answer, "object"));
	if (!json_array_size(entries))
		print_if(canvas, "  nobody",
				text_at(answer, "level") ? text_at(answer, "level") : "", "\n");
	json_array_foreach(entries, i, entry) print_entry(canvas, entry);
	print_people(canvas, json_object_get(answer, "people"));
	print_unresolved(canvas, json_object_get(answer, "unresolved"), "group");
}

void report_ways(const struct canvas *canvas, const json_t *answer)
{
	const json_t *principal = json_object_get(answer, "principal");
	const json_t *ways = json_object_get(answer, "ways"), *way;
	const char *level = text_at(answer, "level");
	size_t i;

	print_object(canvas, json_object_get(answer, "object"));
	print_if(canvas, "  ", kind_of(principal), " ");
	print_if(canvas, "\"", text_at(principal, "name"), "\": ");
	(void)fprintf(canvas->file, "%s%s%s\n", paint_on(canvas, PAINT_BOLD),
			level ? level : "nothing that we know of", paint_off(canvas));
	print_if(canvas, "  entry  ", text_at(json_object_get(principal, "entry"), "dn"), "\n");
	if (json_is_object(json_object_get(principal, "rule"))) {
		(void)fputs("  rule ", canvas->file);
		print_place(canvas, json_object_get(principal, "rule"));
		(void)fputc('\n', canvas->file);
	}
	json_array_foreach(ways, i, way) print_entry(canvas, way);
	print_unresolved(canvas, json_object_get(answer, "unresolved"), "name");
}

/* "TYPE NAME  LEVEL"; of the account's own roles there is no name to be told. */
static void print_right(const struct canvas *canvas, const json_t *item)
{
	bool is_account = text_equal(text_at(item, "type"), "account");

	if (is_account) {
		(void)fputs("role ", canvas->file);
	} else {
		print_if(canvas, "", text_at(item, "type"), " ");
		print_if(canvas, "", text_at(item, "name"), "  ");
	}
	print_foreign(canvas->file, text_at(item, "level"));
}

void report_permissions(const struct canvas *canvas, const json_t *permissions, const char *self)
{
	const json_t *item;
	size_t i;

	if (json_array_size(permissions))
		(void)fputs("  permissions\n", canvas->file);
	json_array_foreach(permissions, i, item)
	{
		const char *to = text_at(item, "to");

		print_if(canvas, "    ", text_at(item, "target"), ": ");
		print_right(canvas, item);
		if (!text_equal_folded(to, self))
			print_if(canvas, "  through ", to, "");
		print_state(canvas, item);
		(void)fputc('\n', canvas->file);
	}
}

/* ---- diff ---- */

static void print_side(const struct canvas *canvas, const char *mark, const json_t *side)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(side, "groups"), i, item)
	{
		print_if(canvas, mark, text_at(item, "target"), ": group ");
		print_foreign(canvas->file, text_at(item, "name"));
		print_if(canvas, "  through ", text_at(item, "via"), "");
		(void)fputc('\n', canvas->file);
	}
	json_array_foreach(json_object_get(side, "grants"), i, item)
	{
		print_if(canvas, mark, text_at(item, "target"), ": ");
		print_if(canvas, "", text_at(item, "kind"), " ");
		print_foreign(canvas->file, text_at(item, "value"));
		print_if(canvas, "  to ", text_at(item, "to"), "");
		print_place(canvas, item);
		(void)fputc('\n', canvas->file);
	}
	json_array_foreach(json_object_get(side, "permissions"), i, item)
	{
		print_if(canvas, mark, text_at(item, "target"), ": ");
		print_right(canvas, item);
		print_if(canvas, "  to ", text_at(item, "to"), "");
		print_state(canvas, item);
		(void)fputc('\n', canvas->file);
	}
}

static size_t size_of(const json_t *side)
{
	return json_array_size(json_object_get(side, "groups")) +
			json_array_size(json_object_get(side, "grants")) +
			json_array_size(json_object_get(side, "permissions"));
}

static void print_only(const struct canvas *canvas, const json_t *head, const json_t *side,
		const char *mark)
{
	(void)fputs("only ", canvas->file);
	(void)fputs(paint_on(canvas, PAINT_BOLD), canvas->file);
	print_foreign(canvas->file, text_at(head, "name"));
	(void)fputs(paint_off(canvas), canvas->file);
	print_place(canvas, json_object_get(head, "rule"));
	(void)fputs(size_of(side) ? "\n" : ": nothing\n", canvas->file);
	print_side(canvas, mark, side);
}

void report_diff(const struct canvas *canvas, const json_t *answer)
{
	print_only(canvas, json_object_get(answer, "a"), json_object_get(answer, "only_a"), "  < ");
	print_only(canvas, json_object_get(answer, "b"), json_object_get(answer, "only_b"), "  > ");
	(void)fprintf(canvas->file, "both: %zu in common (-o json lists them)\n",
			size_of(json_object_get(answer, "both")));
}
