/* What two principals have in common and what only one of them has; shape in doc/control.md. */
#include "sync/report_internal.h"

#include "base/table.h"

/* A list of `explain`, and the fields by which two of its items are the same. */
struct part {
	const char *name;
	const char *fields[5];
};
static const struct part parts[] = {
		{"groups", {"target", "name"}},
		{"grants", {"target", "kind", "value"}},
		{"permissions", {"target", "type", "id", "level"}},
};

static char *sameness(const struct part *part, const json_t *item)
{
	char *text = mem_strdup("");

	for (size_t i = 0; i < COUNT_OF(part->fields) && part->fields[i]; i++) {
		const char *value = json_string_value(json_object_get(item, part->fields[i]));
		char *longer = mem_printf("%s\n%s", text, value ? value : "");

		mem_free(text);
		text = longer;
	}
	return text;
}

static struct table *index_of(const struct part *part, const json_t *list)
{
	struct table *table = table_new();
	size_t index;
	json_t *item;

	json_array_foreach(list, index, item)
	{
		AUTO(mem_freep) char *key = sameness(part, item);

		(void)table_put(table, span_of(key), item);
	}
	return table;
}

/* What is in list and not in other; with both: what is in either. */
static json_t *pick(const struct part *part, const json_t *list, const json_t *other, bool both)
{
	struct table *table = index_of(part, other), *told = table_new();
	json_t *ret = json_array(), *item;
	size_t index;

	json_array_foreach(list, index, item)
	{
		AUTO(mem_freep) char *key = sameness(part, item);

		/* What comes by two ways is one right. */
		if ((table_find(table, span_of(key)) != NULL) == both &&
				!table_put(told, span_of(key), item))
			json_array_append(ret, item);
	}
	table_free(table);
	table_free(told);
	return ret;
}

static json_t *side(const json_t *explain, const json_t *other, bool both)
{
	json_t *ret = json_object();

	for (size_t i = 0; i < COUNT_OF(parts); i++)
		json_object_set_new(ret, parts[i].name,
				pick(&parts[i], json_object_get(explain, parts[i].name),
						json_object_get(other, parts[i].name), both));
	return ret;
}

static json_t *head(const json_t *explain)
{
	return json_pack("{s:O, s:O, s:O, s:O, s:O}", "name", json_object_get(explain, "name"),
			"kind", json_object_get(explain, "kind"), "key",
			json_object_get(explain, "key"), "state", json_object_get(explain, "state"),
			"rule", json_object_get(explain, "rule"));
}

json_t *report_diff_of(const json_t *a, const json_t *b)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "a", head(a), "b", head(b), "only_a",
			side(a, b, false), "only_b", side(b, a, false), "both", side(a, b, true));
}
