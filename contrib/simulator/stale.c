#include "stale.h"

#include "base/clock.h"

#define NS_PER_MS UINT64_C(1000000)

struct stale {
	struct principal *before; /* owned; NULL: was not there */
	struct stale_count count;
};

void stale_count_start(struct stale_count *count, const struct stale_rule *rule)
{
	uint64_t now = clock_monotonic_ns();

	*count = (struct stale_count){
			.get_left = rule->get_reads,
			.get_until_ns = now + rule->get_ms * NS_PER_MS,
			.flap_left = rule->flap ? 2 : 0,
			.list_left = rule->list_reads,
			.list_until_ns = now + rule->list_ms * NS_PER_MS,
	};
}

bool stale_count_get(struct stale_count *count)
{
	if (count->get_left) {
		count->get_left--;
		return true;
	}
	if (clock_monotonic_ns() < count->get_until_ns)
		return true;
	return count->flap_left && --count->flap_left == 0;
}

bool stale_count_list(struct stale_count *count)
{
	bool old = count->list_left || clock_monotonic_ns() < count->list_until_ns;

	count->list_left -= count->list_left ? 1 : 0;
	return old;
}

struct principal *stale_before(const struct stale_rule *rule, const struct principal *who)
{
	return rule ? principal_clone(who) : NULL;
}

void stale_free(struct stale *stale)
{
	if (!stale)
		return;
	principal_free(stale->before);
	mem_free(stale);
}

void stale_commit(struct state *state, const struct stale_rule *rule, struct principal *who,
		struct principal *before)
{
	struct stale *stale;

	if (!rule)
		return;
	if (!who->stale)
		*vec_add(&state->lagging) = who;
	stale_free(who->stale);
	stale = mem_zalloc(sizeof(*stale));
	stale->before = before;
	stale_count_start(&stale->count, rule);
	who->stale = stale;
}

static struct principal *find_with_lag(const struct state *state, uint64_t id)
{
	for (size_t i = state->lagging.count; i-- > 0;) {
		if (state->lagging.items[i]->id == id)
			return state->lagging.items[i];
	}
	return NULL;
}

const struct principal *stale_get(struct state *state, uint64_t id)
{
	struct principal *who = state->lagging.count ? find_with_lag(state, id) : NULL;
	const struct principal *shown;

	if (!who)
		return state_find_id(state, id);
	(void)pthread_mutex_lock(&state->stale_lock);
	if (stale_count_get(&who->stale->count))
		shown = who->stale->before;
	else
		shown = who->deleted ? NULL : who;
	(void)pthread_mutex_unlock(&state->stale_lock);
	return shown;
}

bool stale_any(const struct state *state)
{
	return state->lagging.count != 0;
}

void stale_list_begin(struct state *state, enum kind kind, struct stale_list *ret_ghosts)
{
	(void)pthread_mutex_lock(&state->stale_lock);
	for (vec_each (&state->lagging, item)) {
		struct principal *who = *item;
		struct stale *stale = who->stale;

		if (who->kind != kind)
			continue;
		stale->count.list_now = stale_count_list(&stale->count);
		if (stale->count.list_now && who->deleted && stale->before)
			*vec_add(ret_ghosts) = stale->before;
	}
}

void stale_list_end(struct state *state)
{
	(void)pthread_mutex_unlock(&state->stale_lock);
}

const struct principal *stale_in_list(const struct principal *who)
{
	return who->stale && who->stale->count.list_now ? who->stale->before : who;
}
