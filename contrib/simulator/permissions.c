#include "permissions.h"

#include "base/json_out.h"
#include "object_stale.h"
#include "pat.h"

/* Which object, as the path names it. */
struct target {
	const char *type; /* as asked for; the answer repeats it */
	const char *id;
	bool levels; /* its permissionLevels */
	struct object *object;
};

static bool is_called(const struct object_type *type, const char *word)
{
	return strcmp(type->type, word) == 0 || (type->alias && strcmp(type->alias, word) == 0);
}

/* The type may have two segments. Returns how many, 0: no such type. */
static size_t read_type(char *const *tail, size_t count, char **ret)
{
	for (size_t len = count < 2 ? count : 2; len > 0; len--) {
		char *text = len == 2 ? mem_printf("%s/%s", tail[0], tail[1]) : mem_strdup(tail[0]);

		for (int kind = 0; kind < OBJECT_KIND_COUNT_; kind++) {
			const struct object_type *type = &object_types[kind];

			if (is_called(type, text)) {
				*ret = text;
				return len;
			}
		}
		mem_free(text);
	}
	return 0;
}

/* Policies are another part's; we only hold their rights, from when somebody first asks. */
static struct object *find_policy(struct api_call *call, const char *id)
{
	struct sim *sim = call->request->sim;
	struct object_store *store = call->place->objects;
	struct object *object = object_find(store, OBJECT_CLUSTER_POLICY, id);

	if (!sim->hooks.policy_exists)
		return object;
	if (!sim->hooks.policy_exists(sim, call->place, id)) {
		if (object)
			object_remove(store, object);
		return NULL;
	}
	return object ? object
		      : object_make(store,
					&(struct object_make){.kind = OBJECT_CLUSTER_POLICY,
							.id = id,
							.name = id});
}

/* What the tree shows as a file though it is none has a number there. */
static struct object *find_tree_file(const struct object_store *store, const char *id)
{
	static const enum object_kind kinds[] = {
			OBJECT_QUERY, OBJECT_ALERT, OBJECT_ALERT_V2, OBJECT_GENIE_SPACE};

	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		for (vec_each (&store->lists[kinds[i]], object)) {
			if (strcmp(object_tree_id(*object), id) == 0)
				return *object;
		}
	}
	return NULL;
}

static struct object *find_kind(struct api_call *call, enum object_kind kind, const char *id)
{
	struct object_store *store = call->place->objects;
	struct object *object;

	if (kind == OBJECT_CLUSTER_POLICY)
		return find_policy(call, id);
	/* Tokens have no ACL before there are any. */
	if (kind == OBJECT_TOKENS && api_quirk(call, QUIRK_TOKENS_ACL_LATE) &&
			!pat_was_made(call->state, call->place))
		return NULL;
	object = api_quirk(call, QUIRK_ACL_AFTER_DELETE) ? object_find_for_acl(store, kind, id)
							 : object_find(store, kind, id);
	if (!object && kind == OBJECT_FILE && api_quirk(call, QUIRK_SQL_IN_TREE))
		object = find_tree_file(store, id);
	if (!object && object_types[kind].by_name && api_quirk(call, QUIRK_ACL_BY_NAME))
		object = object_find_name(store, kind, id);
	return object;
}

static void refuse_missing(struct api_call *call, const struct target *target)
{
	for (int kind = 0; kind < OBJECT_KIND_COUNT_; kind++) {
		const struct object_type *type = &object_types[kind];

		if (is_called(type, target->type)) {
			(void)api_refuse(call, type->missing_status, type->missing_code, "%s%s%s",
					type->missing_before, target->id, type->missing_after);
			return;
		}
	}
}

/* What a read shows in place of it. */
static void take_lag(struct api_call *call, struct target *target)
{
	for (int kind = 0; kind < OBJECT_KIND_COUNT_; kind++) {
		const struct object_type *type = &object_types[kind];

		if (is_called(type, target->type))
			target->object = object_stale_get(call->place->objects,
					(enum object_kind)kind, target->id, target->object);
	}
}

static bool find_target(struct api_call *call, struct target *target)
{
	for (int kind = 0; !target->object && kind < OBJECT_KIND_COUNT_; kind++) {
		const struct object_type *type = &object_types[kind];

		if (is_called(type, target->type))
			target->object = find_kind(call, (enum object_kind)kind, target->id);
	}
	if (request_is(call->request, "GET"))
		take_lag(call, target);
	if (!target->object) {
		refuse_missing(call, target);
		return false;
	}
	if (target->object->kind == OBJECT_PASSWORDS && !api_quirk(call, QUIRK_PASSWORDS))
		return api_refuse(call, 404, "FEATURE_DISABLED",
				"Password permissions are not enabled for this workspace");
	if (target->object->purged)
		return api_refuse(call, 400, "INVALID_STATE",
				"Cannot access cluster %s that was terminated or unpinned more "
				"than 30 days ago.",
				target->id);
	return true;
}

static void write_levels(struct api_call *call, const struct object *object)
{
	struct buf *out = answer_json(call->answer, 200);
	uint32_t levels = object_type(object)->levels;

	if (object->kind == OBJECT_TOKENS)
		levels = PERMISSION_BIT(CAN_USE); /* the other one is the admins' alone */
	buf_add_text(out, "{\"permission_levels\":[");
	for (unsigned level = 1; level < PERMISSION_COUNT_; level++) {
		if (!(levels & PERMISSION_BIT(level)))
			continue;
		json_add_comma(out);
		buf_add_char(out, '{');
		json_add_member(out, "permission_level", permission_name((enum permission)level));
		json_add_member(out, "description", permission_description((enum permission)level));
		buf_add_char(out, '}');
	}
	buf_add_text(out, "]}");
}

/* One entry for a level, with all that it comes from. */
static void add_inherited(struct buf *out, const struct holding *holding)
{
	for (size_t i = 0; i < holding->inherited.count; i++) {
		const struct inherited *first = &holding->inherited.items[i];
		bool told = false;

		for (size_t k = 0; k < i; k++)
			told = told || holding->inherited.items[k].level == first->level;
		if (told)
			continue;
		json_add_comma(out);
		buf_add_char(out, '{');
		json_add_member(out, "permission_level", permission_name(first->level));
		buf_add_text(out, ",\"inherited\":true,\"inherited_from_object\":[");
		for (size_t k = i; k < holding->inherited.count; k++) {
			if (holding->inherited.items[k].level != first->level)
				continue;
			json_add_comma(out);
			json_add_text(out, holding->inherited.items[k].from);
		}
		buf_add_text(out, "]}");
	}
}

static void add_holding(struct buf *out, const struct holding *holding)
{
	static const char *const keys[KIND_COUNT_] = {
			[KIND_USER] = "user_name",
			[KIND_GROUP] = "group_name",
			[KIND_SP] = "service_principal_name",
	};
	const struct principal *who = holding->who;

	json_add_comma(out);
	buf_add_char(out, '{');
	json_add_member(out, keys[who->kind],
			who->kind == KIND_GROUP ? who->display_name : who->name);
	if (who->kind != KIND_GROUP)
		json_add_member(out, "display_name", who->display_name);
	json_add_key(out, "all_permissions");
	buf_add_char(out, '[');
	if (holding->direct != PERMISSION_NONE)
		buf_printf(out, "{\"permission_level\":\"%s\",\"inherited\":false}",
				permission_name(holding->direct));
	add_inherited(out, holding);
	buf_add_text(out, "]}");
}

static void write_acl(struct api_call *call, const struct target *target)
{
	const struct object *object = target->object;
	bool odd = object->kind == OBJECT_DASHBOARD && api_quirk(call, QUIRK_DASHBOARD_ID);
	AUTO(mem_freep)
	char *id = mem_printf("/%s/%s", target->type, odd ? object_tree_id(object) : target->id);
	struct buf *out = answer_json(call->answer, 200);
	struct holdings holdings;

	acl_gather(call->state, call->place, object, api_quirk(call, QUIRK_ACL_ROOT_ZERO),
			&holdings);
	buf_add_char(out, '{');
	json_add_member(out, "object_id", id);
	json_add_member(out, "object_type", object_type(object)->answer_type);
	json_add_key(out, "access_control_list");
	buf_add_char(out, '[');
	for (vec_each (&holdings, holding))
		add_holding(out, holding);
	buf_add_text(out, "]}");
	holdings_release(&holdings);
}

static bool may_manage(struct api_call *call, const struct target *target)
{
	const struct principal *who = call->request->caller;

	if (acl_effective(call->state, call->place, target->object, who) >= CAN_MANAGE)
		return true;
	if (target->object->kind == OBJECT_JOB)
		(void)api_refuse(call, 403, "PERMISSION_DENIED",
				"%s does not have Manage permissions on Job with ID: "
				"ElasticJobId(%s). Please contact the owner or an administrator "
				"for access.",
				who->name, target->id);
	else
		(void)api_refuse(call, 403, "PERMISSION_DENIED",
				"%s does not have Manage permissions on %s with ID: %s. Please "
				"contact the owner or an administrator for access.",
				who->name, object_type(target->object)->noun, target->id);
	return false;
}

static bool change_acl(struct api_call *call, const struct acl_request *change)
{
	const struct object_stale_what what = {
			.rule = call->request->stale,
			.kind = change->object->kind,
			.id = change->object->id,
			.name = change->object->name,
	};
	struct object *before = object_stale_before(what.rule, change->object);

	if (permissions_change(call, change)) {
		object_stale_commit(call->place->objects, &what, before);
		return true;
	}
	object_free(before);
	return false;
}

static void serve_target(struct api_call *call, struct target *target)
{
	struct acl_request change = {
			.caller = call->request->caller,
			.put = request_is(call->request, "PUT"),
	};

	if (!find_target(call, target))
		return;
	if (target->levels) {
		write_levels(call, target->object);
		return;
	}
	if (!may_manage(call, target))
		return;
	change.object = target->object;
	change.list = json_object_get(call->body, "access_control_list");
	if (request_is(call->request, "GET") || change_acl(call, &change))
		write_acl(call, target);
}

static bool has_method(const struct request *request, bool levels)
{
	if (request_is(request, "GET"))
		return true;
	return !levels && (request_is(request, "PUT") || request_is(request, "PATCH"));
}

static void serve(struct api_call *call)
{
	struct request *request = call->request;
	size_t skip = strcmp(request->segments[2], "preview") == 0 ? 4 : 3;
	char *const *tail = request->segments + skip;
	size_t count = request->segment_count - skip, used;
	AUTO(mem_freep) char *type = NULL;
	struct target target = {0};

	used = read_type(tail, count, &type);
	if (used && used + 1 < count && !*tail[used])
		used++; /* "//root" */
	target.levels = used && count == used + 2 &&
			strcmp(tail[used + 1], "permissionLevels") == 0;
	if (!used && count) {
		(void)api_refuse_value(call, "request_object_type is not recognized: %s", tail[0]);
		return;
	}
	if (!used || !(target.levels || count == used + 1) || !*tail[used] ||
			!has_method(request, target.levels)) {
		(void)api_refuse(call, 404, "ENDPOINT_NOT_FOUND", "No API found for '%s %s'",
				request->method, request->target);
		return;
	}
	target.type = type;
	target.id = tail[used];
	serve_target(call, &target);
}

/* Types may have two segments: serve takes the rest apart. */
static const struct api_route routes[] = {
		{"GET", "api/2.0/permissions/**", API_WORKSPACE, API_ANYONE, serve, 0, 0},
		{"PUT", "api/2.0/permissions/**", API_WORKSPACE, API_ANYONE, serve, 0, 0},
		{"PATCH", "api/2.0/permissions/**", API_WORKSPACE, API_ANYONE, serve, 0, 0},
		{"GET", "api/2.0/preview/permissions/**", API_WORKSPACE, API_ANYONE, serve, 0, 0},
		{"PUT", "api/2.0/preview/permissions/**", API_WORKSPACE, API_ANYONE, serve, 0, 0},
		{"PATCH", "api/2.0/preview/permissions/**", API_WORKSPACE, API_ANYONE, serve, 0, 0},
};
const struct api_family permission_calls = API_FAMILY(routes);

bool permissions_may_use_tokens(const struct state *state, const struct workspace *workspace,
		const struct principal *who)
{
	const struct object *tokens =
			object_find_for_acl(workspace->objects, OBJECT_TOKENS, "tokens");

	return tokens && acl_effective(state, workspace, tokens, who) >= CAN_USE;
}

bool permissions_may_use_policy(const struct state *state, const struct workspace *workspace,
		const struct principal *who, const char *policy_id)
{
	const struct object *policy =
			object_find(workspace->objects, OBJECT_CLUSTER_POLICY, policy_id);

	/* Nobody was given anything on a policy whose rights nobody asked for yet. */
	return policy ? acl_effective(state, workspace, policy, who) >= CAN_USE
		      : acl_is_admin(workspace, who);
}
