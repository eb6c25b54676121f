#include "scim.h"

#include "base/text.h"
#include "stale.h"

static void answer_object(const struct change *change, struct answer *answer)
{
	render_principal(answer_json(answer, 200), change->scope, change->who, ATTR_ALL, false);
}

/* Lists read text values only; anything else is against the schema. */
static bool read_name(struct change *change, const json_t *value, const char **ret)
{
	if (!json_is_string(value))
		return scim_refuse_syntax(&change->problem);
	if (json_string_length(value) > NAME_BYTES_MAX)
		return scim_refuse(&change->problem, 400, "invalidValue", "Value is too long");
	*ret = json_string_length(value) ? json_string_value(value) : NULL;
	return true;
}

static bool refuse_absent(struct change *change, enum attr attr)
{
	return scim_refuse(&change->problem, 400, "invalidPath",
			"No such attribute with the name : %s in the current resource",
			attr_name(attr));
}

static bool is_remove_of_unset(const struct patch_op *op, const char *now)
{
	return op->verb == PATCH_REMOVE && !now;
}

static bool patch_text(struct change *change, const struct patch_op *op)
{
	struct principal *who = change->who;
	const struct shown shown = {.scope = change->scope, .who = who};
	const char *text = NULL;

	if (is_remove_of_unset(op, shown_value(&shown, op->attr, 0)))
		return refuse_absent(change, op->attr);
	if (op->verb != PATCH_REMOVE && !read_name(change, op->value, &text))
		return false;
	if (op->attr == ATTR_DISPLAY_NAME)
		return change_display_name(change, text);
	if (op->attr == ATTR_EXTERNAL_ID)
		change_external_id(change, text);
	else if (!change_is_foreign(change))
		text_replace(op->attr == ATTR_GIVEN_NAME ? &who->given_name : &who->family_name,
				text);
	return true;
}

static bool patch_name(struct change *change, const struct patch_op *op)
{
	static const struct {
		const char *key;
		enum attr attr;
	} parts[] = {{"givenName", ATTR_GIVEN_NAME}, {"familyName", ATTR_FAMILY_NAME}};

	if (op->verb == PATCH_REMOVE) {
		if (!change_is_foreign(change)) {
			text_replace(&change->who->given_name, NULL);
			text_replace(&change->who->family_name, NULL);
		}
		return true;
	}
	if (!json_is_object(op->value))
		return scim_refuse_syntax(&change->problem);
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		struct patch_op part = {.verb = op->verb, .attr = parts[i].attr};

		part.value = json_object_get(op->value, parts[i].key);
		if (part.value && !patch_text(change, &part))
			return false;
	}
	return true;
}

static bool patch_active(struct change *change, const struct patch_op *op)
{
	bool active;

	if (op->verb == PATCH_REMOVE)
		return scim_refuse(&change->problem, 400, "mutability", "active cannot be removed");
	if (change->scope->sim->options.quirks[QUIRK_ACTIVE_STRICT] && !change->scope->workspace &&
			!json_is_boolean(op->value))
		return scim_refuse(&change->problem, 500, NULL,
				"class java.lang.String cannot be cast to class java.lang.Boolean");
	if (!json_read_bool(op->value, &active))
		return scim_refuse_syntax(&change->problem);
	return change_active(change, active);
}

static bool patch_members(struct change *change, const struct patch_op *op)
{
	if (op->verb == PATCH_ADD)
		return change_add_members(change, op->value);
	if (op->verb == PATCH_REPLACE)
		return change_set_members(change, op->value);
	if (!op->only_value && change->who->members.count == 0 &&
			change->who->system == SYSTEM_NONE)
		return refuse_absent(change, ATTR_MEMBERS);
	return change_remove_members(change, op->only_value);
}

static bool patch_roles(struct change *change, const struct patch_op *op)
{
	struct json_texts roles = {0};
	bool good = true;

	if (op->verb == PATCH_REMOVE && op->only_value)
		return change_remove_role(change, op->only_value);
	if (op->verb == PATCH_REMOVE && change_roles(change)->count == 0)
		return refuse_absent(change, ATTR_ROLES);
	if (op->verb != PATCH_REMOVE && !json_read_values(op->value, &roles))
		good = scim_refuse_syntax(&change->problem);
	else if (op->verb != PATCH_ADD)
		good = change_set_roles(change, &roles);
	for (size_t i = 0; good && op->verb == PATCH_ADD && i < roles.count; i++)
		change_add_role(change, roles.items[i]);
	vec_release(&roles);
	return good;
}

/* The account has none: an older service took the request and did nothing, the present one refuses it. */
static bool check_entitlements(struct change *change, const struct patch_op *op, bool *ret_ignored)
{
	*ret_ignored = !change->scope->workspace &&
			change->scope->sim->options.quirks[QUIRK_ACCOUNT_ENTITLEMENTS_IGNORED];
	if (!change->scope->workspace && !*ret_ignored)
		return scim_refuse(&change->problem, 400, "invalidValue",
				"entitlements can only be managed at the workspace level");
	if (op->verb != PATCH_REMOVE && json_is_null(op->value))
		return scim_refuse(&change->problem, 500, NULL,
				"Error in performing the patch operation on group resource.");
	return true;
}

static bool patch_entitlements(struct change *change, const struct patch_op *op)
{
	uint32_t named = ATTR_ALL, *have;
	bool ignored;

	if (!check_entitlements(change, op, &ignored))
		return false;
	if (ignored)
		return true;
	have = change_entitlements(change);
	if (op->verb == PATCH_REMOVE && *have == 0)
		return refuse_absent(change, ATTR_ENTITLEMENTS);
	if (op->only_value)
		named = entitlement_bit(op->only_value);
	else if (op->value && !entitlements_read(op->value, &named, &change->problem))
		return false;
	if (op->verb == PATCH_ADD)
		*have |= named;
	else if (op->verb == PATCH_REPLACE)
		*have = named;
	else
		*have &= ~named;
	return true;
}

typedef bool patch_fn(struct change *change, const struct patch_op *op);

/* What the service owns is accepted and left as it is. */
static bool patch_nothing(struct change *change, const struct patch_op *op)
{
	(void)change;
	(void)op;
	return true;
}

#define FOR_USER (1 << KIND_USER)
#define FOR_GROUP (1 << KIND_GROUP)
#define FOR_SP (1 << KIND_SP)
#define FOR_ALL (FOR_USER | FOR_GROUP | FOR_SP)

static const struct {
	patch_fn *apply;
	int kinds;
} patchable[ATTR_COUNT_] = {
		[ATTR_ID] = {patch_nothing, FOR_ALL},
		[ATTR_SCHEMAS] = {patch_nothing, FOR_ALL},
		[ATTR_META] = {patch_nothing, FOR_ALL},
		[ATTR_GROUPS] = {patch_nothing, FOR_ALL},
		[ATTR_USER_NAME] = {patch_nothing, FOR_USER},
		[ATTR_EMAILS] = {patch_nothing, FOR_USER},
		[ATTR_APPLICATION_ID] = {patch_nothing, FOR_SP},
		[ATTR_DISPLAY_NAME] = {patch_text, FOR_ALL},
		[ATTR_EXTERNAL_ID] = {patch_text, FOR_ALL},
		[ATTR_NAME] = {patch_name, FOR_USER},
		[ATTR_GIVEN_NAME] = {patch_text, FOR_USER},
		[ATTR_FAMILY_NAME] = {patch_text, FOR_USER},
		[ATTR_ACTIVE] = {patch_active, FOR_USER | FOR_SP},
		[ATTR_MEMBERS] = {patch_members, FOR_GROUP},
		[ATTR_ROLES] = {patch_roles, FOR_ALL},
		[ATTR_ENTITLEMENTS] = {patch_entitlements, FOR_ALL},
};

static bool is_patchable(const struct change *change, enum attr attr)
{
	return patchable[attr].apply && patchable[attr].kinds & 1 << change->who->kind;
}

/* Without a path the value is an object; each of its attributes is an operation, unknown ones are passed over. */
static bool apply_object(struct change *change, const struct patch_op *op)
{
	const char *key;
	json_t *value;

	json_object_foreach(op->value, key, value)
	{
		struct patch_op part = {
				.verb = op->verb, .attr = attr_parse(span_of(key)), .value = value};

		if (is_patchable(change, part.attr) && !patchable[part.attr].apply(change, &part))
			return false;
	}
	return true;
}

static bool apply_patch(struct change *change, const struct patch *patch)
{
	for (vec_each (patch, op)) {
		if (op->attr == ATTR_NONE) {
			if (!apply_object(change, op))
				return false;
		} else if (!is_patchable(change, op->attr)) {
			return refuse_absent(change, op->attr);
		} else if (!patchable[op->attr].apply(change, op)) {
			return false;
		}
	}
	return true;
}

void scim_patch(struct request *request, const struct scope *scope, struct principal *who,
		json_t *body, struct answer *answer)
{
	struct patch patch;
	struct change change;
	struct principal *before;

	change_begin(&change, request, scope, who);
	if (!patch_parse(body, &patch, &change.problem)) {
		answer_problem(answer, &change.problem);
		change_undo(&change);
		return;
	}
	before = stale_before(request->stale, who);
	if (apply_patch(&change, &patch)) {
		answer_object(&change, answer);
		change_commit(&change);
		stale_commit(scope->sim->state, request->stale, who, before);
	} else {
		answer_problem(answer, &change.problem);
		change_undo(&change);
		principal_free(before);
	}
	patch_release(&patch);
	if (answer->status == 200 && scope->sim->options.quirks[QUIRK_PATCH_NO_CONTENT]) {
		answer_reset(answer);
		answer->status = 204;
	}
}

/* Whatever the body leaves out is emptied. */
static bool apply_put(struct change *change, const struct resource *resource)
{
	struct principal *who = change->who;

	if (!change_display_name(change, resource->display_name) ||
			!change_set_roles(change, &resource->roles))
		return false;
	change_external_id(change, resource->external_id);
	if (change->scope->workspace)
		*change_entitlements(change) = resource->entitlements;
	if (who->kind == KIND_GROUP)
		return (who->system != SYSTEM_NONE && !resource->members) ||
				change_set_members(change, resource->members);
	if (who->kind == KIND_USER && !change_is_foreign(change)) {
		text_replace(&who->given_name, resource->given_name);
		text_replace(&who->family_name, resource->family_name);
	}
	return change_active(change, resource->active);
}

void scim_put(struct request *request, const struct scope *scope, struct principal *who,
		json_t *body, struct answer *answer)
{
	struct resource resource;
	struct change change;
	struct principal *before;

	change_begin(&change, request, scope, who);
	if (!resource_read(body, who->kind, &resource, &change.problem)) {
		answer_problem(answer, &change.problem);
		change_undo(&change);
		return;
	}
	before = stale_before(request->stale, who);
	if (apply_put(&change, &resource)) {
		answer_object(&change, answer);
		change_commit(&change);
		stale_commit(scope->sim->state, request->stale, who, before);
	} else {
		answer_problem(answer, &change.problem);
		change_undo(&change);
		principal_free(before);
	}
	resource_release(&resource);
}

/* In a workspace a principal of the account only loses its place there. */
void scim_delete(struct request *request, const struct scope *scope, struct principal *who,
		struct answer *answer)
{
	struct state *state = scope->sim->state;
	struct principal *before;

	if (who->system != SYSTEM_NONE) {
		answer_scim_error(answer, 403, NULL,
				"PERMISSION_DENIED: Group %s cannot be deleted", who->display_name);
		return;
	}
	before = stale_before(request->stale, who);
	if (scope->workspace && !who->home)
		seat_set_level(state, who, scope->workspace, LEVEL_NONE);
	else
		state_remove(state, who);
	stale_commit(state, request->stale, who, before);
	answer->status = 204;
}
