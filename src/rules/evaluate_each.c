/* `for_each:`: a grant for each directory group. */
#include "rules/grant.h"

#include "base/text.h"

/* Captures and our own variables as the attributes of an entry; what took no part is not there, which is nil. */
static void set_values(const struct grant_each *each, const struct span *captures, const char *cn,
		const char *display_name, struct arena *arena, struct entry *ret)
{
	struct attribute *attributes =
			arena_alloc(arena, (each->capture_count + 4) * sizeof(*attributes));
	struct span *values = arena_alloc(arena, (each->capture_count + 4) * sizeof(*values));
	const struct {
		const char *name, *value;
	} ours[] = {{"cn", cn}, {"displayName", display_name}, {"workspace", "${workspace}"},
			{"applicationId", "${applicationId}"}};
	size_t count = 0;

	for (size_t i = 0; i < COUNT_OF(ours); i++) {
		if (!ours[i].value)
			continue;
		values[count] = span_of(ours[i].value);
		attributes[count] = (struct attribute){ours[i].name, &values[count], 1};
		count++;
	}
	for (size_t i = 0; i < each->capture_count; i++) {
		if (!captures[i].ptr)
			continue;
		values[count] = captures[i];
		attributes[count] = (struct attribute){each->captures[i], &values[count], 1};
		count++;
	}
	*ret = (struct entry){"", "", attributes, count};
}

/* What texts take of values: nil and false are nil, true is no text. */
static enum err_code take_texts(const struct grant_each *each, const struct text_value *values,
		struct arena *arena, const char *const **ret, struct err *err)
{
	const char **texts = arena_alloc(arena, each->template_count * sizeof(*texts));

	for (size_t i = 0; i < each->template_count; i++) {
		if (values[i].kind == TEXT_VALUE_FLAG && values[i].text[0] == 't')
			return document_error(each->templates[i].node, err,
					"its value is true, not a text");
		texts[i] = values[i].kind == TEXT_VALUE_FLAG ? NULL : values[i].text;
	}
	*ret = texts;
	return ERR_NONE;
}

static enum err_code make(struct evaluator *evaluator, const struct grant_each *each,
		const struct entry *entry, struct grant_making *making, struct grant_rule *ret)
{
	struct text_value *values =
			arena_alloc(making->arena, each->template_count * sizeof(*values));
	enum err_code code = evaluate_texts(evaluator, entry, each->templates, each->template_count,
			making->arena, values, making->err);

	if (code == ERR_NONE)
		code = take_texts(each, values, making->arena, &making->values, making->err);
	return code == ERR_NONE ? grant_make(making, &each->source, ret) : code;
}

enum each_result evaluate_for_each(struct evaluator *evaluator, const struct grant_each *each,
		const char *cn, const char *display_name, struct arena *arena,
		struct grant_rule *ret, struct err *err)
{
	struct span captures[PATTERN_GROUPS_MAX];
	struct patterns *patterns = evaluator->sandbox->patterns;
	const struct document_node *node = each->source.node;
	struct grant_making making = {.arena = arena,
			.settings = evaluator->mapping->settings,
			.display_name = display_name,
			.known = true,
			.err = err};
	struct entry entry;

	if (!each->source.to[each->source.kind].node && !display_name)
		return EACH_UNMATCHED;
	patterns_begin(patterns);
	switch (patterns_capture(patterns, span_of(cn), each->pattern, captures)) {
	case PATTERN_NO:
		return EACH_UNMATCHED;
	case PATTERN_FAILED:
		(void)document_error(document_get(node, "for_each"), err, "`for_each`: %s",
				patterns_reason(patterns));
		return EACH_FAILED;
	case PATTERN_YES:
		break;
	}
	set_values(each, captures, cn, display_name, arena, &entry);
	return make(evaluator, each, &entry, &making, ret) == ERR_NONE ? EACH_MATCHED : EACH_FAILED;
}

struct why grant_each_why(const struct grant_each *each)
{
	return each->source.why;
}

bool grant_each_names_others(const struct grant_each *each)
{
	return each->source.to[each->source.kind].node != NULL;
}
