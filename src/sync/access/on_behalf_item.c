/* on_behalf_item -- which service principals have tokens made for them, and the calls that make them. */
#include "sync/access/on_behalf_item.h"

#include "base/digest.h"
#include "base/text.h"
#include "databricks/token.h"
#include "sync/access/acl_item.h"
#include "sync/access/credential.h"
#include "sync/access/roster.h"

#define ON_BEHALF_RANK 75
#define RIGHT_WAIT_NS (SECOND_NS / 4)
#define MARK "ldap2dbx "

static const struct credential_kind token_kind;
static const struct roster_class token_roster;

struct behalf_wish {
	node_id node;
	const struct grant_rule *
			grant; /* with tokens->on_behalf_of; borrowed until the next set of that node */
};
struct on_behalf_book {
	VEC(struct behalf_wish) wishes;
};

struct on_behalf_book *on_behalf_book_new(void)
{
	return mem_zalloc(sizeof(struct on_behalf_book));
}

void on_behalf_book_free(struct on_behalf_book *book)
{
	if (!book)
		return;
	vec_release(&book->wishes);
	mem_free(book);
}

struct item *on_behalf_item(
		struct access *access, unsigned target, const char *id, const char *name)
{
	return given_item(access, &token_kind.given, target, id, name);
}

/* ---- who has one ---- */

/* A grant names a service principal by its application id or by its display name. */
static const struct object *principal_named(
		const struct access *access, unsigned target, const char *name)
{
	const struct registry *registry = access->engine->registry;
	unsigned home = access->engine->settings->has_account ? 0 : target;
	const struct object *found = access_principal(access, target, PRINCIPAL_SERVICE, name);

	if (found && found->id)
		return found;
	for (size_t i = 0; i < registry_count(registry); i++) {
		const struct object *object = registry_at(registry, i);

		if (object->target == home && object->kind == PRINCIPAL_SERVICE && object->id &&
				text_equal_folded(object->fields[FIELD_DISPLAY_NAME], name))
			return object;
	}
	return found;
}

static bool applies(const struct access *access, unsigned target, const struct behalf_wish *wish)
{
	const struct target_settings *settings = &access->engine->settings->targets[target];

	return !settings->is_account &&
			target_matches_any(settings, wish->grant->tokens->in,
					wish->grant->tokens->in_count);
}

/* It is there, or going to be made. */
static bool has_future(const struct object *object)
{
	return object->id || (!object->named_only && !object->quarantined_ms);
}

static void want_for(
		struct access *access, const struct behalf_wish *wish, const struct object *object)
{
	if (!has_future(object))
		return;
	for (unsigned target = 0; target < access->engine->settings->target_count; target++) {
		if (applies(access, target, wish) &&
				(target == object->target || object->target == 0))
			given_item_changed(access, &token_kind.given, target, object, true);
	}
}

/* Where the rule's principals live: the account, else each workspace. */
static void want_all(struct access *access, const struct behalf_wish *wish)
{
	const struct settings *settings = access->engine->settings;
	size_t homes = settings->has_account ? 1 : settings->target_count;

	for (unsigned home = 0; home < homes; home++) {
		const struct object *object = principal_named(access, home, wish->grant->name);

		if (object && object->target == home)
			want_for(access, wish, object);
	}
}

void on_behalf_set_rules(
		struct access *access, node_id node, const struct grant_rule *rules, size_t count)
{
	struct on_behalf_book *book = access->on_behalf;
	size_t kept = 0, before = book->wishes.count;

	for (size_t i = 0; i < before; i++) {
		if (book->wishes.items[i].node != node)
			book->wishes.items[kept++] = book->wishes.items[i];
	}
	book->wishes.count = kept;
	for (size_t i = 0; i < count; i++) {
		if (!rules[i].tokens || !rules[i].tokens->on_behalf_of)
			continue;
		*vec_add(&book->wishes) = (struct behalf_wish){node, &rules[i]};
		want_all(access, &book->wishes.items[book->wishes.count - 1]);
	}
	if (kept != before)
		credential_mark_kind(access, &on_behalf_class);
}

void on_behalf_principal_changed(struct access *access, const struct object *object)
{
	const struct settings *settings = access->engine->settings;

	if (object->kind != PRINCIPAL_SERVICE)
		return;
	for (vec_each (&access->on_behalf->wishes, wish)) {
		if (principal_named(access, object->target, wish->grant->name) == object)
			want_for(access, wish, object);
	}
	for (unsigned target = 0; target < settings->target_count; target++)
		given_item_changed(access, &token_kind.given, target, object, false);
}

void on_behalf_resolve(struct access *access)
{
	for (vec_each (&access->on_behalf->wishes, wish))
		want_all(access, wish);
}

/* Where several grants ask, the first one says how. */
static const struct grant_rule *find_grant(const struct access *access, unsigned target,
		const struct object *owner, bool *ret_open)
{
	const struct grant_rule *grant = NULL;

	for (vec_each (&access->on_behalf->wishes, wish)) {
		const struct object *object = applies(access, target, wish)
				? principal_named(access, target, wish->grant->name)
				: NULL;

		if (object && object == owner && !grant)
			grant = wish->grant;
		/* It may be this one that is meant. */
		if (applies(access, target, wish) && (!object || !object->id))
			*ret_open = true;
	}
	return grant;
}

static void terms(
		const struct access *access, const struct item *item, struct credential_terms *ret)
{
	const struct object *owner = given_owner(access, item);
	const struct grant_rule *grant;
	const struct token_rule *tokens;

	*ret = (struct credential_terms){.object = owner};
	grant = find_grant(access, item->target, owner, &ret->unsure);
	if (!grant || owner->leaving || !has_future(owner))
		return;
	tokens = grant->tokens;
	ret->wanted = true;
	ret->why = tokens->why;
	if (!ret->why.entry)
		ret->why.entry = grant->why.entry;
	ret->lifetime_ms = tokens->on_behalf_of->lifetime_ms;
	ret->rotate_before_ms = tokens->on_behalf_of->rotate_before_ms;
	ret->write_to = &tokens->on_behalf_of->write_to;
	ret->values = given_values(item, owner);
	ret->values.workspace = access->engine->settings->targets[item->target].name;
}

/* ---- which are ours ---- */

static struct item *find_token(const struct access *access, unsigned target, const char *token_id)
{
	for (vec_each (&access->items, item)) {
		const struct given_row *row =
				(*item)->class == &on_behalf_class && (*item)->target == target
				? given_find(given_of(*item), token_id)
				: NULL;

		if (row && row->held)
			return *item;
	}
	return NULL;
}

bool on_behalf_is_ours(const struct access *access, unsigned target, const char *token_id)
{
	return find_token(access, target, token_id) != NULL;
}

void on_behalf_revoked(struct access *access, unsigned target, const char *token_id)
{
	struct item *item = find_token(access, target, token_id);

	if (!item)
		return;
	given_drop(access, given_of(item), given_find(given_of(item), token_id));
	item_want_read(access, item);
}

/* ---- marks ---- */

static const char *make_mark(const struct credential_item *set,
		const struct credential_terms *terms, struct arena *arena)
{
	uint64_t random;

	(void)set;
	(void)terms;
	digest_random(&random, sizeof(random));
	return arena_printf(arena, MARK "%016llx", (unsigned long long)random);
}

static bool bears(const struct credential_row *row, const char *mark)
{
	return text_equal(row->mark, mark);
}

/* ---- reading ---- */

struct token_draft {
	const struct token_info *infos;
	size_t count;
};

static bool roster_read_next(struct roster *roster)
{
	struct token_draft *draft;
	struct err err;

	if (roster->step == 0) {
		roster_prepare(roster);
		token_list(roster->access->engine->databricks, &roster->call);
		return true;
	}
	draft = arena_alloc(roster->fresh, sizeof(*draft));
	if (token_list_read(&roster->call, roster->fresh, &draft->infos, &draft->count, &err) !=
			ERR_NONE)
		roster_fail(roster, &err);
	else
		roster->draft = draft;
	return false;
}

static void take(struct given_item *set, const struct token_info *info)
{
	struct credential_row *row = (struct credential_row *)given_make(set, info->id);

	row->given.there = row->active = true;
	mem_replace_text(&row->mark, info->comment);
	row->made_ms = info->created_ms;
	if (info->expires_ms)
		row->expires_ms = info->expires_ms > 0 ? info->expires_ms : 0;
}

static bool roster_show(struct roster *roster, struct item *item)
{
	const struct token_draft *draft = roster->data;
	uint64_t owner = item->id ? id_parse(item->id) : 0;
	struct given_item *set = given_of(item);

	(void)given_begin_reading(set);
	for (size_t i = 0; owner && i < draft->count; i++) {
		const char *id = draft->infos[i].owner_id;

		if (id && id_parse(id) == owner)
			take(set, &draft->infos[i]);
	}
	given_end_reading(roster->access, set);
	return credential_taken(roster->access, item);
}

static const struct roster_class token_roster = {
		.slot = ROSTER_TOKENS, .read_next = roster_read_next, .show = roster_show};

/* ---- writing ---- */

/* The right to use tokens is given by an item of its own: a token is refused before that went through. */
static bool rights_are_under_way(const struct access *access, unsigned target)
{
	if (!access_is_ready(access))
		return true;
	for (vec_each (&access->items, place)) {
		const struct item *item = *place;

		if (item->class == &acl_class && item->target == target &&
				item->securable == SECURABLE_AUTHORIZATION &&
				!item->quarantined_ms &&
				(item->dirty || item->ready || item->delayed || item->work))
			return true;
	}
	return false;
}

static bool may_create(struct item_work *work, const struct credential_terms *terms)
{
	unsigned target = work->item->target;

	if (!terms->values.application_id ||
			!access_principal_is_there(work->access, target, PRINCIPAL_SERVICE,
					object_name(terms->object)))
		return false;
	if (!rights_are_under_way(work->access, target))
		return true;
	item_delay(work->access, work->item, RIGHT_WAIT_NS);
	return false;
}

static void create(struct item_work *work, const struct credential_terms *terms, const char *mark)
{
	struct token_wish wish = {.application_id = terms->values.application_id,
			.lifetime_s = terms->lifetime_ms / 1000,
			.comment = mark};

	token_create_on_behalf(work->engine->databricks, &work->call, &wish);
}

static enum err_code read_created(struct item_work *work, struct credential_made *ret,
		struct secret *ret_secret, struct err *err)
{
	struct token_info made;

	if (token_read_created(&work->call, work->arena, &made, ret_secret, err) != ERR_NONE)
		return err->code;
	*ret = (struct credential_made){
			made.id, made.created_ms, made.expires_ms > 0 ? made.expires_ms : 0};
	return ERR_NONE;
}

static void remove_one(struct item_work *work, const char *id)
{
	token_delete(work->engine->databricks, &work->call, id);
}

static void explain(const struct item_work *work, struct err *err)
{
	if (err->code == ERR_DENIED)
		(void)err_context(err,
				"service principal \"%s\" needs CAN_USE on "
				"authorization/tokens there before it can have a token (`tokens: "
				"{use: true}`)",
				work->item->name);
	else if (err->code == ERR_NOT_FOUND)
		(void)err_context(err,
				"the workspace must know service principal \"%s\" before it "
				"can have a token there (`workspaces:`)",
				work->item->name);
	else if (err->code == ERR_UNSUPPORTED)
		(void)err_context(err,
				"this workspace makes no tokens on behalf of service "
				"principals");
}

static const struct credential_kind token_kind = {
		.given = {.class = &on_behalf_class,
				.prefix = "on_behalf_token",
				.item_size = sizeof(struct credential_item),
				.row_size = sizeof(struct credential_row),
				.release_row = credential_release_row},
		.what = "token",
		.terms = terms,
		.make_mark = make_mark,
		.bears = bears,
		.may_create = may_create,
		.create = create,
		.read_created = read_created,
		.remove = remove_one,
		.explain = explain,
};

const struct item_class on_behalf_class = {
		.resource = RESOURCE_ON_BEHALF_TOKEN,
		.rank = ON_BEHALF_RANK,
		.plan = credential_plan,
		.roster = &token_roster,
		.choose = credential_choose,
		.write_next = credential_write_next,
		.settle = credential_settle,
		.failed = credential_failed,
		.again = credential_again,
		.shows = credential_shows,
		.load = credential_load,
		.count_ours = given_count_held,
		.due_ms = credential_due_ms,
		.cancel = credential_item_cancel,
		.release = credential_item_release,
};
