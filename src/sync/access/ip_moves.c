#include "sync/access/ip_moves.h"

void ip_moves_release(struct ip_moves *moves)
{
	vec_release(&moves->moves);
	vec_release(&moves->keepers);
}

/* The lists with the done moves made; done NULL: none, or with `all` every one. */
static void fill(struct ip_set *set, const struct ip_moves *moves, const bool *done, bool all)
{
	set->lists.count = 0;
	for (size_t i = 0; i < moves->moves.count; i++) {
		const struct ip_move *move = &moves->moves.items[i];
		bool made = all || (done && done[i]);

		if (made ? move->is_then : move->is_now)
			*vec_add(&set->lists) = made ? move->then : move->now;
	}
}

static enum ip_verdict judge(
		const struct ip_set *set, const struct ip_keeper *keeper, struct ip_loss *ret)
{
	const struct ip_list *by = NULL;
	enum ip_verdict verdict = ip_set_judge(set, keeper->range, &by);

	*ret = (struct ip_loss){keeper, verdict, by ? by->label : NULL};
	return verdict;
}

static bool loss_of(const struct ip_set *set, const struct ip_moves *moves, struct ip_loss *ret)
{
	struct ip_loss loss;

	for (vec_each (&moves->keepers, keeper)) {
		if (judge(set, keeper, &loss) != IP_LET_IN) {
			*ret = loss;
			return true;
		}
	}
	return false;
}

bool ip_moves_loss_now(const struct ip_moves *moves, struct ip_loss *ret)
{
	struct ip_set set = {0};
	bool lost;

	fill(&set, moves, NULL, false);
	lost = loss_of(&set, moves, ret);
	vec_release(&set.lists);
	return lost;
}

bool ip_moves_loss_then(const struct ip_moves *moves, struct ip_loss *ret)
{
	struct ip_set set = {0};
	bool lost;

	fill(&set, moves, NULL, true);
	lost = loss_of(&set, moves, ret);
	vec_release(&set.lists);
	return lost;
}

size_t ip_moves_count_then(const struct ip_moves *moves)
{
	struct ip_set set = {0};
	size_t count;

	fill(&set, moves, NULL, true);
	count = ip_set_count(&set);
	vec_release(&set.lists);
	return count;
}

/* ---- order ---- */

struct walk {
	const struct ip_moves *moves;
	bool *done; /* a move each */
	struct ip_set before, after;
	struct ip_loss loss; /* by the move that was tried last in vain */
};

static bool goes(struct walk *walk, size_t move)
{
	struct ip_loss was, is;
	bool good = true;

	fill(&walk->before, walk->moves, walk->done, false);
	walk->done[move] = true;
	fill(&walk->after, walk->moves, walk->done, false);
	for (vec_each (&walk->moves->keepers, keeper)) {
		if (good && judge(&walk->before, keeper, &was) == IP_LET_IN &&
				judge(&walk->after, keeper, &is) != IP_LET_IN) {
			good = false;
			walk->loss = is;
		}
	}
	walk->done[move] = good;
	return good;
}

/* Every move that hurts nobody, again and again; true: all are made. */
static bool go_on(struct walk *walk)
{
	bool moved = true, all = false;

	while (moved && !all) {
		moved = false;
		all = true;
		for (size_t i = 0; i < walk->moves->moves.count; i++) {
			if (walk->done[i])
				continue;
			moved = goes(walk, i) || moved;
			all = all && walk->done[i];
		}
	}
	return all;
}

static bool changes_nothing(const struct ip_move *move)
{
	return move->is_now == move->is_then && move->now.ranges == move->then.ranges &&
			move->now.count == move->then.count &&
			move->now.block == move->then.block &&
			move->now.enabled == move->then.enabled;
}

static void walk_begin(struct walk *walk, const struct ip_moves *moves, struct arena *arena)
{
	*walk = (struct walk){.moves = moves,
			.done = arena_alloc(arena, (moves->moves.count + 1) * sizeof(bool))};
	for (size_t i = 0; i < moves->moves.count; i++)
		walk->done[i] = changes_nothing(&moves->moves.items[i]);
}

static void walk_end(struct walk *walk)
{
	vec_release(&walk->before.lists);
	vec_release(&walk->after.lists);
}

bool ip_moves_loss_by(const struct ip_moves *moves, size_t move, struct ip_loss *ret)
{
	struct arena *arena = arena_new();
	struct walk walk;
	bool lost;

	walk_begin(&walk, moves, arena);
	lost = !goes(&walk, move);
	if (lost)
		*ret = walk.loss;
	walk_end(&walk);
	arena_free(arena);
	return lost;
}

/* ---- bridge ---- */

static size_t count_held(const struct ip_moves *moves, const struct ip_list *list)
{
	size_t count = 0;

	for (vec_each (&moves->keepers, keeper))
		count += ip_ranges_hold(list->ranges, list->count, &keeper->range, 1);
	return count;
}

/* The ALLOW list that will hold most of the keepers, of those that are still to be made or changed. */
static bool find_bridge(const struct walk *walk, size_t *ret)
{
	const struct ip_moves *moves = walk->moves;
	bool found = false;

	for (size_t i = 0; i < moves->moves.count; i++) {
		const struct ip_move *move = &moves->moves.items[i],
				     *best = &moves->moves.items[*ret];
		bool fits = !walk->done[i] && move->is_then && move->then.enabled &&
				!move->then.block;
		size_t held = fits ? count_held(moves, &move->then) : 0;
		size_t most = found ? count_held(moves, &best->then) : 0;

		if (!fits ||
				(found &&
						(held < most ||
								(held == most &&
										strcmp(move->then.label,
												best->then.label) >
												0))))
			continue;
		found = true;
		*ret = i;
	}
	return found;
}

static void widen(const struct ip_moves *moves, const struct ip_list *list, struct arena *arena,
		struct ip_bridge *ret)
{
	size_t most = list->count + moves->keepers.count;
	struct ip_range *ranges = arena_alloc(arena, (most + 1) * sizeof(*ranges));
	size_t count = list->count;

	if (count)
		memcpy(ranges, list->ranges, count * sizeof(*ranges));
	for (vec_each (&moves->keepers, keeper)) {
		if (!ip_ranges_hold(ranges, count, &keeper->range, 1))
			ranges[count++] = keeper->range;
	}
	ret->count = ip_ranges_sort(ranges, count);
	ret->ranges = ranges;
}

/* With the bridge made: the same moves, that one list being wider now. */
static bool order_over(const struct ip_moves *moves, const struct ip_bridge *bridge,
		const struct walk *so_far, struct ip_loss *ret_loss, struct arena *arena)
{
	struct ip_moves over = {0};
	struct walk walk;
	bool good;

	for (vec_each (&moves->moves, move))
		*vec_add(&over.moves) = *move;
	over.keepers.items = moves->keepers.items; /* borrowed */
	over.keepers.count = moves->keepers.count;
	walk_begin(&walk, &over, arena);
	memcpy(walk.done, so_far->done, moves->moves.count * sizeof(bool));
	/* The bridge itself is a move as well. */
	over.moves.items[bridge->move].then.ranges = bridge->ranges;
	over.moves.items[bridge->move].then.count = bridge->count;
	good = goes(&walk, bridge->move);
	over.moves.items[bridge->move].is_now = true;
	over.moves.items[bridge->move].now = over.moves.items[bridge->move].then;
	over.moves.items[bridge->move].then = moves->moves.items[bridge->move].then;
	walk.done[bridge->move] = false;
	good = good && go_on(&walk);
	if (!good)
		*ret_loss = walk.loss;
	walk_end(&walk);
	vec_release(&over.moves);
	return good;
}

bool ip_moves_order(const struct ip_moves *moves, struct arena *arena, struct ip_bridge *ret,
		struct ip_loss *ret_loss)
{
	struct ip_bridge bridge = {0};
	struct walk walk;
	bool good;

	walk_begin(&walk, moves, arena);
	good = go_on(&walk);
	if (!good && find_bridge(&walk, &bridge.move)) {
		bridge.needed = true;
		widen(moves, &moves->moves.items[bridge.move].then, arena, &bridge);
		good = order_over(moves, &bridge, &walk, ret_loss, arena);
	} else if (!good) {
		*ret_loss = walk.loss;
	}
	walk_end(&walk);
	if (good)
		*ret = bridge;
	return good;
}
