#include "sync/access/permission_index.h"

#include "base/text.h"
#include "base/vec.h"

struct want_list {
	struct permission_want *items;
	size_t count, room;
};

struct permission_index {
	const struct settings *settings;
	struct want_list *lists; /* by target, then type */
	VEC(bool) has; /* by node: it said something; what the files say counts as such always */
};

struct permission_index *permission_index_new(const struct settings *settings)
{
	struct permission_index *index = mem_zalloc(sizeof(*index));

	index->settings = settings;
	index->lists = mem_array(
			settings->target_count * SECURABLE_TYPE_COUNT_, sizeof(*index->lists));
	return index;
}

static struct want_list *list_of(
		const struct permission_index *index, unsigned target, enum securable_type type)
{
	return &index->lists[(size_t)target * SECURABLE_TYPE_COUNT_ + type];
}

static void free_want(struct permission_want *want)
{
	union {
		const char *text;
		char *owned;
	} key = {want->key};

	mem_free(key.owned);
	mem_free(want->own);
}

void permission_index_free(struct permission_index *index)
{
	if (!index)
		return;
	for (size_t i = 0; i < index->settings->target_count * SECURABLE_TYPE_COUNT_; i++) {
		for (vec_each (&index->lists[i], want))
			free_want(want);
		vec_release(&index->lists[i]);
	}
	mem_free(index->lists);
	vec_release(&index->has);
	mem_free(index);
}

/* Whether the node said something before; it does now if says. */
static bool note_node(struct permission_index *index, node_id node, bool says)
{
	bool before;

	if (node == NODE_OF_FILES)
		return true;
	while (index->has.count <= node)
		*vec_add(&index->has) = false;
	before = index->has.items[node];
	index->has.items[node] = says;
	return before;
}

static bool drop_node(struct want_list *list, node_id node)
{
	size_t kept = 0, count = list->count;

	for (size_t i = 0; i < count; i++) {
		if (list->items[i].node == node)
			free_want(&list->items[i]);
		else
			list->items[kept++] = list->items[i];
	}
	list->count = kept;
	return kept != count;
}

static char *principal_key(enum principal_kind kind, const char *name)
{
	AUTO(mem_freep) char *folded = text_fold(span_of(name));

	return mem_printf("%s/%s", principal_kind_name(kind), folded);
}

static void add_permission(struct permission_index *index, node_id node,
		const struct grant_rule *grant, const struct permission_rule *rule, bool *added)
{
	for (unsigned target = 0; target < index->settings->target_count; target++) {
		struct permission_want *want;

		if (!target_matches_any(
				    &index->settings->targets[target], rule->in, rule->in_count))
			continue;
		want = vec_add(list_of(index, target, rule->selector.type));
		*want = (struct permission_want){.node = node,
				.kind = grant->kind,
				.name = grant->name,
				.key = principal_key(grant->kind, grant->name),
				.rule = rule};
		added[(size_t)target * SECURABLE_TYPE_COUNT_ + rule->selector.type] = true;
	}
}

/* `tokens: {use: true}` is the permission on authorization/tokens under another name. */
static void add_token_right(struct permission_index *index, node_id node,
		const struct grant_rule *grant, bool *added)
{
	const struct token_rule *tokens = grant->tokens;
	struct permission_rule rule = {
			.selector = {.type = SECURABLE_AUTHORIZATION, .name = "tokens"},
			.level = "CAN_USE"};

	if (!tokens || !tokens->use)
		return;
	rule.in = tokens->in;
	rule.in_count = tokens->in_count;
	rule.why = tokens->why;
	for (unsigned target = 0; target < index->settings->target_count; target++) {
		struct want_list *list = list_of(index, target, SECURABLE_AUTHORIZATION);
		struct permission_want *want;

		if (!target_matches_any(&index->settings->targets[target], rule.in, rule.in_count))
			continue;
		want = vec_add(list);
		*want = (struct permission_want){.node = node,
				.kind = grant->kind,
				.name = grant->name,
				.key = principal_key(grant->kind, grant->name),
				.own = mem_zalloc(sizeof(rule))};
		*want->own = rule;
		want->rule = want->own;
		added[(size_t)target * SECURABLE_TYPE_COUNT_ + SECURABLE_AUTHORIZATION] = true;
	}
}

void permission_index_set(struct permission_index *index, node_id node,
		const struct grant_rule *rules, size_t count,
		void (*changed)(void *context, unsigned target, enum securable_type type,
				bool more),
		void *context)
{
	size_t lists = index->settings->target_count * SECURABLE_TYPE_COUNT_;
	bool *dropped = mem_zalloc(lists), *added = mem_zalloc(lists);

	bool had = note_node(index, node, count > 0);

	for (size_t i = 0; had && i < lists; i++)
		dropped[i] = drop_node(&index->lists[i], node);
	for (size_t i = 0; i < count; i++) {
		for (size_t p = 0; p < rules[i].permission_count; p++)
			add_permission(index, node, &rules[i], &rules[i].permissions[p], added);
		add_token_right(index, node, &rules[i], added);
	}
	for (size_t i = 0; i < lists; i++) {
		if ((dropped[i] || added[i]) && changed)
			changed(context, (unsigned)(i / SECURABLE_TYPE_COUNT_),
					(enum securable_type)(i % SECURABLE_TYPE_COUNT_), added[i]);
	}
	mem_free(dropped);
	mem_free(added);
}

const struct permission_want *permission_index_at(const struct permission_index *index,
		unsigned target, enum securable_type type, size_t *ret_count)
{
	const struct want_list *list = list_of(index, target, type);

	*ret_count = list->count;
	return list->items;
}

void permission_index_begin_look(
		struct permission_index *index, unsigned target, enum securable_type type)
{
	for (vec_each (list_of(index, target, type), want))
		want->met = false;
}

void permission_index_met(struct permission_index *index, unsigned target, enum securable_type type,
		const struct securable_facts *facts)
{
	for (vec_each (list_of(index, target, type), want))
		want->met = want->met || selector_matches(&want->rule->selector, facts);
}

/* ---- merging ---- */

static int compare_entries(const void *left, const void *right)
{
	return strcmp(((const struct wanted_entry *)left)->key,
			((const struct wanted_entry *)right)->key);
}

static void merge_level(struct wanted_entry *into, const struct wanted_entry *more,
		enum securable_type type)
{
	const char *joined = securable_join_levels(type, into->level, more->level);

	if (text_equal(joined, into->level))
		return;
	into->level = joined;
	into->why = more->why;
}

size_t permission_index_merge(struct wanted_entry *entries, size_t count, enum securable_type type)
{
	size_t kept = 0;

	if (count)
		qsort(entries, count, sizeof(*entries), compare_entries);
	for (size_t i = 0; i < count; i++) {
		if (kept && text_equal(entries[kept - 1].key, entries[i].key))
			merge_level(&entries[kept - 1], &entries[i], type);
		else
			entries[kept++] = entries[i];
	}
	return kept;
}

static const char *find_conflict(
		const struct wanted_entry *entries, size_t count, struct arena *arena)
{
	const struct wanted_entry *owner = NULL;

	for (size_t i = 0; i < count; i++) {
		if (!text_equal(entries[i].level, "IS_OWNER"))
			continue;
		if (owner)
			return arena_printf(arena,
					"%s:%u and %s:%u name two owners (\"%s\", \"%s\"); an "
					"object has exactly one",
					owner->why.file, owner->why.line, entries[i].why.file,
					entries[i].why.line, owner->name, entries[i].name);
		owner = &entries[i];
	}
	return NULL;
}

void permission_index_match(const struct permission_index *index, unsigned target,
		enum securable_type type, const struct securable_facts *facts, struct arena *arena,
		struct wanted_acl *ret)
{
	const struct want_list *list = list_of(index, target, type);
	struct wanted_entry *entries = arena_alloc(arena, (list->count + 1) * sizeof(*entries));
	size_t count = 0;

	*ret = (struct wanted_acl){0};
	for (vec_each (list, want)) {
		const struct permission_rule *rule = want->rule;

		if (!selector_matches(&rule->selector, facts))
			continue;
		ret->matched = true;
		ret->named = ret->named || rule->selector.id || type == SECURABLE_AUTHORIZATION;
		if (rule->exclusive && !ret->exclusive)
			ret->exclusive_why = rule->why;
		ret->exclusive = ret->exclusive || rule->exclusive;
		entries[count++] = (struct wanted_entry){
				want->key, want->kind, want->name, rule->level, rule->why};
	}
	ret->entries = entries;
	ret->count = permission_index_merge(entries, count, type);
	ret->conflict = find_conflict(entries, ret->count, arena);
}
