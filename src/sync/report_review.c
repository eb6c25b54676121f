/* One object: who can do what on it, and how a principal comes to its rights there; shapes in doc/control.md. */
#include "sync/report_internal.h"

#include "base/table.h"
#include "base/text.h"
#include "sync/access/acl_item.h"
#include "model/account_role.h"
#include "sync/access/lookup.h"
#include "sync/access/principal_read.h"
#include "sync/access/role_lookup.h"
#include "sync/report_rights.h"

struct question {
	struct engine *engine;
	struct task done;
	struct lookup *lookup; /* one of the two, if an object is asked about */
	struct role_lookup *roles;
	struct principal_read *reads[2]; /* else of who and other; NULL: none */
	char *other;
	char *who, *level;
	bool expand;
};

static void looked_up(struct task *task)
{
	struct question *question =
			(struct question *)((char *)task - offsetof(struct question, done));

	engine_tell(question->engine);
}

static enum err_code look_up(
		struct question *question, const struct engine_question *asked, struct err *err)
{
	struct lookup_query query = {asked->object, asked->workspace};
	struct access *access = question->engine->access;

	if (role_lookup_is_meant(asked->object))
		return role_lookup_new(access, &query, &question->done, &question->roles, err);
	return lookup_new(access, &query, &question->done, &question->lookup, err);
}

/* Keys are what answers are asked for: names may come to mean several meanwhile. */
static enum err_code read_principal(
		struct question *question, const char *who, size_t at, char **ret, struct err *err)
{
	const char *key;

	if (report_find(question->engine, PRINCIPAL_KIND_COUNT_, who, &key, err) != ERR_NONE)
		return err->code;
	*ret = mem_strdup(key);
	question->reads[at] = principal_read_new(question->engine, key, &question->done);
	return ERR_NONE;
}

static enum err_code begin(
		struct question *question, const struct engine_question *asked, struct err *err)
{
	const char *key;

	if (!asked->object) {
		if (read_principal(question, asked->who, 0, &question->who, err) != ERR_NONE)
			return err->code;
		return asked->other
				? read_principal(question, asked->other, 1, &question->other, err)
				: ERR_NONE;
	}
	if (asked->who &&
			report_find(question->engine, PRINCIPAL_KIND_COUNT_, asked->who, &key,
					err) != ERR_NONE)
		return err->code;
	question->who = mem_strdup_or_null(asked->who);
	return look_up(question, asked, err);
}

enum err_code engine_ask(struct engine *engine, const struct engine_question *asked,
		struct question **ret, struct err *err)
{
	struct question *question = mem_zalloc(sizeof(*question));

	question->engine = engine;
	question->level = mem_strdup_or_null(asked->level);
	question->expand = asked->expand;
	task_init(&question->done, engine->loop, looked_up);
	if (begin(question, asked, err) != ERR_NONE) {
		question_free(question);
		return err->code;
	}
	*ret = question;
	return ERR_NONE;
}

void question_free(struct question *question)
{
	if (!question)
		return;
	lookup_free(question->lookup);
	role_lookup_free(question->roles);
	principal_read_free(question->reads[0]);
	principal_read_free(question->reads[1]);
	mem_free(question->other);
	task_cancel(&question->done);
	mem_free(question->who);
	mem_free(question->level);
	mem_free(question);
}

bool question_is_done(const struct question *question)
{
	if (question->roles)
		return role_lookup_is_done(question->roles);
	if (question->lookup)
		return lookup_is_done(question->lookup);
	return principal_read_is_done(question->reads[0]) &&
			(!question->reads[1] || principal_read_is_done(question->reads[1]));
}

/* For rights_*. */
static enum securable_type ladder_of(const struct lookup_object *object)
{
	return object->has_roles ? RIGHTS_OF_ROLES : object->type;
}

static json_t *object_json(const struct engine *engine, const struct lookup_object *object)
{
	return json_pack("{s:s, s:s, s:s, s:o, s:b, s:o}", "target",
			report_target(engine, object->target), "type", object->kind, "id",
			object->id, "name", report_text(object->name), "ruled", object->is_item,
			"stale", report_text(object->stale));
}

static json_t *entry_json(const struct lookup_object *object, const struct acl_view_entry *entry)
{
	json_t *json = rights_entry(ladder_of(object), entry);

	json_object_set_new(json, "kind",
			json_string(principal_kind_name(acl_kind_of_key(entry->key))));
	json_object_set_new(json, "name", report_text(entry->name));
	return json;
}

/* ---- the people behind groups ---- */

struct person {
	const char *name;
	enum principal_kind kind;
	const char *level;
	json_t *through; /* names of entries */
};

struct crowd {
	const struct engine *engine;
	const struct lookup_object *object;
	struct table *by_key; /* "KIND/FOLDED NAME\nROLE" -> person, in arena */
	struct arena *arena;
	json_t *unresolved; /* groups of which we do not know who is in */
	struct table *seen; /* groups of this entry: a loop ends */
};

static void add_person(struct crowd *crowd, enum principal_kind kind, const char *name,
		const struct acl_view_entry *entry)
{
	AUTO(mem_freep) char *key = access_principal_key(kind, name);
	const char *level = rights_level(ladder_of(crowd->object), entry);
	/* Of roles each is a line of its own. */
	AUTO(mem_freep)
	char *place = mem_printf("%s\n%s", key, crowd->object->has_roles ? level : "");
	struct person *person = table_find(crowd->by_key, span_of(place));

	if (!person) {
		person = arena_alloc(crowd->arena, sizeof(*person));
		*person = (struct person){
				arena_strdup(crowd->arena, name), kind, level, json_array()};
		(void)table_put(crowd->by_key, span_of(place), person);
	} else {
		person->level = rights_join(
				ladder_of(crowd->object), person->level, level, crowd->arena);
	}
	if (!text_equal(entry->key, key))
		json_array_append_new(person->through, report_text(entry->name));
}

static void add_unresolved(struct crowd *crowd, const char *name, size_t members,
		const struct acl_view_entry *entry)
{
	json_array_append_new(crowd->unresolved,
			json_pack("{s:o, s:o, s:s?}", "group", report_text(name), "members",
					members ? json_integer((json_int_t)members) : json_null(),
					"level", rights_level(ladder_of(crowd->object), entry)));
}

static void add_group(
		struct crowd *crowd, const struct object *group, const struct acl_view_entry *entry)
{
	const struct ids *ids = group->actual_known ? &group->actual : &group->members;
	char address[32];
	size_t unknown = 0;

	(void)snprintf(address, sizeof(address), "%p", (const void *)group);
	if (table_put(crowd->seen, span_of(address), crowd))
		return;
	for (size_t i = 0; i < ids->count; i++) {
		const struct object *member = registry_find_member(crowd->engine->registry, group,
				crowd->engine->settings->has_account, ids->items[i]);

		if (!member)
			unknown++;
		else if (member->kind == PRINCIPAL_GROUP)
			add_group(crowd, member, entry);
		else
			add_person(crowd, member->kind, object_name(member), entry);
	}
	if (unknown || (!ids->count && !group->ours))
		add_unresolved(crowd, object_name(group), unknown, entry);
}

static void add_entry(struct crowd *crowd, const struct acl_view_entry *entry)
{
	enum principal_kind kind = acl_kind_of_key(entry->key);
	const struct object *group;

	if (kind != PRINCIPAL_GROUP) {
		add_person(crowd, kind, entry->name, entry);
		return;
	}
	group = access_principal(crowd->engine->access, crowd->object->target, kind, entry->name);
	if (!group || !group->id) {
		add_unresolved(crowd, entry->name, 0, entry);
		return;
	}
	crowd->seen = table_new();
	add_group(crowd, group, entry);
	table_free(crowd->seen);
}

static int compare_people(const void *a, const void *b)
{
	const struct person *const *x = a, *const *y = b;
	int order = strcmp((*x)->name, (*y)->name);

	if (!order)
		order = ((*x)->kind > (*y)->kind) - ((*x)->kind < (*y)->kind);
	return order ? order : strcmp((*x)->level, (*y)->level);
}

static json_t *people_json(const struct crowd *crowd)
{
	size_t count = 0;
	const struct person **people = mem_array(table_count(crowd->by_key) + 1, sizeof(*people));
	json_t *list = json_array();

	for (table_each (crowd->by_key, it))
		people[count++] = it.value;
	if (count)
		qsort(people, count, sizeof(*people), compare_people);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list,
				json_pack("{s:s, s:o, s:s, s:o}", "kind",
						principal_kind_name(people[i]->kind), "name",
						report_text(people[i]->name), "level",
						people[i]->level, "through", people[i]->through));
	mem_free(people);
	return list;
}

/* ---- who-can ---- */

/* What may be asked for of an object with roles; NULL at the end. */
static const char *const *roles_of(const struct lookup_object *object, struct arena *arena)
{
	static const char *const of_group[] = {"group.manager", "group.assumer", NULL};
	static const char *const of_service[] = {
			"servicePrincipal.manager", "servicePrincipal.user", NULL};
	const char *const *roles;
	const char **list;
	size_t count;

	if (text_equal(object->kind, "group"))
		return of_group;
	if (text_equal(object->kind, "service_principal"))
		return of_service;
	if (!text_equal(object->kind, "account"))
		return NULL;
	roles = account_roles(&count);
	list = arena_alloc(arena, (count + 1) * sizeof(*list));
	memcpy(list, roles, count * sizeof(*list));
	return list;
}

/* A role may be asked for without what it is of: "manager". */
static bool is_role(const char *role, const char *asked)
{
	const char *dot = strchr(role, '.');

	return text_equal(role, asked) || (dot && text_equal(dot + 1, asked));
}

static bool is_level(
		const struct lookup_object *object, const char *const *levels, const char *level)
{
	for (size_t i = 0; levels[i]; i++) {
		if (object->has_roles ? is_role(levels[i], level) : text_equal(levels[i], level))
			return true;
	}
	return false;
}

static enum err_code check_level(
		const struct lookup_object *object, const char *level, struct err *err)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	const char *const *levels = object->has_roles ? roles_of(object, arena)
						      : securable_traits(object->type)->levels;
	char text[256] = "";
	size_t used = 0;

	/* A workspace has entitlements and instance profiles, too. */
	if (!level || !levels || is_level(object, levels, level))
		return ERR_NONE;
	for (size_t i = 0; levels[i] && used < sizeof(text); i++)
		used += (size_t)snprintf(
				text + used, sizeof(text) - used, "%s%s", i ? ", " : "", levels[i]);
	return err_set(err, ERR_USAGE, 0, "%s has no level \"%.60s\"; it may be %s", object->kind,
			level, text);
}

/* Whether the entry gives at least that. Without a level: also what is wanted and not there yet. */
static bool is_asked_for(const struct question *question, const struct lookup_object *object,
		const struct acl_view_entry *entry)
{
	enum securable_type type = object->type;
	const char *level = rights_level(ladder_of(object), entry);

	if (!question->level)
		return true;
	if (object->has_roles)
		return level && is_role(level, question->level);
	return level && securable_has_level(type, level) &&
			securable_level_covers(type, level, question->level);
}

static enum err_code answer_who_can(const struct question *question,
		const struct lookup_object *object, json_t **ret, struct err *err)
{
	json_t *entries;
	struct crowd crowd;

	if (check_level(object, question->level, err) != ERR_NONE)
		return err->code;
	entries = json_array();
	crowd = (struct crowd){.engine = question->engine,
			.object = object,
			.by_key = table_new(),
			.arena = arena_new(),
			.unresolved = json_array()};
	for (size_t i = 0; i < object->count; i++) {
		if (!is_asked_for(question, object, &object->entries[i]))
			continue;
		json_array_append_new(entries, entry_json(object, &object->entries[i]));
		if (question->expand && rights_level(ladder_of(object), &object->entries[i]))
			add_entry(&crowd, &object->entries[i]);
	}
	*ret = json_pack("{s:o, s:s?, s:o, s:o, s:o}", "object",
			object_json(question->engine, object), "level", question->level, "entries",
			entries, "people", question->expand ? people_json(&crowd) : json_null(),
			"unresolved", crowd.unresolved);
	table_free(crowd.by_key);
	arena_free(crowd.arena);
	return ERR_NONE;
}

/* ---- explain PRINCIPAL OBJECT ---- */

struct way {
	const char *via; /* groups of the directory between the two; NULL: none */
	bool known;      /* the entry is about the principal, or a group that it is in */
};

/* Everybody in the workspace is in these. */
static bool is_everybody(const char *key)
{
	return text_equal(key, "group/users") || text_equal(key, "group/account users");
}

static bool names(const struct object *object, const char *key)
{
	AUTO(mem_freep) char *own = access_principal_key(object->kind, object_name(object));

	return text_equal(own, key);
}

static struct way way_of(const struct rights *rights, const struct engine *engine, const char *key,
		const struct acl_view_entry *entry, unsigned at)
{
	const struct object *group;
	struct way way = {NULL, is_everybody(entry->key)};

	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		const struct object *object = registry_find(engine->registry, target, key);

		if (object && (target == at || engine->settings->targets[target].is_account) &&
				names(object, entry->key))
			way.known = true;
	}
	for (size_t i = 0; !way.known && (group = rights_group(rights, i, &way.via)); i++)
		way.known = (group->target == at ||
					    engine->settings->targets[group->target].is_account) &&
				names(group, entry->key);
	return way;
}

struct joined {
	const char *level; /* what all ways together give; NULL: nothing */
	struct arena *arena;
};

/* Each role once. */
static void join(struct joined *joined, const struct lookup_object *object,
		const struct acl_view_entry *entry)
{
	const char *level = rights_level(ladder_of(object), entry);

	if (object->has_roles && level && joined->level && strstr(joined->level, level))
		return;
	joined->level = rights_join(ladder_of(object), joined->level, level, joined->arena);
}

/* ways, and in ret_level what they give together. unresolved: groups of which it is not known whether it is in them. */
static json_t *ways_json(const struct question *question, const struct lookup_object *object,
		const char *key, json_t *unresolved, struct joined *ret_level)
{
	const struct engine *engine = question->engine;
	struct rights *rights = rights_new(engine, NULL);
	json_t *ways = json_array(), *json;

	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		const struct object *principal = registry_find(engine->registry, target, key);

		if (principal)
			rights_gather(rights, principal);
	}
	for (size_t i = 0; i < object->count; i++) {
		const struct acl_view_entry *entry = &object->entries[i];
		struct way way = way_of(rights, engine, key, entry, object->target);

		if (!way.known) {
			/* Who is in a group that is not ours and was not read is not known. */
			if (acl_kind_of_key(entry->key) == PRINCIPAL_GROUP &&
					rights_level(ladder_of(object), entry) &&
					!access_principal(engine->access, object->target,
							PRINCIPAL_GROUP, entry->name))
				json_array_append_new(unresolved, entry_json(object, entry));
			continue;
		}
		json = entry_json(object, entry);
		json_object_set_new(json, "via", report_text(way.via));
		json_array_append_new(ways, json);
		join(ret_level, object, entry);
	}
	rights_free(rights);
	return ways;
}

static enum err_code answer_explain(const struct question *question,
		const struct lookup_object *object, json_t **ret, struct err *err)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct joined level = {NULL, arena};
	const char *key;
	json_t *unresolved = NULL, *ways;
	json_auto_t *principal = NULL;

	if (report_find(question->engine, PRINCIPAL_KIND_COUNT_, question->who, &key, err) !=
					ERR_NONE ||
			engine_explain(question->engine, key, &principal, err) != ERR_NONE)
		return err->code;
	unresolved = json_array();
	ways = ways_json(question, object, key, unresolved, &level);
	*ret = json_pack("{s:{s:O, s:O, s:O, s:O, s:O, s:O}, s:o, s:s?, s:o, s:o}", "principal",
			"name", json_object_get(principal, "name"), "kind",
			json_object_get(principal, "kind"), "key",
			json_object_get(principal, "key"), "state",
			json_object_get(principal, "state"), "entry",
			json_object_get(principal, "entry"), "rule",
			json_object_get(principal, "rule"), "object",
			object_json(question->engine, object), "level", level.level, "ways", ways,
			"unresolved", unresolved);
	return ERR_NONE;
}

static enum err_code answer_principals(
		const struct question *question, json_t **ret, struct err *err)
{
	json_auto_t *a = NULL, *b = NULL;

	if (report_explain_read(question->engine, question->who, question->reads[0], &a, err) !=
			ERR_NONE)
		return err->code;
	if (!question->other) {
		*ret = json_incref(a);
		return ERR_NONE;
	}
	if (report_explain_read(question->engine, question->other, question->reads[1], &b, err) !=
			ERR_NONE)
		return err->code;
	*ret = report_diff_of(a, b);
	return ERR_NONE;
}

enum err_code question_answer(const struct question *question, json_t **ret, struct err *err)
{
	const struct lookup_object *object;

	if (question->reads[0])
		return answer_principals(question, ret, err);
	if ((question->roles ? role_lookup_result(question->roles, &object, err)
			     : lookup_result(question->lookup, &object, err)) != ERR_NONE)
		return err->code;
	return (question->who ? answer_explain : answer_who_can)(question, object, ret, err);
}
