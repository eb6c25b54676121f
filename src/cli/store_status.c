#include "cli/store_status.h"

#include "base/clock.h"
#include "base/text.h"
#include "model/securable.h"
#include "store/store.h"

#include "config.h"

#include <stdlib.h>

struct tally {
	json_int_t principals[PRINCIPAL_KIND_COUNT_];
	json_int_t members, grants, permissions;
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

static void count_principal(void *context, const struct store_principal *principal)
{
	struct tally *tally = context;

	if (principal->kind < PRINCIPAL_KIND_COUNT_)
		tally->principals[principal->kind]++;
}

static void count_member(void *context, const struct store_member *member)
{
	struct tally *tally = context;

	(void)member;
	tally->members++;
}

static void count_grant(void *context, const struct store_grant *grant)
{
	struct tally *tally = context;

	(void)grant;
	tally->grants++;
}

static void count_holding(void *context, const struct store_holding *holding)
{
	struct tally *tally = context;

	for (unsigned type = 0; type < SECURABLE_TYPE_COUNT_; type++)
		tally->permissions += text_equal(holding->resource,
				securable_traits((enum securable_type)type)->path);
}

static void gather_hold(void *context, const struct store_hold *hold)
{
	struct tally *tally = context;
	int rejected = hold->state == HOLD_REJECTED;
	json_t *known;

	if (hold->state != HOLD_WAITING && !rejected)
		return;
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

static void gather_quarantine(void *context, const struct store_quarantine *item)
{
	struct tally *tally = context;

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

static json_t *status_json(
		const struct settings *settings, struct store *store, const struct tally *tally)
{
	json_t *status = json_pack("{s:s, s:s, s:s, s:n, s:n, s:[], s:[], s:n, s:o, s:n}",
			"version", PACKAGE_VERSION, "mode",
			settings->mode == MODE_OBSERVE ? "observe" : "enforce", "phase", "stopped",
			"since", "error", "sources", "targets", "work", "last_complete",
			last_complete(store), "next_reconcile");

	(void)json_object_set_new(status, "counts",
			json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "users",
					tally->principals[PRINCIPAL_USER], "groups",
					tally->principals[PRINCIPAL_GROUP], "service_principals",
					tally->principals[PRINCIPAL_SERVICE], "members",
					tally->members, "grants", tally->grants, "permissions",
					tally->permissions));
	(void)json_object_set(status, "holds", tally->holds[0]);
	(void)json_object_set(status, "rejected", tally->holds[1]);
	(void)json_object_set(status, "quarantine", tally->quarantine);
	return status;
}

enum err_code store_status(const struct settings *settings, json_t **ret, struct err *err)
{
	json_auto_t *holds = json_array(), *rejected = json_array();
	json_auto_t *holds_by_id = json_object(), *rejected_by_id = json_object();
	json_auto_t *quarantine = json_array();
	struct tally tally = {.holds = {holds, rejected},
			.holds_by_id = {holds_by_id, rejected_by_id},
			.quarantine = quarantine};
	struct store *store = NULL;
	enum err_code code;

	if (store_open(NULL, settings->store_path, STORE_READ, &store, err) != ERR_NONE)
		return err->code;
	code = tally_store(store, &tally, err);
	if (code == ERR_NONE)
		*ret = status_json(settings, store, &tally);
	store_close(store);
	return code;
}
