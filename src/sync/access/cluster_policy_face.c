#include "sync/access/cluster_policy_face.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/text.h"

#define WHOLE_MAX 9007199254740992.0 /* 2^53: whole numbers up to it are exact */

static const char *const names[] = {
		[POLICY_NAME] = "name",
		[POLICY_DESCRIPTION] = "description",
		[POLICY_DEFINITION] = "definition",
		[POLICY_FAMILY] = "policy_family_id",
		[POLICY_OVERRIDES] = "policy_family_definition_overrides",
		[POLICY_LIBRARIES] = "libraries",
		[POLICY_MAX_CLUSTERS] = "max_clusters_per_user",
};
_Static_assert(COUNT_OF(names) == POLICY_PART_COUNT_, "a name per part");

/* ---- JSON by meaning ---- */

/* A new reference: the same with 1 for 1.0. Depth is the parser's. */
static json_t *meaning(const json_t *json)
{
	const char *key;
	json_t *copy, *value;
	size_t index;

	if (json_is_real(json)) {
		double real = json_real_value(json);

		if (real < WHOLE_MAX && real > -WHOLE_MAX && (double)(json_int_t)real == real)
			return json_integer((json_int_t)real);
	}
	if (json_is_array(json)) {
		copy = json_array();
		json_array_foreach(json, index, value)(void)
				json_array_append_new(copy, meaning(value));
		return copy;
	}
	if (!json_is_object(json))
		return json_deep_copy(json);
	copy = json_object();
	for (void *it = json_object_iter((json_t *)(uintptr_t)json); it;
			it = json_object_iter_next((json_t *)(uintptr_t)json, it)) {
		key = json_object_iter_key(it);
		(void)json_object_set_new(copy, key, meaning(json_object_iter_value(it)));
	}
	return copy;
}

static const char *dump(const json_t *json, struct arena *arena)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	const char *copy = arena_strdup(arena, text);

	mem_free(text);
	return copy;
}

/* What an element says by saying nothing, and the names that its types had once (Databricks, "Compute policy reference"). */
static void drop_defaults(json_t *definition)
{
	static const char *const former[][2] = {
			{"whitelist", "allowlist"}, {"blacklist", "blocklist"}};
	static const char *const flags[] = {"hidden", "isOptional"};
	const char *path, *type;
	json_t *element;

	json_object_foreach(definition, path, element)
	{
		for (size_t i = 0; i < COUNT_OF(flags); i++) {
			if (json_is_false(json_object_get(element, flags[i])))
				(void)json_object_del(element, flags[i]);
		}
		type = json_string_value(json_object_get(element, "type"));
		for (size_t i = 0; type && i < COUNT_OF(former); i++) {
			if (text_equal(type, former[i][0])) {
				(void)json_object_set_new(
						element, "type", json_string(former[i][1]));
				break;
			}
		}
	}
}

static const char *text_meaning(const char *text, bool is_definition, struct arena *arena)
{
	json_t *json = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
	json_t *same;
	const char *ret;

	if (!json)
		return arena_strdup(arena, text);
	same = meaning(json);
	if (is_definition)
		drop_defaults(same);
	ret = dump(same, arena);
	json_decref(same);
	json_decref(json);
	return ret;
}

const char *policy_json_meaning(const char *text, struct arena *arena)
{
	return text_meaning(text, false, arena);
}

static int compare_texts(const void *left, const void *right)
{
	return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* What rules can say of a library; an answer may have more fields, or some with null in place of a value. */
static bool is_library_field(const char *name)
{
	static const char *const known[] = {"jar", "egg", "whl", "requirements", "pypi", "cran",
			"maven", "package", "repo", "coordinates", "exclusions"};

	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (text_equal(name, known[i]))
			return true;
	}
	return false;
}

/* In place. A kind that we do not know yet is left whole: it differs from all that a rule can ask for. */
static void drop_unknown(json_t *library)
{
	json_t *kept = json_object(), *value;
	const char *key;

	json_object_foreach(library, key, value)
	{
		if (json_is_null(value) || !is_library_field(key))
			continue;
		drop_unknown(value);
		(void)json_object_set(kept, key, value);
	}
	if (json_object_size(kept)) {
		(void)json_object_clear(library);
		(void)json_object_update(library, kept);
	}
	json_decref(kept);
}

/* The libraries in order of their text, each once. */
static const char *set_meaning(const char *text, struct arena *arena)
{
	json_t *array = text ? json_loads(text, 0, NULL) : NULL;
	json_t *sorted;
	const char **items, *ret;
	size_t count = json_array_size(array);

	if (!json_is_array(array)) {
		json_decref(array);
		return arena_strdup(arena, text);
	}
	items = arena_alloc(arena, (count + 1) * sizeof(*items));
	for (size_t i = 0; i < count; i++) {
		json_t *item = meaning(json_array_get(array, i));

		drop_unknown(item);
		items[i] = dump(item, arena);
		json_decref(item);
	}
	qsort(items, count, sizeof(*items), compare_texts);
	sorted = json_array();
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || !text_equal(items[i], items[i - 1]))
			(void)json_array_append_new(
					sorted, json_loads(items[i], JSON_DECODE_ANY, NULL));
	}
	ret = dump(sorted, arena);
	json_decref(sorted);
	json_decref(array);
	return ret;
}

/* ---- faces ---- */

static const char *given(const char *text, const char *nothing)
{
	return text && *text && !text_equal(text, nothing) ? text : NULL;
}

static void fill(struct policy_face *face, struct arena *arena)
{
	const char **parts = face->parts;

	parts[POLICY_NAME] = arena_strdup(arena, parts[POLICY_NAME]);
	parts[POLICY_DESCRIPTION] = arena_strdup(arena, given(parts[POLICY_DESCRIPTION], ""));
	parts[POLICY_FAMILY] = arena_strdup(arena, given(parts[POLICY_FAMILY], ""));
	parts[POLICY_DEFINITION] = parts[POLICY_FAMILY]
			? NULL
			: given(text_meaning(parts[POLICY_DEFINITION], true, arena), "");
	parts[POLICY_OVERRIDES] = parts[POLICY_FAMILY]
			? given(policy_json_meaning(parts[POLICY_OVERRIDES], arena), "{}")
			: NULL;
	parts[POLICY_LIBRARIES] = given(set_meaning(parts[POLICY_LIBRARIES], arena), "[]");
}

void policy_face_of_wanted(const struct wanted_policy *policy, const char *family_id,
		struct arena *arena, struct policy_face *ret)
{
	*ret = (struct policy_face){{
			[POLICY_NAME] = policy->name,
			[POLICY_DESCRIPTION] = policy->description,
			[POLICY_DEFINITION] = policy->definition,
			[POLICY_FAMILY] = family_id,
			[POLICY_OVERRIDES] = policy->overrides,
			[POLICY_LIBRARIES] = policy->libraries,
			[POLICY_MAX_CLUSTERS] = policy->max_clusters_per_user
					? arena_printf(arena, "%u", policy->max_clusters_per_user)
					: NULL,
	}};
	fill(ret, arena);
}

void policy_face_of_seen(
		const struct cluster_policy *policy, struct arena *arena, struct policy_face *ret)
{
	long long most = (long long)policy->max_clusters_per_user;

	*ret = (struct policy_face){{
			[POLICY_NAME] = policy->name,
			[POLICY_DESCRIPTION] = policy->description,
			[POLICY_DEFINITION] = policy->definition,
			[POLICY_FAMILY] = policy->family_id,
			[POLICY_OVERRIDES] = policy->family_overrides,
			[POLICY_LIBRARIES] = policy->libraries,
			[POLICY_MAX_CLUSTERS] = most ? arena_printf(arena, "%lld", most) : NULL,
	}};
	fill(ret, arena);
}

size_t policy_face_compare(const struct policy_face *before_or_null,
		const struct policy_face *after, struct arena *arena,
		const struct part_change **ret)
{
	struct part_change *changes = arena_alloc(arena, POLICY_PART_COUNT_ * sizeof(*changes));
	size_t count = 0;

	for (unsigned i = 0; i < POLICY_PART_COUNT_; i++) {
		const char *before = before_or_null ? before_or_null->parts[i] : NULL;

		if (!text_equal(before, after->parts[i]))
			changes[count++] =
					(struct part_change){names[i], arena_strdup(arena, before),
							arena_strdup(arena, after->parts[i])};
	}
	*ret = changes;
	return count;
}

char *policy_face_text(const struct policy_face *face)
{
	json_t *json = json_object();
	char *text, *copy;

	for (unsigned i = 0; i < POLICY_PART_COUNT_; i++) {
		if (face->parts[i])
			(void)json_object_set_new(json, names[i], json_string(face->parts[i]));
	}
	text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	copy = mem_strdup(text ? text : "{}");
	mem_free(text);
	json_decref(json);
	return copy;
}

bool policy_face_read(const char *text, struct arena *arena, struct policy_face *ret)
{
	json_t *json = text ? json_loads(text, 0, NULL) : NULL;

	if (!json_is_object(json)) {
		json_decref(json);
		return false;
	}
	*ret = (struct policy_face){{NULL}};
	for (unsigned i = 0; i < POLICY_PART_COUNT_; i++)
		ret->parts[i] = arena_strdup(
				arena, json_string_value(json_object_get(json, names[i])));
	json_decref(json);
	return true;
}
