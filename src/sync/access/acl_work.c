/* acl_work -- reads and writes of one access control list, and what its answers mean. */
#include "sync/access/acl_item.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "databricks/permission.h"

#define SECOND_LOOK_NS (2 * SECOND_NS)
/* The workspace's rights know a principal some minutes after it was made or assigned (field experience: 5 to 10). */
#define REFUSED_FIRST_NS (2 * SECOND_NS)
#define REFUSED_DOUBLINGS 7
#define REFUSALS_BEFORE_QUARANTINE 5
#define LEVEL_OWNER "IS_OWNER"
#define LEVEL_MANAGE "CAN_MANAGE"

static struct acl_item *acl_of(const struct item_work *work)
{
	return (struct acl_item *)work->item;
}

static struct permission_object object_of(const struct item_work *work)
{
	return (struct permission_object){work->item->securable, work->item->id};
}

/* ---- what a list says ---- */

static const char *entry_key(const struct acl_entry *entry, struct arena *arena)
{
	AUTO(mem_freep) char *key = access_principal_key(entry->kind, entry->name);

	return arena_strdup(arena, key);
}

/* How a list differs from what is ours; 0: it does not. */
static uint64_t difference(const struct acl_item *acl, const struct acl *list)
{
	uint64_t digest = 0;

	for (size_t i = 0; i < acl->rows.count; i++) {
		const struct acl_row *row = &acl->rows.items[i];
		const struct acl_entry *entry =
				row->held ? acl_find(list, row->kind, row->name) : NULL;
		const char *direct = entry ? entry->direct : NULL;

		if (!row->held || text_equal(direct, row->held))
			continue;
		digest = digest * 31 + digest_quick(span_of(row->key));
		digest = digest * 31 + digest_quick(span_of(direct ? direct : ""));
	}
	return digest ? digest | 1 : 0;
}

static void drop_hold(struct access *access, struct acl_item *acl, struct acl_row *row)
{
	item_release_hold(access, &acl->item, row->key);
	mem_replace_text(&row->held, NULL);
	mem_replace_text(&row->former, NULL);
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
			drop_hold(access, acl, row);
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

bool acl_read_next(struct item_work *work)
{
	struct acl_item *acl = acl_of(work);
	struct item *item = work->item;
	struct permission_object object = object_of(work);
	bool fresh = item->written_ns && clock_monotonic_ns() - item->written_ns < READ_LAG_NS &&
			!acl->verify;
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
	differs = difference(acl, &list);
	/* Inside the window our confirmed writes are the truth, and drift is called by two reads that agree. */
	if (differs && fresh)
		return false;
	if (differs && item->suspect != differs) {
		item->suspect = differs;
		item_delay(work->access, item, SECOND_LOOK_NS);
		return false;
	}
	if (differs && !acl->verify)
		tell_drift(work);
	item->suspect = 0;
	acl->verify = false;
	take_list(work->access, acl, &list, work->arena);
	return false;
}

/* ---- choosing ---- */

/* A merge that is sent in parts: each operation with those of its members that can go now. */
static bool can_have(struct item_work *work, const struct operation *op, size_t at)
{
	struct acl_item *acl = acl_of(work);
	const struct acl_row *row = acl_row(acl, op->members[at].key);
	enum principal_kind kind = acl_kind_of_key(op->members[at].key);

	if (row && row->refused_until_ns > clock_monotonic_ns())
		return false;
	if (access_principal_is_there(work->access, work->item->target, kind, op->members[at].name))
		return true;
	item_wait_for(work->access, work->item, op->members[at].key);
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

/* One principal may stand in one request once: an owner that moves and a level that is set, say. */
void acl_choose(struct item_work *work, const struct item_plan *plan)
{
	for (vec_each (&plan->operations, op)) {
		if (!item_may_go(work, op))
			continue;
		if (op->adopts)
			item_done_without_call(work, op);
		else if (op->kind == OP_SET_PERMISSIONS || gives_back(op))
			add_part(work, op);
	}
	if (work->ops.count)
		return;
	wait_for_refused(work);
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

static void send_merge(struct item_work *work)
{
	struct permission_object object = object_of(work);
	struct acl_grant *grants;
	struct acl_change change;
	size_t room = 1, count = 0;

	for (vec_each (&work->ops, op))
		room += op->member_count;
	grants = arena_alloc(work->arena, room * sizeof(*grants));
	for (vec_each (&work->ops, op)) {
		for (size_t i = 0; i < op->member_count; i++)
			grants[count++] = (struct acl_grant){acl_kind_of_key(op->members[i].key),
					op->members[i].name,
					gives_back(op) ? op->values_before[i] : op->values[i]};
	}
	change = (struct acl_change){grants, count};
	item_work_prepare(work);
	permission_merge(work->engine->databricks, &work->call, &object, &change);
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

/* What is there now without what goes; false: nothing of it is there any more, or somebody raised it meanwhile. */
static bool send_replacement(struct item_work *work, const struct acl *list)
{
	struct permission_object object = object_of(work);
	size_t count, kept = 0;
	struct acl_grant *grants = acl_grants(list, 0, work->arena, &count);
	struct acl_change change;

	for (size_t i = 0; i < count; i++) {
		if (!is_taken_away(work, &grants[i]))
			grants[kept++] = grants[i];
	}
	if (kept == count)
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

bool acl_write_next(struct item_work *work)
{
	struct permission_object object = object_of(work);
	bool removes = work->ops.items[0].kind == OP_REMOVE_PERMISSIONS &&
			!gives_back(&work->ops.items[0]);
	struct acl *before = work->scratch;

	if (!removes && work->step == 0) {
		send_merge(work);
		return true;
	}
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
	if (!read_back(work, before) || has_moved_on(work, before)) {
		/* Nothing is done; the read that follows says whose it is now. */
		for (vec_each (&work->ops, op))
			store_drop_intent(records_batch(work->engine), op->id);
		work->ops.count = 0;
		work->item->read_wanted = true;
		return false;
	}
	/* Its texts must outlive the call that it was read by. */
	work->scratch = before = copy(before, work->arena);
	return send_replacement(work, before);
}

/* ---- what became of it ---- */

/* A job, pipeline or warehouse has one owner: the former one is CAN_MANAGE after a move. */
static void move_owner(struct access *access, struct acl_item *acl, const char *new_key)
{
	for (vec_each (&acl->rows, row)) {
		if (text_equal(row->key, new_key) || !text_equal(row->direct, LEVEL_OWNER))
			continue;
		mem_replace_text(&row->direct, LEVEL_MANAGE);
		if (!row->held)
			continue;
		mem_replace_text(&row->held, LEVEL_MANAGE);
		item_hold(access, &acl->item, row->key, row->held, row->former);
	}
}

static void settle_set(
		struct access *access, struct acl_item *acl, const struct operation *op, size_t at)
{
	struct acl_row *row = acl_row_make(acl, op->members[at].key, op->members[at].name);

	if (!row->held && !op->adopts)
		mem_replace_text(&row->former, op->values_before ? op->values_before[at] : NULL);
	if (text_equal(op->values[at], LEVEL_OWNER))
		move_owner(access, acl, row->key);
	mem_replace_text(&row->direct, op->values[at]);
	mem_replace_text(&row->held, op->values[at]);
	row->refused_until_ns = 0;
	row->refusals = 0;
	item_hold(access, &acl->item, row->key, row->held, row->former);
}

static void settle_removal(struct access *access, struct acl_item *acl, const struct operation *op)
{
	struct acl_row *row = acl_row(acl, op->members[0].key);

	if (!row)
		return;
	if (row->held)
		drop_hold(access, acl, row);
	mem_replace_text(&row->direct, op->values_before ? op->values_before[0] : NULL);
}

void acl_settle(struct access *access, struct item *item, const struct operation *op)
{
	struct acl_item *acl = (struct acl_item *)item;

	if (!op->adopts)
		item->written_ns = clock_monotonic_ns();
	if (op->kind == OP_REMOVE_PERMISSIONS)
		settle_removal(access, acl, op);
	for (size_t i = 0; op->kind == OP_SET_PERMISSIONS && i < op->member_count; i++)
		settle_set(access, acl, op, i);
	acl_sweep(access, acl);
}

bool acl_shows(struct item *item, const struct operation *op)
{
	struct acl_item *acl = (struct acl_item *)item;

	for (size_t i = 0; i < op->member_count; i++) {
		const struct acl_row *row = acl_row(acl, op->members[i].key);
		const char *after = op->kind == OP_SET_PERMISSIONS ? op->values[i]
				: op->values_before                ? op->values_before[i]
								   : NULL;

		if (!text_equal(row ? row->direct : NULL, after))
			return false;
	}
	return operation_sets_permissions(op);
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
			drop_hold(work->access, acl, row);
		mem_replace_text(&row->direct, NULL);
		mem_replace_text(&row->inherited, NULL);
	}
	work->item->read_wanted = false;
	work->item->observed = false;
	acl->gone = true;
	acl_sweep(work->access, acl);
	work->item->disposable = true;
}

bool acl_failed(struct item_work *work)
{
	if (work->call.refusal == REFUSAL_PRINCIPAL)
		return leave_out(work);
	if (work->call.code != ERR_NOT_FOUND && work->call.code != ERR_UNSUPPORTED)
		return false;
	/* Seconds after it was made its list may not be there yet: it counts as gone when a second look misses it, too. */
	if (work->stage == ITEM_READ && work->item->suspect == 1) {
		object_gone(work);
		return true;
	}
	work->item->suspect = 1;
	work->item->read_wanted = true;
	item_delay(work->access, work->item, SECOND_LOOK_NS);
	return true;
}
