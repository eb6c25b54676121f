#include "rules/policy_definition.h"

#include "base/text.h"
#include "rules/json_document.h"
#include "rules/pattern.h"
#include "rules/policy_path.h"
#include "rules/schema.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define LIBRARIES_MAX 500

enum element_type {
	ELEMENT_FIXED,
	ELEMENT_FORBIDDEN,
	ELEMENT_ALLOWLIST,
	ELEMENT_BLOCKLIST,
	ELEMENT_REGEX,
	ELEMENT_RANGE,
	ELEMENT_UNLIMITED,
	ELEMENT_TYPE_COUNT_
};
static const char *const element_types[] = {
		"fixed", "forbidden", "allowlist", "blocklist", "regex", "range", "unlimited"};
_Static_assert(COUNT_OF(element_types) == ELEMENT_TYPE_COUNT_, "a name per type");

enum element_field {
	FIELD_TYPE,
	FIELD_VALUE,
	FIELD_VALUES,
	FIELD_PATTERN,
	FIELD_MIN,
	FIELD_MAX,
	FIELD_DEFAULT,
	FIELD_OPTIONAL,
	FIELD_HIDDEN,
	ELEMENT_FIELD_COUNT_
};
static const char *const element_fields[] = {"type", "value", "values", "pattern", "minValue",
		"maxValue", "defaultValue", "isOptional", "hidden"};
_Static_assert(COUNT_OF(element_fields) == ELEMENT_FIELD_COUNT_, "a name per field");

#define ALWAYS (1U << FIELD_TYPE | 1U << FIELD_HIDDEN)
#define LIMITING (ALWAYS | 1U << FIELD_DEFAULT | 1U << FIELD_OPTIONAL)
static const unsigned fields_of[] = {[ELEMENT_FIXED] = ALWAYS | 1U << FIELD_VALUE,
		[ELEMENT_FORBIDDEN] = ALWAYS,
		[ELEMENT_ALLOWLIST] = LIMITING | 1U << FIELD_VALUES,
		[ELEMENT_BLOCKLIST] = LIMITING | 1U << FIELD_VALUES,
		[ELEMENT_REGEX] = LIMITING | 1U << FIELD_PATTERN,
		[ELEMENT_RANGE] = LIMITING | 1U << FIELD_MIN | 1U << FIELD_MAX,
		[ELEMENT_UNLIMITED] = LIMITING};

/* One element while it is checked. */
struct element {
	const struct policy_check *check;
	const struct document_node *node; /* the map; its key is the path */
	const struct document_node *fields[ELEMENT_FIELD_COUNT_];
	enum element_type type;
	bool has_type;
	const struct policy_path *path; /* NULL: not known */
	struct err *err;
};

static PRINTF_LIKE(3, 4) void warn(const struct policy_check *check,
		const struct document_node *node, const char *fmt, ...)
{
	char text[300];
	va_list args;

	if (!check->warn)
		return;
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	check->warn(check->context, node, text);
}

/* What it will be is not known yet. */
static bool is_open(const struct policy_check *check, const struct document_node *node)
{
	return check->templates && node->kind == DOCUMENT_SCALAR && strstr(node->text, "${");
}

static bool is_number(const struct document_node *node)
{
	return node->kind == DOCUMENT_SCALAR && !node->quoted && json_text_is_number(node->text);
}

static bool is_text(const struct document_node *node)
{
	return node->kind == DOCUMENT_SCALAR && !is_number(node) && !json_document_is_flag(node) &&
			!document_is_null(node);
}

static enum err_code find_type(struct element *e)
{
	static const struct {
		const char *old;
		enum element_type type;
	} former[] = {{"whitelist", ELEMENT_ALLOWLIST}, {"blacklist", ELEMENT_BLOCKLIST}};
	const struct document_node *type = e->fields[FIELD_TYPE];

	if (!type) {
		if (!e->check->overrides)
			return document_error_at_key(
					e->node, e->err, "`%.80s` lacks `type`", e->node->key);
		return ERR_NONE;
	}
	if (!is_text(type))
		return document_error(type, e->err, "`type` must be a text, this is %s",
				type->kind == DOCUMENT_SCALAR ? type->text
							      : document_describe(type));
	if (is_open(e->check, type))
		return ERR_NONE;
	e->has_type = true;
	for (unsigned i = 0; i < ELEMENT_TYPE_COUNT_; i++) {
		if (strcmp(element_types[i], type->text) == 0) {
			e->type = i;
			return ERR_NONE;
		}
	}
	for (size_t i = 0; i < COUNT_OF(former); i++) {
		if (strcmp(former[i].old, type->text) == 0) {
			e->type = former[i].type;
			warn(e->check, type, "`%s` is the old name of `%s`", former[i].old,
					element_types[e->type]);
			return ERR_NONE;
		}
	}
	return schema_unknown(type, "type", type->text, element_types, ELEMENT_TYPE_COUNT_, e->err);
}

static enum err_code find_fields(struct element *e)
{
	for (size_t i = 0; i < e->node->count; i++) {
		const struct document_node *field = e->node->children[i];
		struct document_node key = document_key(field);
		unsigned known = 0;

		while (known < ELEMENT_FIELD_COUNT_ &&
				strcmp(element_fields[known], field->key) != 0)
			known++;
		if (known == ELEMENT_FIELD_COUNT_)
			return schema_unknown(&key, "field", field->key, element_fields,
					ELEMENT_FIELD_COUNT_, e->err);
		e->fields[known] = field;
	}
	return ERR_NONE;
}

static enum err_code refuse_foreign(const struct element *e)
{
	for (unsigned i = 0; e->has_type && i < ELEMENT_FIELD_COUNT_; i++) {
		struct document_node key;

		if (!e->fields[i] || (fields_of[e->type] & 1U << i))
			continue;
		key = document_key(e->fields[i]);
		if (e->type == ELEMENT_REGEX && i == FIELD_VALUE)
			return document_error(&key, e->err,
					"`value` is not for regex; its text is `pattern`");
		return document_error(&key, e->err, "`%s` is not for %s", element_fields[i],
				element_types[e->type]);
	}
	return ERR_NONE;
}

static enum err_code refuse_missing(const struct element *e)
{
	static const enum element_field needed[] = {[ELEMENT_FIXED] = FIELD_VALUE,
			[ELEMENT_ALLOWLIST] = FIELD_VALUES,
			[ELEMENT_BLOCKLIST] = FIELD_VALUES,
			[ELEMENT_REGEX] = FIELD_PATTERN,
			[ELEMENT_RANGE] = FIELD_TYPE,
			[ELEMENT_UNLIMITED] = FIELD_TYPE};

	if (!e->has_type || e->check->overrides)
		return ERR_NONE;
	if (e->type == ELEMENT_RANGE && !e->fields[FIELD_MIN] && !e->fields[FIELD_MAX])
		return document_error_at_key(e->node, e->err,
				"`%.80s` lacks `minValue` or `maxValue`", e->node->key);
	if (!e->fields[needed[e->type]])
		return document_error_at_key(e->node, e->err, "`%.80s` lacks `%s`", e->node->key,
				element_fields[needed[e->type]]);
	return ERR_NONE;
}

/* ---- field types ---- */

static enum err_code check_flag(const struct element *e, enum element_field field)
{
	const struct document_node *node = e->fields[field];

	if (!node || is_open(e->check, node) || json_document_is_flag(node))
		return ERR_NONE;
	return document_error(node, e->err, "`%s` must be true or false, without quotes",
			element_fields[field]);
}

static enum err_code check_number(const struct element *e, enum element_field field)
{
	const struct document_node *node = e->fields[field];

	if (!node || is_open(e->check, node) || is_number(node))
		return ERR_NONE;
	return document_error(node, e->err, "`%s` must be a number, without quotes",
			element_fields[field]);
}

static bool fits(enum policy_value kind, const struct document_node *node)
{
	switch (kind) {
	case POLICY_NUMBER:
		return json_text_is_number(node->text);
	case POLICY_FLAG:
		return text_equal_folded(node->text, "true") ||
				text_equal_folded(node->text, "false");
	case POLICY_TEXT:
		break;
	}
	return true;
}

/* A value of the attribute. */
static enum err_code check_value(const struct element *e, const struct document_node *node)
{
	if (node->kind != DOCUMENT_SCALAR || document_is_null(node))
		return document_error(node, e->err,
				"a value must be a text, a number, true or false, this is %s",
				document_describe(node));
	if (is_open(e->check, node) || !e->path || fits(e->path->value, node))
		return ERR_NONE;
	return document_error(node, e->err, "`%.80s` is %s, not `%.80s`", e->node->key,
			e->path->value == POLICY_NUMBER ? "a number" : "true or false", node->text);
}

static enum err_code check_values(const struct element *e)
{
	const struct document_node *values = e->fields[FIELD_VALUES];
	enum err_code code = ERR_NONE;

	if (!values)
		return ERR_NONE;
	if (values->kind != DOCUMENT_LIST)
		return document_error(values, e->err, "`values` must be a list, this is %s",
				document_describe(values));
	if (values->count == 0 && e->type == ELEMENT_ALLOWLIST)
		return document_error(
				values, e->err, "`values` is empty: nothing would be allowed");
	for (size_t i = 0; i < values->count && code == ERR_NONE; i++) {
		const struct document_node *item = values->children[i];

		code = check_value(e, item);
		if (code == ERR_NONE && e->type == ELEMENT_BLOCKLIST && *item->text &&
				(item->text[0] == ' ' || item->text[strlen(item->text) - 1] == ' '))
			warn(e->check, item,
					"a blank at the end of a blocked value: texts compare "
					"exactly");
	}
	return code;
}

static enum err_code check_pattern(const struct element *e)
{
	const struct document_node *node = e->fields[FIELD_PATTERN];
	char reason[160];

	if (!node || is_open(e->check, node))
		return ERR_NONE;
	if (!is_text(node))
		return document_error(node, e->err, "`pattern` must be a text");
	if (pattern_check(span_of(node->text), reason, sizeof(reason)))
		return ERR_NONE;
	/* Java knows classes that PCRE2 does not. */
	if (strstr(node->text, "\\p{") || strstr(node->text, "\\P{")) {
		warn(e->check, node, "pattern: %s", reason);
		return ERR_NONE;
	}
	return document_error(node, e->err, "pattern: %s", reason);
}

static double number_of(const struct document_node *node)
{
	return strtod(node->text, NULL);
}

static enum err_code check_range(const struct element *e)
{
	const struct document_node *min = e->fields[FIELD_MIN], *max = e->fields[FIELD_MAX];
	enum err_code code = check_number(e, FIELD_MIN);

	if (code == ERR_NONE)
		code = check_number(e, FIELD_MAX);
	if (code == ERR_NONE && min && max && is_number(min) && is_number(max) &&
			number_of(min) > number_of(max))
		return document_error(min, e->err, "`minValue` %s is above `maxValue` %s",
				min->text, max->text);
	return code;
}

static enum err_code check_default(const struct element *e)
{
	const struct document_node *node = e->fields[FIELD_DEFAULT];
	const struct document_node *values = e->fields[FIELD_VALUES], *min = e->fields[FIELD_MIN],
				   *max = e->fields[FIELD_MAX];
	bool listed = false;
	enum err_code code = node ? check_value(e, node) : ERR_NONE;

	if (!node || code != ERR_NONE || is_open(e->check, node) || !e->has_type)
		return code;
	for (size_t i = 0; values && i < values->count; i++)
		listed = listed || is_open(e->check, values->children[i]) ||
				strcmp(values->children[i]->text, node->text) == 0;
	if ((e->type == ELEMENT_ALLOWLIST && !listed) || (e->type == ELEMENT_BLOCKLIST && listed) ||
			(e->type == ELEMENT_RANGE && json_text_is_number(node->text) &&
					((min && is_number(min) &&
							 number_of(node) < number_of(min)) ||
							(max && is_number(max) &&
									number_of(node) >
											number_of(max)))))
		warn(e->check, node, "`defaultValue` is not among what `%.80s` allows",
				e->node->key);
	return ERR_NONE;
}

/* ---- the path ---- */

static enum err_code check_path(struct element *e)
{
	struct document_node key = document_key(e->node);
	enum policy_path_result result = policy_path_find(e->node->key, &e->path);
	const char *likely;

	if (strstr(e->node->key, "${"))
		return document_error(&key, e->err,
				"`%.80s`: templates are for values, a path is as it stands",
				e->node->key);
	if (result == POLICY_PATH_MALFORMED)
		return document_error(
				&key, e->err, "`%.120s` is no attribute's path", e->node->key);
	if (result == POLICY_PATH_UNKNOWN) {
		likely = policy_path_likely(e->node->key);
		warn(e->check, &key, "unknown attribute `%.80s`%s%s%s", e->node->key,
				likely ? ", did you mean `" : "", likely ? likely : "",
				likely ? "`?" : "");
		return ERR_NONE;
	}
	if (strcmp(e->node->key, "cluster_source") == 0)
		warn(e->check, &key,
				"`cluster_source` is only a filter of the web interface; write "
				"`cluster_type`");
	return ERR_NONE;
}

static enum err_code check_cluster_type(const struct element *e, const struct document_node *node)
{
	static const char *const known[] = {"all-purpose", "job", "dlt"};

	if (!node || is_open(e->check, node) || node->kind != DOCUMENT_SCALAR)
		return ERR_NONE;
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (strcmp(known[i], node->text) == 0)
			return ERR_NONE;
	}
	return schema_unknown(node, "cluster type", node->text, known, COUNT_OF(known), e->err);
}

/* What only some types can say of some attributes. */
static enum err_code check_combination(const struct element *e)
{
	const struct document_node *values = e->fields[FIELD_VALUES];
	const struct document_node *type = e->fields[FIELD_TYPE];
	enum err_code code = ERR_NONE;

	if (!e->has_type)
		return ERR_NONE;
	if (strcmp(e->node->key, "dbus_per_hour") == 0 && e->type != ELEMENT_RANGE)
		return document_error(type, e->err,
				"`dbus_per_hour` is computed; only a range can limit it");
	if (strcmp(e->node->key, "cluster_type") == 0) {
		code = check_cluster_type(e, e->fields[FIELD_VALUE]);
		for (size_t i = 0; values && i < values->count && code == ERR_NONE; i++)
			code = check_cluster_type(e, values->children[i]);
		return code;
	}
	if (e->type == ELEMENT_RANGE && e->path && e->path->value != POLICY_NUMBER) {
		if (!e->path->is_map)
			return document_error(type, e->err,
					"`%.80s` is no number; a range can't limit it",
					e->node->key);
		warn(e->check, type, "values of `%.80s` compare as texts", e->node->key);
	}
	if (e->type == ELEMENT_FORBIDDEN && e->path && e->path->is_needed)
		return document_error(type, e->err,
				"every cluster has `%.80s`; it can't be forbidden", e->node->key);
	return ERR_NONE;
}

typedef enum err_code element_step(const struct element *e);
static element_step *const steps[] = {refuse_foreign, refuse_missing, check_values, check_pattern,
		check_range, check_combination, check_default};

static enum err_code check_element(
		const struct policy_check *check, const struct document_node *node, struct err *err)
{
	struct element e = {.check = check, .node = node, .err = err};
	enum err_code code;

	if (node->kind != DOCUMENT_MAP)
		return document_error(node, err,
				"`%.80s` must be an object such as {\"type\": \"fixed\", ...}, "
				"this "
				"is %s",
				node->key, document_describe(node));
	code = find_fields(&e);
	if (code == ERR_NONE)
		code = find_type(&e);
	if (code == ERR_NONE)
		code = check_path(&e);
	for (size_t i = 0; i < COUNT_OF(steps) && code == ERR_NONE; i++)
		code = steps[i](&e);
	if (code == ERR_NONE && e.fields[FIELD_VALUE])
		code = check_value(&e, e.fields[FIELD_VALUE]);
	if (code == ERR_NONE)
		code = check_flag(&e, FIELD_OPTIONAL);
	return code == ERR_NONE ? check_flag(&e, FIELD_HIDDEN) : code;
}

/* ---- the whole ---- */

/* Whether every cluster under the policy must have the attribute. */
static bool is_required(const struct document_node *element)
{
	const struct document_node *type = element ? document_get(element, "type") : NULL;
	const struct document_node *optional = element ? document_get(element, "isOptional") : NULL;

	return type && type->kind == DOCUMENT_SCALAR && strcmp(type->text, "forbidden") != 0 &&
			!strstr(type->text, "${") &&
			!(optional && json_document_is_flag(optional) && optional->text[0] == 't');
}

static enum err_code check_sizes(const struct document_node *definition, struct err *err)
{
	static const char *const autoscale[] = {"autoscale.min_workers", "autoscale.max_workers"};
	const struct document_node *workers = document_get(definition, "num_workers");

	for (size_t i = 0; i < COUNT_OF(autoscale) && is_required(workers); i++) {
		const struct document_node *other = document_get(definition, autoscale[i]);

		if (is_required(other))
			return document_error_at_key(other, err,
					"`%s` and `num_workers` (line %u) are both required, and "
					"no "
					"cluster has both; make one of them optional",
					autoscale[i], workers->key_line);
	}
	return ERR_NONE;
}

/* "init_scripts.2.…" without "init_scripts.1.…" */
static void warn_of_gaps(const struct policy_check *check, const struct document_node *definition)
{
	for (size_t i = 0; i < definition->count; i++) {
		const struct document_node *node = definition->children[i];
		unsigned index;
		size_t prefix = policy_path_index(node->key, &index);
		bool found = index == 0;

		for (size_t k = 0; prefix && !found && k < definition->count; k++) {
			unsigned other;

			found = policy_path_index(definition->children[k]->key, &other) == prefix &&
					strncmp(definition->children[k]->key, node->key, prefix) ==
							0 &&
					other + 1 == index;
		}
		if (prefix && !found) {
			struct document_node key = document_key(node);

			warn(check, &key, "`%.80s` without an element %u before it", node->key,
					index - 1);
		}
	}
}

enum err_code policy_definition_check(const struct policy_check *check,
		const struct document_node *definition, struct err *err)
{
	enum err_code code = ERR_NONE;

	if (definition->kind != DOCUMENT_MAP)
		return document_error(definition, err,
				"a definition must be an object of attributes, this is %s",
				document_describe(definition));
	for (size_t i = 0; i < definition->count && code == ERR_NONE; i++)
		code = check_element(check, definition->children[i], err);
	if (code == ERR_NONE)
		code = check_sizes(definition, err);
	if (code == ERR_NONE)
		warn_of_gaps(check, definition);
	return code;
}

/* ---- libraries ---- */

static const struct {
	const char *kind;
	const char *fields[4]; /* the first is needed; none: the value is a text */
} library_kinds[] = {{"jar", {NULL}}, {"egg", {NULL}}, {"whl", {NULL}}, {"requirements", {NULL}},
		{"pypi", {"package", "repo"}}, {"cran", {"package", "repo"}},
		{"maven", {"coordinates", "repo", "exclusions"}}};

static enum err_code check_package(
		const struct document_node *node, const char *const *fields, struct err *err)
{
	size_t count = 0;

	while (fields[count])
		count++;
	if (node->kind != DOCUMENT_MAP)
		return document_error(node, err, "`%s` must be an object with `%s`, this is %s",
				node->key, fields[0], document_describe(node));
	for (size_t i = 0; i < node->count; i++) {
		struct document_node key = document_key(node->children[i]);
		bool list = strcmp(key.text, "exclusions") == 0;
		size_t known = 0;

		while (known < count && strcmp(fields[known], key.text) != 0)
			known++;
		if (known == count)
			return schema_unknown(&key, "field", key.text, fields, count, err);
		if (list ? node->children[i]->kind != DOCUMENT_LIST : !is_text(node->children[i]))
			return document_error(node->children[i], err, "`%s` must be a %s", key.text,
					list ? "list" : "text");
	}
	if (!document_get(node, fields[0]))
		return document_error_at_key(node, err, "`%s` lacks `%s`", node->key, fields[0]);
	return ERR_NONE;
}

static enum err_code check_library(const struct document_node *node, struct err *err)
{
	const char *known[COUNT_OF(library_kinds)];
	const struct document_node *value;
	struct document_node key;
	size_t kind = 0;

	for (size_t i = 0; i < COUNT_OF(library_kinds); i++)
		known[i] = library_kinds[i].kind;
	if (node->kind != DOCUMENT_MAP || node->count != 1)
		return document_error(node, err,
				"a library is an object with one key, such as {\"pypi\": "
				"{\"package\": \"x\"}}");
	value = node->children[0];
	key = document_key(value);
	while (kind < COUNT_OF(library_kinds) && strcmp(known[kind], value->key) != 0)
		kind++;
	if (kind == COUNT_OF(library_kinds))
		return schema_unknown(&key, "kind of library", value->key, known,
				COUNT_OF(library_kinds), err);
	if (library_kinds[kind].fields[0])
		return check_package(value, library_kinds[kind].fields, err);
	if (!is_text(value))
		return document_error(value, err, "`%s` must be a text", value->key);
	return ERR_NONE;
}

enum err_code policy_libraries_check(const struct policy_check *check,
		const struct document_node *libraries, struct err *err)
{
	enum err_code code = ERR_NONE;

	(void)check;
	if (libraries->kind != DOCUMENT_LIST)
		return document_error(libraries, err, "`libraries` must be a list, this is %s",
				document_describe(libraries));
	if (libraries->count > LIBRARIES_MAX)
		return document_error(libraries, err, "more than %d libraries", LIBRARIES_MAX);
	for (size_t i = 0; i < libraries->count && code == ERR_NONE; i++)
		code = check_library(libraries->children[i], err);
	return code;
}
