#include "json_schema.h"

#include <regex.h>
#include <stdint.h>
#include <string.h>

static bool is_type(const char *type, const json_t *value)
{
	return (strcmp(type, "string") == 0 && json_is_string(value)) ||
			(strcmp(type, "integer") == 0 && json_is_integer(value)) ||
			(strcmp(type, "number") == 0 && json_is_number(value)) ||
			(strcmp(type, "boolean") == 0 && json_is_boolean(value)) ||
			(strcmp(type, "object") == 0 && json_is_object(value)) ||
			(strcmp(type, "array") == 0 && json_is_array(value));
}

static bool has_type(const json_t *types, const json_t *value)
{
	size_t i;
	const json_t *type;

	if (json_is_string(types))
		return is_type(json_string_value(types), value);
	json_array_foreach(types, i, type)
	{
		if (is_type(json_string_value(type), value))
			return true;
	}
	return false;
}

static bool has_pattern(const json_t *pattern, const json_t *value)
{
	regex_t regex;
	bool found;

	if (!json_is_string(value))
		return true;
	if (regcomp(&regex, json_string_value(pattern), REG_EXTENDED | REG_NOSUB) != 0)
		return false;
	found = regexec(&regex, json_string_value(value), 0, NULL, 0) == 0;
	regfree(&regex);
	return found;
}

/* How many of the schemas accept it. */
static size_t count_accepting(const json_t *schemas, const json_t *value)
{
	size_t count = 0, i;
	const json_t *schema;

	json_array_foreach(schemas, i, schema) count += json_schema_accepts(schema, value);
	return count;
}

static bool is_one_of(const json_t *values, const json_t *value)
{
	size_t i;
	const json_t *item;

	json_array_foreach(values, i, item)
	{
		if (json_equal(item, value))
			return true;
	}
	return false;
}

static bool has_all(const json_t *names, const json_t *value)
{
	size_t i;
	const json_t *name;

	json_array_foreach(names, i, name)
	{
		if (json_is_object(value) && !json_object_get(value, json_string_value(name)))
			return false;
	}
	return true;
}

static bool members_fit(const json_t *schema, const json_t *value)
{
	const json_t *properties = json_object_get(schema, "properties");
	const json_t *others = json_object_get(schema, "additionalProperties");
	const json_t *names = json_object_get(schema, "propertyNames");
	const char *key;
	json_t *member;

	json_object_foreach((json_t *)(uintptr_t)value, key, member)
	{
		const json_t *known = json_object_get(properties, key);
		json_t *name = json_string(key);
		bool ok = known ? json_schema_accepts(known, member)
				: !json_is_false(others) &&
						(!json_is_object(others) ||
								json_schema_accepts(
										others, member));

		ok = ok && (!names || json_schema_accepts(names, name));
		json_decref(name);
		if (!ok)
			return false;
	}
	return true;
}

static bool items_fit(const json_t *schema, const json_t *value)
{
	size_t i;
	const json_t *item;

	json_array_foreach(value, i, item)
	{
		if (!json_schema_accepts(schema, item))
			return false;
	}
	return true;
}

static bool accepts_keyword(
		const json_t *schema, const char *keyword, const json_t *rule, const json_t *value)
{
	static const char *const elsewhere[] = {"properties", "additionalProperties",
			"propertyNames", "description", "default", "title", "$schema"};

	for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
		if (strcmp(keyword, elsewhere[i]) == 0)
			return true;
	}
	if (strcmp(keyword, "type") == 0)
		return has_type(rule, value);
	if (strcmp(keyword, "pattern") == 0)
		return has_pattern(rule, value);
	if (strcmp(keyword, "allOf") == 0)
		return count_accepting(rule, value) == json_array_size(rule);
	if (strcmp(keyword, "anyOf") == 0)
		return count_accepting(rule, value) > 0;
	if (strcmp(keyword, "enum") == 0)
		return is_one_of(rule, value);
	if (strcmp(keyword, "const") == 0)
		return json_equal(rule, value);
	if (strcmp(keyword, "required") == 0)
		return has_all(rule, value);
	if (strcmp(keyword, "items") == 0)
		return items_fit(rule, value);
	if (strcmp(keyword, "minLength") == 0)
		return !json_is_string(value) ||
				json_string_length(value) >= (size_t)json_integer_value(rule);
	if (strcmp(keyword, "minProperties") == 0)
		return !json_is_object(value) ||
				json_object_size(value) >= (size_t)json_integer_value(rule);
	if (strcmp(keyword, "maxProperties") == 0)
		return !json_is_object(value) ||
				json_object_size(value) <= (size_t)json_integer_value(rule);
	if (strcmp(keyword, "minimum") == 0)
		return !json_is_number(value) ||
				json_number_value(value) >= json_number_value(rule);
	if (strcmp(keyword, "maximum") == 0)
		return !json_is_number(value) ||
				json_number_value(value) <= json_number_value(rule);
	(void)schema;
	return false;
}

bool json_schema_accepts(const json_t *schema, const json_t *value)
{
	const char *keyword;
	json_t *rule;

	json_object_foreach((json_t *)(uintptr_t)schema, keyword, rule)
	{
		if (!accepts_keyword(schema, keyword, rule, value))
			return false;
	}
	return members_fit(schema, value);
}
