#include "scim_patch.h"

#include <stdarg.h>
#include <strings.h>

#include "base/vec.h"
#include "scim_filter.h"

#define PATCH_URN "urn:ietf:params:scim:api:messages:2.0:PatchOp"

bool scim_refuse(struct scim_problem *ret, unsigned status, const char *scim_type, const char *fmt,
		...)
{
	va_list args;

	*ret = (struct scim_problem){.status = status};
	if (scim_type)
		(void)snprintf(ret->scim_type, sizeof(ret->scim_type), "%s", scim_type);
	va_start(args, fmt);
	(void)vsnprintf(ret->detail, sizeof(ret->detail), fmt, args);
	va_end(args);
	return false;
}

bool scim_refuse_syntax(struct scim_problem *ret)
{
	return scim_refuse(ret, 400, "invalidSyntax",
			"Request is unparsable, syntactically incorrect, or violates schema.");
}

static bool parse_verb(const json_t *op, enum patch_verb *ret)
{
	static const char *const verbs[] = {"add", "remove", "replace"};
	const char *word = json_string_value(op);

	for (unsigned i = 0; word && i < COUNT_OF(verbs); i++) {
		if (strcasecmp(word, verbs[i]) == 0) {
			*ret = (enum patch_verb)i;
			return true;
		}
	}
	return false;
}

/* "members[value eq "1"]": the attribute before the bracket, the value in the filter. */
static bool parse_path(const char *path, struct patch_op *ret, struct scim_problem *problem)
{
	size_t len = strcspn(path, "[");
	size_t path_len = strlen(path);

	ret->attr = attr_parse((struct span){path, len});
	if (ret->attr == ATTR_NONE)
		return scim_refuse(problem, 400, "invalidPath",
				"No such attribute with the name : %s in the current resource",
				path);
	if (path[len] == '[') {
		AUTO(filter_release) struct filter filter = {0};
		AUTO(mem_freep) char *inner = NULL;
		AUTO(mem_freep) char *full = NULL;
		const char *ignored;

		if (path[path_len - 1] != ']')
			return scim_refuse(problem, 400, "invalidPath", "Invalid path: %s", path);
		inner = mem_strndup(path + len + 1, path_len - len - 2);
		/* A lone "value" is no attribute of its own: read it as the one in front of the bracket. */
		if (strncasecmp(inner, "value ", 6) != 0)
			return scim_refuse(problem, 400, "invalidFilter", "Invalid path: %s", path);
		full = mem_printf("%.*s.%s", (int)len, path, inner);
		if (!filter_parse(full, &filter, &ignored) || filter.count != 1 ||
				filter.items[0].op != FILTER_EQ)
			return scim_refuse(problem, 400, "invalidFilter", "Invalid path: %s", path);
		ret->only_value = STEAL(filter.items[0].value);
	}
	return true;
}

/* The service's parser knows no "value" in a remove; only a list of entitlements gets through. */
static bool check_remove(const struct patch_op *op, struct scim_problem *problem)
{
	if (op->attr == ATTR_NONE)
		return scim_refuse(problem, 400, "noTarget", "Remove operation needs a path");
	if (op->value && (op->only_value || op->attr != ATTR_ENTITLEMENTS))
		return scim_refuse(problem, 400, "invalidSyntax",
				"Unrecognized field \"value\" in RemoveOperation, one known "
				"property: \"path\"");
	return true;
}

static bool parse_op(const json_t *item, struct patch_op *op, struct scim_problem *problem)
{
	const json_t *path = json_object_get(item, "path");

	if (!json_is_object(item) || !parse_verb(json_object_get(item, "op"), &op->verb))
		return scim_refuse_syntax(problem);
	op->value = json_object_get(item, "value");
	if (path && !json_is_null(path)) {
		if (!json_is_string(path) || json_string_length(path) == 0)
			return scim_refuse_syntax(problem);
		if (!parse_path(json_string_value(path), op, problem))
			return false;
	}
	if (op->verb == PATCH_REMOVE)
		return check_remove(op, problem);
	if (!op->value || (op->attr == ATTR_NONE && !json_is_object(op->value)))
		return scim_refuse_syntax(problem);
	return true;
}

/* Leaving schemas out works; another resource's URN in its place does not, and in an ugly way. */
static bool check_schemas(const json_t *schemas, struct scim_problem *problem)
{
	size_t i;
	json_t *urn;

	if (!schemas)
		return true;
	if (!json_is_array(schemas))
		return scim_refuse_syntax(problem);
	json_array_foreach(schemas, i, urn)
	{
		if (json_is_string(urn) && strcasecmp(json_string_value(urn), PATCH_URN) == 0)
			return true;
	}
	return scim_refuse(problem, 500, NULL, "null");
}

bool patch_parse(json_t *body, struct patch *ret, struct scim_problem *ret_problem)
{
	const json_t *operations = json_object_get(body, "Operations");
	struct patch patch = {0};
	size_t i;
	json_t *item;

	if (!check_schemas(json_object_get(body, "schemas"), ret_problem))
		return false;
	if (!json_is_array(operations) || json_array_size(operations) == 0 ||
			json_array_size(operations) > PATCH_OPERATIONS_MAX)
		return scim_refuse_syntax(ret_problem);
	json_array_foreach(operations, i, item)
	{
		struct patch_op *op = vec_add(&patch);

		*op = (struct patch_op){0};
		if (!parse_op(item, op, ret_problem)) {
			patch_release(&patch);
			return false;
		}
	}
	*ret = patch;
	return true;
}

void patch_release(struct patch *patch)
{
	for (vec_each (patch, op))
		mem_free(op->only_value);
	vec_release(patch);
}

bool json_read_values(const json_t *value, struct json_texts *ret_values)
{
	size_t i;
	json_t *item;

	if (!json_is_array(value))
		return false;
	json_array_foreach(value, i, item)
	{
		const json_t *text = json_object_get(item, "value");

		if (!json_is_object(item) || (text && !json_is_string(text)))
			return false;
		if (text)
			*vec_add(ret_values) = json_string_value(text);
	}
	return true;
}

bool json_read_bool(const json_t *value, bool *ret)
{
	const char *text;

	if (json_is_array(value) && json_array_size(value) == 1)
		value = json_object_get(json_array_get(value, 0), "value");
	if (json_is_boolean(value)) {
		*ret = json_is_true(value);
		return true;
	}
	text = json_string_value(value);
	if (!text || (strcasecmp(text, "true") != 0 && strcasecmp(text, "false") != 0))
		return false;
	*ret = strcasecmp(text, "true") == 0;
	return true;
}
