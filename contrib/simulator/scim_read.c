#include "scim.h"

#include "base/text.h"
#include "base/json_out.h"
#include "scim_filter.h"
#include "stale.h"

struct found {
	const struct principal **items;
	size_t count, room;
};

struct list_query {
	struct filter filter; /* no nodes: everything */
	uint32_t attributes;
	enum attr sort;
	bool descending;
	size_t start; /* from 1 */
	size_t count;
};

static bool read_number(const struct request *request, const char *name, size_t otherwise,
		size_t *ret, struct answer *answer)
{
	const char *text = request_parameter(request, name);
	int64_t number;

	*ret = otherwise;
	if (!text)
		return true;
	if (!text_parse_int(text, INT32_MIN, INT32_MAX, &number)) {
		answer_scim_error(
				answer, 400, "invalidValue", "%s is not a number: %s", name, text);
		return false;
	}
	*ret = number < 0 ? 0 : (size_t)number;
	return true;
}

static bool read_filter(const struct request *request, const struct scope *scope,
		struct filter *ret, struct answer *answer)
{
	const char *text = request_parameter(request, "filter");
	const char *problem;

	if (!text || !*text)
		return true;
	if (!filter_parse(text, ret, &problem)) {
		answer_scim_error(answer, 400, "invalidFilter", "%s", problem);
		return false;
	}
	if (scope->newer && ret->count > FILTER_NODES_MAX_NEWER) {
		answer_scim_error(answer, 400, "invalidFilter",
				"INVALID_FILTER: more than %d nodes", FILTER_NODES_MAX_NEWER);
		return false;
	}
	return true;
}

static bool read_query(const struct request *request, const struct scope *scope,
		struct list_query *ret, struct answer *answer)
{
	const char *sort = request_parameter(request, "sortBy");
	const char *order = request_parameter(request, "sortOrder");
	size_t page_max = scope->sim->options.page_max;

	ret->attributes = scim_parse_attributes(request);
	ret->sort = sort ? attr_parse(span_of(sort)) : ATTR_NONE;
	ret->descending = order && strcmp(order, "descending") == 0;
	if (!read_number(request, "startIndex", 1, &ret->start, answer) ||
			!read_number(request, "count", LIST_COUNT_MAX, &ret->count, answer) ||
			!read_filter(request, scope, &ret->filter, answer))
		return false;
	ret->start = ret->start ? ret->start : 1;
	ret->count = ret->count < page_max ? ret->count : page_max;
	return true;
}

/* As lists show them while some of them lag. */
static void gather_lagging(const struct scope *scope, enum kind kind, const struct principals *list,
		struct found *found)
{
	struct state *state = scope->sim->state;
	struct stale_list gone = {0};

	stale_list_begin(state, kind, &gone);
	for (vec_each (list, who)) {
		const struct principal *shown = stale_in_list(*who);

		if (shown)
			*vec_add(found) = shown;
	}
	for (vec_each (&gone, ghost)) {
		if (scope_sees(scope, *ghost))
			*vec_add(found) = *ghost;
	}
	vec_release(&gone);
	stale_list_end(state);
}

/* Every object of the kind, as lists show it now. */
static void gather_all(const struct scope *scope, enum kind kind, struct found *found)
{
	struct state *state = scope->sim->state;
	const struct principals *list = scope->workspace
			? workspace_list(state, scope->workspace, kind)
			: &state->lists[kind];

	if (stale_any(state)) {
		gather_lagging(scope, kind, list, found);
		return;
	}
	for (vec_each (list, who))
		*vec_add(found) = *who;
}

static bool index_of(const struct filter_node *node, enum kind kind, enum index_kind *ret)
{
	if (node->op != FILTER_EQ)
		return false;
	if (node->attr == (kind == KIND_SP ? ATTR_APPLICATION_ID : ATTR_USER_NAME)) {
		*ret = INDEX_NAME;
		return true;
	}
	*ret = node->attr == ATTR_DISPLAY_NAME ? INDEX_DISPLAY : INDEX_EXTERNAL;
	return node->attr == ATTR_DISPLAY_NAME || node->attr == ATTR_EXTERNAL_ID;
}

/* Candidates of an equality from the index; what is local to a workspace is in no index. */
static bool gather_equal(const struct scope *scope, enum kind kind, const struct filter_node *node,
		struct found *found)
{
	struct state *state = scope->sim->state;
	enum index_kind index;
	uint64_t id;

	if (node->op == FILTER_EQ && node->attr == ATTR_ID) {
		const struct principal *who =
				id_parse(node->value, &id) ? state_find_id(state, id) : NULL;

		if (who && who->kind == kind)
			*vec_add(found) = who;
		return true;
	}
	if ((scope->workspace && kind == KIND_GROUP) || !index_of(node, kind, &index))
		return false;
	for (const struct principal *who = state_find_text(state, kind, index, node->value); who;
			who = who->next_in_index[index])
		*vec_add(found) = who;
	return true;
}

/* Whether indices alone give every object that node can match; then found has them, perhaps with others or twice. */
static bool gather_indexed(const struct scope *scope, enum kind kind, const struct filter *filter,
		size_t at, struct found *found)
{
	const struct filter_node *node = &filter->items[at];

	if (node->op == FILTER_AND)
		return gather_indexed(scope, kind, filter, node->left, found) ||
				gather_indexed(scope, kind, filter, node->right, found);
	if (node->op == FILTER_OR)
		return gather_indexed(scope, kind, filter, node->left, found) &&
				gather_indexed(scope, kind, filter, node->right, found);
	return gather_equal(scope, kind, node, found);
}

static int by_sequence(const void *a, const void *b)
{
	const struct principal *const *left = a, *const *right = b;

	return ((*left)->sequence > (*right)->sequence) - ((*left)->sequence < (*right)->sequence);
}

static void sort_and_drop_twins(struct found *found)
{
	size_t kept = 0;

	if (found->count)
		qsort(found->items, found->count, sizeof(*found->items), by_sequence);
	for (size_t i = 0; i < found->count; i++) {
		if (kept == 0 || found->items[kept - 1] != found->items[i])
			found->items[kept++] = found->items[i];
	}
	found->count = kept;
}

static bool is_hidden(const struct shown *shown)
{
	return shown->who->kind == KIND_USER && !shown_active(shown->scope, shown->who) &&
			!shown->scope->sim->options.quirks[QUIRK_FIND_INACTIVE];
}

static void gather(const struct scope *scope, enum kind kind, const struct list_query *query,
		struct found *found)
{
	const struct filter *filter = &query->filter;
	size_t kept = 0;
	bool seen = false;

	if (filter->count == 0) {
		gather_all(scope, kind, found);
		return;
	}
	if (!stale_any(scope->sim->state) &&
			gather_indexed(scope, kind, filter, filter->count - 1, found)) {
		sort_and_drop_twins(found);
	} else {
		found->count = 0;
		gather_all(scope, kind, found);
		seen = true;
	}
	for (size_t i = 0; i < found->count; i++) {
		const struct shown shown = {.scope = scope, .who = found->items[i]};

		if ((seen || scope_sees(scope, shown.who)) && !is_hidden(&shown) &&
				filter_matches(filter, shown_value, &shown))
			found->items[kept++] = found->items[i];
	}
	found->count = kept;
}

struct sort_item {
	char *key;
	const struct principal *who;
};

static int by_key(const void *a, const void *b)
{
	const struct sort_item *left = a, *right = b;
	int order = strcmp(left->key, right->key);

	return order ? order : by_sequence(&left->who, &right->who);
}

static void sort_found(
		const struct scope *scope, const struct list_query *query, struct found *found)
{
	struct sort_item *items;

	if (query->sort == ATTR_NONE || found->count == 0)
		return;
	items = mem_array(found->count, sizeof(*items));
	for (size_t i = 0; i < found->count; i++) {
		const struct shown shown = {.scope = scope, .who = found->items[i]};
		const char *value = shown_value(&shown, query->sort, 0);

		items[i] = (struct sort_item){
				text_fold(span_of(value ? value : "")), found->items[i]};
	}
	qsort(items, found->count, sizeof(*items), by_key);
	for (size_t i = 0; i < found->count; i++) {
		found->items[query->descending ? found->count - 1 - i : i] = items[i].who;
		mem_free(items[i].key);
	}
	mem_free(items);
}

static void write_list(const struct scope *scope, const struct list_query *query,
		const struct found *found, struct answer *answer)
{
	struct buf *out = answer_json(answer, 200);
	size_t first = query->start - 1 < found->count ? query->start - 1 : found->count;
	size_t left = found->count - first;
	size_t count = left < query->count ? left : query->count;

	buf_add_text(out, "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:ListResponse\"]");
	json_add_key(out, "totalResults");
	json_add_number(out, found->count);
	json_add_key(out, "startIndex");
	json_add_number(out, query->start);
	json_add_key(out, "itemsPerPage");
	json_add_number(out, count);
	if (count) {
		json_add_key(out, "Resources");
		buf_add_char(out, '[');
		for (size_t i = first; i < first + count; i++) {
			json_add_comma(out);
			render_principal(out, scope, found->items[i], query->attributes, true);
		}
		buf_add_char(out, ']');
	}
	buf_add_char(out, '}');
}

void scim_read_list(struct request *request, const struct scope *scope, enum kind kind,
		struct answer *answer)
{
	struct list_query query = {0};
	struct found found = {0};

	if (read_query(request, scope, &query, answer)) {
		gather(scope, kind, &query, &found);
		sort_found(scope, &query, &found);
		write_list(scope, &query, &found, answer);
	}
	filter_release(&query.filter);
	vec_release(&found);
}

void scim_read_one(struct request *request, const struct scope *scope, enum kind kind,
		const char *id_text, struct answer *answer)
{
	uint64_t id;
	const struct principal *who =
			id_parse(id_text, &id) ? stale_get(scope->sim->state, id) : NULL;

	if (!who || who->kind != kind || (!who->deleted && !scope_sees(scope, who))) {
		scim_answer_missing(kind, id_text, answer);
		return;
	}
	render_principal(answer_json(answer, 200), scope, who, scim_parse_attributes(request),
			false);
}

void scim_read_me(struct request *request, const struct scope *scope, struct answer *answer)
{
	struct buf *out = answer_json(answer, 200);

	if (request->caller->kind == KIND_SP)
		render_me(out, scope, request->caller, scim_parse_attributes(request));
	else
		render_principal(
				out, scope, request->caller, scim_parse_attributes(request), false);
}
