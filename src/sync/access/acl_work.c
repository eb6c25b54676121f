/* acl_work -- writes of one access control list: which operations go together, and what their answers mean. */
#include "sync/access/acl_item.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

/* The workspace's rights know a principal some minutes after it was made or assigned (field experience: 5 to 10). */
#define REFUSALS_BEFORE_QUARANTINE 5
#define REFUSALS_BEFORE_DROPPING                                                                   \
	3 /* of an entry that a replacement cannot carry: its principal is no more */

static struct acl_item *acl_of(const struct item_work *work)
{
	return (struct acl_item *)work->item;
}

static struct permission_object object_of(const struct item_work *work)
{
	return (struct permission_object){work->item->securable, work->item->id};
}

/* ---- choosing ---- */

/* A merge that is sent in parts: each operation with those of its members that can go now. */
static bool can_have(struct item_work *work, const struct operation *op, size_t at)
{
	struct acl_item *acl = acl_of(work);
	const struct acl_row *row = acl_row(acl, op->members[at].key);
	enum principal_kind kind = acl_kind_of_key(op->members[at].key);

	bool refused = row && row->refused_until_ns > clock_monotonic_ns();

	/* One that was refused may be called otherwise as soon as it is made. */
	if (!refused &&
			access_principal_is_there(work->access, work->item->target, kind,
					op->members[at].name))
		return true;
	item_wait_for(work->access, work->item, op->members[at].key);
	return false;
}

/* He is being made or assigned, and nothing went wrong with that so far. */
static bool is_coming(const struct item_work *work, const struct operation *op, size_t at)
{
	enum principal_kind kind = acl_kind_of_key(op->members[at].key);
	const struct object *object = access_principal(
			work->access, work->item->target, kind, op->members[at].name);

	return object && !object->quarantined_ms && !object->tries &&
			!access_principal_is_there(work->access, work->item->target, kind,
					op->members[at].name);
}

/* Of many writes, those that can be one a moment later wait for that. */
static bool waits_for_more(const struct item_work *work, const struct operation *op)
{
	for (size_t i = 0; i < op->member_count; i++) {
		if (is_coming(work, op, i))
			return work->lane == LANE_BULK && !work->engine->restricted;
	}
	return false;
}

static void add_part(struct item_work *work, const struct operation *op)
{
	struct principal_ref *members =
			arena_alloc(work->arena, (op->member_count + 1) * sizeof(*members));
	const char **levels = arena_alloc(work->arena, (op->member_count + 1) * sizeof(*levels));
	const char **former = arena_alloc(work->arena, (op->member_count + 1) * sizeof(*former));
	struct operation *part;
	size_t count = 0;

	for (size_t i = 0; i < op->member_count; i++) {
		if (!can_have(work, op, i))
			continue;
		members[count] = op->members[i];
		levels[count] = op->values[i];
		former[count] = op->values_before ? op->values_before[i] : NULL;
		count++;
	}
	if (count == 0)
		return;
	part = vec_add(&work->ops);
	*part = *op;
	part->members = members;
	part->values = levels;
	part->values_before = former;
	part->member_count = part->value_count = count;
	if (count < op->member_count)
		operation_set_id(part, work->engine->settings, work->arena);
}

static bool gives_back(const struct operation *op)
{
	return op->kind == OP_REMOVE_PERMISSIONS && op->values_before && op->values_before[0];
}

/* Who was refused is tried again, for minutes; then a person should know. */
static void wait_for_refused(struct item_work *work)
{
	uint64_t now = clock_monotonic_ns(), next = 0;
	const struct acl_row *last = NULL;
	struct err err;

	for (vec_each (&acl_of(work)->rows, row)) {
		if (row->refused_until_ns <= now)
			continue;
		if (!next || row->refused_until_ns < next)
			next = row->refused_until_ns;
		last = !last || row->refusals > last->refusals ? row : last;
	}
	if (!last)
		return;
	if (last->refusals < REFUSALS_BEFORE_QUARANTINE) {
		item_delay(work->access, work->item, next - now);
		return;
	}
	(void)err_set(&err, ERR_REFUSED, 0,
			"%s \"%s\" in %s: the workspace does not know %s \"%s\": assign it "
			"to the workspace (`workspaces:` of a grant), or correct the name",
			securable_traits(work->item->securable)->name, work->item->name,
			work->engine->settings->targets[work->item->target].name,
			principal_kind_name(last->kind), last->name);
	item_retry_later(work->access, work->item, &err);
}

/* A replacement was refused for an entry that it had to carry; it is tried again when that one is. */
static bool is_replacement_refused(struct acl_item *acl)
{
	uint64_t now = clock_monotonic_ns();

	for (vec_each (&acl->rows, row)) {
		if (row->direct && row->refused_until_ns > now)
			return true;
	}
	return false;
}

/* One principal may stand in one request once: an owner that moves and a level that is set, say. */
void acl_choose(struct item_work *work, const struct item_plan *plan)
{
	bool waits = false;

	for (vec_each (&plan->operations, op)) {
		if (!item_may_go(work, op))
			continue;
		if (op->adopts) {
			item_done_without_call(work, op);
		} else if (op->kind == OP_SET_PERMISSIONS || gives_back(op)) {
			waits = waits || waits_for_more(work, op);
			add_part(work, op);
		}
	}
	if (waits) {
		work->ops.count = 0;
		return;
	}
	if (work->ops.count)
		return;
	wait_for_refused(work);
	if (is_replacement_refused(acl_of(work)))
		return;
	for (vec_each (&plan->operations, op)) {
		if (op->kind == OP_REMOVE_PERMISSIONS && item_may_go(work, op))
			*vec_add(&work->ops) = *op;
	}
	if (work->ops.count && acl_of(work)->unreadable) {
		work->ops.count = 0;
		log_event(LOG_WARNING,
				"an access control list has entries that could not be written "
				"back; "
				"nothing is removed from it",
				{"item", work->item->key}, {"name", work->item->name});
	}
}

/* ---- writing ---- */

static size_t add_grants(struct item_work *work, struct acl_grant *grants)
{
	size_t count = 0;

	for (vec_each (&work->ops, op)) {
		for (size_t i = 0; i < op->member_count; i++)
			grants[count++] = (struct acl_grant){acl_kind_of_key(op->members[i].key),
					op->members[i].name,
					gives_back(op) ? op->values_before[i] : op->values[i]};
	}
	return count;
}

static bool is_among(const struct acl_grant *grants, size_t count, const struct acl_row *row)
{
	for (size_t i = 0; i < count; i++) {
		if (grants[i].kind == row->kind && text_equal_folded(grants[i].name, row->name))
			return true;
	}
	return false;
}

static bool gives_owner(const struct acl_grant *grants, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (text_equal(grants[i].level, ACL_OWNER))
			return true;
	}
	return false;
}

/* openly: a former owner is given what the move leaves him, in so many words. false: that adds nothing. */
static bool send_merge(struct item_work *work, bool openly)
{
	struct permission_object object = object_of(work);
	struct acl_item *acl = acl_of(work);
	struct acl_grant *grants;
	struct acl_change change;
	size_t room = acl->rows.count + 1, count;

	for (vec_each (&work->ops, op))
		room += op->member_count;
	grants = arena_alloc(work->arena, room * sizeof(*grants));
	count = room = add_grants(work, grants);
	for (size_t i = 0; openly && gives_owner(grants, room) && i < acl->rows.count; i++) {
		const struct acl_row *row = &acl->rows.items[i];

		if (text_equal(row->direct, ACL_OWNER) && !is_among(grants, room, row))
			grants[count++] = (struct acl_grant){row->kind, row->name, ACL_MANAGE};
	}
	if (openly && count == room)
		return false;
	change = (struct acl_change){grants, count};
	item_work_prepare(work);
	permission_merge(work->engine->databricks, &work->call, &object, &change);
	return true;
}

static bool is_taken_away(const struct item_work *work, const struct acl_grant *grant)
{
	AUTO(mem_freep) char *key = access_principal_key(grant->kind, grant->name);

	for (vec_each (&work->ops, op)) {
		if (text_equal(op->members[0].key, key))
			return true;
	}
	return false;
}

/* Its principal was refused again and again: no replacement can carry it. */
static bool is_dead(const struct item_work *work, const struct acl_grant *grant)
{
	AUTO(mem_freep) char *key = access_principal_key(grant->kind, grant->name);
	const struct acl_row *row = acl_row(acl_of(work), key);

	if (!row || row->refusals < REFUSALS_BEFORE_DROPPING)
		return false;
	log_event(LOG_WARNING,
			"an entry goes with a removal of ours: its principal is not known any more",
			{"item", work->item->key}, {"name", work->item->name},
			{"principal", grant->name}, {"level", grant->level});
	return true;
}

/* What is there now without what goes; false: nothing of it is there any more, or somebody raised it meanwhile. */
static bool send_replacement(struct item_work *work, const struct acl *list, bool without_owner)
{
	struct permission_object object = object_of(work);
	size_t count, kept = 0, taken = 0;
	struct acl_grant *grants = acl_grants(list, 0, work->arena, &count);
	struct acl_change change;

	for (size_t i = 0; i < count; i++) {
		if (is_taken_away(work, &grants[i])) {
			taken++;
			continue;
		}
		if (!is_dead(work, &grants[i]) &&
				!(without_owner && text_equal(grants[i].level, ACL_OWNER)))
			grants[kept++] = grants[i];
	}
	if (!taken)
		return false;
	change = (struct acl_change){grants, kept};
	item_work_prepare(work);
	permission_replace(work->engine->databricks, &work->call, &object, &change);
	return true;
}

/* The level is no longer the one that the plan saw: that is somebody else's now. */
static bool has_moved_on(const struct item_work *work, const struct acl *list)
{
	for (vec_each (&work->ops, op)) {
		const struct acl_entry *entry = acl_find(
				list, acl_kind_of_key(op->members[0].key), op->members[0].name);

		if (entry && entry->direct && !text_equal(entry->direct, op->values[0]))
			return true;
	}
	return false;
}

/* The read does not show yet what we wrote a moment ago: put back as it is, the list would undo that. */
static bool is_late(struct item_work *work, const struct acl *list)
{
	struct acl_item *acl = acl_of(work);

	if (!acl_is_fresh(acl) || !acl_difference(acl, list)) {
		acl->late = 0;
		return false;
	}
	item_delay(work->access, work->item, ACL_SECOND_LOOK_NS << acl->late);
	acl->late++;
	return true;
}

static bool read_back(struct item_work *work, struct acl *ret)
{
	struct err err;

	return permission_acl(&work->call, work->item->securable, work->arena, ret, &err) ==
			ERR_NONE;
}

/* Entries that were there when we replaced the list and are not in its answer: lost between our read and our write. */
static void tell_lost(struct item_work *work, const struct acl *before, const struct acl *after)
{
	for (size_t i = 0; i < before->count; i++) {
		const struct acl_entry *entry = &before->entries[i];
		struct acl_grant grant = {entry->kind, entry->name, entry->direct};
		const struct acl_entry *now = acl_find(after, entry->kind, entry->name);

		if (!entry->direct || is_taken_away(work, &grant) || (now && now->direct))
			continue;
		log_event(LOG_WARNING,
				"an entry of somebody else is missing after a removal of ours",
				{"item", work->item->key}, {"name", work->item->name},
				{"principal", entry->name}, {"level", entry->direct});
	}
}

static const struct acl *copy_entries(struct acl *copy, const struct acl *list, struct arena *arena)
{
	struct acl_entry *entries = arena_alloc(arena, (list->count + 1) * sizeof(*entries));

	for (size_t i = 0; i < list->count; i++) {
		const struct acl_entry *entry = &list->entries[i];

		entries[i] = (struct acl_entry){.kind = entry->kind,
				.name = arena_strdup(arena, entry->name),
				.direct = arena_strdup(arena, entry->direct),
				.inherited = arena_strdup(arena, entry->inherited),
				.from = arena_strdup(arena, entry->from),
				.folded = arena_strdup(arena, entry->folded)};
	}
	copy->entries = entries;
	return copy;
}

static struct acl *copy(const struct acl *list, struct arena *arena)
{
	struct acl *ret = arena_alloc(arena, sizeof(*ret));

	*ret = *list;
	(void)copy_entries(ret, list, arena);
	return ret;
}

static bool shows_all(const struct item_work *work, const struct acl *list)
{
	for (vec_each (&work->ops, op)) {
		for (size_t i = 0; i < op->member_count; i++) {
			const struct acl_entry *entry = acl_find(list,
					acl_kind_of_key(op->members[i].key), op->members[i].name);
			const char *direct = entry ? entry->direct : NULL;
			const char *after = op->kind == OP_SET_PERMISSIONS ? op->values[i]
					: op->values_before                ? op->values_before[i]
									   : NULL;

			if (!text_equal(direct, after))
				return false;
		}
	}
	return true;
}

static void check_answer(struct item_work *work, const struct acl *before)
{
	struct acl after;

	if (read_back(work, &after)) {
		if (before)
			tell_lost(work, before, &after);
		if (shows_all(work, &after))
			return;
	}
	acl_of(work)->verify = work->item->read_wanted = true;
}

/* Nothing is done. Unless it is tried again in a while, the read that follows says whose it is now. */
static void do_nothing(struct item_work *work)
{
	for (vec_each (&work->ops, op))
		store_drop_intent(records_batch(work->engine), op->id);
	work->ops.count = 0;
	work->item->read_wanted = !acl_of(work)->late;
}

bool acl_write_next(struct item_work *work)
{
	struct permission_object object = object_of(work);
	bool removes = work->ops.items[0].kind == OP_REMOVE_PERMISSIONS &&
			!gives_back(&work->ops.items[0]);
	struct acl *before = work->scratch;

	if (work->step == 0)
		acl_of(work)->owner_retried = false;
	if (!removes && work->step == 0)
		return send_merge(work, false);
	if (!removes) {
		check_answer(work, NULL);
		return false;
	}
	if (work->step == 0) {
		item_work_prepare(work);
		permission_get(work->engine->databricks, &work->call, &object);
		return true;
	}
	if (work->step > 1) {
		check_answer(work, before);
		return false;
	}
	before = work->scratch = arena_alloc(work->arena, sizeof(*before));
	if (!read_back(work, before) || is_late(work, before) || has_moved_on(work, before)) {
		do_nothing(work);
		return false;
	}
	/* Its texts must outlive the call that it was read by. */
	work->scratch = before = copy(before, work->arena);
	return send_replacement(work, before, false);
}

/* How owners are to be written is not the same everywhere; the other way is tried once. */
bool acl_again(struct item_work *work)
{
	struct acl_item *acl = acl_of(work);

	if (acl->owner_retried)
		return false;
	acl->owner_retried = true;
	if (work->call.refusal == REFUSAL_OWNER && work->step == 0)
		return send_merge(work, true);
	if (work->call.refusal == REFUSAL_OWNER_LOST && work->step == 1 && work->scratch)
		return acl_owner(work->scratch) && send_replacement(work, work->scratch, true);
	return false;
}
