#include "sync/access/setting_item.h"

#include <jansson.h>

#include "base/clock.h"
#include "base/text.h"
#include "databricks/auth/profile.h"
#include "databricks/workspace_setting.h"
#include "sync/access/ip_list.h"
#include "sync/access/roster.h"
#include "sync/access/token_item.h"

#define TOKENS_UNKNOWN_WEIGHT 1000000 /* more than an allowance */
#define SETTING_RANK 4                /* behind the lists that a switch puts in force */
#define ACCOUNT_IP_SWITCH "acct_ip_acl_enable"

struct setting_item {
	struct item item; /* first; id and name are the setting's */
	const struct known_setting *known;
	const struct setting *rule; /* NULL: not configured (any more) */
	bool unsupported;           /* this workspace has no such key */
	bool stops_us;              /* tokens are to be off, and we sign in with one */
	char *seen;                 /* NULL: never set, or not read */
	char *etag;                 /* typed */
	char *held;                 /* as written or found last; NULL: not ours */
	char *former;               /* with held: before us; NULL: never set */
};

static struct setting_item *of(struct item *item)
{
	return (struct setting_item *)item; /* item is its first member */
}

static bool is_setting_at(const struct item *item, unsigned target)
{
	return (item->class == &conf_setting_class || item->class == &typed_setting_class) &&
			item->target == target;
}

/* ---- items ---- */

struct item *setting_item(struct access *access, unsigned target, const char *name)
{
	const struct known_setting *known = setting_find_known(
			name, access->engine->settings->targets[target].is_account);
	AUTO(mem_freep) char *key = mem_printf("%s/%s", resource_name(RESOURCE_SETTING), name);
	struct item *item = item_find(access, target, key);
	struct setting_item *setting;

	if (item || !known)
		return item;
	setting = mem_zalloc(sizeof(*setting));
	setting->item.class =
			known->api == SETTING_CONF ? &conf_setting_class : &typed_setting_class;
	setting->item.target = target;
	setting->item.id = mem_strdup(name);
	setting->known = known;
	item_add(access, &setting->item, key, name);
	return &setting->item;
}

static void setting_release(struct item *item)
{
	mem_free(of(item)->seen);
	mem_free(of(item)->etag);
	mem_free(of(item)->held);
	mem_free(of(item)->former);
}

static void setting_load(
		struct access *access, struct item *item, const struct store_holding *holding)
{
	(void)access;
	mem_replace_text(&of(item)->held, holding->value ? holding->value : "");
	mem_replace_text(&of(item)->former, holding->former);
}

static bool is_switch(const struct setting_item *setting)
{
	return text_equal(setting->known->name,
			setting->known->account ? ACCOUNT_IP_SWITCH : CONF_IP_LISTS_ENABLED);
}

static bool is_off(const char *value)
{
	return conf_equal(value, NULL);
}

static bool signs_in_with_token(const struct access *access, unsigned target)
{
	struct credential credential = {0};
	struct err err;
	bool token;

	/* What cannot be resolved does not sign in at all. */
	if (credential_resolve(access->engine->settings, target, &credential, &err) != ERR_NONE)
		return false;
	token = credential.type == AUTH_PAT;
	credential_release(&credential);
	return token;
}

static void set_rule(
		struct access *access, struct setting_item *setting, const struct setting *rule)
{
	unsigned target = setting->item.target;

	setting->rule = rule;
	if (is_switch(setting) && !is_off(rule->value))
		ip_lists_watch(access, target);
	setting->stops_us = text_equal(rule->name, CONF_TOKENS_ENABLED) && is_off(rule->value) &&
			signs_in_with_token(access, target);
}

void setting_start(struct access *access)
{
	const struct settings *settings = access->engine->settings;

	for (unsigned target = 0; target < settings->target_count; target++) {
		const struct target_settings *at = &settings->targets[target];

		for (size_t i = 0; i < at->setting_count; i++) {
			struct item *item = setting_item(access, target, at->settings[i].name);

			if (item)
				set_rule(access, of(item), &at->settings[i]);
		}
	}
}

/* ---- meaning ---- */

static bool is_no_number(const char *text)
{
	return !text || !*text || text_equal(text, "0");
}

bool setting_is_so(const struct known_setting *known, const char *before, const char *wanted,
		bool ours)
{
	/* What was never set has a default that nobody tells: it is set once, then compared. */
	if (!before && !ours)
		return false;
	switch (known->type) {
	case SETTING_BOOL:
		return conf_equal(before, wanted);
	case SETTING_NUMBER:
		return text_equal(before, wanted) || (is_no_number(before) && is_no_number(wanted));
	case SETTING_TEXT:
	case SETTING_CHOICE:
		break;
	}
	return text_equal(before ? before : "", wanted);
}

static bool is_so(const struct setting_item *setting)
{
	return setting_is_so(
			setting->known, setting->seen, setting->rule->value, setting->held != NULL);
}

static struct setting_item *find_switch(const struct access *access, unsigned target)
{
	for (vec_each (&access->items, place)) {
		if (is_setting_at(*place, target) && is_switch(of(*place)))
			return of(*place);
	}
	return NULL;
}

bool lists_switch_goes_off(const struct access *access, unsigned target)
{
	const struct setting_item *setting = find_switch(access, target);

	return setting && setting->rule && setting->item.observed &&
			!setting->item.quarantined_ms && is_off(setting->rule->value) &&
			!is_so(setting);
}

bool lists_switch_goes_on(const struct access *access, unsigned target)
{
	const struct setting_item *setting = find_switch(access, target);

	if (!setting || !setting->rule || is_off(setting->rule->value))
		return false;
	if (setting->item.observed)
		return !is_so(setting);
	return !setting->held ||
			!setting_is_so(setting->known, setting->held, setting->rule->value, true);
}

bool lists_are_in_force(const struct access *access, unsigned target)
{
	const struct setting_item *setting = find_switch(access, target);

	if (!setting || !setting->item.observed)
		return true;
	/* Never set, it is off in a workspace and on in the account (Databricks' documentation, "IP access lists"). */
	return !is_off(setting->seen ? setting->seen : setting->known->account ? "true" : "false");
}

void lists_switch_mark(struct access *access, unsigned target)
{
	struct setting_item *setting = find_switch(access, target);

	if (setting)
		item_mark(access, &setting->item);
}

/* ---- planning ---- */

static struct operation *add(struct setting_item *setting, enum operation_kind kind,
		const struct access *access, struct arena *arena, struct item_plan *ret)
{
	const struct settings *settings = access->engine->settings;
	struct why why = {.file = settings->path, .line = setting->rule ? setting->rule->line : 0};

	return item_operation(&setting->item, ret, kind, setting->rule ? &why : NULL, arena);
}

static size_t count_live_tokens(struct access *access, unsigned target)
{
	const struct token_item *tokens = (const struct token_item *)tokens_item(access, target);
	int64_t now = clock_wall_ms();
	size_t count = 0;

	for (vec_each (&tokens->rows, row))
		count += row->expires_ms <= 0 || row->expires_ms > now;
	return count;
}

/* Nobody can use his tokens any more: the guard counts all of them. false: they are being read. */
static bool add_stopped_tokens(struct access *access, struct operation *op, struct arena *arena)
{
	size_t count;

	item_removes(op, GUARD_TOKENS, NULL);
	switch (tokens_ask(access, op->target)) {
	case TOKENS_ASKED:
		return false;
	case TOKENS_FAILED:
		op->weight = TOKENS_UNKNOWN_WEIGHT;
		op->note = "the tokens could not be listed: nobody knows how many stop working";
		break;
	case TOKENS_KNOWN:
		count = count_live_tokens(access, op->target);
		op->weight = count > 1 ? (unsigned)count : 1;
		op->note = arena_printf(arena, "%zu live token%s working", count,
				count == 1 ? " stops" : "s stop");
		break;
	}
	return true;
}

static void add_change(struct setting_item *setting, struct access *access, struct arena *arena,
		struct item_plan *ret)
{
	struct operation *op = add(setting, OP_CHANGE_RESOURCE, access, arena, ret);
	struct part_change *part = arena_alloc(arena, sizeof(*part));

	*part = (struct part_change){"value", arena_strdup(arena, setting->seen),
			arena_strdup(arena, setting->rule->value)};
	op->parts = part;
	op->part_count = 1;
	item_operation_done(access, op, arena);
	if (text_equal(setting->known->name, CONF_TOKENS_ENABLED) && is_off(setting->rule->value) &&
			!add_stopped_tokens(access, op, arena)) {
		ret->operations.count = 0;
		ret->pending = true;
	}
}

static void plan_left(struct setting_item *setting, struct access *access, struct arena *arena,
		struct item_plan *ret)
{
	const char *where = access->engine->settings->targets[setting->item.target].name;

	if (!setting->held) {
		setting->item.disposable = true;
		return;
	}
	item_operation_done(access, add(setting, OP_FORGET_RESOURCE, access, arena, ret), arena);
	ret->note = arena_printf(arena,
			"setting %s of %s is not configured any more and stays %s (before us it "
			"was %s)",
			setting->known->name, where, *setting->held ? setting->held : "empty",
			setting->former ? setting->former : "not set");
}

static void plan_change(struct setting_item *setting, struct access *access, struct arena *arena,
		struct item_plan *ret)
{
	bool goes_on = is_switch(setting) && !is_off(setting->rule->value);

	if (setting->stops_us) {
		ret->quarantine = arena_printf(arena,
				"%s: ldap2dbx signs in with a token there, so %s is not turned off "
				"(%s:%u); sign in with oauth-m2m first",
				access->engine->settings->targets[setting->item.target].name,
				setting->known->name, access->engine->settings->path,
				setting->rule->line);
		return;
	}
	/* Whom the lists would shut out is known when they were read. */
	if (goes_on && !ip_lists_are_known(access, setting->item.target)) {
		ret->pending = true;
		return;
	}
	if (goes_on)
		ret->quarantine = ip_lists_refusal(access, setting->item.target, arena);
	if (!ret->quarantine)
		add_change(setting, access, arena, ret);
}

static void setting_plan(struct access *access, struct item *item, struct arena *arena,
		struct item_plan *ret)
{
	struct setting_item *setting = of(item);
	struct operation *op;

	if (access->engine->options.only_name)
		return; /* one principal is meant, nothing else */
	if (!setting->rule) {
		plan_left(setting, access, arena, ret);
		return;
	}
	if (!item->observed) {
		ret->wants_read = !setting->held ||
				!setting_is_so(setting->known, setting->held, setting->rule->value,
						true);
		return;
	}
	if (setting->unsupported) {
		ret->quarantine = arena_printf(arena, "%s has no setting %s (%s:%u)",
				access->engine->settings->targets[item->target].name,
				setting->known->name, access->engine->settings->path,
				setting->rule->line);
		return;
	}
	if (!is_so(setting)) {
		plan_change(setting, access, arena, ret);
		return;
	}
	if (setting->held &&
			setting_is_so(setting->known, setting->held, setting->rule->value, true))
		return;
	op = add(setting, OP_ADOPT_RESOURCE, access, arena, ret);
	op->adopts = true;
	item_operation_done(access, op, arena);
}

/* ---- reading ---- */

/* What was read of it; value NULL: never set. false: a second read must agree. */
static bool take(const struct access *access, struct setting_item *setting, const char *value)
{
	const char *held =
			setting->held && !setting_is_so(setting->known, value, setting->held, true)
			? setting->held
			: NULL;

	switch (roster_judge(access, &setting->item, held, value)) {
	case ROSTER_TAKE:
		mem_replace_text(&setting->seen, value);
		return true;
	case ROSTER_KEEP:
		return true;
	case ROSTER_LOOK_AGAIN:
		return false;
	}
	return true;
}

struct conf_draft { /* of the roster */
	const struct conf_value *values;
	size_t count;
	struct conf_reading *reading;
};

static void take_conf(void *context, const struct conf_value *values, size_t count,
		const struct err *err_or_null)
{
	struct roster *roster = context;
	struct conf_draft *draft = roster->draft;
	struct conf_value *copies = arena_alloc(roster->fresh, (count + 1) * sizeof(*copies));

	draft->reading = NULL;
	for (size_t i = 0; i < count; i++)
		copies[i] = (struct conf_value){arena_strdup(roster->fresh, values[i].key),
				arena_strdup(roster->fresh, values[i].value), values[i].known};
	draft->values = copies;
	draft->count = count;
	if (err_or_null)
		roster_fail(roster, err_or_null);
	roster_go_on(roster);
}

static bool read_conf(struct roster *roster)
{
	struct access *access = roster->access;
	struct conf_draft *draft;
	struct texts keys = {0};
	const char **items;

	if (roster->step > 0)
		return false;
	draft = roster->draft = arena_alloc(roster->fresh, sizeof(*draft));
	items = arena_alloc(roster->fresh, (access->items.count + 1) * sizeof(*items));
	for (vec_each (&access->items, place)) {
		if ((*place)->class == &conf_setting_class && (*place)->target == roster->target)
			items[keys.count++] = (*place)->id;
	}
	keys.items = items;
	draft->reading = conf_reading_start(
			access->engine->databricks, roster->target, &keys, take_conf, roster);
	return true;
}

static void cancel_conf(struct roster *roster)
{
	struct conf_draft *draft = roster->draft;

	if (draft)
		conf_reading_cancel(draft->reading);
}

static bool show_conf(struct roster *roster, struct item *item)
{
	const struct conf_draft *list = roster->data;

	for (size_t i = 0; i < list->count; i++) {
		if (!text_equal(list->values[i].key, item->id))
			continue;
		of(item)->unsupported = !list->values[i].known;
		return take(roster->access, of(item), list->values[i].value);
	}
	item->read_wanted = true; /* it came after the list was asked for */
	return false;
}

static const struct roster_class conf_roster = {.slot = ROSTER_CONF,
		.read_next = read_conf,
		.show = show_conf,
		.cancel = cancel_conf};

static const struct setting_kind *kind_of(const struct item_work *work)
{
	const struct known_setting *known = of(work->item)->known;

	return setting_find(known->name, known->account);
}

/* "true", "ALLOW_ALL": as people write it. */
static char *plain_text(const char *json_or_null)
{
	json_t *json = json_or_null ? json_loads(json_or_null, JSON_DECODE_ANY, NULL) : NULL;
	char *text = json_is_string(json) ? mem_strdup(json_string_value(json))
					  : mem_strdup_or_null(json_or_null);

	json_decref(json);
	return text;
}

static bool take_typed(struct item_work *work)
{
	struct setting_item *setting = of(work->item);
	AUTO(mem_freep) char *text = NULL;
	struct setting_state state;
	struct err err;

	if (setting_read(&work->call, kind_of(work), work->arena, &state, &err) != ERR_NONE) {
		item_retry_later(work->access, work->item, &err);
		return false;
	}
	mem_replace_text(&setting->etag, state.etag);
	text = plain_text(state.value);
	if (take(work->access, setting, text))
		return true;
	item_delay(work->access, work->item, 2 * SECOND_NS);
	return false;
}

static bool read_typed(struct item_work *work)
{
	if (work->step > 0) {
		(void)take_typed(work);
		return false;
	}
	item_work_prepare(work);
	if (kind_of(work))
		setting_get(work->engine->databricks, &work->call, kind_of(work));
	else
		record_refuse(work->engine->databricks, &work->call, ERR_UNSUPPORTED,
				"setting %s is not one that this version can read", work->item->id);
	return true;
}

/* ---- writing ---- */

static void setting_choose(struct item_work *work, const struct item_plan *plan)
{
	const struct setting_item *setting = of(work->item);

	for (vec_each (&plan->operations, op)) {
		if (!item_may_go(work, op))
			continue;
		if (op->adopts || op->kind == OP_FORGET_RESOURCE) {
			item_done_without_call(work, op);
			return;
		}
		/* All lists first, then in force. */
		if (is_switch(setting) && !is_off(setting->rule->value) &&
				(!ip_lists_are_done(work->access, work->item->target) ||
						ip_lists_shut_out(
								work->access, work->item->target)))
			return;
		*vec_add(&work->ops) = *op;
		return;
	}
}

static void write_conf(struct item_work *work)
{
	struct pair pair = {work->item->id, of(work->item)->rule->value};
	struct pairs pairs = {&pair, 1};

	conf_write(work->engine->databricks, &work->call, &pairs);
}

/* A text as JSON; in arena. */
static const char *json_of(const char *text, struct arena *arena)
{
	json_t *json = json_string(text);
	AUTO(mem_freep) char *dumped = json_dumps(json, JSON_ENCODE_ANY);

	json_decref(json);
	return arena_strdup(arena, dumped ? dumped : "\"\"");
}

static void write_typed(struct item_work *work)
{
	struct setting_item *setting = of(work->item);
	const char *value = setting->rule->value;
	const char *json = setting->known->type == SETTING_BOOL ? (is_off(value) ? "false" : "true")
								: json_of(value, work->arena);

	setting_set(work->engine->databricks, &work->call, kind_of(work), json,
			setting->etag ? setting->etag : "");
}

static bool setting_write_next(struct item_work *work)
{
	if (work->step > 0)
		return false;
	item_work_prepare(work);
	if (of(work->item)->known->api == SETTING_CONF)
		write_conf(work);
	else
		write_typed(work);
	return true;
}

/* With the fresh etag that the refusal brought. */
static bool setting_again(struct item_work *work)
{
	return of(work->item)->known->api == SETTING_TYPED &&
			setting_retry(work->engine->databricks, &work->call);
}

static bool setting_failed(struct item_work *work)
{
	struct item *item = work->item;

	if (work->stage == ITEM_WRITE) {
		item->read_wanted = true; /* nothing says whether it was kept */
		return false;
	}
	/* One that was never set is none. */
	if (work->call.code != ERR_NOT_FOUND)
		return false;
	if (take_typed(work)) {
		item->read_wanted = false;
		item->observed = true;
	}
	return true;
}

/* ---- what became of it ---- */

static void setting_settle(struct access *access, struct item *item, const struct operation *op)
{
	struct setting_item *setting = of(item);

	if (op->kind == OP_FORGET_RESOURCE) {
		item_release_hold(access, item, "");
		mem_replace_text(&setting->held, NULL);
		mem_replace_text(&setting->former, NULL);
		return;
	}
	if (!setting->held)
		mem_replace_text(&setting->former,
				op->part_count ? op->parts[0].before : setting->seen);
	if (op->kind == OP_CHANGE_RESOURCE && op->part_count) {
		item->written_ns = clock_monotonic_ns();
		mem_replace_text(&setting->seen, op->parts[0].after);
		mem_replace_text(&setting->etag, NULL); /* it has a new one */
	}
	mem_replace_text(&setting->held, setting->seen);
	item_hold(access, item, "", setting->held, setting->former);
	if (is_switch(setting))
		ip_lists_mark(access, item->target);
}

static bool setting_shows(struct item *item, const struct operation *op)
{
	const struct setting_item *setting = of(item);

	return op->part_count && op->parts[0].after &&
			setting_is_so(setting->known, setting->seen, op->parts[0].after, false);
}

static size_t count_held(const struct item *item)
{
	return ((const struct setting_item *)item)->held != NULL;
}

const struct item_class conf_setting_class = {
		.resource = RESOURCE_SETTING,
		.rank = SETTING_RANK,
		.plan = setting_plan,
		.roster = &conf_roster,
		.choose = setting_choose,
		.write_next = setting_write_next,
		.settle = setting_settle,
		.failed = setting_failed,
		.shows = setting_shows,
		.load = setting_load,
		.count_ours = count_held,
		.release = setting_release,
};

const struct item_class typed_setting_class = {
		.resource = RESOURCE_SETTING,
		.rank = SETTING_RANK,
		.plan = setting_plan,
		.read_next = read_typed,
		.choose = setting_choose,
		.write_next = setting_write_next,
		.settle = setting_settle,
		.failed = setting_failed,
		.again = setting_again,
		.shows = setting_shows,
		.load = setting_load,
		.count_ours = count_held,
		.release = setting_release,
};
