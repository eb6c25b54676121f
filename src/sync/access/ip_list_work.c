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
	return false;
}

/* Ours by its id; else by type and label, which are unique together. */
static const struct ip_access_list *find(
		const struct ip_lists *lists, const struct ip_list_item *list)
{
	for (size_t i = 0; i < lists->count && list->held; i++) {
		if (text_equal(lists->lists[i].id, list->item.id))
			return &lists->lists[i];
	}
	for (size_t i = 0; i < lists->count; i++) {
		if ((lists->lists[i].type == IP_ACCESS_BLOCK) == list->block &&
				text_equal(lists->lists[i].label, list->item.name))
			return &lists->lists[i];
	}
	return NULL;
}

static bool show(struct roster *roster, struct item *item)
{
	struct ip_list_item *list = ip_list_of(item);
	const struct ip_access_list *now = find(roster->data, list);
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct ip_state state = {0};
	const char *text;

	if (now) {
		state.enabled = now->enabled;
		state.count = ip_ranges_of(now->addresses.items, now->addresses.count, arena,
				&state.ranges, &state.unread);
	}
	text = now ? ip_state_text(&state, arena) : NULL;
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
static bool has_to_wait(struct item_work *work)
{
	struct access *access = work->access;
	struct ip_list_item *list = ip_list_of(work->item);
	unsigned phase = ip_list_phase(access, list);

	if (lists_switch_goes_off(access, work->item->target))
		return true;
	for (vec_each (&access->items, place)) {
		if (*place == work->item || !ip_list_is_at(*place, work->item->target))
			continue;
		if (!(*place)->observed || ip_list_phase(access, ip_list_of(*place)) < phase)
			return true;
	}
	return false;
}

void ip_list_choose(struct item_work *work, const struct item_plan *plan)
{
	for (vec_each (&plan->operations, op)) {
		if (!item_may_go(work, op))
			continue;
		if (op->adopts || op->kind == OP_FORGET_RESOURCE)
			item_done_without_call(work, op);
		else if (!has_to_wait(work))
			*vec_add(&work->ops) = *op;
	}
}

/* ---- writing ---- */

static void send_write(struct item_work *work, enum operation_kind kind)
{
	struct ip_list_item *list = ip_list_of(work->item);
	struct databricks *databricks = work->engine->databricks;
	const struct ip_list_rule *rule = list->rule;
	struct ip_access_list body = {.id = list->seen_id,
			.label = work->item->name,
			.type = list->block ? IP_ACCESS_BLOCK : IP_ACCESS_ALLOW};

	if (rule) {
		body.addresses = (struct texts){rule->addresses, rule->address_count};
		body.enabled = rule->enabled;
	}
	item_work_prepare(work);
	if (kind == OP_REMOVE_RESOURCE)
		ip_access_list_delete(databricks, &work->call, list->seen_id);
	else if (kind == OP_CREATE_RESOURCE)
		ip_access_list_create(databricks, &work->call, &body);
	else if (ip_state_same_addresses(&list->seen, &list->wanted))
		ip_access_list_set_enabled(databricks, &work->call, list->seen_id, rule->enabled);
	else
		ip_access_list_replace(databricks, &work->call, &body);
}

bool ip_list_write_next(struct item_work *work)
{
	struct ip_list_item *list = ip_list_of(work->item);
	enum operation_kind kind = work->ops.items[0].kind;
	struct ip_access_list made;
	struct err err;

	if (work->step == 0) {
		send_write(work, kind);
		return true;
	}
	if (kind != OP_CREATE_RESOURCE || work->step > 1)
		return false;
	if (ip_access_list_read(&work->call, work->arena, &made, &err) != ERR_NONE) {
		item_leave_open(work);
		return false;
	}
	mem_free(list->made_id);
	list->made_id = mem_strdup(made.id);
	if (list->rule->enabled)
		return false;
	/* It cannot be made disabled. */
	item_work_prepare(work);
	ip_access_list_set_enabled(work->engine->databricks, &work->call, list->made_id, false);
	return true;
}

/* Of two calls the first one was done: the list is ours, and still enabled. */
static void made_only(struct item_work *work)
{
	struct ip_list_item *list = ip_list_of(work->item);
	struct ip_state state = list->wanted;

	if (!list->made_id)
		return;
	state.enabled = true;
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
	return false;
}

/* ---- what became of it ---- */

static void written(struct access *access, struct ip_list_item *list, bool created)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	AUTO(mem_freep) char *id = created ? STEAL(list->made_id) : NULL;
	/* Found by a read after a crash, it is as it was read. */
	const struct ip_state *now = created && !id ? &list->seen : &list->wanted;
	const char *text;

	if (!id)
		id = mem_strdup_or_null(list->seen_id);
	if (!id || !list->rule) {
		list->item.read_wanted = true;
		return;
	}
	text = ip_state_text(now, arena);
	ip_list_drop_hold(access, list);
	list->item.id = mem_strdup(id);
	ip_list_set_seen(list, id, now);
	ip_list_hold(access, list, text);
}

void ip_list_settle(struct access *access, struct item *item, const struct operation *op)
{
	struct ip_list_item *list = ip_list_of(item);
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct ip_state nothing = {0};

	if (!op->adopts && op->kind != OP_FORGET_RESOURCE)
		item->written_ns = clock_monotonic_ns();
	if (op->kind == OP_CREATE_RESOURCE || op->kind == OP_CHANGE_RESOURCE) {
		written(access, list, op->kind == OP_CREATE_RESOURCE);
	} else if (op->kind == OP_ADOPT_RESOURCE && list->seen_id) {
		mem_free(item->id);
		item->id = mem_strdup(list->seen_id);
		ip_list_hold(access, list, ip_state_text(&list->seen, arena));
	} else if (op->kind == OP_REMOVE_RESOURCE || op->kind == OP_FORGET_RESOURCE) {
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

	if (op->kind == OP_REMOVE_RESOURCE)
		return !list->seen_id;
	if (!list->rule || !list->seen_id)
		return false;
	/* It is made enabled; disabling it may not have come to pass. */
	return ip_state_same_addresses(&list->seen, &list->wanted) &&
			(op->kind == OP_CREATE_RESOURCE ||
					list->seen.enabled == list->wanted.enabled);
}
