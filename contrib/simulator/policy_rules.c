/*
 * What a definition makes of a cluster: each element judges the attribute at its path. Clusters hold what their API
 * has: objects in objects, arrays, and maps whose keys may have dots in them.
 */
#include "policy.h"

#include <math.h>
#include <regex.h>

#include "base/text.h"

#define VALUE_TEXT_MAX 1024

/* Fields whose keys, dots included, are all that stands behind them in a path. */
static const char *const maps[] = {"spark_conf", "spark_env_vars", "custom_tags"};

static bool is_map(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT_OF(maps); i++) {
		if (strlen(maps[i]) == len && memcmp(maps[i], name, len) == 0)
			return true;
	}
	return false;
}

/* What stands at the path; NULL: nothing. */
static const json_t *value_at(const json_t *at, const char *path)
{
	while (at && *path) {
		size_t len = strcspn(path, ".");
		AUTO(mem_freep) char *name = mem_strndup(path, len);
		int64_t index;

		if (json_is_array(at))
			at = text_parse_int(name, 0, INT32_MAX, &index)
					? json_array_get(at, (size_t)index)
					: NULL;
		else
			at = json_object_get(at, name);
		path += len;
		path += *path == '.';
		if (at && is_map(name, len))
			return *path ? json_object_get(at, path) : at;
	}
	return json_is_null(at) ? NULL : at;
}

static void write_value(const json_t *value, char ret[static VALUE_TEXT_MAX])
{
	if (json_is_string(value))
		(void)snprintf(ret, VALUE_TEXT_MAX, "%s", json_string_value(value));
	else if (json_is_boolean(value))
		(void)snprintf(ret, VALUE_TEXT_MAX, "%s", json_is_true(value) ? "true" : "false");
	else if (json_is_number(value))
		(void)snprintf(ret, VALUE_TEXT_MAX, "%.15g", json_number_value(value));
	else
		(void)snprintf(ret, VALUE_TEXT_MAX, "%s", "...");
}

/* As text: what is a number here may be a text there. */
static bool same(const json_t *a, const json_t *b)
{
	char left[VALUE_TEXT_MAX], right[VALUE_TEXT_MAX];

	write_value(a, left);
	write_value(b, right);
	return strcmp(left, right) == 0;
}

static bool contains(const json_t *values, const json_t *value)
{
	size_t i;
	json_t *item;

	json_array_foreach(values, i, item)
	{
		if (same(item, value))
			return true;
	}
	return false;
}

/* The whole value, not a part of it. */
static bool matches(const char *pattern, const json_t *value)
{
	AUTO(mem_freep) char *anchored = mem_printf("^(%s)$", pattern);
	char text[VALUE_TEXT_MAX];
	regex_t regex;
	bool good;

	write_value(value, text);
	if (regcomp(&regex, anchored, REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	good = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return good;
}

static bool number_of(const json_t *value, double *ret)
{
	char *end;

	if (json_is_number(value)) {
		*ret = json_number_value(value);
		return true;
	}
	if (!json_is_string(value))
		return false;
	*ret = strtod(json_string_value(value), &end);
	return !*end && end != json_string_value(value);
}

static bool in_range(const json_t *element, const json_t *value)
{
	const json_t *least = json_object_get(element, "minValue");
	const json_t *most = json_object_get(element, "maxValue");
	double number;

	return number_of(value, &number) && (!least || number >= json_number_value(least)) &&
			(!most || number <= json_number_value(most));
}

enum element_type {
	ELEMENT_FIXED,
	ELEMENT_FORBIDDEN,
	ELEMENT_ALLOWLIST,
	ELEMENT_BLOCKLIST,
	ELEMENT_REGEX,
	ELEMENT_RANGE,
	ELEMENT_UNLIMITED,
	ELEMENT_BAD
};

/* The old words for two of them are still understood. */
static enum element_type type_of(const json_t *element)
{
	static const struct {
		const char *name;
		enum element_type type;
	} types[] = {
			{"fixed", ELEMENT_FIXED},
			{"forbidden", ELEMENT_FORBIDDEN},
			{"allowlist", ELEMENT_ALLOWLIST},
			{"whitelist", ELEMENT_ALLOWLIST},
			{"blocklist", ELEMENT_BLOCKLIST},
			{"blacklist", ELEMENT_BLOCKLIST},
			{"regex", ELEMENT_REGEX},
			{"range", ELEMENT_RANGE},
			{"unlimited", ELEMENT_UNLIMITED},
	};
	const char *name = json_string_value(json_object_get(element, "type"));

	for (size_t i = 0; name && i < COUNT_OF(types); i++) {
		if (strcmp(types[i].name, name) == 0)
			return types[i].type;
	}
	return ELEMENT_BAD;
}

static bool is_scalar(const json_t *value)
{
	return json_is_string(value) || json_is_boolean(value) || json_is_number(value);
}

/* Only as much as it takes to judge by it. */
static bool is_well_formed(const json_t *element)
{
	switch (type_of(element)) {
	case ELEMENT_FIXED:
		return is_scalar(json_object_get(element, "value"));
	case ELEMENT_ALLOWLIST:
	case ELEMENT_BLOCKLIST:
		return json_is_array(json_object_get(element, "values"));
	case ELEMENT_REGEX:
		return json_is_string(json_object_get(element, "pattern"));
	case ELEMENT_RANGE:
		return json_is_number(json_object_get(element, "minValue")) ||
				json_is_number(json_object_get(element, "maxValue"));
	case ELEMENT_FORBIDDEN:
	case ELEMENT_UNLIMITED:
		return true;
	case ELEMENT_BAD:
		break;
	}
	return false;
}

struct judge {
	const json_t *definition, *cluster;
	json_t *violations;
};

static void blame(struct judge *judge, const char *path, const char *text)
{
	AUTO(mem_freep) char *message = NULL;

	if (json_object_size(judge->violations) >= POLICY_VIOLATIONS_MAX)
		return;
	message = mem_printf("Validation failed for %s, %s", path, text);
	(void)json_object_set_new(judge->violations, path, json_string(message));
}

static void blame_value(
		struct judge *judge, const char *path, const json_t *value, const char *wanted)
{
	char text[VALUE_TEXT_MAX];
	AUTO(mem_freep) char *message = NULL;

	write_value(value, text);
	message = mem_printf("the value must %s (is \"%s\")", wanted, text);
	blame(judge, path, message);
}

/* One value against one element; both are there. */
static void judge_value(
		struct judge *judge, const char *path, const json_t *element, const json_t *value)
{
	char wanted[VALUE_TEXT_MAX];
	AUTO(mem_freep) char *must = NULL;
	const char *pattern = json_string_value(json_object_get(element, "pattern"));

	switch (type_of(element)) {
	case ELEMENT_FIXED:
		write_value(json_object_get(element, "value"), wanted);
		must = mem_printf("be %s", wanted);
		if (!same(json_object_get(element, "value"), value))
			blame_value(judge, path, value, must);
		break;
	case ELEMENT_FORBIDDEN:
		blame(judge, path, "must not be present");
		break;
	case ELEMENT_ALLOWLIST:
		if (!contains(json_object_get(element, "values"), value))
			blame_value(judge, path, value, "be one of the allowed ones");
		break;
	case ELEMENT_BLOCKLIST:
		if (contains(json_object_get(element, "values"), value))
			blame_value(judge, path, value, "not be one of the blocked ones");
		break;
	case ELEMENT_REGEX:
		must = mem_printf("match %s", pattern ? pattern : "");
		if (!matches(pattern ? pattern : "", value))
			blame_value(judge, path, value, must);
		break;
	case ELEMENT_RANGE:
		if (!in_range(element, value))
			blame_value(judge, path, value, "be in the range");
		break;
	case ELEMENT_UNLIMITED:
	case ELEMENT_BAD:
		break;
	}
}

/* Limits make an attribute required, unless they say that it is optional. */
static bool is_required(const json_t *element)
{
	return type_of(element) != ELEMENT_FORBIDDEN &&
			!json_is_true(json_object_get(element, "isOptional"));
}

static void judge_path(struct judge *judge, const char *path, const json_t *element)
{
	const json_t *value = value_at(judge->cluster, path);

	if (value)
		judge_value(judge, path, element, value);
	else if (is_required(element))
		blame(judge, path, "must be present");
}

/* "prefix.*.rest": each element that no rule of its own judges. One of another kind has nothing at the rest. */
static void judge_elements(
		struct judge *judge, const char *path, const char *star, const json_t *element)
{
	AUTO(mem_freep) char *prefix = mem_strndup(path, (size_t)(star - path));
	const json_t *array = value_at(judge->cluster, prefix);

	for (size_t i = 0; i < json_array_size(array); i++) {
		AUTO(mem_freep) char *one = mem_printf("%s.%zu%s", prefix, i, star + 2);
		const json_t *value;

		if (json_object_get(judge->definition, one))
			continue;
		value = value_at(judge->cluster, one);
		if (value)
			judge_value(judge, one, element, value);
	}
}

json_t *policy_violations(const json_t *definition, const json_t *cluster)
{
	struct judge judge = {.definition = definition, .cluster = cluster};
	const char *path;
	json_t *element;

	if (!json_is_object(definition))
		return NULL;
	judge.violations = json_object();
	json_object_foreach(((json_t *)(uintptr_t)definition), path, element)
	{
		const char *star = strstr(path, ".*");

		if (!is_well_formed(element)) {
			json_decref(judge.violations);
			return NULL;
		}
		if (strcmp(path, "dbus_per_hour") == 0 || strcmp(path, "cluster_source") == 0)
			continue; /* nothing here computes them */
		if (star && (star[2] == '.' || !star[2]))
			judge_elements(&judge, path, star, element);
		else
			judge_path(&judge, path, element);
	}
	return judge.violations;
}
