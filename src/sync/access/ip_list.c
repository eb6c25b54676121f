#include "sync/access/ip_list_item.h"

#include "base/text.h"
#include "rules/mapping.h"

#define IP_LIST_RANK 2

/* ---- items ---- */

static const char *type_name(bool block)
{
	return ip_access_type_name(block ? IP_ACCESS_BLOCK : IP_ACCESS_ALLOW);
}

struct item *ip_list_item(struct access *access, unsigned target, bool block, const char *label)
{
	AUTO(mem_freep)
	char *key = mem_printf("%s/%s/%s", resource_name(RESOURCE_IP_ACCESS_LIST), type_name(block),
			label);
	struct item *item = item_find(access, target, key);
	struct ip_list_item *list;

	if (item)
		return item;
	list = mem_zalloc(sizeof(*list));
	list->item.class = &ip_list_class;
	list->item.target = target;
	list->block = block;
	list->arena = arena_new();
	item_add(access, &list->item, key, label);
	return &list->item;
}

struct item *ip_list_item_of_key(struct access *access, unsigned target, const char *key)
{
	for (int block = 0; block <= 1; block++) {
		AUTO(mem_freep)
		char *start = mem_printf("%s/%s/", resource_name(RESOURCE_IP_ACCESS_LIST),
				type_name(block != 0));

		if (text_starts_with(key, start))
			return ip_list_item(access, target, block != 0, key + strlen(start));
	}
	return NULL;
}

static void ip_list_release(struct item *item)
{
	struct ip_list_item *list = ip_list_of(item);

	arena_free(list->arena);
	arena_free(list->seen_arena);
	mem_free(list->held);
	mem_free(list->seen_id);
	mem_free(list->made_id);
}

static size_t count_held(const struct item *item)
{
	return ((const struct ip_list_item *)item)->held != NULL;
}

bool ip_list_is_at(const struct item *item, unsigned target)
{
	return item->class == &ip_list_class && item->target == target;
}

bool ip_lists_are_known(const struct access *access, unsigned target)
{
	for (vec_each (&access->items, place)) {
		if (ip_list_is_at(*place, target) && !(*place)->observed)
			return false;
	}
	return true;
}

void ip_lists_mark(struct access *access, unsigned target)
{
	for (vec_each (&access->items, place)) {
		if (ip_list_is_at(*place, target))
			item_mark(access, *place);
	}
}

/* ---- states ---- */

bool ip_state_same_addresses(const struct ip_state *a, const struct ip_state *b)
{
	if (a->count != b->count || a->unread || b->unread)
		return false;
	return a->count == 0 || memcmp(a->ranges, b->ranges, a->count * sizeof(*a->ranges)) == 0;
}

bool ip_state_equal(const struct ip_state *a, const struct ip_state *b)
{
	return a->enabled == b->enabled && text_equal(a->label, b->label) &&
			a->other_type == b->other_type && ip_state_same_addresses(a, b);
}

const char *ip_state_text(const struct ip_state *state, struct arena *arena)
{
	return arena_printf(arena, "%s%s%s%s%s %s", state->enabled ? "on" : "off",
			state->unread ? " and more" : "",
			state->other_type ? " of the other type" : "", state->label ? " as " : "",
			state->label ? state->label : "",
			ip_ranges_text(state->ranges, state->count, arena));
}

void ip_list_set_seen(
		struct ip_list_item *list, const char *id_or_null, const struct ip_state *state)
{
	char *id = mem_strdup_or_null(id_or_null);
	struct arena *arena = arena_new();
	struct ip_state copy = {0};

	if (id_or_null) {
		struct ip_range *ranges = arena_alloc(arena, (state->count + 1) * sizeof(*ranges));

		copy = *state;
		if (copy.count)
			memcpy(ranges, state->ranges, copy.count * sizeof(*ranges));
		copy.ranges = ranges;
		copy.label = arena_strdup(arena, state->label);
	}
	mem_free(list->seen_id);
	arena_free(list->seen_arena);
	list->seen_id = id;
	list->seen_arena = arena;
	list->seen = copy;
}

/* ---- what the store keeps ---- */

void ip_list_hold(struct access *access, struct ip_list_item *list, const char *text)
{
	char *copy = mem_strdup(text);

	mem_free(list->held);
	list->held = copy;
	list->stale = false;
	item_hold(access, &list->item, type_name(list->block), list->held, NULL);
}

void ip_list_drop_hold(struct access *access, struct ip_list_item *list)
{
	if (list->held)
		item_release_hold(access, &list->item, type_name(list->block));
	mem_free(STEAL(list->held));
	mem_free(STEAL(list->item.id));
}

static void ip_list_load(
		struct access *access, struct item *item, const struct store_holding *holding)
{
	struct ip_list_item *list = ip_list_of(item);

	(void)access;
	mem_free(item->id);
	mem_free(list->held);
	item->id = mem_strdup(holding->id);
	list->held = mem_strdup(holding->value ? holding->value : "");
}

/* ---- rules ---- */

void ip_lists_watch(struct access *access, unsigned target)
{
	/* No list has an empty label. */
	ip_list_of(ip_list_item(access, target, false, ""))->watches = true;
}

static bool is_for(const struct ip_list_rule *rule, const struct target_settings *target)
{
	return target->is_account ? rule->account
				  : target_matches_any(target, rule->in, rule->in_count);
}

void ip_list_set_rule(struct access *access, unsigned target, const struct ip_list_rule *rule)
{
	struct ip_list_item *list =
			ip_list_of(ip_list_item(access, target, rule->block, rule->label));

	/* `check` finds it in the places of the file; this one may have been discovered since. */
	if (list->rule && list->rule != rule) {
		list->other_rule = rule;
		return;
	}
	list->rule = rule;
	list->wanted.enabled = rule->enabled;
	list->wanted.count = ip_ranges_of(rule->addresses, rule->address_count, list->arena,
			&list->wanted.ranges, &list->wanted.unread);
}

void ip_list_start(struct access *access)
{
	const struct settings *settings = access->engine->settings;
	size_t count;
	const struct ip_list_rule *rules = mapping_ip_access_lists(access->engine->mapping, &count);

	for (unsigned target = 0; target < settings->target_count; target++) {
		for (size_t i = 0; i < count; i++) {
			if (is_for(&rules[i], &settings->targets[target]))
				ip_list_set_rule(access, target, &rules[i]);
		}
	}
}

const struct item_class ip_list_class = {
		.resource = RESOURCE_IP_ACCESS_LIST,
		.rank = IP_LIST_RANK,
		.plan = ip_list_plan,
		.roster = &ip_list_roster,
		.choose = ip_list_choose,
		.write_next = ip_list_write_next,
		.settle = ip_list_settle,
		.failed = ip_list_failed,
		.shows = ip_list_shows,
		.load = ip_list_load,
		.count_ours = count_held,
		.release = ip_list_release,
};
