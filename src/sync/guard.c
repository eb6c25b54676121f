#include "sync/guard.h"

#include "base/table.h"
#include "base/text.h"

struct guard {
	const struct settings *settings;
	VEC(struct decision *) decisions;
	struct table *by_key;
	VEC(struct store_removals) window; /* oldest first */
	VEC(struct decision *) asked;      /* of this pass; after guard_decide: decided */
	unsigned passed[GUARD_CATEGORY_COUNT_];
	unsigned hold_number;
	bool decided;
};

struct guard *guard_new(const struct settings *settings)
{
	struct guard *guard = mem_zalloc(sizeof(*guard));

	guard->settings = settings;
	guard->by_key = table_new();
	return guard;
}

static void decision_free(struct decision *decision)
{
	mem_free(decision->key);
	mem_free(decision->object_key);
	mem_free(decision->hold_id);
	mem_free(decision->operation);
	mem_free(decision->reason);
	mem_free(decision);
}

void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	for (vec_each (&guard->decisions, decision))
		decision_free(*decision);
	vec_release(&guard->decisions);
	vec_release(&guard->window);
	vec_release(&guard->asked);
	table_free(guard->by_key);
	mem_free(guard);
}

const char *guard_key(const struct operation *op, struct arena *arena)
{
	if (op->follows_leaver)
		return arena_printf(arena, "leaver:%s", op->follows_leaver);
	return op->id;
}

bool guard_is_key(const struct operation *op, const char *key)
{
	static const char prefix[] = "leaver:";

	if (!op->follows_leaver)
		return text_equal(op->id, key);
	return text_starts_with(key, prefix) &&
			text_equal(op->follows_leaver, key + sizeof(prefix) - 1);
}

struct decision *guard_find(const struct guard *guard, const char *key)
{
	return table_find(guard->by_key, span_of(key));
}

static struct decision *decision_add(struct guard *guard, const char *key)
{
	struct decision *decision = mem_zalloc(sizeof(*decision));

	decision->key = mem_strdup(key);
	*vec_add(&guard->decisions) = decision;
	(void)table_put(guard->by_key, span_of(key), decision);
	return decision;
}

void guard_load_removals(struct guard *guard, const struct store_removals *removals)
{
	*vec_add(&guard->window) = *removals;
}

static unsigned weight_of(const struct operation *op)
{
	return op->weight && !op->follows_leaver ? op->weight : 1;
}

void guard_load_hold(struct guard *guard, const struct store_hold *hold, const char *object_key,
		const struct operation *op)
{
	static const enum verdict verdicts[] = {[HOLD_WAITING] = VERDICT_HELD,
			[HOLD_APPROVED] = VERDICT_GO,
			[HOLD_REJECTED] = VERDICT_REJECTED};
	struct decision *decision = decision_add(guard, hold->operation_id);
	const char *number = strrchr(hold->hold_id, '-');
	int64_t n;

	decision->object_key = mem_strdup(object_key);
	decision->target = op->target;
	decision->category = hold->category;
	decision->verdict = verdicts[hold->state];
	decision->hold_id = mem_strdup(hold->hold_id);
	decision->operation = mem_strdup(hold->operation);
	decision->reason = mem_strdup_or_null(hold->reason);
	decision->time_ms = hold->time_ms;
	decision->weight = weight_of(op);
	if (number && text_parse_int(number + 1, 0, INT32_MAX, &n) &&
			n > (int64_t)guard->hold_number)
		guard->hold_number = (unsigned)n;
}

void guard_ask(struct guard *guard, const struct operation *op, const char *operation_json)
{
	struct arena *arena = arena_new();
	const char *key = guard_key(op, arena);
	struct decision *decision;

	if (guard->decided) {
		guard->asked.count = 0;
		guard->decided = false;
	}
	decision = guard_find(guard, key);
	if (!decision) {
		decision = decision_add(guard, key);
		decision->object_key = mem_strdup(
				op->follows_leaver ? op->follows_leaver : op->object.key);
		decision->target = op->target;
		decision->category = op->follows_leaver ? GUARD_USERS : op->category;
		decision->operation = mem_strdup(operation_json);
		decision->weight = weight_of(op);
		*vec_add(&guard->asked) = decision;
	}
	arena_free(arena);
}

static size_t passed_in_window(struct guard *guard, enum guard_category category, int64_t now_ms)
{
	size_t passed = 0, kept = 0;

	for (size_t i = 0; i < guard->window.count; i++) {
		const struct store_removals removals = guard->window.items[i];

		if (removals.time_ms <= now_ms - guard->settings->guard.window_ms)
			continue;
		guard->window.items[kept++] = removals;
		if (removals.category == category)
			passed += removals.count;
	}
	guard->window.count = kept;
	return passed;
}

/* A few users or members are everyday life; a few cluster policies or IP access lists may be all that there are. */
static bool has_minimum(enum guard_category category)
{
	return category != GUARD_POLICIES && category != GUARD_LISTS;
}

/* What may go within the window, when passed went already and ours are left. */
static size_t allowance_of(const struct guard_settings *settings, enum guard_category category,
		size_t ours, size_t passed)
{
	const struct allowance *allowance = &settings->allowances[category];
	/* What passed within the window was ours at its start. */
	size_t limit = allowance->is_share ? (ours + passed) * allowance->value / 100
					   : allowance->value;

	return has_minimum(category) && limit < settings->minimum ? settings->minimum : limit;
}

bool guard_allows(const struct guard_settings *settings, enum guard_category category, size_t ours,
		size_t passed, size_t batch)
{
	return passed + batch <= allowance_of(settings, category, ours, passed);
}

static void count_passed(
		struct guard *guard, enum guard_category category, unsigned count, int64_t now_ms)
{
	*vec_add(&guard->window) = (struct store_removals){now_ms, category, count};
}

/* An open hold of the category goes on growing, so that a person finds one name for one story. */
static char *open_hold_id(struct guard *guard, enum guard_category category)
{
	for (vec_each (&guard->decisions, decision)) {
		if ((*decision)->verdict == VERDICT_HELD && (*decision)->category == category &&
				(*decision)->hold_id)
			return mem_strdup((*decision)->hold_id);
	}
	return mem_printf("%s-%u", guard_category_name(category), ++guard->hold_number);
}

static size_t waiting_in(const struct guard *guard, enum guard_category category)
{
	size_t count = 0;

	for (vec_each (&guard->decisions, decision))
		count += (*decision)->verdict == VERDICT_HELD &&
						(*decision)->category == category &&
						(*decision)->hold_id
				? (*decision)->weight
				: 0;
	return count;
}

static char *hold_reason(const struct guard *guard, enum guard_category category, size_t passed,
		size_t more, size_t ours)
{
	return mem_printf(
			"%zu removals of %s within the window, and %zu more; the allowance is %zu",
			passed, guard_category_name(category), more,
			allowance_of(&guard->settings->guard, category, ours, passed));
}

static void decide_category(
		struct guard *guard, enum guard_category category, size_t ours, int64_t now_ms)
{
	size_t passed = passed_in_window(guard, category, now_ms), more;
	AUTO(mem_freep) char *hold_id = NULL;
	unsigned batch = 0;
	bool go;

	for (vec_each (&guard->asked, decision))
		batch += (*decision)->category == category ? (*decision)->weight : 0;
	guard->passed[category] = 0;
	if (batch == 0)
		return;
	/* What is held already belongs to the same story: after it, everything is held until somebody has
	 * looked, however small the portions in which it comes. */
	more = batch + waiting_in(guard, category);
	go = guard_allows(&guard->settings->guard, category, ours, passed, more);
	if (go) {
		count_passed(guard, category, batch, now_ms);
		guard->passed[category] = batch;
	} else {
		hold_id = open_hold_id(guard, category);
	}
	for (vec_each (&guard->asked, place)) {
		struct decision *decision = *place;

		if (decision->category != category)
			continue;
		decision->time_ms = now_ms;
		decision->new = true;
		decision->verdict = go ? VERDICT_GO : VERDICT_HELD;
		if (go)
			continue;
		decision->hold_id = mem_strdup(hold_id);
		decision->reason = hold_reason(guard, category, passed, more, ours);
	}
}

void guard_decide(struct guard *guard, const struct guard_counts *counts, int64_t now_ms)
{
	if (guard->decided)
		guard->asked.count = 0;
	for (unsigned category = 0; category < GUARD_CATEGORY_COUNT_; category++)
		decide_category(guard, (enum guard_category)category, counts->ours[category],
				now_ms);
	guard->decided = true;
}

struct decision *const *guard_decided(const struct guard *guard, size_t *ret_count)
{
	*ret_count = guard->decided ? guard->asked.count : 0;
	return guard->asked.items;
}

const unsigned *guard_passed(const struct guard *guard)
{
	return guard->passed;
}

void guard_forget(struct guard *guard, const char *key)
{
	struct decision *decision = table_remove(guard->by_key, span_of(key));

	if (!decision)
		return;
	for (size_t i = 0; i < guard->asked.count; i++) {
		if (guard->asked.items[i] == decision)
			guard->asked.items[i--] = guard->asked.items[--guard->asked.count];
	}
	for (size_t i = 0; i < guard->decisions.count; i++) {
		if (guard->decisions.items[i] == decision) {
			guard->decisions.items[i] =
					guard->decisions.items[--guard->decisions.count];
			break;
		}
	}
	decision_free(decision);
}

void guard_approve(struct guard *guard, struct decision *decision, int64_t now_ms)
{
	decision->verdict = VERDICT_GO;
	decision->time_ms = now_ms;
	count_passed(guard, decision->category, decision->weight, now_ms);
}

void guard_reject(
		struct guard *guard, struct decision *decision, const char *reason, int64_t now_ms)
{
	(void)guard;
	decision->verdict = VERDICT_REJECTED;
	decision->time_ms = now_ms;
	mem_free(decision->reason);
	decision->reason = mem_strdup(reason);
}

size_t guard_held_count(const struct guard *guard)
{
	size_t count = 0;

	for (vec_each (&guard->decisions, decision))
		count += (*decision)->verdict == VERDICT_HELD;
	return count;
}

struct decision *guard_at(const struct guard *guard, size_t index)
{
	return index < guard->decisions.count ? guard->decisions.items[index] : NULL;
}
