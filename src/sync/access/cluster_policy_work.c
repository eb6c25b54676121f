/* cluster_policy_work -- reads of a workspace's policies, writes of one, and what they mean. */
#include "sync/access/cluster_policy_item.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "sync/access/acl.h"

#define USERS_SHOWN 3 /* of what is under a policy that goes */

/* What is under a policy that goes. */
struct users {
	size_t count;
	char names[256]; /* of the first ones */
	bool unread;
};

/*
 * The read of a workspace: policies -> families, if a rule names one -> for each policy that is to go its clusters -> its jobs.
 */
struct policy_reading {
	struct policy_list list; /* first: what becomes of it is the roster's data */
	enum { READ_POLICIES, READ_FAMILIES, READ_CLUSTERS, READ_JOBS } stage; /* asked last */
	struct listing *listing;                                               /* under way */
	struct item **going;
	size_t going_count, going_at;
	struct users clusters, jobs;
};

static bool is_policy_at(const struct item *item, unsigned target)
{
	return item->class == &cluster_policy_class && item->target == target;
}

static bool family_is_wanted(const struct roster *roster)
{
	for (vec_each (&roster->access->items, place)) {
		if (is_policy_at(*place, roster->target) && policy_of(*place)->rule &&
				policy_of(*place)->wanted.family)
			return true;
	}
	return false;
}

/* ---- families ---- */

static void take_families(
		void *context, const void *items, size_t count, const struct err *err_or_null)
{
	struct roster *roster = context;
	struct policy_reading *reading = roster->draft;
	const struct policy_family *families = items;
	struct policy_family *copies = arena_alloc(roster->fresh, (count + 1) * sizeof(*copies));

	reading->listing = NULL;
	for (size_t i = 0; i < count; i++)
		copies[i] = (struct policy_family){
				.id = arena_strdup(roster->fresh, families[i].id),
				.name = arena_strdup(roster->fresh, families[i].name)};
	reading->list.families = copies;
	reading->list.family_count = count;
	reading->list.families_read = !err_or_null;
	if (err_or_null)
		roster_fail(roster, err_or_null);
	roster_go_on(roster);
}

/* ---- who uses what goes ---- */

static void list_going(struct roster *roster, struct policy_reading *reading)
{
	struct access *access = roster->access;

	reading->going = arena_alloc(
			roster->fresh, (access->items.count + 1) * sizeof(struct item *));
	for (vec_each (&access->items, place)) {
		const struct policy_item *policy = policy_of(*place);

		if (is_policy_at(*place, roster->target) && policy->held && !policy->rule &&
				!policy_would_stay(policy))
			reading->going[reading->going_count++] = *place;
	}
}

static void add_user(struct users *users, const char *name)
{
	size_t length = strlen(users->names);

	if (users->count++ < USERS_SHOWN)
		(void)snprintf(users->names + length, sizeof(users->names) - length, "%s%.60s",
				length ? ", " : "", name);
}

static void take_clusters(
		void *context, const void *items, size_t count, const struct err *err_or_null)
{
	struct roster *roster = context;
	struct policy_reading *reading = roster->draft;
	const struct policy_cluster *clusters = items;
	const char *id = reading->going[reading->going_at]->id;

	reading->listing = NULL;
	reading->clusters.unread = err_or_null != NULL;
	for (size_t i = 0; i < count; i++) {
		/* a server that does not know the filter gives all */
		if (text_equal(clusters[i].policy_id, id))
			add_user(&reading->clusters,
					clusters[i].name ? clusters[i].name : clusters[i].id);
	}
	roster_go_on(roster);
}

static void take_jobs(void *context, const void *items, size_t count, const struct err *err_or_null)
{
	struct roster *roster = context;
	struct policy_reading *reading = roster->draft;
	const struct policy_job *jobs = items;

	reading->listing = NULL;
	reading->jobs.unread = err_or_null != NULL;
	for (size_t i = 0; i < count; i++)
		add_user(&reading->jobs, jobs[i].id);
	roster_go_on(roster);
}

/* "2 clusters (nightly, hourly)" */
static char *users_text(const struct users *users, const char *what)
{
	if (users->unread)
		return mem_printf("%ss that could not be read", what);
	if (!users->count)
		return mem_printf("no %s", what);
	return mem_printf("%zu %s%s (%s%s)", users->count, what, users->count == 1 ? "" : "s",
			users->names, users->count > USERS_SHOWN ? ", ..." : "");
}

static void note_usage(struct policy_reading *reading)
{
	struct policy_item *policy = policy_of(reading->going[reading->going_at++]);
	AUTO(mem_freep) char *clusters = users_text(&reading->clusters, "cluster");
	AUTO(mem_freep) char *jobs = users_text(&reading->jobs, "job");

	mem_free(policy->usage);
	policy->usage = mem_printf("used by %s and %s", clusters, jobs);
	reading->clusters = reading->jobs = (struct users){0};
}

/* ---- reading ---- */

static bool take_policies(struct roster *roster, struct policy_reading *reading)
{
	struct err err;

	if (cluster_policy_list_read(&roster->call, roster->fresh, &reading->list.policies,
			    &reading->list.count, &err) == ERR_NONE)
		return true;
	roster_fail(roster, &err);
	return false;
}

static bool ask_policies(struct roster *roster)
{
	roster->draft = arena_alloc(roster->fresh, sizeof(struct policy_reading));
	roster_prepare(roster);
	cluster_policy_list(roster->access->engine->databricks, &roster->call);
	return true;
}

static bool ask_families(struct roster *roster, struct policy_reading *reading)
{
	reading->stage = READ_FAMILIES;
	reading->listing = policy_family_list_start(
			roster->access->engine->databricks, roster->target, take_families, roster);
	return true;
}

static bool ask_clusters(struct roster *roster, struct policy_reading *reading)
{
	if (reading->going_at == reading->going_count)
		return false;
	reading->stage = READ_CLUSTERS;
	reading->listing = policy_cluster_list_start(roster->access->engine->databricks,
			roster->target, reading->going[reading->going_at]->id, take_clusters,
			roster);
	return true;
}

static bool ask_jobs(struct roster *roster, struct policy_reading *reading)
{
	reading->stage = READ_JOBS;
	reading->listing = policy_job_list_start(roster->access->engine->databricks, roster->target,
			reading->going[reading->going_at]->id, take_jobs, roster);
	return true;
}

static bool policy_read(struct roster *roster)
{
	struct policy_reading *reading = roster->draft;

	if (roster->step == 0)
		return ask_policies(roster);
	switch (reading->stage) {
	case READ_POLICIES:
		if (!take_policies(roster, reading))
			return false;
		list_going(roster, reading);
		return family_is_wanted(roster) ? ask_families(roster, reading)
						: ask_clusters(roster, reading);
	case READ_FAMILIES:
		return ask_clusters(roster, reading);
	case READ_CLUSTERS:
		return ask_jobs(roster, reading);
	case READ_JOBS:
		note_usage(reading);
		return ask_clusters(roster, reading);
	}
	return false;
}

static void policy_cancel(struct roster *roster)
{
	struct policy_reading *reading = roster->draft;

	if (reading && reading->listing)
		listing_cancel(reading->listing);
}

static bool is_claimed(const struct roster *roster, const char *id)
{
	for (vec_each (&roster->access->items, place)) {
		if (is_policy_at(*place, roster->target) && policy_of(*place)->held &&
				text_equal((*place)->id, id))
			return true;
	}
	return false;
}

/* One of that name which is none of ours; Databricks takes names without regard to case. */
static const struct cluster_policy *find_name(
		const struct roster *roster, const char *name, bool exactly)
{
	const struct policy_list *list = roster->data;

	for (size_t i = 0; i < list->count; i++) {
		const struct cluster_policy *policy = &list->policies[i];

		if ((exactly ? text_equal(policy->name, name)
			     : text_equal_folded(policy->name, name)) &&
				!is_claimed(roster, policy->id))
			return policy;
	}
	return NULL;
}

/* Ours by its id; else one that nobody of ours is, by its name. */
static const struct cluster_policy *find(const struct roster *roster, struct policy_item *policy)
{
	const struct policy_list *list = roster->data;
	const struct cluster_policy *same;

	for (size_t i = 0; i < list->count && policy->held; i++) {
		if (text_equal(list->policies[i].id, policy->item.id))
			return &list->policies[i];
	}
	same = find_name(roster, policy->item.name, true);
	return same ? same : find_name(roster, policy->item.name, false);
}

static bool policy_show(struct roster *roster, struct item *item)
{
	struct policy_item *policy = policy_of(item);
	const struct cluster_policy *now = find(roster, policy);
	AUTO(arena_freep) struct arena *arena = arena_new();
	AUTO(mem_freep) char *text = NULL;
	struct policy_face face;

	if (now) {
		policy_face_of_seen(now, arena, &face);
		text = policy_face_text(&face);
	}
	switch (roster_judge(roster->access, item, policy->held, text)) {
	case ROSTER_TAKE:
		/* Its id is another's now: what we made is gone, and this one is somebody else's. */
		if (policy->held && now && !text_equal(now->id, item->id))
			policy_drop_hold(roster->access, policy);
		policy_set_seen(policy, now);
		return true;
	case ROSTER_KEEP:
		return true;
	case ROSTER_LOOK_AGAIN:
		return false;
	}
	return true;
}

const struct roster_class policy_roster = {.slot = ROSTER_POLICIES,
		.read_next = policy_read,
		.show = policy_show,
		.cancel = policy_cancel};

/* ---- writing ---- */

void policy_choose(struct item_work *work, const struct item_plan *plan)
{
	for (vec_each (&plan->operations, op)) {
		if (!item_may_go(work, op))
			continue;
		if (op->adopts || op->kind == OP_FORGET_RESOURCE) {
			item_done_without_call(work, op);
			return; /* what follows is planned from there */
		}
		*vec_add(&work->ops) = *op;
		return;
	}
}

/* The policy as a write sends it: all that can be set, what rules say nothing of as it is. */
static bool policy_to_send(struct access *access, struct policy_item *policy, struct arena *arena,
		struct cluster_policy *ret)
{
	struct policy_face face;

	if (!policy_wanted_face(access, policy, arena, &face))
		return false;
	*ret = (struct cluster_policy){.id = policy->seen ? policy->seen->id : NULL,
			.name = policy->wanted.name,
			.description = policy->wanted.description,
			.definition = policy->wanted.definition,
			.family_id = face.parts[POLICY_FAMILY],
			.family_overrides = policy->wanted.overrides,
			.max_clusters_per_user = policy->wanted.max_clusters_per_user,
			.libraries = policy->wanted.libraries,
			.auto_enforcement = policy->seen ? policy->seen->auto_enforcement : NULL,
			.creator = policy->seen ? policy->seen->creator : NULL,
			.is_default = policy->seen && policy->seen->is_default};
	return true;
}

static void send_write(struct item_work *work, enum operation_kind kind)
{
	struct policy_item *policy = policy_of(work->item);
	struct databricks *databricks = work->engine->databricks;
	struct cluster_policy body;

	item_work_prepare(work);
	if (kind == OP_REMOVE_RESOURCE)
		cluster_policy_delete(databricks, &work->call, work->item->id);
	else if (!policy_to_send(work->access, policy, work->arena, &body))
		record_refuse(databricks, &work->call, ERR_BUG,
				"cluster policy without its family");
	else if (kind == OP_CREATE_RESOURCE)
		cluster_policy_create(databricks, &work->call, &body);
	else
		cluster_policy_edit(databricks, &work->call, &body);
}

bool policy_write_next(struct item_work *work)
{
	struct policy_item *policy = policy_of(work->item);
	enum operation_kind kind = work->ops.items[0].kind;
	const char *id;
	struct err err;

	if (work->step == 0) {
		send_write(work, kind);
		return true;
	}
	if (kind != OP_CREATE_RESOURCE)
		return false;
	if (cluster_policy_read_created(&work->call, work->arena, &id, &err) != ERR_NONE) {
		item_leave_open(work);
		return false;
	}
	mem_free(policy->made_id);
	policy->made_id = mem_strdup(id);
	return false;
}

/* ---- what became of it ---- */

/* Rules about rights on it need not wait for the next look. */
static void show_to_acls(struct access *access, const struct policy_item *policy)
{
	struct securable_facts facts = {.id = policy->item.id,
			.name = policy->seen->name,
			.creator = policy->seen->creator};

	acl_found(access, policy->item.target, SECURABLE_CLUSTER_POLICY, &facts, 0);
}

/* Ours as it is there now. */
static void hold_seen(struct access *access, struct policy_item *policy)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct policy_face face;

	policy_face_of_seen(policy->seen, arena, &face);
	mem_free(policy->held);
	policy->held = policy_face_text(&face);
	mem_replace_text(&policy->held_family, policy->wanted.family);
	mem_replace_text(&policy->item.id, policy->seen->id);
	policy_hold(access, policy);
}

/* What we wrote is there now. */
static void written(struct access *access, struct policy_item *policy, bool created)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	AUTO(mem_freep) char *id = created && policy->made_id ? STEAL(policy->made_id) : NULL;
	struct cluster_policy now;

	if (!id && policy->seen)
		id = mem_strdup(policy->seen->id);
	if (!id || !policy_to_send(access, policy, arena, &now)) {
		policy->item.read_wanted = true;
		return;
	}
	if (created)
		policy_drop_hold(access, policy);
	now.id = id;
	policy_set_seen(policy, &now);
	hold_seen(access, policy);
	show_to_acls(access, policy);
}

static const char *part_of(const struct operation *op, const char *name)
{
	for (size_t i = 0; i < op->part_count; i++) {
		if (text_equal(op->parts[i].name, name))
			return op->parts[i].after;
	}
	return NULL;
}

/* A write whose answer we never had took effect: what is there is ours, as it was read, whatever rules say by now. */
static void found(struct access *access, struct policy_item *policy, const struct operation *op)
{
	if (op->kind == OP_CREATE_RESOURCE) {
		policy_drop_hold(access, policy);
		policy->gone = policy->rule ? policy->rule->gone
					    : policy_gone_of_word(part_of(op, POLICY_GONE_PART));
	}
	hold_seen(access, policy);
	show_to_acls(access, policy);
}

static void settle_adopted(struct access *access, struct policy_item *policy)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct policy_face face;
	char *former;

	if (!policy->held) {
		policy_face_of_seen(policy->seen, arena, &face);
		former = policy_face_text(&face);
		mem_free(policy->former);
		policy->former = former;
	}
	hold_seen(access, policy);
}

/* Else a read found it. */
static bool was_sent(const struct item *item)
{
	return item->work && item->work->stage == ITEM_WRITE;
}

void policy_settle(struct access *access, struct item *item, const struct operation *op)
{
	struct policy_item *policy = policy_of(item);
	bool writes = op->kind == OP_CREATE_RESOURCE || op->kind == OP_CHANGE_RESOURCE;

	if (!op->adopts && op->kind != OP_FORGET_RESOURCE)
		item->written_ns = clock_monotonic_ns();
	if (writes && !was_sent(item) && policy->seen) {
		found(access, policy, op);
	} else if (writes) {
		written(access, policy, op->kind == OP_CREATE_RESOURCE);
	} else if (op->kind == OP_ADOPT_RESOURCE && policy->seen) {
		settle_adopted(access, policy);
	} else if (op->kind == OP_REMOVE_RESOURCE || op->kind == OP_FORGET_RESOURCE) {
		policy_drop_hold(access, policy);
		policy_set_seen(policy, NULL);
		mem_free(STEAL(policy->usage));
	}
}

bool policy_shows(struct item *item, const struct operation *op)
{
	struct policy_item *policy = policy_of(item);
	AUTO(arena_freep) struct arena *arena = arena_new();
	const struct part_change *parts;
	struct policy_face face;
	size_t count;

	if (op->kind == OP_REMOVE_RESOURCE)
		return !policy->seen;
	if (!policy->seen)
		return false;
	policy_face_of_seen(policy->seen, arena, &face);
	count = policy_face_compare(NULL, &face, arena, &parts);
	for (size_t i = 0; i < op->part_count; i++) {
		const char *after = NULL;

		for (size_t j = 0; j < count; j++) {
			if (text_equal(parts[j].name, op->parts[i].name))
				after = parts[j].after;
		}
		if (!text_equal(op->parts[i].name, POLICY_GONE_PART) &&
				!text_equal(after, op->parts[i].after))
			return false;
	}
	return true;
}
