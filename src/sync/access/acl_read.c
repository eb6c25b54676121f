/* acl_read -- one access control list as Databricks tells it: what a read means, what a refusal means. */
#include "sync/access/acl_item.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"

#define REFUSED_FIRST_NS (2 * SECOND_NS)
#define REFUSED_DOUBLINGS 7
#define UNSEEN_MAX                                                                                 \
	3 /* writes that were answered well and had no effect, before a person should know */

static struct acl_item *acl_of(const struct item_work *work)
{
	return (struct acl_item *)work->item;
}

/* ---- what a list says ---- */

static const char *entry_key(const struct acl_entry *entry, struct arena *arena)
{
	AUTO(mem_freep) char *key = access_principal_key(entry->kind, entry->name);

	return arena_strdup(arena, key);
}

/* What a list should say of a row as far as that is up to us; NULL: nothing. */
static const char *expected(
		const struct acl_item *acl, const struct acl_row *row, bool *ret_is_ours)
{
	*ret_is_ours = row->held || (row->gone && acl_is_fresh(acl));
	return row->held ? row->held : NULL;
}

uint64_t acl_difference(const struct acl_item *acl, const struct acl *list)
{
	uint64_t digest = 0;

	for (size_t i = 0; i < acl->rows.count; i++) {
		const struct acl_row *row = &acl->rows.items[i];
		const struct acl_entry *entry;
		const char *direct;
		bool is_ours;
		const char *wanted = expected(acl, row, &is_ours);

		if (!is_ours)
			continue;
		entry = acl_find(list, row->kind, row->name);
		direct = entry ? entry->direct : NULL;
		if (text_equal(direct, wanted) || (!wanted && !text_equal(direct, row->gone)))
			continue;
		digest = digest * 31 + digest_quick(span_of(row->key));
		digest = digest * 31 + digest_quick(span_of(direct ? direct : ""));
	}
	return digest ? digest | 1 : 0;
}

bool acl_is_fresh(const struct acl_item *acl)
{
	return acl->item.written_ns && clock_monotonic_ns() - acl->item.written_ns < READ_LAG_NS;
}

void acl_drop_hold(struct access *access, struct acl_item *acl, struct acl_row *row)
{
	item_release_hold(access, &acl->item, row->key);
	mem_replace_text(&row->held, NULL);
	mem_replace_text(&row->former, NULL);
}

static void take_hold_back(struct access *access, struct acl_item *acl, struct acl_row *row)
{
	mem_replace_text(&row->held, row->gone);
	mem_replace_text(&row->gone, NULL);
	item_hold(access, &acl->item, row->key, row->held, NULL);
}

static void take_list(struct access *access, struct acl_item *acl, const struct acl *list,
		struct arena *arena)
{
	for (vec_each (&acl->rows, row)) {
		mem_replace_text(&row->direct, NULL);
		mem_replace_text(&row->inherited, NULL);
		mem_replace_text(&row->from, NULL);
	}
	for (size_t i = 0; i < list->count; i++) {
		const struct acl_entry *entry = &list->entries[i];
		struct acl_row *row = acl_row_make(acl, entry_key(entry, arena), entry->name);

		mem_replace_text(&row->name, entry->name);
		mem_replace_text(&row->direct, entry->direct);
		mem_replace_text(&row->inherited, entry->inherited);
		mem_replace_text(&row->from, entry->from);
	}
	acl->unreadable = list->unreadable > 0;
	for (vec_each (&acl->rows, row)) {
		/* Somebody else changed it: what is there now is his, and what is wanted beyond is planned anew. */
		if (row->held && !text_equal(row->direct, row->held))
			acl_drop_hold(access, acl, row);
		/* Taking it away had no effect: it is still ours to take away. */
		else if (row->gone && acl->verify && text_equal(row->direct, row->gone))
			take_hold_back(access, acl, row);
	}
	acl_sweep(access, acl);
}

static void tell_drift(const struct item_work *work)
{
	log_event(LOG_NOTICE, "drift: permissions changed in Databricks by another hand",
			{"item", work->item->key}, {"name", work->item->name},
			{"target", work->engine->settings->targets[work->item->target].name});
}

/* ---- reading ---- */

/* Answers were good, and reads show nothing of it: writing on for ever is no help. */
static void give_up_for_now(struct item_work *work)
{
	struct item *item = work->item;
	struct err err;

	(void)err_set(&err, ERR_REFUSED, 0,
			"%s \"%.100s\" in %s: Databricks took the permissions %u times and does "
			"not "
			"show them",
			securable_traits(item->securable)->name, item->name,
			work->engine->settings->targets[item->target].name, acl_of(work)->unseen);
	item->tries = acl_of(work)->unseen;
	item_retry_later(work->access, item, &err);
}

/* Two reads agree, or nothing differs. */
static void take_read(struct item_work *work, const struct acl *list, uint64_t differs)
{
	struct acl_item *acl = acl_of(work);
	bool without_effect = acl->verify && differs;

	if (differs && !acl->verify)
		tell_drift(work);
	if (acl->verify)
		acl->unseen = differs ? acl->unseen + 1 : 0;
	work->item->suspect = 0;
	take_list(work->access, acl, list, work->arena);
	acl->verify = acl->unsupported = false;
	if (without_effect && acl->unseen >= UNSEEN_MAX)
		give_up_for_now(work);
}

bool acl_read_next(struct item_work *work)
{
	struct acl_item *acl = acl_of(work);
	struct item *item = work->item;
	struct permission_object object = {item->securable, item->id};
	struct acl list;
	struct err err;
	uint64_t differs;

	if (work->step == 0) {
		item_work_prepare(work);
		permission_get(work->engine->databricks, &work->call, &object);
		return true;
	}
	if (permission_acl(&work->call, item->securable, work->arena, &list, &err) != ERR_NONE) {
		item_retry_later(work->access, item, &err);
		return false;
	}
	differs = acl_difference(acl, &list);
	/* Inside the window our confirmed writes are the truth, and drift is called by two reads that agree. */
	if (differs && acl_is_fresh(acl) && !acl->verify)
		return false;
	if (differs && item->suspect != differs) {
		item->suspect = differs;
		item_delay(work->access, item, ACL_SECOND_LOOK_NS);
		return false;
	}
	take_read(work, &list, differs);
	return false;
}

/* ---- refusals ---- */

/* The others are set without him; he is tried again, for minutes. */
static bool leave_out(struct item_work *work)
{
	struct acl_item *acl = acl_of(work);
	enum principal_kind kind;
	const char *name;
	AUTO(mem_freep) char *key = NULL;
	struct acl_row *row;

	if (!permission_unknown_principal(&work->call, &kind, &name))
		return false;
	key = access_principal_key(kind, name);
	row = acl_row_make(acl, key, name);
	row->refused_until_ns = clock_monotonic_ns() + (REFUSED_FIRST_NS << row->refusals);
	if (row->refusals < REFUSED_DOUBLINGS)
		row->refusals++;
	log_event(row->refusals < 4 ? LOG_INFO : LOG_WARNING,
			"the workspace does not know this principal yet; the rest goes on",
			{"item", work->item->key}, {"name", work->item->name}, {"principal", name},
			{"target", work->engine->settings->targets[work->item->target].name},
			{"tries", log_int(row->refusals)});
	return true;
}

/* The object is gone, and with it what was ours of it. */
static void object_gone(struct item_work *work)
{
	struct acl_item *acl = acl_of(work);

	for (vec_each (&acl->rows, row)) {
		if (row->held)
			acl_drop_hold(work->access, acl, row);
		mem_replace_text(&row->direct, NULL);
		mem_replace_text(&row->inherited, NULL);
	}
	work->item->read_wanted = false;
	work->item->observed = false;
	acl->gone = true;
	acl_sweep(work->access, acl);
	/* What a rule names by its id stays, to be told of. */
	work->item->disposable = !acl->named;
}

/* The type is not offered there (any more): what is ours stays ours, nothing can be done. */
static void not_offered(struct item_work *work)
{
	acl_of(work)->unsupported = true;
	work->item->read_wanted = false;
	acl_sweep(work->access, acl_of(work));
}

static bool has_owner(const struct acl_item *acl)
{
	for (size_t i = 0; i < acl->rows.count; i++) {
		if (text_equal(acl->rows.items[i].direct, ACL_OWNER))
			return true;
	}
	return false;
}

static void explain_refusal(struct item_work *work)
{
	bool about_owner = work->call.refusal == REFUSAL_OWNER ||
			work->call.refusal == REFUSAL_OWNER_LOST;

	if (about_owner && !has_owner(acl_of(work)))
		(void)err_context(&work->call.err,
				"%s \"%.80s\" has no owner, and nothing is set there before a rule "
				"gives IS_OWNER to somebody",
				securable_traits(work->item->securable)->name, work->item->name);
}

bool acl_failed(struct item_work *work)
{
	if (work->call.refusal == REFUSAL_PRINCIPAL)
		return leave_out(work);
	if (work->call.code == ERR_UNSUPPORTED) {
		not_offered(work);
		return true;
	}
	if (work->call.code != ERR_NOT_FOUND) {
		explain_refusal(work);
		return false;
	}
	/* Seconds after it was made its list may not be there yet: it counts as gone when a second look misses it, too. */
	if (work->stage == ITEM_READ && work->item->suspect == 1) {
		object_gone(work);
		return true;
	}
	work->item->suspect = 1;
	work->item->read_wanted = true;
	item_delay(work->access, work->item, ACL_SECOND_LOOK_NS);
	return true;
}
