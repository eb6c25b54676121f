/*
 * Lists of objects: pages, and what the caller may see. Declared in object_api.h.
 */
#include "object_api.h"

#include "base/text.h"
#include "object_stale.h"

static bool read_size(struct api_call *call, const struct object_type *type, size_t *ret)
{
	const char *sent = type->size_parameter ? api_parameter(call, type->size_parameter) : NULL;
	bool coerced = type->size_coerced || api_quirk(call, QUIRK_LIST_COERCED);
	int64_t size = type->size_default;

	if (sent &&
			(!text_parse_int(sent, 0, INT32_MAX, &size) ||
					(size == 0 && !type->size_coerced)))
		return api_refuse_value(
				call, "Invalid value for %s: %s", type->size_parameter, sent);
	if (type->size_max && size > type->size_max) {
		if (!coerced)
			return api_refuse_value(call, "%s must be between 1 and %d, got %s",
					type->size_parameter, type->size_max, sent);
		size = type->size_max;
	}
	if (size == 0)
		size = type->size_default;
	*ret = size ? (size_t)size : SIZE_MAX;
	return true;
}

/* Tokens count by the order of creation, so that what is deleted in between changes nothing. */
bool page_read(struct api_call *call, const struct object_type *type, struct page *ret)
{
	const char *token = api_parameter(
			call, type->paging == PAGING_NEXT ? "next_page_token" : "page_token");
	int64_t after = 0;

	if (type->paging != PAGING_TOKEN)
		token = type->paging == PAGING_NEXT ? token : NULL;
	if (token && *token &&
			(token[0] != 'p' || !text_parse_int(token + 1, 0, INT64_MAX, &after)))
		return api_refuse_value(call, "Invalid page token: %s", token);
	ret->after = (uint64_t)after;
	return read_size(call, type, &ret->size);
}

/* filter: name LIKE '%x%' */
static bool is_like(const char *filter, const char *name)
{
	const char *open = strchr(filter, '\''), *close = strrchr(filter, '\'');
	AUTO(mem_freep) char *pattern = NULL;

	if (!text_starts_with(filter, "name LIKE ") || !open || close == open)
		return true;
	pattern = mem_strndup(open + 1, (size_t)(close - open - 1));
	for (char *c = pattern; *c; c++)
		*c = *c == '%' ? '*' : *c;
	return text_matches_glob(pattern, name);
}

static bool is_policy(const struct object *cluster, const char *id)
{
	const char *policy = document_text(cluster->document, "policy_id");

	return policy && strcmp(policy, id) == 0;
}

static bool is_wanted(struct api_call *call, const struct object *object)
{
	const char *name = NULL, *prefix;

	if (object->kind == OBJECT_JOB && (name = api_parameter(call, "name")) != NULL)
		return text_equal_folded(name, object->name);
	if (object->kind == OBJECT_CLUSTER && (name = api_parameter(call, "filter_by.policy_id")))
		return is_policy(object, name);
	if (object->kind == OBJECT_PIPELINE && (name = api_parameter(call, "filter")) != NULL)
		return is_like(name, object->name);
	if (object->kind == OBJECT_REPO) {
		prefix = api_parameter(call, "path_prefix");
		if (!prefix)
			return object->path && text_starts_with(object->path, "/Repos/");
		if (text_starts_with(prefix, "/Workspace"))
			prefix += strlen("/Workspace");
		return object->path && text_starts_with(object->path, prefix);
	}
	return true;
}

/* Of repos those that the caller manages. */
static bool is_shown(struct api_call *call, const struct object *object)
{
	if (object->kind == OBJECT_REPO)
		return acl_effective(call->state, call->place, object, call->request->caller) >=
				CAN_MANAGE;
	return object_is_visible(call, object);
}

static json_t *list_page(struct api_call *call, const struct objects *list, const struct page *page,
		uint64_t *ret_next)
{
	json_t *array = json_array();
	uint64_t last = 0;

	*ret_next = 0;
	for (vec_each (list, item)) {
		const struct object *object = *item;

		if (object->sequence <= page->after || !is_wanted(call, object) ||
				!is_shown(call, object))
			continue;
		if (json_array_size(array) >= page->size) {
			*ret_next = last;
			break;
		}
		(void)json_array_append_new(array, object_render(call, object, true));
		last = object->sequence;
	}
	return array;
}

/* page and page_size, counted from 1. */
static void list_numbered(struct api_call *call, const struct object_type *type)
{
	struct objects list;
	const struct page whole = {0, SIZE_MAX};
	const char *sent = api_parameter(call, "page");
	json_t *all, *page = json_array();
	int64_t number = 1;
	size_t size;
	uint64_t next;

	if ((sent && !text_parse_int(sent, 1, INT32_MAX, &number)) ||
			!read_size(call, type, &size)) {
		if (call->answer->status == 200)
			(void)api_refuse_value(call, "Invalid page: %s", sent);
		json_decref(page);
		return;
	}
	object_stale_list(call->place->objects, (enum object_kind)call->of, &list);
	all = list_page(call, &list, &whole, &next);
	vec_release(&list);
	for (size_t i = ((size_t)number - 1) * size; i < (size_t)number * size; i++) {
		if (i < json_array_size(all))
			(void)json_array_append(page, json_array_get(all, i));
	}
	api_answer(call,
			json_pack("{s:I, s:I, s:I, s:o}", "count", (json_int_t)json_array_size(all),
					"page", (json_int_t)number, "page_size", (json_int_t)size,
					type->array_key, page));
	json_decref(all);
}

/* A first page may be empty and not the last. */
static bool is_empty_first(struct api_call *call, const struct object_type *type)
{
	bool next = type->paging == PAGING_NEXT;

	return api_quirk(call, QUIRK_EMPTY_PAGES) && (next || type->paging == PAGING_TOKEN) &&
			!api_parameter(call, next ? "next_page_token" : "page_token");
}

/* An empty list has no array at all. */
void object_list(struct api_call *call)
{
	const struct object_type *type = &object_types[call->of];
	struct objects list;
	struct page page;
	json_t *answer, *array;
	uint64_t next;
	char token[24];

	if (type->paging == PAGING_NUMBER) {
		list_numbered(call, type);
		return;
	}
	if (!page_read(call, type, &page))
		return;
	if (type->paging == PAGING_NONE)
		page = (struct page){0, SIZE_MAX};
	if (is_empty_first(call, type)) {
		api_answer(call,
				json_pack("{s:[], s:s}", type->array_key, "next_page_token", "p0"));
		return;
	}
	answer = json_object();
	object_stale_list(call->place->objects, (enum object_kind)call->of, &list);
	array = list_page(call, &list, &page, &next);
	vec_release(&list);
	if (json_array_size(array))
		(void)json_object_set(answer, type->array_key, array);
	json_decref(array);
	(void)snprintf(token, sizeof(token), "p%llu", (unsigned long long)next);
	if (next)
		(void)json_object_set_new(answer, "next_page_token", json_string(token));
	if (call->of == OBJECT_JOB)
		(void)json_object_set_new(answer, "has_more", json_boolean(next != 0));
	api_answer(call, answer);
}
