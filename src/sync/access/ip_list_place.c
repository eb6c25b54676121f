/* ip_list_place -- the IP access lists of one place together: what each needs, in which order, and whom that would shut out. */
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

/* The lists of a place as moves, and which item each is of. */
struct place {
	struct ip_moves moves;
	VEC(const struct ip_list_item *) items; /* a move each; NULL: another's list */
};

static bool is_item(const struct access *access, unsigned target, const char *id)
{
	for (vec_each (&access->items, item)) {
		if (ip_list_is_at(*item, target) && text_equal(ip_list_of(*item)->seen_id, id))
			return true;
	}
	return false;
}

static struct ip_list list_of(const struct ip_list_item *item, const struct ip_state *state)
{
	return (struct ip_list){.label = item->item.name,
			.block = item->block != state->other_type,
			.enabled = state->enabled,
			.ranges = state->ranges,
			.count = state->count};
}

static struct ip_move move_of(const struct ip_list_item *item)
{
	struct ip_move move = {.is_now = item->seen_id != NULL,
			.now = list_of(item, &item->seen),
			.is_then = item->seen_id != NULL};

	move.then = move.now;
	switch (ip_list_need(item)) {
	case IP_CREATE:
	case IP_CHANGE:
		move.is_then = true;
		move.then = list_of(item, &item->wanted);
		break;
	case IP_REMOVE:
	case IP_FORGET:
		move.is_then = false;
		break;
	case IP_NOTHING:
	case IP_ADOPT:
	case IP_FOREIGN:
		break;
	}
	return move;
}

static void add_foreign(struct place *place, const struct access *access, unsigned target,
		struct arena *arena)
{
	const struct ip_lists *lists = roster_at(access, target, ROSTER_LISTS)->data;

	for (size_t i = 0; lists && i < lists->count; i++) {
		const struct ip_access_list *list = &lists->lists[i];
		struct ip_list foreign = {.label = list->label,
				.block = list->type == IP_ACCESS_BLOCK,
				.enabled = list->enabled};
		size_t unread;

		if ((lists->gone && lists->gone[i]) || is_item(access, target, list->id))
			continue;
		foreign.count = ip_ranges_of(list->addresses.items, list->addresses.count, arena,
				&foreign.ranges, &unread);
		*vec_add(&place->moves.moves) = (struct ip_move){foreign, foreign, true, true};
		*vec_add(&place->items) = NULL;
	}
}

static void add_keeper(struct place *place, const char *address, struct ip_keeper keeper)
{
	keeper.address = address;
	if (!ip_range_parse(address, &keeper.range)) /* it was checked when it was read */
		*vec_add(&place->moves.keepers) = keeper;
}

static void add_keepers(struct place *place, const struct access *access, unsigned target)
{
	const struct settings *settings = access->engine->settings;
	const struct egress_settings *egress = target_egress(settings, &settings->targets[target]);

	for (size_t i = 0; i < egress->count; i++)
		add_keeper(place, egress->addresses[i],
				(struct ip_keeper){.file = settings->path,
						.line = egress->line,
						.own = true});
	for (vec_each (&access->items, item)) {
		const struct ip_list_rule *rule =
				ip_list_is_at(*item, target) ? ip_list_of(*item)->rule : NULL;

		for (size_t i = 0; rule && i < rule->must_keep_count; i++)
			add_keeper(place, rule->must_keep[i],
					(struct ip_keeper){.file = rule->why.file,
							.line = rule->why.line});
	}
}

static void place_fill(struct place *place, const struct access *access, unsigned target,
		struct arena *arena)
{
	*place = (struct place){0};
	for (vec_each (&access->items, item)) {
		if (!ip_list_is_at(*item, target) || ip_list_of(*item)->watches)
			continue;
		*vec_add(&place->moves.moves) = move_of(ip_list_of(*item));
		*vec_add(&place->items) = ip_list_of(*item);
	}
	add_foreign(place, access, target, arena);
	add_keepers(place, access, target);
}

static void place_release(struct place *place)
{
	ip_moves_release(&place->moves);
	vec_release(&place->items);
}

static size_t move_at(const struct place *place, const struct ip_list_item *list)
{
	size_t at = 0;

	while (at < place->items.count && place->items.items[at] != list)
		at++;
	return at;
}

/* ---- refusals ---- */

static const char *name_allowing(const struct ip_moves *moves, struct arena *arena)
{
	const char *names = NULL;

	for (vec_each (&moves->moves, move)) {
		if (move->is_then && move->then.enabled && !move->then.block)
			names = names ? arena_printf(arena, "%s, \"%.60s\"", names,
							move->then.label)
				      : arena_printf(arena, "\"%.60s\"", move->then.label);
	}
	return names ? names : "none";
}

/* "192.0.2.7 must keep its way in (FILE:LINE)" */
static const char *keeper_text(const struct ip_keeper *keeper, struct arena *arena)
{
	return keeper->own ? arena_printf(arena, "ldap2dbx itself comes from %s (egress, %s:%u)",
					     keeper->address, keeper->file, keeper->line)
			   : arena_printf(arena, "%s must keep its way in (%s:%u)", keeper->address,
					     keeper->file, keeper->line);
}

static const char *shut_out_text(const struct ip_moves *moves, const struct ip_loss *loss,
		const char *where, struct arena *arena)
{
	const char *who = keeper_text(loss->keeper, arena);

	if (loss->verdict == IP_BLOCKED)
		return arena_printf(arena,
				"IP access lists of %s: %s, and BLOCK list \"%s\" would shut it "
				"out; nothing is changed there",
				where, who, loss->by);
	return arena_printf(arena,
			"IP access lists of %s: %s, and would be in no ALLOW list (%s); nothing is "
			"changed there",
			where, who, name_allowing(moves, arena));
}

static const char *refusal_of(
		const struct ip_moves *moves, bool in_force, const char *where, struct arena *arena)
{
	size_t count = ip_moves_count_then(moves);
	struct ip_bridge bridge;
	struct ip_loss loss;

	if (ip_moves_loss_then(moves, &loss))
		return shut_out_text(moves, &loss, where, arena);
	if (count > IP_VALUES_MAX)
		return arena_printf(arena,
				"IP access lists of %s: there would be %zu addresses in all of "
				"them, Databricks takes %d; nothing is changed there",
				where, count, IP_VALUES_MAX);
	if (in_force && !ip_moves_order(moves, arena, &bridge, &loss))
		return arena_printf(arena,
				"IP access lists of %s: %s, and would be shut out for a moment in "
				"whatever order they change; let one list hold it until the others "
				"are changed; nothing is changed there",
				where, keeper_text(loss.keeper, arena));
	return NULL;
}

const char *ip_lists_refusal(struct access *access, unsigned target, struct arena *arena)
{
	struct place place;
	const char *refusal;

	place_fill(&place, access, target, arena);
	refusal = refusal_of(&place.moves, lists_are_in_force(access, target),
			access->engine->settings->targets[target].name, arena);
	place_release(&place);
	return refusal;
}

bool ip_lists_shut_out(struct access *access, unsigned target)
{
	struct arena *arena = arena_new();
	struct place place;
	struct ip_loss loss;
	bool lost;

	place_fill(&place, access, target, arena);
	lost = ip_moves_loss_now(&place.moves, &loss);
	place_release(&place);
	arena_free(arena);
	return lost;
}

bool ip_lists_allow_some(struct access *access, unsigned target)
{
	struct arena *arena = arena_new();
	struct place place;
	bool some = false;

	place_fill(&place, access, target, arena);
	for (vec_each (&place.moves.moves, move))
		some = some || (move->is_now && move->now.enabled && !move->now.block);
	place_release(&place);
	arena_free(arena);
	return some;
}

bool ip_list_bridge(struct access *access, const struct ip_list_item *list, struct arena *arena,
		struct ip_state *ret)
{
	struct ip_bridge bridge = {0};
	struct ip_loss loss;
	struct place place;
	bool needed;

	if (!lists_are_in_force(access, list->item.target))
		return false;
	place_fill(&place, access, list->item.target, arena);
	needed = ip_moves_order(&place.moves, arena, &bridge, &loss) && bridge.needed &&
			bridge.move == move_at(&place, list);
	place_release(&place);
	if (needed)
		*ret = (struct ip_state){
				.enabled = true, .ranges = bridge.ranges, .count = bridge.count};
	return needed;
}

bool ip_list_may_become(struct access *access, const struct ip_list_item *list,
		const struct ip_state *then_or_null)
{
	struct arena *arena = arena_new();
	struct ip_loss loss;
	struct place place;
	size_t at;
	bool may;

	if (!lists_are_in_force(access, list->item.target)) {
		arena_free(arena);
		return true;
	}
	place_fill(&place, access, list->item.target, arena);
	at = move_at(&place, list);
	place.moves.moves.items[at].is_then = then_or_null != NULL;
	if (then_or_null)
		place.moves.moves.items[at].then = list_of(list, then_or_null);
	may = !ip_moves_loss_by(&place.moves, at, &loss);
	place_release(&place);
	arena_free(arena);
	return may;
}

/* ---- order ---- */

enum { PHASE_WIDENS, PHASE_NARROWS, PHASE_REMOVES };

static bool widens(const struct ip_list_item *list)
{
	const struct ip_state *now = &list->seen, *then = &list->wanted;
	bool grows = ip_ranges_hold(then->ranges, then->count, now->ranges, now->count);
	bool shrinks = ip_ranges_hold(now->ranges, now->count, then->ranges, then->count);

	if (list->block)
		return now->enabled && (!then->enabled || shrinks);
	return then->enabled && (!now->enabled || grows);
}

unsigned ip_list_phase(const struct ip_list_item *list)
{
	switch (ip_list_need(list)) {
	case IP_CREATE:
		return list->block ? PHASE_NARROWS : PHASE_WIDENS;
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
