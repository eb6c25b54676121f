#include "cli/store_status.h"

#include "base/clock.h"
#include "base/text.h"
#include "store/store.h"
#include "sync/ours.h"

#include "config.h"

#include <stdlib.h>

/* What the store says of one target. */
struct place {
	struct ours ours;
	size_t held, quarantined;
};

struct tally {
	const struct settings *settings;
	struct place *places; /* by target */
	/* Principals at targets that are not configured any more, and one of these; in arena. */
	size_t elsewhere;
	const char *elsewhere_name;
	struct arena *arena;
	json_t *holds[2]; /* HOLD_WAITING and HOLD_REJECTED: list; borrowed, as the next two */
	json_t *holds_by_id[2];
	json_t *quarantine;
};

static json_t *time_json(int64_t wall_ms)
{
	char text[CLOCK_TEXT_SIZE];

	if (!wall_ms)
		return json_null();
	clock_format(wall_ms, text);
	return json_string(text);
}

/* NULL: not configured any more. */
static struct place *place_of(const struct tally *tally, const char *target)
{
	for (size_t i = 0; i < tally->settings->target_count; i++) {
		if (text_equal(tally->settings->targets[i].name, target))
			return &tally->places[i];
	}
	return NULL;
}

static void count_principal(void *context, const struct store_principal *principal)
{
	struct tally *tally = context;
	struct place *place = place_of(tally, principal->target);

	if (place && principal->kind < PRINCIPAL_KIND_COUNT_)
		place->ours.principals[principal->kind]++;
	if (!place && tally->elsewhere++ == 0)
		tally->elsewhere_name = arena_strdup(tally->arena, principal->target);
}

static void count_member(void *context, const struct store_member *member)
{
	struct place *place = place_of(context, member->target);

	if (place)
		place->ours.members++;
}

static void count_grant(void *context, const struct store_grant *grant)
{
	struct place *place = place_of(context, grant->target);

	if (place)
		place->ours.grants++;
}

static void count_holding(void *context, const struct store_holding *holding)
{
	struct place *place = place_of(context, holding->target);

	if (place)
		ours_count_holding(&place->ours, holding->resource);
}

static void count_hold(const struct tally *tally, const struct store_hold *hold)
{
	json_error_t problem;
	json_auto_t *operation = hold->operation ? json_loads(hold->operation, 0, &problem) : NULL;
	struct place *place =
			place_of(tally, json_string_value(json_object_get(operation, "target")));

	if (place)
		place->held++;
}

static void gather_hold(void *context, const struct store_hold *hold)
{
	struct tally *tally = context;
	int rejected = hold->state == HOLD_REJECTED;
	json_t *known;

	if (hold->state != HOLD_WAITING && !rejected)
		return;
	if (!rejected)
		count_hold(tally, hold);
	known = json_object_get(tally->holds_by_id[rejected], hold->hold_id);
	if (known) {
		json_t *count = json_object_get(known, "count");

		(void)json_integer_set(count, json_integer_value(count) + 1);
		return;
	}
	known = json_pack("{s:s, s:s, s:i, s:o, s:s?}", "id", hold->hold_id, "category",
			guard_category_name(hold->category), "count", 1, "since",
			time_json(hold->time_ms), "reason", hold->reason);
	(void)json_array_append_new(tally->holds[rejected], known);
	(void)json_object_set(tally->holds_by_id[rejected], hold->hold_id, known);
}

/* Keys are "TARGET/TYPE/ID" for what is no principal, else "SOURCE/ANCHOR", of which the place is known with an account. */
static void count_quarantine(const struct tally *tally, const char *key)
{
	const char *slash = strchr(key, '/');
	AUTO(mem_freep) char *target = slash ? mem_strndup(key, (size_t)(slash - key)) : NULL;
	struct place *place = target ? place_of(tally, target) : NULL;

	if (slash && !strchr(slash + 1, '/') && !text_equal(slash + 1, "tokens"))
		place = tally->settings->has_account ? &tally->places[0] : NULL;
	if (place)
		place->quarantined++;
}

static void gather_quarantine(void *context, const struct store_quarantine *item)
{
	struct tally *tally = context;

	count_quarantine(tally, item->key);
	(void)json_array_append_new(tally->quarantine,
			json_pack("{s:s, s:s?, s:s?, s:o, s:o, s:i}", "key", item->key, "name",
					item->name, "reason", item->reason, "since",
					time_json(item->since_ms), "retry",
					time_json(item->retry_ms), "tries", (int)item->tries));
}

static enum err_code tally_store(struct store *store, struct tally *tally, struct err *err)
{
	if (store_each_principal(store, count_principal, tally, err) != ERR_NONE ||
			store_each_member(store, count_member, tally, err) != ERR_NONE ||
			store_each_grant(store, count_grant, tally, err) != ERR_NONE ||
			store_each_holding(store, count_holding, tally, err) != ERR_NONE ||
			store_each_hold(store, gather_hold, tally, err) != ERR_NONE)
		return err->code;
	return store_each_quarantine(store, gather_quarantine, tally, err);
}

static json_t *last_complete(struct store *store)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	const char *text = NULL;
	int64_t wall_ms = 0;
	struct err err;

	if (store_get_meta(store, "last_complete_ms", arena, &text, &err) == ERR_NONE && text)
		(void)text_parse_int(text, 0, INT64_MAX, &wall_ms);
	return time_json(wall_ms);
}

/* As of a service; what only that knows is null. */
static json_t *target_json(const struct target_settings *target, const struct place *place)
{
	return json_pack("{s:s, s:s?, s:s, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:b, s:o, s:n, s:[], "
			 "s:I, s:I, s:n, s:n}",
			"name", target->name, "host", target->host, "sign_in", "none", "auth_type",
			"calls", "throttled", "failed", "in_flight", "waiting", "error",
			"discovered", target->discovered, "ours", ours_to_json(&place->ours),
			"tokens", "unseen", "held", (json_int_t)place->held, "quarantined",
			(json_int_t)place->quarantined, "last_read", "due");
}

static json_t *status_json(struct store *store, const struct tally *tally)
{
	const struct settings *settings = tally->settings;
	json_t *targets = json_array();
	struct ours sum = {0};

	for (size_t i = 0; i < settings->target_count; i++) {
		ours_add(&sum, &tally->places[i].ours);
		(void)json_array_append_new(
				targets, target_json(&settings->targets[i], &tally->places[i]));
	}
	return json_pack("{s:s, s:s, s:s, s:n, s:n, s:[], s:o, s:o, s:o, s:n, s:o, s:n, s:O, s:O, "
			 "s:O}",
			"version", PACKAGE_VERSION, "mode",
			settings->mode == MODE_OBSERVE ? "observe" : "enforce", "phase", "stopped",
			"since", "error", "sources", "targets", targets, "counts",
			ours_to_json(&sum), "elsewhere",
			tally->elsewhere ? json_pack("{s:I, s:s}", "count",
							   (json_int_t)tally->elsewhere, "target",
							   tally->elsewhere_name)
					 : json_null(),
			"work", "last_complete", last_complete(store), "next_reconcile", "holds",
			tally->holds[0], "rejected", tally->holds[1], "quarantine",
			tally->quarantine);
}

enum err_code store_status(const struct settings *settings, json_t **ret, struct err *err)
{
	json_auto_t *holds = json_array(), *rejected = json_array();
	json_auto_t *holds_by_id = json_object(), *rejected_by_id = json_object();
	json_auto_t *quarantine = json_array();
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct tally tally = {.settings = settings,
			.places = arena_alloc(arena,
					(settings->target_count + 1) * sizeof(*tally.places)),
			.arena = arena,
			.holds = {holds, rejected},
			.holds_by_id = {holds_by_id, rejected_by_id},
			.quarantine = quarantine};
	struct store *store = NULL;
	enum err_code code;

	if (store_open(NULL, settings->store_path, STORE_READ, &store, err) != ERR_NONE)
		return err->code;
	code = tally_store(store, &tally, err);
	if (code == ERR_NONE)
		*ret = status_json(store, &tally);
	store_close(store);
	return code;
}
