/* Who is meant, and everything about one principal; shapes in doc/control.md. */
#include "sync/report_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/table.h"
#include "base/text.h"
#include "sync/access/concern.h"
#include "sync/access/principal_read.h"
#include "sync/plan_file.h"
#include "sync/report_rights.h"

#define MEMBERS_SHOWN 20
#define MATCHES_SHOWN 10

/* ---- who is meant ---- */

static bool is_meant(const struct engine *engine, const struct object *object, const char *who,
		const char *folded)
{
	const struct want *want = object->node == NODE_NONE
			? NULL
			: desired_want(engine->desired, object->node);
	const char *slash = strchr(object->key, '/');
	char id[ID_TEXT_SIZE];

	if (text_equal(object->key, who) || (slash && text_equal(slash + 1, who)) ||
			(object->id && text_equal(id_text(object->id, id), who)))
		return true;
	for (unsigned i = 0; i < FIELD_COUNT_; i++) {
		AUTO(mem_freep)
		char *held = object->fields[i] ? text_fold(span_of(object->fields[i])) : NULL;
		const char *wanted = want && want->identity ? want->identity->fields[i] : NULL;

		if (i == FIELD_GIVEN_NAME || i == FIELD_FAMILY_NAME)
			continue;
		if (text_equal(held, folded) || (wanted && text_equal_folded(wanted, who)))
			return true;
	}
	return object->node != NODE_NONE &&
			text_equal_folded(snapshot_dn(engine->snapshot, object->node), who);
}

/* An entry that no rule makes a principal of has only a DN and an anchor; say why there is nothing more. */
static enum err_code not_an_object(const struct engine *engine, const char *who, struct err *err)
{
	for (unsigned source = 0; source < engine->settings->source_count; source++) {
		node_id node = snapshot_find_dn(engine->snapshot, source, who);
		const struct want *want;

		if (node == NODE_NONE)
			node = snapshot_find_anchor(engine->snapshot, source, who);
		if (node == NODE_NONE)
			continue;
		want = desired_want(engine->desired, node);
		return err_set(err, ERR_NOT_FOUND, 0, "entry \"%s\" is in no rule's scope%s%s",
				snapshot_dn(engine->snapshot, node),
				want && want->reason ? ": " : "",
				want && want->reason ? want->reason : "");
	}
	return err_set(err, ERR_NOT_FOUND, 0,
			"nothing is known of \"%s\"; an entry that no rule takes is found by its "
			"DN",
			who);
}

/* kind: PRINCIPAL_KIND_COUNT_ for any. All objects of one principal share a key; several keys are several principals. */
enum err_code report_find(const struct engine *engine, enum principal_kind kind, const char *who,
		const char **ret_key, struct err *err)
{
	AUTO(mem_freep) char *folded = text_fold(span_of(who));
	const char *key = NULL;
	char several[256] = "";
	size_t used = 0, found = 0;

	for (size_t i = 0; i < registry_count(engine->registry); i++) {
		const struct object *object = registry_at(engine->registry, i);

		if ((kind != PRINCIPAL_KIND_COUNT_ && object->kind != kind) ||
				!is_meant(engine, object, who, folded) ||
				text_equal(object->key, key))
			continue;
		/* A name that only a grant knows gives way to the entry that stands for it. */
		if (key && text_starts_with(object->key, "name/"))
			continue;
		found = key && text_starts_with(key, "name/") ? 1 : found + 1;
		key = object->key;
		if (found <= MATCHES_SHOWN && used < sizeof(several))
			used += (size_t)snprintf(several + used, sizeof(several) - used,
					"%s%s \"%s\" (%s)", used ? ", " : "",
					principal_kind_name(object->kind),
					pass_name(engine, object), object->key);
	}
	if (found == 0)
		return not_an_object(engine, who, err);
	if (found > 1)
		return err_set(err, ERR_USAGE, 0,
				"\"%s\" names %zu principals, name one of them by its key: %s", who,
				found, several);
	*ret_key = key;
	return ERR_NONE;
}

/* ---- explain ---- */

static json_t *entry_of(const struct engine *engine, const struct object *object)
{
	if (object->node == NODE_NONE)
		return json_null();
	return json_pack("{s:s, s:s, s:s}", "source",
			engine->settings->sources[snapshot_source(engine->snapshot, object->node)]
					.name,
			"dn", snapshot_dn(engine->snapshot, object->node), "anchor",
			snapshot_anchor(engine->snapshot, object->node));
}

static json_t *fields_of(const char *const fields[FIELD_COUNT_])
{
	json_t *json = json_object();

	for (unsigned i = 0; i < FIELD_COUNT_; i++) {
		if (fields[i])
			json_object_set_new(
					json, field_name((enum field)i), json_string(fields[i]));
	}
	return json;
}

static json_t *wanted_of(const struct want *want)
{
	json_t *json;

	if (!want || !want->identity)
		return json_null();
	json = fields_of(want->identity->fields);
	if (want->identity->kind != PRINCIPAL_GROUP)
		json_object_set_new(json, "active", json_boolean(want->state == WANT_IN));
	return json;
}

static json_t *principal_of(const struct engine *engine, const struct object *object)
{
	const char *fields[FIELD_COUNT_];
	char id[ID_TEXT_SIZE];

	for (unsigned i = 0; i < FIELD_COUNT_; i++)
		fields[i] = object->fields[i];
	return json_pack("{s:s, s:o, s:s, s:b, s:o}", "target",
			report_target(engine, object->target), "id",
			object->id ? json_string(id_text(object->id, id)) : json_null(), "origin",
			!object->ours                                      ? "foreign"
					: object->origin == ORIGIN_CREATED ? "created"
									   : "adopted",
			"active", object->kind == PRINCIPAL_GROUP || object->active, "fields",
			fields_of(fields));
}

static int compare_names(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static json_t *members_of(const struct engine *engine, const struct object *group)
{
	const char **names;
	json_t *list = json_array();
	size_t count = 0;

	if (group->kind != PRINCIPAL_GROUP)
		return json_decref(list), json_null();
	names = mem_array(group->members.count, sizeof(*names));
	for (size_t i = 0; i < group->members.count; i++) {
		const struct object *member = NULL;

		for (unsigned kind = 0; kind < PRINCIPAL_KIND_COUNT_ && !member; kind++)
			member = registry_find_id(engine->registry, group->target,
					(enum principal_kind)kind, group->members.items[i]);
		if (member)
			names[count++] = object_name(member);
	}
	if (count)
		qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 0; i < count && i < MEMBERS_SHOWN; i++)
		json_array_append_new(list, json_string(names[i]));
	mem_free(names);
	return json_pack("{s:I, s:o}", "count", (json_int_t)group->members.count, "names", list);
}

void report_operations(struct engine *engine, struct object *object, json_t *held, json_t *pending)
{
	struct arena *arena = arena_new();
	struct object_plan plan = {0};

	pass_plan(engine, object, arena, &plan);
	pass_mark_held(engine, &plan, arena);
	for (vec_each (&plan.operations, op))
		json_array_append_new(op->held_by ? held : pending,
				operation_to_json(op, engine->settings));
	object_plan_release(&plan);
	arena_free(arena);
}

static const char *state_of(const struct engine *engine, const struct object *object,
		const json_t *held, const json_t *pending, const struct concern_state *items)
{
	if (object->quarantined_ms || items->stuck)
		return "quarantined";
	if (json_array_size(pending) || object->work || object->dirty || object->read_wanted ||
			items->busy)
		return "pending";
	if (json_array_size(held))
		return "held";
	if (plan_is_protected(engine->settings, object->kind, object_name(object)))
		return "protected";
	if (!object->ours && !object->named_only)
		return "not_ours";
	return object->leaving || object->left_ms ? "leaver" : "in_sync";
}

static json_t *unread_of(const struct engine *engine, const struct principal_read *read)
{
	json_t *list = json_array();
	unsigned target;
	const char *reason;

	for (size_t i = 0; read && principal_read_unread(read, i, &target, &reason); i++)
		json_array_append_new(list,
				json_pack("{s:s, s:o}", "target", report_target(engine, target),
						"reason", report_text(reason)));
	return list;
}

static json_t *quarantine_of(const struct engine *engine, const struct object *object,
		const struct concern_state *items)
{
	if (object->quarantined_ms)
		return report_quarantine(engine, object);
	return items->stuck ? report_quarantined_item(engine, items->stuck) : json_null();
}

static json_t *explain_key(
		struct engine *engine, const char *key, const struct principal_read *read)
{
	json_t *principals = json_array(), *held = json_array(), *pending = json_array();
	struct rights *rights = rights_new(engine, read);
	json_t *groups, *grants, *permissions, *tokens;
	struct concern_state items = {0};
	struct object *first = NULL;
	const struct want *want;

	for (unsigned target = 0; target < engine->settings->target_count; target++) {
		struct object *object = registry_find(engine->registry, target, key);

		if (!object)
			continue;
		if (!first || (object->ours && !first->ours))
			first = object;
		json_array_append_new(principals, principal_of(engine, object));
		rights_gather(rights, object);
		report_operations(engine, object, held, pending);
	}
	groups = rights_groups(rights);
	grants = rights_grants(rights);
	permissions = rights_permissions(rights);
	tokens = rights_tokens(rights);
	rights_free(rights);
	if (!first)
		return json_null();
	concern_report(engine->access, first, held, pending, &items);
	want = first->node == NODE_NONE ? NULL : desired_want(engine->desired, first->node);
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
			 "s:o, s:o, s:o}",
			"name", pass_name(engine, first), "kind", principal_kind_name(first->kind),
			"key", key, "state", state_of(engine, first, held, pending, &items),
			"entry", entry_of(engine, first), "rule",
			want && want->identity
					? json_pack("{s:s, s:i}", "file", want->identity->why.file,
							  "line", (int)want->identity->why.line)
					: json_null(),
			"wanted", wanted_of(want), "principals", principals, "groups", groups,
			"members", members_of(engine, first), "grants", grants, "permissions",
			permissions, "tokens", tokens, "unread", unread_of(engine, read), "held",
			held, "quarantine", quarantine_of(engine, first, &items), "pending",
			pending);
}

enum err_code report_explain_read(const struct engine *engine, const char *who,
		const struct principal_read *read, json_t **ret, struct err *err)
{
	const char *key;
	struct engine *planner;

	if (report_find(engine, PRINCIPAL_KIND_COUNT_, who, &key, err) != ERR_NONE)
		return err->code;
	/* Planning marks nothing; only its scratch memory is not const. */
	memcpy(&planner, &engine, sizeof(planner));
	*ret = explain_key(planner, key, read);
	return ERR_NONE;
}

enum err_code engine_explain(
		const struct engine *engine, const char *who, json_t **ret, struct err *err)
{
	return report_explain_read(engine, who, NULL, ret, err);
}
