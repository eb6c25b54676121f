/* ip_list_plan -- what the IP access lists of a place need, in which order, and whether that would shut anybody out. */
#include "sync/access/ip_list_item.h"

#include "base/text.h"
#include "sync/access/setting_item.h"

/* ---- one list ---- */

enum ip_need ip_list_need(const struct ip_list_item *list)
{
	if (!list->rule)
		return !list->held ? IP_NOTHING : list->seen_id ? IP_REMOVE : IP_FORGET;
	if (!list->seen_id)
		return IP_CREATE;
	if (!ip_state_equal(&list->seen, &list->wanted))
		return list->held ? IP_CHANGE : IP_FOREIGN;
	return list->held && !list->stale ? IP_NOTHING : IP_ADOPT;
}

/* ---- all lists of a place ---- */

static bool is_item(const struct access *access, unsigned target, const char *id)
{
	for (vec_each (&access->items, place)) {
		if (ip_list_is_at(*place, target) && text_equal(ip_list_of(*place)->seen_id, id))
			return true;
	}
	return false;
}

static void add(struct ip_set *set, const struct ip_list_item *list, const struct ip_state *state)
{
	*vec_add(&set->lists) = (struct ip_list){.label = list->item.name,
			.block = list->block,
			.enabled = state->enabled,
			.ranges = state->ranges,
			.count = state->count};
}

static void add_item(struct ip_set *set, const struct ip_list_item *list)
{
	struct ip_state fresh = list->wanted;

	switch (ip_list_need(list)) {
	case IP_CREATE:
		fresh.enabled = true; /* a new list begins enabled, whatever is wanted */
		add(set, list, &fresh);
		break;
	case IP_CHANGE:
		add(set, list, &list->wanted);
		break;
	case IP_NOTHING:
	case IP_ADOPT:
	case IP_FOREIGN:
		if (list->seen_id)
			add(set, list, &list->seen);
		break;
	case IP_REMOVE:
	case IP_FORGET:
		break;
	}
}

static void add_foreign(struct ip_set *set, const struct access *access, unsigned target,
		struct arena *arena)
{
	const struct ip_lists *lists = roster_at(access, target, ROSTER_LISTS)->data;

	for (size_t i = 0; lists && i < lists->count; i++) {
		const struct ip_access_list *list = &lists->lists[i];
		struct ip_list foreign = {.label = list->label,
				.block = list->type == IP_ACCESS_BLOCK,
				.enabled = list->enabled};
		size_t unread;

		if (is_item(access, target, list->id))
			continue;
		foreign.count = ip_ranges_of(list->addresses.items, list->addresses.count, arena,
				&foreign.ranges, &unread);
		*vec_add(&set->lists) = foreign;
	}
}

/* As they would be when all is done. */
static void fill_set(struct ip_set *set, const struct access *access, unsigned target,
		struct arena *arena)
{
	for (vec_each (&access->items, place)) {
		if (ip_list_is_at(*place, target))
			add_item(set, ip_list_of(*place));
	}
	add_foreign(set, access, target, arena);
}

static const char *name_allowing(const struct ip_set *set, struct arena *arena)
{
	const char *names = NULL;

	for (vec_each (&set->lists, list)) {
		if (list->enabled && !list->block)
			names = names ? arena_printf(arena, "%s, \"%.60s\"", names, list->label)
				      : arena_printf(arena, "\"%.60s\"", list->label);
	}
	return names ? names : "none";
}

static const char *refusal_of(const struct ip_set *set, const struct ip_list_rule *rule,
		const char *address, const char *where, struct arena *arena)
{
	const struct ip_list *by = NULL;
	struct ip_range range;

	if (ip_range_parse(address, &range))
		return NULL; /* it was checked when it was read */
	switch (ip_set_judge(set, range, &by)) {
	case IP_BLOCKED:
		return arena_printf(arena,
				"IP access lists of %s: %s must keep its way in (%s:%u), and BLOCK "
				"list "
				"\"%s\" would shut it out; nothing is changed there",
				where, address, rule->why.file, rule->why.line, by->label);
	case IP_NOT_ALLOWED:
		return arena_printf(arena,
				"IP access lists of %s: %s must keep its way in (%s:%u), and would "
				"be in "
				"no ALLOW list (%s); nothing is changed there",
				where, address, rule->why.file, rule->why.line,
				name_allowing(set, arena));
	case IP_LET_IN:
		break;
	}
	return NULL;
}

static const char *judge(const struct ip_set *set, struct access *access, unsigned target,
		struct arena *arena)
{
	const char *where = access->engine->settings->targets[target].name, *refusal = NULL;
	size_t count = ip_set_count(set);

	for (vec_each (&access->items, place)) {
		const struct ip_list_rule *rule =
				ip_list_is_at(*place, target) ? ip_list_of(*place)->rule : NULL;

		for (size_t i = 0; rule && i < rule->must_keep_count && !refusal; i++)
			refusal = refusal_of(set, rule, rule->must_keep[i], where, arena);
	}
	if (!refusal && count > IP_VALUES_MAX)
		refusal = arena_printf(arena,
				"IP access lists of %s: there would be %zu addresses in all of "
				"them, "
				"Databricks takes %d; nothing is changed there",
				where, count, IP_VALUES_MAX);
	return refusal;
}

const char *ip_lists_refusal(struct access *access, unsigned target, struct arena *arena)
{
	struct ip_set set = {0};
	const char *refusal;

	fill_set(&set, access, target, arena);
	refusal = judge(&set, access, target, arena);
	vec_release(&set.lists);
	return refusal;
}

/* ---- order ---- */

enum { PHASE_KEEPERS, PHASE_WIDENS, PHASE_NARROWS, PHASE_REMOVES };

static bool widens(const struct ip_list_item *list)
{
	const struct ip_state *now = &list->seen, *then = &list->wanted;
	bool grows = ip_ranges_hold(then->ranges, then->count, now->ranges, now->count);
	bool shrinks = ip_ranges_hold(now->ranges, now->count, then->ranges, then->count);

	if (list->block)
		return now->enabled && (!then->enabled || shrinks);
	return then->enabled && (!now->enabled || grows);
}

static bool some_allow_is_there(const struct access *access, unsigned target)
{
	const struct ip_lists *lists = roster_at(access, target, ROSTER_LISTS)->data;

	for (size_t i = 0; lists && i < lists->count; i++) {
		if (lists->lists[i].enabled && lists->lists[i].type == IP_ACCESS_ALLOW)
			return true;
	}
	return false;
}

/* The first ALLOW list shuts out whoever is not in it: one with the addresses that must stay goes ahead. */
static bool keeps_somebody(const struct access *access, const struct ip_list_item *list)
{
	for (vec_each (&access->items, place)) {
		const struct ip_list_rule *rule = ip_list_is_at(*place, list->item.target)
				? ip_list_of(*place)->rule
				: NULL;

		for (size_t i = 0; rule && i < rule->must_keep_count; i++) {
			struct ip_range range;

			if (!ip_range_parse(rule->must_keep[i], &range) &&
					ip_ranges_hold(list->wanted.ranges, list->wanted.count,
							&range, 1))
				return true;
		}
	}
	return false;
}

unsigned ip_list_phase(struct access *access, const struct ip_list_item *list)
{
	switch (ip_list_need(list)) {
	case IP_CREATE:
		if (list->block)
			return PHASE_NARROWS;
		return !some_allow_is_there(access, list->item.target) &&
						keeps_somebody(access, list)
				? PHASE_KEEPERS
				: PHASE_WIDENS;
	case IP_CHANGE:
		return widens(list) ? PHASE_WIDENS : PHASE_NARROWS;
	case IP_NOTHING:
	case IP_ADOPT:
	case IP_FOREIGN:
	case IP_REMOVE:
	case IP_FORGET:
		break;
	}
	return PHASE_REMOVES;
}

bool ip_lists_are_done(struct access *access, unsigned target)
{
	for (vec_each (&access->items, place)) {
		enum ip_need need;

		if (!ip_list_is_at(*place, target) || !ip_list_of(*place)->rule)
			continue;
		need = ip_list_need(ip_list_of(*place));
		if (!(*place)->observed ? !ip_list_of(*place)->held
					: need != IP_NOTHING && need != IP_ADOPT)
			return false;
	}
	return true;
}

/* ---- plan ---- */

static void add_parts(struct operation *op, const struct ip_list_item *list, struct arena *arena)
{
	struct part_change *parts = arena_alloc(arena, 3 * sizeof(*parts));
	bool was = list->seen_id != NULL;
	const char *before =
			was ? ip_ranges_text(list->seen.ranges, list->seen.count, arena) : NULL;
	const char *after = ip_ranges_text(list->wanted.ranges, list->wanted.count, arena);

	if (!was)
		parts[op->part_count++] = (struct part_change){"list_type", NULL,
				ip_access_type_name(
						list->block ? IP_ACCESS_BLOCK : IP_ACCESS_ALLOW)};
	if (!text_equal(before, after))
		parts[op->part_count++] = (struct part_change){"ip_addresses", before, after};
	if (!was || list->seen.enabled != list->wanted.enabled)
		parts[op->part_count++] = (struct part_change){"enabled",
				!was                                 ? NULL
						: list->seen.enabled ? "true"
								     : "false",
				list->wanted.enabled ? "true" : "false"};
	op->parts = parts;
}

static void add_operation(struct access *access, struct ip_list_item *list,
		enum operation_kind kind, struct arena *arena, struct item_plan *ret)
{
	struct operation *op = item_operation(
			&list->item, ret, kind, list->rule ? &list->rule->why : NULL, arena);

	op->object.remote_id = arena_strdup(arena, list->seen_id);
	op->adopts = kind == OP_ADOPT_RESOURCE;
	if (kind == OP_CREATE_RESOURCE || kind == OP_CHANGE_RESOURCE)
		add_parts(op, list, arena);
	if (kind == OP_REMOVE_RESOURCE)
		item_removes(op, GUARD_LISTS, NULL);
	item_operation_done(access, op, arena);
}

static const char *foreign(
		const struct access *access, const struct ip_list_item *list, struct arena *arena)
{
	return arena_printf(arena,
			"IP access list \"%s\" (%s) in %s was made by somebody else and holds "
			"something "
			"else (%s); give the rule another label, or write in it what is there",
			list->item.name, list->block ? "BLOCK" : "ALLOW",
			access->engine->settings->targets[list->item.target].name,
			ip_state_text(&list->seen, arena));
}

/* Whether the store says all that matters: the list is as a rule wants it, as far as we know. */
static bool is_as_held(const struct ip_list_item *list, struct arena *arena)
{
	return list->rule && text_equal(list->held, ip_state_text(&list->wanted, arena));
}

void ip_list_plan(struct access *access, struct item *item, struct arena *arena,
		struct item_plan *ret)
{
	static const enum operation_kind kinds[] = {
			[IP_CREATE] = OP_CREATE_RESOURCE,
			[IP_ADOPT] = OP_ADOPT_RESOURCE,
			[IP_CHANGE] = OP_CHANGE_RESOURCE,
			[IP_REMOVE] = OP_REMOVE_RESOURCE,
			[IP_FORGET] = OP_FORGET_RESOURCE,
	};
	struct ip_list_item *list = ip_list_of(item);
	enum ip_need need = ip_list_need(list);

	if (access->engine->options.only_name)
		return; /* one principal is meant, nothing else */
	if (!list->rule && !list->held) {
		item->disposable = true;
		return;
	}
	if (!item->observed) {
		ret->wants_read = !is_as_held(list, arena);
		return;
	}
	if (need == IP_FOREIGN)
		ret->quarantine = foreign(access, list, arena);
	if (need == IP_CREATE || need == IP_CHANGE || need == IP_REMOVE)
		ret->quarantine = ip_lists_refusal(access, item->target, arena);
	if (need == IP_NOTHING || need == IP_FOREIGN || ret->quarantine)
		return;
	if (!list->rule && !engine_removals_allowed(access->engine))
		return;
	add_operation(access, list, kinds[need], arena, ret);
}
