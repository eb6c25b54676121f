#include "sync/access/role_lookup.h"

#include "base/text.h"
#include "databricks/rule_set.h"
#include "sync/access/role_gather.h"
#include "sync/access/rule_set_item.h"

#define HITS_SHOWN 10

enum of_what { OF_ACCOUNT, OF_GROUP, OF_SERVICE, OF_WORKSPACE };
enum stage { STAGE_FIND, STAGE_BY_ID, STAGE_RULES, STAGE_SCAN, STAGE_DONE };

/* One list of principals with their roles. */
struct scan {
	struct role_lookup *lookup;
	enum principal_kind kind;
	struct scim_list *list; /* under way */
};

struct role_lookup {
	struct access *access;
	struct task *wakes;
	struct task moved;
	struct arena *arena;
	enum of_what what;
	const char *name; /* as asked; NULL: the account */
	enum stage stage;
	struct call call;
	struct scan scans[PRINCIPAL_KIND_COUNT_];
	struct assignment_list *assignments; /* under way */
	size_t open;                         /* of lists */
	struct err err;                      /* code ERR_NONE: none */
	struct lookup_object object;
	struct role_gather gather;
};

static const char *const words[] = {[OF_ACCOUNT] = "account",
		[OF_GROUP] = "group",
		[OF_SERVICE] = "service_principal",
		[OF_WORKSPACE] = "workspace"};

static struct engine *engine_of(const struct role_lookup *lookup)
{
	return lookup->access->engine;
}

/* ---- what is asked ---- */

/* *ret_name: what follows the word; NULL: nothing does. */
static bool parse(const char *object, enum of_what *ret_what, const char **ret_name)
{
	size_t len = strcspn(object, ":/");

	if (strncmp(object, "service-principal", len) == 0 && len == strlen("service-principal")) {
		*ret_what = OF_SERVICE;
		*ret_name = object[len] && object[len + 1] ? object + len + 1 : NULL;
		return true;
	}
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (strlen(words[i]) != len || strncmp(object, words[i], len) != 0)
			continue;
		*ret_what = (enum of_what)i;
		*ret_name = object[len] && object[len + 1] ? object + len + 1 : NULL;
		return true;
	}
	return false;
}

bool role_lookup_is_meant(const char *object)
{
	enum of_what what;
	const char *name;

	return parse(object, &what, &name);
}

static enum err_code check_query(
		const struct role_lookup *lookup, const struct lookup_query *query, struct err *err)
{
	const char *word = words[lookup->what];

	if (lookup->what == OF_ACCOUNT && lookup->name)
		return err_set(err, ERR_USAGE, 0, "there is one account: say account alone");
	if (lookup->what != OF_ACCOUNT && !lookup->name)
		return err_set(err, ERR_USAGE, 0, "\"%.100s\" names no %s; say %s:NAME",
				query->object, word, word);
	if (lookup->what != OF_WORKSPACE && !engine_of(lookup)->settings->has_account)
		return err_set(err, ERR_USAGE, 0,
				"roles on a %s are the account's, but no `account:` is configured",
				word);
	if (query->workspace)
		return err_set(err, ERR_USAGE, 0, "--workspace does not go with %s", word);
	return ERR_NONE;
}

static enum err_code find_workspace(struct role_lookup *lookup, struct err *err)
{
	const struct settings *settings = engine_of(lookup)->settings;
	const char *names[64];
	size_t count = 0;
	const char *nearest;

	for (unsigned i = 0; i < settings->target_count; i++) {
		const struct target_settings *target = &settings->targets[i];

		if (target->is_account)
			continue;
		if (text_equal(target->name, lookup->name)) {
			lookup->object.target = i;
			return ERR_NONE;
		}
		if (count < COUNT_OF(names))
			names[count++] = target->name;
	}
	nearest = text_did_you_mean(lookup->name, names, count);
	return err_set(err, ERR_USAGE, 0, "no workspace is called \"%.100s\"%s%s%s", lookup->name,
			nearest ? ", did you mean \"" : "", nearest ? nearest : "",
			nearest ? "\"" : "");
}

/* ---- lists ---- */

static void note_error(struct role_lookup *lookup, const struct err *err)
{
	if (lookup->err.code == ERR_NONE)
		lookup->err = *err;
}

static void list_ended(struct role_lookup *lookup, const struct err *err)
{
	if (err)
		note_error(lookup, err);
	if (--lookup->open == 0)
		task_wake(&lookup->moved);
}

static void scan_page(void *context, const struct resource *resources, size_t count)
{
	struct scan *scan = context;
	struct role_lookup *lookup = scan->lookup;
	struct held_grant grant = {.workspace = lookup->object.target};

	for (size_t i = 0; i < count; i++) {
		const struct resource *resource = &resources[i];
		const char *name = resource->fields[principal_name_field(scan->kind)];

		if (!name)
			continue;
		grant.kind = GRANT_ROLE;
		for (size_t k = 0; k < resource->role_count; k++) {
			grant.value = resource->roles[k];
			role_gather_grant(&lookup->gather, scan->kind, resource->id, name, &grant);
		}
		grant.kind = GRANT_ENTITLEMENT;
		for (size_t k = 0; k < resource->entitlement_count; k++) {
			grant.value = resource->entitlements[k];
			role_gather_grant(&lookup->gather, scan->kind, resource->id, name, &grant);
		}
	}
}

static void scan_done(void *context, const struct err *err)
{
	struct scan *scan = context;

	scan->list = NULL;
	list_ended(scan->lookup, err);
}

static void take_assignments(void *context, const struct assignment *assignments, size_t count,
		const struct err *err)
{
	struct role_lookup *lookup = context;

	lookup->assignments = NULL;
	for (size_t i = 0; !err && i < count; i++) {
		struct held_grant grant = {lookup->object.target, GRANT_ASSIGNMENT,
				assignments[i].level, NULL};

		if (assignments[i].name && assignments[i].level)
			role_gather_grant(&lookup->gather, assignments[i].kind,
					assignments[i].principal_id, assignments[i].name, &grant);
	}
	list_ended(lookup, err);
}

static void scan(struct role_lookup *lookup)
{
	struct engine *engine = engine_of(lookup);
	unsigned target = lookup->object.target;
	unsigned with = SCIM_WITH_ROLES |
			(lookup->what == OF_WORKSPACE ? SCIM_WITH_ENTITLEMENTS : 0U);
	const struct workspace_state *state = &engine->workspaces[target];

	lookup->stage = STAGE_SCAN;
	lookup->open = PRINCIPAL_KIND_COUNT_;
	for (unsigned kind = 0; kind < PRINCIPAL_KIND_COUNT_; kind++) {
		struct scan *one = &lookup->scans[kind];

		*one = (struct scan){lookup, (enum principal_kind)kind, NULL};
		one->list = scim_list_start(engine->databricks, target, one->kind, with, scan_page,
				scan_done, one);
	}
	if (lookup->what != OF_WORKSPACE || !engine->settings->has_account || !state->id)
		return;
	lookup->open++;
	lookup->assignments = assignment_list_start(
			engine->databricks, state->id_text, take_assignments, lookup);
}

/* ---- from stage to stage ---- */

static void finish(struct role_lookup *lookup)
{
	if (lookup->what == OF_ACCOUNT || lookup->what == OF_WORKSPACE)
		role_gather_missing(&lookup->gather);
	lookup->object.count = role_gather_sort(&lookup->gather, &lookup->object.entries);
	lookup->stage = STAGE_DONE;
	task_wake(lookup->wakes);
}

static void fail(struct role_lookup *lookup, const struct err *err)
{
	lookup->err = *err;
	lookup->object.id = NULL;
	lookup->stage = STAGE_DONE;
	task_wake(lookup->wakes);
}

static void prepare(struct role_lookup *lookup)
{
	call_release(&lookup->call);
	lookup->call.target = 0;
	lookup->call.lane = LANE_SINGLE;
	lookup->call.wakes = &lookup->moved;
}

static enum principal_kind kind_of(const struct role_lookup *lookup)
{
	return lookup->what == OF_GROUP ? PRINCIPAL_GROUP : PRINCIPAL_SERVICE;
}

static struct rule_set_of rule_set_of(const struct role_lookup *lookup)
{
	static const enum rule_set_kind kinds[] = {[OF_ACCOUNT] = RULE_SET_ACCOUNT,
			[OF_GROUP] = RULE_SET_GROUP,
			[OF_SERVICE] = RULE_SET_SERVICE,
			[OF_WORKSPACE] = RULE_SET_ACCOUNT};

	return (struct rule_set_of){kinds[lookup->what], lookup->object.id};
}

static void read_rules(struct role_lookup *lookup)
{
	struct rule_set_of of = rule_set_of(lookup);

	lookup->stage = STAGE_RULES;
	prepare(lookup);
	rule_set_get(engine_of(lookup)->databricks, &lookup->call, &of, NULL);
}

static bool is_application_id(const char *text)
{
	return strlen(text) == 36 && text[8] == '-' && text[13] == '-' && text[18] == '-' &&
			text[23] == '-';
}

static void find_principal(struct role_lookup *lookup)
{
	bool by_id = lookup->what == OF_SERVICE && is_application_id(lookup->name);

	lookup->stage = STAGE_FIND;
	prepare(lookup);
	scim_find(engine_of(lookup)->databricks, &lookup->call, kind_of(lookup),
			by_id ? FIELD_APPLICATION_ID : FIELD_DISPLAY_NAME, lookup->name, 0);
}

static void take_principal(struct role_lookup *lookup, const struct resource *resource)
{
	const char *id = lookup->what == OF_GROUP ? resource->id
						  : resource->fields[FIELD_APPLICATION_ID];

	lookup->object.id = arena_strdup(lookup->arena, id);
	lookup->object.name = arena_strdup(lookup->arena, resource->fields[FIELD_DISPLAY_NAME]);
	read_rules(lookup);
}

static void tell_several(struct role_lookup *lookup, const struct resource *found, size_t count,
		struct err *err)
{
	char text[320] = "";
	size_t used = 0;

	for (size_t i = 0; i < count && i < HITS_SHOWN && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s/%s",
				used ? ", " : "", words[lookup->what],
				lookup->what == OF_GROUP ? found[i].id
							 : found[i].fields[FIELD_APPLICATION_ID]);
	(void)err_set(err, ERR_USAGE, 0, "\"%.80s\" names %zu of the account, say which by id: %s",
			lookup->name, count, text);
}

static void take_found(struct role_lookup *lookup)
{
	const struct resource *found;
	size_t count;
	struct err err;
	char id[ID_TEXT_SIZE];

	if (lookup->call.code != ERR_NONE)
		fail(lookup, &lookup->call.err);
	else if (scim_found(&lookup->call, kind_of(lookup), lookup->arena, &found, &count, &err) !=
			ERR_NONE)
		fail(lookup, &err);
	else if (count == 1)
		take_principal(lookup, &found[0]);
	else if (count > 1) {
		tell_several(lookup, found, count, &err);
		fail(lookup, &err);
	} else if (id_parse(lookup->name)) {
		lookup->stage = STAGE_BY_ID;
		prepare(lookup);
		scim_get(engine_of(lookup)->databricks, &lookup->call, kind_of(lookup),
				id_text(id_parse(lookup->name), id), 0);
	} else {
		(void)err_set(&err, ERR_NOT_FOUND, 0, "there is no %s \"%.200s\" in the account",
				words[lookup->what], lookup->name);
		fail(lookup, &err);
	}
}

static void take_by_id(struct role_lookup *lookup)
{
	struct resource resource;
	struct err err;

	if (lookup->call.code == ERR_NOT_FOUND) {
		(void)err_set(&err, ERR_NOT_FOUND, 0, "there is no %s \"%.200s\" in the account",
				words[lookup->what], lookup->name);
		fail(lookup, &err);
	} else if (scim_resource(&lookup->call, kind_of(lookup), lookup->arena, &resource, &err) !=
			ERR_NONE) {
		fail(lookup, &err);
	} else {
		take_principal(lookup, &resource);
	}
}

static struct item *find_item(const struct role_lookup *lookup)
{
	for (vec_each (&lookup->access->items, item)) {
		if ((*item)->class == &rule_set_class && text_equal((*item)->id, lookup->object.id))
			return *item;
	}
	return NULL;
}

static void take_rules(struct role_lookup *lookup)
{
	struct item *item = find_item(lookup);
	struct rule_set set;
	struct err err;
	bool fresh = rule_set_read(&lookup->call, lookup->arena, &set, &err) == ERR_NONE;

	if (!fresh && (!item || !item->observed)) {
		fail(lookup, &err);
		return;
	}
	if (fresh)
		role_gather_rule_set(&lookup->gather, &set);
	else
		lookup->object.stale = arena_strdup(lookup->arena, err.text);
	if (item)
		role_gather_known(&lookup->gather, item, fresh);
	lookup->object.is_item = item != NULL;
	if (lookup->what == OF_ACCOUNT)
		scan(lookup);
	else
		finish(lookup);
}

/* A list that did not come makes the answer one with gaps, and that is told. */
static void take_scan(struct role_lookup *lookup)
{
	if (lookup->err.code != ERR_NONE && !lookup->gather.entries.count) {
		fail(lookup, &lookup->err);
		return;
	}
	if (lookup->err.code != ERR_NONE)
		lookup->object.stale = arena_strdup(lookup->arena, lookup->err.text);
	lookup->err = (struct err){0};
	finish(lookup);
}

static void moved(struct task *task)
{
	struct role_lookup *lookup =
			(struct role_lookup *)((char *)task - offsetof(struct role_lookup, moved));

	if (lookup->stage != STAGE_SCAN && lookup->stage != STAGE_DONE && !lookup->call.done)
		return;
	switch (lookup->stage) {
	case STAGE_FIND:
		take_found(lookup);
		return;
	case STAGE_BY_ID:
		take_by_id(lookup);
		return;
	case STAGE_RULES:
		take_rules(lookup);
		return;
	case STAGE_SCAN:
		if (!lookup->open)
			take_scan(lookup);
		return;
	case STAGE_DONE:
		return;
	}
}

static void start(struct role_lookup *lookup)
{
	const struct settings *settings = engine_of(lookup)->settings;

	lookup->object.kind = words[lookup->what];
	lookup->object.has_roles = true;
	switch (lookup->what) {
	case OF_ACCOUNT:
		lookup->object.id = lookup->object.name = settings->targets[0].account_id;
		read_rules(lookup);
		return;
	case OF_WORKSPACE:
		lookup->object.id = lookup->object.name =
				settings->targets[lookup->object.target].name;
		lookup->object.is_item = true;
		scan(lookup);
		return;
	case OF_GROUP:
	case OF_SERVICE:
		find_principal(lookup);
		return;
	}
}

enum err_code role_lookup_new(struct access *access, const struct lookup_query *query,
		struct task *wakes, struct role_lookup **ret, struct err *err)
{
	struct role_lookup *lookup = mem_zalloc(sizeof(*lookup));
	const char *name;

	lookup->access = access;
	lookup->wakes = wakes;
	lookup->arena = arena_new();
	task_init(&lookup->moved, access->engine->loop, moved);
	(void)parse(query->object, &lookup->what, &name);
	lookup->name = arena_strdup(lookup->arena, name);
	if (check_query(lookup, query, err) != ERR_NONE ||
			(lookup->what == OF_WORKSPACE && find_workspace(lookup, err) != ERR_NONE)) {
		role_lookup_free(lookup);
		return err->code;
	}
	lookup->gather = (struct role_gather){.access = access,
			.arena = lookup->arena,
			.target = lookup->object.target,
			.is_workspace = lookup->what == OF_WORKSPACE};
	start(lookup);
	*ret = lookup;
	return ERR_NONE;
}

void role_lookup_free(struct role_lookup *lookup)
{
	if (!lookup)
		return;
	for (unsigned kind = 0; kind < PRINCIPAL_KIND_COUNT_; kind++) {
		if (lookup->scans[kind].list)
			scim_list_cancel(lookup->scans[kind].list);
	}
	if (lookup->assignments)
		assignment_list_cancel(lookup->assignments);
	role_gather_release(&lookup->gather);
	call_release(&lookup->call);
	task_cancel(&lookup->moved);
	arena_free(lookup->arena);
	mem_free(lookup);
}

bool role_lookup_is_done(const struct role_lookup *lookup)
{
	return lookup->stage == STAGE_DONE;
}

enum err_code role_lookup_result(
		const struct role_lookup *lookup, const struct lookup_object **ret, struct err *err)
{
	if (lookup->err.code != ERR_NONE) {
		*err = lookup->err;
		return err->code;
	}
	*ret = &lookup->object;
	return ERR_NONE;
}
