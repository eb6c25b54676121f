/* ip_list_plan -- what one IP access list needs, unless that would shut somebody out. */
#include "sync/access/ip_list_item.h"

#include "base/text.h"
#include "sync/access/setting_item.h"

static void add_part(struct operation *op, struct part_change *parts, const char *name,
		const char *before, const char *after)
{
	if (!text_equal(before, after))
		parts[op->part_count++] = (struct part_change){name, before, after};
}

static const char *type_of(const struct ip_list_item *list, const struct ip_state *state)
{
	return ip_access_type_name(
			list->block != state->other_type ? IP_ACCESS_BLOCK : IP_ACCESS_ALLOW);
}

static const char *flag(bool value)
{
	return value ? "true" : "false";
}

static const char *addresses_text(const struct ip_state *state, struct arena *arena)
{
	const char *text = ip_ranges_text(state->ranges, state->count, arena);

	return state->unread
			? arena_printf(arena, "%s and %zu that are not IPv4", text, state->unread)
			: text;
}

/* before NULL: there is none. */
static void add_parts(struct operation *op, const struct ip_list_item *list,
		const struct ip_state *before, const struct ip_state *after, struct arena *arena)
{
	struct part_change *parts = arena_alloc(arena, 4 * sizeof(*parts));
	const char *label = before && before->label ? arena_strdup(arena, before->label) : NULL;

	add_part(op, parts, "list_type", before ? type_of(list, before) : NULL,
			type_of(list, after));
	add_part(op, parts, "label", label, label ? arena_strdup(arena, list->item.name) : NULL);
	add_part(op, parts, "ip_addresses", before ? addresses_text(before, arena) : NULL,
			addresses_text(after, arena));
	add_part(op, parts, "enabled", before ? flag(before->enabled) : NULL, flag(after->enabled));
	op->parts = parts;
}

struct ip_state ip_list_after(
		const struct ip_list_item *list, const struct operation *op, struct arena *arena)
{
	struct ip_state state = {.enabled = true};

	if (op->kind == OP_CHANGE_RESOURCE && list->seen_id)
		state = list->seen;
	state.label = NULL;
	state.other_type = false;
	state.unread = 0;
	for (size_t i = 0; i < op->part_count; i++) {
		const struct part_change *part = &op->parts[i];

		if (text_equal(part->name, "ip_addresses") && part->after) {
			state.count = ip_ranges_of_text(part->after, arena, &state.ranges);
		} else if (text_equal(part->name, "enabled")) {
			state.enabled = text_equal(part->after, "true");
		}
	}
	return state;
}

static struct operation *add_operation(struct ip_list_item *list, enum operation_kind kind,
		struct arena *arena, struct item_plan *ret)
{
	struct operation *op = item_operation(
			&list->item, ret, kind, list->rule ? &list->rule->why : NULL, arena);

	op->object.remote_id = arena_strdup(arena, list->seen_id);
	op->adopts = kind == OP_ADOPT_RESOURCE;
	if (kind == OP_REMOVE_RESOURCE)
		item_removes(op, GUARD_LISTS, NULL);
	return op;
}

/* In one write, or in two with the bridge between. */
static void add_writes(struct access *access, struct ip_list_item *list, bool create,
		struct arena *arena, struct item_plan *ret)
{
	const struct ip_state *before = create ? NULL : &list->seen;
	struct operation *op = add_operation(
			list, create ? OP_CREATE_RESOURCE : OP_CHANGE_RESOURCE, arena, ret);
	struct ip_state bridge;
	bool bridged = ip_list_bridge(access, list, arena, &bridge);

	add_parts(op, list, before, bridged ? &bridge : &list->wanted, arena);
	if (bridged)
		op->note = "holds more for a moment, so that nobody who must keep his way in "
			   "loses it";
	item_operation_done(access, op, arena);
	if (!bridged)
		return;
	op = add_operation(list, OP_CHANGE_RESOURCE, arena, ret);
	add_parts(op, list, &bridge, &list->wanted, arena);
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

/* Nothing of it is done by itself: lists are read for the switch, while that is to go on. */
static void plan_watch(const struct access *access, struct item *item, struct item_plan *ret)
{
	ret->wants_read = !item->observed && lists_switch_goes_on(access, item->target);
}

static void plan_need(struct access *access, struct ip_list_item *list, struct arena *arena,
		struct item_plan *ret)
{
	enum ip_need need = ip_list_need(list);

	switch (need) {
	case IP_NOTHING:
		break;
	case IP_FOREIGN:
		ret->quarantine = foreign(access, list, arena);
		break;
	case IP_CREATE:
	case IP_CHANGE:
		ret->quarantine = ip_lists_refusal(access, list->item.target, arena);
		if (!ret->quarantine)
			add_writes(access, list, need == IP_CREATE, arena, ret);
		break;
	case IP_ADOPT:
		item_operation_done(
				access, add_operation(list, OP_ADOPT_RESOURCE, arena, ret), arena);
		break;
	case IP_REMOVE:
	case IP_FORGET:
		if (need == IP_REMOVE)
			ret->quarantine = ip_lists_refusal(access, list->item.target, arena);
		if (!ret->quarantine && engine_removals_allowed(access->engine))
			item_operation_done(access,
					add_operation(list,
							need == IP_REMOVE ? OP_REMOVE_RESOURCE
									  : OP_FORGET_RESOURCE,
							arena, ret),
					arena);
		break;
	}
}

void ip_list_plan(struct access *access, struct item *item, struct arena *arena,
		struct item_plan *ret)
{
	struct ip_list_item *list = ip_list_of(item);

	if (access->engine->options.only_name)
		return; /* one principal is meant, nothing else */
	if (list->watches)
		plan_watch(access, item, ret);
	else if (list->other_rule)
		ret->quarantine = arena_printf(arena,
				"IP access list \"%s\" in %s: two rules want it, %s:%u and %s:%u",
				item->name, access->engine->settings->targets[item->target].name,
				list->rule->why.file, list->rule->why.line,
				list->other_rule->why.file, list->other_rule->why.line);
	else if (!list->rule && !list->held)
		item->disposable = true;
	else if (!item->observed)
		ret->wants_read = !is_as_held(list, arena);
	else
		plan_need(access, list, arena, ret);
}
