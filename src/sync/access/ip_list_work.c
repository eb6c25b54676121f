/* ip_list_work -- reads of a place's IP access lists, writes of one, and what they mean. */
#include "sync/access/ip_list_item.h"

#include "base/clock.h"
#include "base/text.h"
#include "sync/access/setting_item.h"

/* ---- reading ---- */

static bool read_lists(struct roster *roster)
{
	struct ip_lists *lists;
	struct err err;

	if (roster->step == 0) {
		roster->draft = arena_alloc(roster->fresh, sizeof(*lists));
		roster_prepare(roster);
		ip_access_list_list(roster->access->engine->databricks, &roster->call);
		return true;
	}
	lists = roster->draft;
	if (ip_access_list_list_read(&roster->call, roster->fresh, &lists->lists, &lists->count,
			    &err) != ERR_NONE)
		roster_fail(roster, &err);
	else
		lists->gone = arena_alloc(roster->fresh, (lists->count + 1) * sizeof(bool));
	return false;
}

static bool is_claimed(const struct access *access, unsigned target, const char *id)
{
	for (vec_each (&access->items, place)) {
		if (ip_list_is_at(*place, target) && ip_list_of(*place)->held &&
				text_equal((*place)->id, id))
			return true;
	}
	return false;
}

/* Ours by its id; else by type and label, which are unique together, one that nobody of ours is. */
static const struct ip_access_list *find(const struct access *access, const struct ip_lists *lists,
		const struct ip_list_item *list)
{
	for (size_t i = 0; i < lists->count && list->held; i++) {
		if (text_equal(lists->lists[i].id, list->item.id))
			return &lists->lists[i];
	}
	for (size_t i = 0; i < lists->count; i++) {
		if ((lists->lists[i].type == IP_ACCESS_BLOCK) == list->block &&
				text_equal(lists->lists[i].label, list->item.name) &&
				!is_claimed(access, list->item.target, lists->lists[i].id))
			return &lists->lists[i];
	}
	return NULL;
}

static bool show(struct roster *roster, struct item *item)
{
	struct ip_list_item *list = ip_list_of(item);
	const struct ip_access_list *now = find(roster->access, roster->data, list);
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct ip_state state = {0};
	const char *text;

	if (now) {
		state.enabled = now->enabled;
		state.label = text_equal(now->label, item->name) ? NULL : now->label;
		state.other_type = (now->type == IP_ACCESS_BLOCK) != list->block;
		state.count = ip_ranges_of(now->addresses.items, now->addresses.count, arena,
				&state.ranges, &state.unread);
	}
	text = now ? ip_state_text(&state, arena) : NULL;
	lists_switch_mark(roster->access, item->target);
	switch (roster_judge(roster->access, item, list->held, text)) {
	case ROSTER_TAKE:
		list->stale = !text_equal(list->held, text);
		if (list->held && now && !text_equal(now->id, item->id))
			ip_list_drop_hold(roster->access, list);
		ip_list_set_seen(list, now ? now->id : NULL, &state);
		return true;
	case ROSTER_KEEP:
		return true;
	case ROSTER_LOOK_AGAIN:
		return false;
	}
	return true;
}

const struct roster_class ip_list_roster = {
		.slot = ROSTER_LISTS, .read_next = read_lists, .show = show};

/* ---- whose turn it is ---- */

/* Lists that must go before this one, and lists that nobody could read yet. */
static bool has_to_wait(struct item_work *work, const struct operation *op)
{
	struct access *access = work->access;
	struct ip_list_item *list = ip_list_of(work->item);
	unsigned phase = ip_list_phase(list);
	struct ip_state then;

	if (lists_switch_goes_off(access, work->item->target))
		return true;
	for (vec_each (&access->items, place)) {
		const struct item *other = *place;

		if (other == work->item || !ip_list_is_at(other, work->item->target) ||
				ip_list_of(*place)->watches)
			continue;
		/* What each of two writes leaves alone, both together may not. */
		if (other->work && other->work->ops.count)
			return true;
		/* One that is quarantined may stay so; whether it is missed is judged below. */
		if (!other->observed ||
				(!other->quarantined_ms &&
						ip_list_phase(ip_list_of(*place)) < phase))
			return true;
	}
	then = ip_list_after(list, op, work->arena);
	return !ip_list_may_become(access, list, op->kind == OP_REMOVE_RESOURCE ? NULL : &then);
}

void ip_list_choose(struct item_work *work, const struct item_plan *plan)
{
	for (vec_each (&plan->operations, op)) {
		if (!item_may_go(work, op))
			return;
		if (op->adopts || op->kind == OP_FORGET_RESOURCE) {
			item_done_without_call(work, op);
			return;
		}
		if (!has_to_wait(work, op))
			*vec_add(&work->ops) = *op;
		return; /* what follows is planned from there */
	}
}

/* ---- writing ---- */

/* The addresses as the rule writes them, or what a list holds in their place for a while. */
static struct texts addresses_of(
		const struct ip_list_item *list, const struct ip_state *state, struct arena *arena)
{
	struct texts texts;
	const char **items;

	if (list->rule && ip_state_same_addresses(state, &list->wanted))
		return (struct texts){list->rule->addresses, list->rule->address_count};
	items = arena_alloc(arena, (state->count + 1) * sizeof(*items));
	for (size_t i = 0; i < state->count; i++)
		items[i] = ip_ranges_text(&state->ranges[i], 1, arena);
	texts = (struct texts){items, state->count};
	return texts;
}

/*
 * A new list begins enabled. One that should not be is made so that it has no effect until it is disabled: a BLOCK list, or an
 * ALLOW list beside others, without addresses; the only ALLOW list with all addresses.
 */
static void make_harmless(const struct item_work *work, struct ip_access_list *body)
{
	static const char *const all[] = {"0.0.0.0/0"};

	body->addresses = (struct texts){NULL, 0};
	if (body->type == IP_ACCESS_ALLOW && !ip_lists_allow_some(work->access, work->item->target))
		body->addresses = (struct texts){all, COUNT_OF(all)};
}

static bool is_harmless(const struct ip_state *state)
{
	return state->count == 0 || (state->count == 1 && state->ranges[0].length == 0);
}

static struct ip_access_list body_of(
		struct item_work *work, const char *id, const struct ip_state *then)
{
	const struct ip_list_item *list = ip_list_of(work->item);

	return (struct ip_access_list){.id = id,
			.label = work->item->name,
			.type = list->block ? IP_ACCESS_BLOCK : IP_ACCESS_ALLOW,
			.addresses = addresses_of(list, then, work->arena),
			.enabled = then->enabled};
}

static void send_change(struct item_work *work, const struct ip_state *then)
{
	struct ip_list_item *list = ip_list_of(work->item);
	struct ip_access_list body = body_of(work, list->seen_id, then);

	if (ip_state_same_addresses(&list->seen, then) && !list->seen.label &&
			!list->seen.other_type)
		ip_access_list_set_enabled(work->engine->databricks, &work->call, list->seen_id,
				then->enabled);
	else
		ip_access_list_replace(work->engine->databricks, &work->call, &body);
}

static void send_write(struct item_work *work, const struct operation *op)
{
	struct databricks *databricks = work->engine->databricks;
	struct ip_state then = ip_list_after(ip_list_of(work->item), op, work->arena);
	struct ip_access_list body = body_of(work, NULL, &then);

	item_work_prepare(work);
	if (op->kind == OP_REMOVE_RESOURCE) {
		ip_access_list_delete(databricks, &work->call, ip_list_of(work->item)->seen_id);
	} else if (op->kind == OP_CHANGE_RESOURCE) {
		send_change(work, &then);
	} else {
		if (!then.enabled)
			make_harmless(work, &body);
		ip_access_list_create(databricks, &work->call, &body);
	}
}

bool ip_list_write_next(struct item_work *work)
{
	struct ip_list_item *list = ip_list_of(work->item);
	const struct operation *op = &work->ops.items[0];
	struct ip_state then = ip_list_after(list, op, work->arena);
	struct ip_access_list made, body;
	struct err err;

	if (work->step == 0) {
		send_write(work, op);
		return true;
	}
	if (op->kind != OP_CREATE_RESOURCE || work->step > 1)
		return false;
	if (ip_access_list_read(&work->call, work->arena, &made, &err) != ERR_NONE) {
		item_leave_open(work);
		return false;
	}
	mem_free(list->made_id);
	list->made_id = mem_strdup(made.id);
	if (then.enabled)
		return false;
	body = body_of(work, list->made_id, &then);
	item_work_prepare(work);
	ip_access_list_replace(work->engine->databricks, &work->call, &body);
	return true;
}

/* Of two calls the first one was done: the list is ours, and without effect. */
static void made_only(struct item_work *work)
{
	struct ip_list_item *list = ip_list_of(work->item);
	struct ip_access_list body = {.type = list->block ? IP_ACCESS_BLOCK : IP_ACCESS_ALLOW};
	struct ip_state state = {.enabled = true};

	if (!list->made_id)
		return;
	make_harmless(work, &body);
	state.count = ip_ranges_of(body.addresses.items, body.addresses.count, work->arena,
			&state.ranges, &state.unread);
	ip_list_drop_hold(work->access, list);
	work->item->id = mem_strdup(list->made_id);
	ip_list_set_seen(list, list->made_id, &state);
	ip_list_hold(work->access, list, ip_state_text(&state, work->arena));
	mem_free(STEAL(list->made_id));
}

/* The refusal names our address only; say which list it was. Nothing was changed. */
bool ip_list_failed(struct item_work *work)
{
	if (work->stage != ITEM_WRITE)
		return false;
	if (work->call.refusal == REFUSAL_LOCK_OUT)
		(void)err_context(&work->call.err,
				"IP access list \"%s\" (%s) in %s would shut out ldap2dbx itself",
				work->item->name, ip_list_of(work->item)->block ? "BLOCK" : "ALLOW",
				work->engine->settings->targets[work->item->target].name);
	made_only(work);
	ip_lists_mark(work->access, work->item->target); /* others may have waited */
	return false;
}

/* ---- what became of it ---- */

/* Ours as it is there now. */
static void hold_seen(struct access *access, struct ip_list_item *list)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	AUTO(mem_freep) char *id = mem_strdup(list->seen_id);

	ip_list_drop_hold(access, list);
	list->item.id = STEAL(id);
	ip_list_hold(access, list, ip_state_text(&list->seen, arena));
}

/* What we wrote is there now; or a read found that a write whose answer we never had took effect. */
static void written(struct access *access, struct ip_list_item *list, const struct operation *op)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	bool sent = list->item.work && list->item.work->stage == ITEM_WRITE;
	AUTO(mem_freep) char *id = op->kind == OP_CREATE_RESOURCE ? STEAL(list->made_id) : NULL;
	struct ip_state now;

	if (!id)
		id = mem_strdup_or_null(list->seen_id);
	if (!id) {
		list->item.read_wanted = true;
		return;
	}
	now = ip_list_after(list, op, arena);
	if (sent)
		ip_list_set_seen(list, id, &now);
	hold_seen(access, list);
}

/* Else it would count as another's, which nobody of ours is. */
static void leave_read(struct access *access, const struct ip_list_item *list)
{
	const struct ip_lists *lists = roster_at(access, list->item.target, ROSTER_LISTS)->data;

	for (size_t i = 0; lists && lists->gone && i < lists->count; i++) {
		if (text_equal(lists->lists[i].id, list->seen_id))
			lists->gone[i] = true;
	}
}

void ip_list_settle(struct access *access, struct item *item, const struct operation *op)
{
	struct ip_list_item *list = ip_list_of(item);
	struct ip_state nothing = {0};

	if (!op->adopts && op->kind != OP_FORGET_RESOURCE)
		item->written_ns = clock_monotonic_ns();
	if (op->kind == OP_CREATE_RESOURCE || op->kind == OP_CHANGE_RESOURCE) {
		written(access, list, op);
	} else if (op->kind == OP_ADOPT_RESOURCE && list->seen_id) {
		hold_seen(access, list);
	} else if (op->kind == OP_REMOVE_RESOURCE || op->kind == OP_FORGET_RESOURCE) {
		leave_read(access, list);
		ip_list_drop_hold(access, list);
		ip_list_set_seen(list, NULL, &nothing);
	}
	/* Others, and the switch, may have waited for it. */
	ip_lists_mark(access, item->target);
	lists_switch_mark(access, item->target);
}

bool ip_list_shows(struct item *item, const struct operation *op)
{
	const struct ip_list_item *list = ip_list_of(item);
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct ip_state then;

	if (op->kind == OP_REMOVE_RESOURCE)
		return !list->seen_id;
	if (!list->seen_id)
		return false;
	then = ip_list_after(list, op, arena);
	/* Of the two calls that make a disabled one the second may not have come to pass. */
	if (op->kind == OP_CREATE_RESOURCE && !then.enabled && list->seen.enabled &&
			is_harmless(&list->seen))
		return true;
	return ip_state_equal(&list->seen, &then);
}
