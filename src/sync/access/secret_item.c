/* secret_item -- which service principals have secrets, and the calls that make them. */
#include "sync/access/secret_item.h"

#include "base/buf.h"
#include "base/digest.h"
#include "base/text.h"
#include "databricks/service_principal_secret.h"
#include "sync/access/credential.h"

#define SECRET_RANK 70
#define SECOND_LOOK_NS (2 * SECOND_NS)
#define BESIDE_MAX ((size_t)4096) /* bytes of the ids of those that were there before */
/* How much less than the rule says: up to a hundredth, in steps that no rounding of times blurs. */
#define LESS_SHARE 100
#define LESS_MAX_S 3600
#define LESS_STEP_S 3
#define LESS_OF_ROOM 4 /* nor more than this part of the time until it is replaced */

static const struct credential_kind secret_kind;

struct item *secret_item(struct access *access, const char *id, const char *name)
{
	return given_item(access, &secret_kind.given, 0, id, name);
}

/* ---- who has one ---- */

static const struct service_rule *rule_of(const struct access *access, const struct object *object)
{
	const struct service_rule *rule = given_rule(access, object);

	return rule && rule->has_secret ? rule : NULL;
}

static bool asks(const struct access *access, const struct object *object)
{
	return rule_of(access, object) != NULL;
}

void secrets_principal_changed(struct access *access, const struct object *object)
{
	given_account_changed(access, &secret_kind.given, object, asks);
}

void secrets_resolve(struct access *access)
{
	const struct registry *registry = access->engine->registry;

	for (size_t i = 0; i < registry_count(registry); i++)
		secrets_principal_changed(access, registry_at(registry, i));
}

static void terms(
		const struct access *access, const struct item *item, struct credential_terms *ret)
{
	const struct service_rule *rule;

	*ret = (struct credential_terms){.object = given_owner(access, item)};
	rule = ret->object ? rule_of(access, ret->object) : NULL;
	if (!rule)
		return;
	ret->wanted = true;
	ret->why = rule->secret_why;
	ret->lifetime_ms = rule->lifetime_ms;
	ret->rotate_before_ms = rule->rotate_before_ms;
	ret->write_to = &rule->write_to;
	ret->values = given_values(item, ret->object);
}

/* ---- marks ---- */

/* What is taken off leaves room for rotation: a life that is hardly longer than its last part is not cut. */
static int64_t less_of(const struct credential_terms *terms)
{
	int64_t most = terms->lifetime_ms / 1000 / LESS_SHARE;
	int64_t room = (terms->lifetime_ms - terms->rotate_before_ms) / 1000 / LESS_OF_ROOM;
	uint32_t random;

	digest_random(&random, sizeof(random));
	most = most < room ? most : room;
	most = (most < LESS_MAX_S ? most : LESS_MAX_S) / LESS_STEP_S;
	return most > 0 ? (int64_t)random % most * LESS_STEP_S : 0;
}

/* "SECONDS ID ID ...": the lifetime that is asked for, and those that are there. */
static const char *make_mark(const struct credential_item *set,
		const struct credential_terms *terms, struct arena *arena)
{
	const char *mark = "0";
	struct buf out;

	buf_init(&out, BESIDE_MAX);
	buf_printf(&out, "%lld", (long long)(terms->lifetime_ms / 1000 - less_of(terms)));
	for (vec_each (&set->given.rows, row))
		buf_printf(&out, " %s", (*row)->id);
	if (!out.overflowed)
		mark = arena_strdup(arena, buf_text(&out));
	buf_release(&out);
	return mark;
}

static int64_t lifetime_of_mark(const char *mark)
{
	AUTO(mem_freep) char *number = mem_strndup(mark, strcspn(mark, " "));
	int64_t seconds = 0;

	(void)text_parse_int(number, 0, SERVICE_SECRET_LIFETIME_MAX_S, &seconds);
	return seconds;
}

static bool was_beside(const char *mark, const char *id)
{
	size_t len = strlen(id);

	for (const char *at = strchr(mark, ' '); at; at = strchr(at + 1, ' ')) {
		if (strncmp(at + 1, id, len) == 0 && (at[1 + len] == ' ' || !at[1 + len]))
			return true;
	}
	return false;
}

/* Times are read to the second. */
static bool bears(const struct credential_row *row, const char *mark)
{
	int64_t life_s = (row->expires_ms - row->made_ms) / 1000;
	int64_t asked_s = lifetime_of_mark(mark);

	return row->expires_ms && row->made_ms && life_s >= asked_s - 1 && life_s <= asked_s + 1 &&
			!was_beside(mark, row->given.id);
}

/* ---- calls ---- */

static void take(struct item_work *work, const void *records, size_t count)
{
	const struct service_secret *secrets = records;
	struct given_item *set = given_of(work->item);

	(void)given_begin_reading(set);
	for (size_t i = 0; i < count; i++) {
		struct credential_row *row =
				(struct credential_row *)given_make(set, secrets[i].id);

		row->given.there = true;
		row->active = service_secret_is_active(&secrets[i]);
		row->made_ms = secrets[i].created_ms;
		row->expires_ms = secrets[i].expires_ms;
	}
	given_end_reading(work->access, set);
	if (!credential_taken(work->access, work->item))
		item_delay(work->access, work->item, SECOND_LOOK_NS);
}

static bool read_next(struct item_work *work)
{
	if (work->step > 0 || !work->item->id)
		return false;
	item_work_prepare(work);
	given_of(work->item)->listing = service_secret_list_start(
			work->engine->databricks, 0, work->item->id, given_listed, work);
	return true;
}

static void create(struct item_work *work, const struct credential_terms *terms, const char *mark)
{
	(void)terms;
	service_secret_create(work->engine->databricks, &work->call, work->item->id,
			lifetime_of_mark(mark));
}

static enum err_code read_created(struct item_work *work, struct credential_made *ret,
		struct secret *ret_secret, struct err *err)
{
	struct service_secret made;

	if (service_secret_read_created(&work->call, work->arena, &made, ret_secret, err) !=
			ERR_NONE)
		return err->code;
	*ret = (struct credential_made){made.id, made.created_ms, made.expires_ms};
	return ERR_NONE;
}

static void remove_one(struct item_work *work, const char *id)
{
	service_secret_delete(work->engine->databricks, &work->call, work->item->id, id);
}

static const struct credential_kind secret_kind = {
		.given = {.class = &secret_class,
				.prefix = "secret",
				.item_size = sizeof(struct credential_item),
				.row_size = sizeof(struct credential_row),
				.release_row = credential_release_row,
				.take = take},
		.what = "secret",
		.most = SERVICE_SECRETS_MAX,
		.guess = true,
		.terms = terms,
		.make_mark = make_mark,
		.bears = bears,
		.create = create,
		.read_created = read_created,
		.remove = remove_one,
};

const struct item_class secret_class = {
		.resource = RESOURCE_SECRET,
		.rank = SECRET_RANK,
		.plan = credential_plan,
		.read_next = read_next,
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
