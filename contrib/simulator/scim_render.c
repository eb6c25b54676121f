#include "scim_render.h"

#include "base/json_out.h"

static const struct {
	const char *collection;
	const char *schemas;
} kinds[KIND_COUNT_] = {
		[KIND_USER] = {"Users", "\"urn:ietf:params:scim:schemas:core:2.0:User\""},
		[KIND_GROUP] = {"Groups", "\"urn:ietf:params:scim:schemas:core:2.0:Group\""},
		[KIND_SP] = {"ServicePrincipals",
				"\"urn:ietf:params:scim:schemas:core:2.0:ServicePrincipal\""},
};

const char *kind_collection(enum kind kind)
{
	return kinds[kind].collection;
}

bool scope_sees(const struct scope *scope, const struct principal *who)
{
	if (scope->workspace)
		return workspace_sees(scope->sim->state, scope->workspace, who);
	return who->home == NULL;
}

bool shown_active(const struct scope *scope, const struct principal *who)
{
	const struct seat *seat = scope->workspace ? seat_find(who, scope->workspace) : NULL;

	return who->active && !(seat && seat->inactive);
}

static const struct texts *shown_roles(const struct scope *scope, const struct principal *who)
{
	const struct seat *seat;

	if (!scope->workspace)
		return &who->roles;
	seat = seat_find(who, scope->workspace);
	return seat ? &seat->roles : NULL;
}

static uint32_t shown_entitlements(const struct scope *scope, const struct principal *who)
{
	const struct seat *seat = scope->workspace ? seat_find(who, scope->workspace) : NULL;

	return seat ? seat->entitlements : 0;
}

static const char *nth_entitlement(uint32_t bits, size_t n)
{
	for (uint32_t i = 0; i < ENTITLEMENT_COUNT; i++) {
		if (bits & (UINT32_C(1) << i) && n-- == 0)
			return entitlement_names[i];
	}
	return NULL;
}

static const char *nth_link(const struct links *links, size_t n)
{
	return n < links->count ? links->items[n].other->id_text : NULL;
}

static const char *multi_value(const struct shown *shown, enum attr attr, size_t n)
{
	const struct principal *who = shown->who;
	const struct texts *roles = shown_roles(shown->scope, who);

	if (attr == ATTR_ENTITLEMENTS)
		return nth_entitlement(shown_entitlements(shown->scope, who), n);
	if (attr == ATTR_ROLES)
		return roles && n < roles->count ? roles->items[n] : NULL;
	if (attr == ATTR_MEMBERS)
		return nth_link(&who->members, n);
	if (attr == ATTR_GROUPS)
		return nth_link(&who->parents, n);
	return NULL;
}

static const char *shown_email(const struct scope *scope, const struct principal *who)
{
	return who->email || !scope->sim->options.quirks[QUIRK_FILL_EMAILS] ? who->email
									    : who->name;
}

static const char *single_value(const struct shown *shown, enum attr attr)
{
	const struct principal *who = shown->who;

	if (attr == ATTR_ID)
		return who->id_text;
	if (attr == ATTR_USER_NAME)
		return who->kind == KIND_USER ? who->name : NULL;
	if (attr == ATTR_APPLICATION_ID)
		return who->kind == KIND_SP ? who->name : NULL;
	if (attr == ATTR_DISPLAY_NAME)
		return who->display_name;
	if (attr == ATTR_EXTERNAL_ID)
		return who->external_id;
	if (attr == ATTR_GIVEN_NAME)
		return who->given_name;
	if (attr == ATTR_FAMILY_NAME)
		return who->family_name;
	if (attr == ATTR_EMAILS && who->kind == KIND_USER)
		return shown_email(shown->scope, who);
	if (attr == ATTR_ACTIVE && who->kind != KIND_GROUP)
		return shown_active(shown->scope, who) ? "true" : "false";
	if (attr == ATTR_META && who->kind == KIND_GROUP && shown->scope->workspace)
		return who->home ? "WorkspaceGroup" : "Group";
	return NULL;
}

const char *shown_value(const void *object, enum attr attr, size_t n)
{
	const struct shown *shown = object;

	if (attr == ATTR_ENTITLEMENTS || attr == ATTR_ROLES || attr == ATTR_MEMBERS ||
			attr == ATTR_GROUPS)
		return multi_value(shown, attr, n);
	return n == 0 ? single_value(shown, attr) : NULL;
}

static void add_reference(struct buf *out, const struct principal *who, const char *type)
{
	const char *display = who->display_name ? who->display_name : who->name;

	json_add_comma(out);
	buf_add(out, "{\"value\":\"", 10);
	buf_add_text(out, who->id_text);
	buf_add_char(out, '"');
	json_add_member(out, "display", display);
	buf_add(out, ",\"$ref\":\"", 9);
	buf_add_text(out, kinds[who->kind].collection);
	buf_add_char(out, '/');
	buf_add_text(out, who->id_text);
	buf_add_char(out, '"');
	json_add_member(out, "type", type);
	buf_add_char(out, '}');
}

static void add_all(struct buf *out, const struct principals *list)
{
	for (vec_each (list, who))
		add_reference(out, *who, NULL);
}

static void add_system_members(
		struct buf *out, const struct scope *scope, const struct principal *group)
{
	struct state *state = scope->sim->state;

	if (group->system == SYSTEM_ACCOUNT_USERS) {
		add_all(out, &state->lists[KIND_USER]);
		add_all(out, &state->lists[KIND_SP]);
		return;
	}
	if (group->system == SYSTEM_USERS) {
		add_all(out, workspace_list(state, group->home, KIND_USER));
		add_all(out, workspace_list(state, group->home, KIND_SP));
	}
	for (vec_each (&group->home->seats, item)) {
		const struct seat *seat = *item;

		if (group->system == SYSTEM_ADMINS ? seat->level == LEVEL_ADMIN
						   : seat->who->kind == KIND_GROUP)
			add_reference(out, seat->who, NULL);
	}
}

/* Ends an array that was begun at start, or takes it back if nothing came into it. */
static void end_array(struct buf *out, size_t start, size_t empty_len)
{
	if (out->len > empty_len) {
		buf_add_char(out, ']');
	} else {
		out->len = start;
		out->ptr[start] = '\0';
	}
}

static void add_members(struct buf *out, const struct scope *scope, const struct principal *group)
{
	size_t start = out->len, empty;

	json_add_key(out, "members");
	buf_add_char(out, '[');
	empty = out->len;
	if (group->system != SYSTEM_NONE)
		add_system_members(out, scope, group);
	for (vec_each (&group->members, link))
		add_reference(out, link->other, NULL);
	end_array(out, start, empty);
}

static void add_groups(struct buf *out, const struct scope *scope, const struct principal *who)
{
	size_t start = out->len, empty;
	enum level level = seat_level(who, scope->workspace);

	json_add_key(out, "groups");
	buf_add_char(out, '[');
	empty = out->len;
	if (!who->home && (level != LEVEL_NONE || who->kind != KIND_GROUP))
		add_reference(out, scope->workspace->users,
				level != LEVEL_NONE ? "direct" : "indirect");
	if (level == LEVEL_ADMIN)
		add_reference(out, scope->workspace->admins, "direct");
	for (vec_each (&who->parents, link)) {
		if (scope_sees(scope, link->other))
			add_reference(out, link->other, "direct");
	}
	end_array(out, start, empty);
}

static void add_values(struct buf *out, const struct shown *shown, enum attr attr)
{
	size_t start = out->len, empty;
	const char *value;

	json_add_key(out, attr_name(attr));
	buf_add_char(out, '[');
	empty = out->len;
	for (size_t n = 0; (value = shown_value(shown, attr, n)) != NULL; n++) {
		json_add_comma(out);
		buf_add_char(out, '{');
		json_add_member(out, "value", value);
		buf_add_char(out, '}');
	}
	end_array(out, start, empty);
}

static void add_email(struct buf *out, const char *email)
{
	if (!email)
		return;
	json_add_key(out, "emails");
	buf_add_text(out, "[{\"type\":\"work\"");
	json_add_member(out, "value", email);
	buf_add_text(out, ",\"primary\":true}]");
}

static void add_person(struct buf *out, const struct scope *scope, const struct principal *who,
		uint32_t attributes)
{
	if (attributes & ATTR_BIT(ATTR_NAME) && (who->given_name || who->family_name)) {
		json_add_key(out, "name");
		buf_add_char(out, '{');
		json_add_member(out, "givenName", who->given_name);
		json_add_member(out, "familyName", who->family_name);
		buf_add_char(out, '}');
	}
	if (attributes & ATTR_BIT(ATTR_EMAILS))
		add_email(out, shown_email(scope, who));
}

static void begin(struct buf *out, const struct principal *who, const char *schemas)
{
	buf_add_text(out, "{\"schemas\":[");
	buf_add_text(out, schemas);
	buf_add(out, "],\"id\":\"", 8);
	buf_add_text(out, who->id_text);
	buf_add_char(out, '"');
}

static void add_workspace_part(struct buf *out, const struct shown *shown, uint32_t attributes)
{
	const struct principal *who = shown->who;

	if (!shown->scope->workspace)
		return;
	if (attributes & ATTR_BIT(ATTR_GROUPS))
		add_groups(out, shown->scope, who);
	if (attributes & ATTR_BIT(ATTR_ENTITLEMENTS))
		add_values(out, shown, ATTR_ENTITLEMENTS);
	if (attributes & ATTR_BIT(ATTR_META) && who->kind == KIND_GROUP) {
		json_add_key(out, "meta");
		buf_printf(out, "{\"resourceType\":\"%s\"}",
				who->home ? "WorkspaceGroup" : "Group");
	}
}

/* The application id of a service principal comes whatever was asked for. */
static void add_names(struct buf *out, const struct scope *scope, const struct principal *who,
		uint32_t attributes)
{
	if (who->kind == KIND_SP)
		json_add_member(out, "applicationId", who->name);
	if (who->kind == KIND_USER && attributes & ATTR_BIT(ATTR_USER_NAME))
		json_add_member(out, "userName", who->name);
	if (attributes & ATTR_BIT(ATTR_DISPLAY_NAME))
		json_add_member(out, "displayName", who->display_name);
	if (attributes & ATTR_BIT(ATTR_EXTERNAL_ID))
		json_add_member(out, "externalId", who->external_id);
	if (who->kind == KIND_USER)
		add_person(out, scope, who, attributes);
}

static void add_active(struct buf *out, const struct scope *scope, const struct principal *who)
{
	json_add_key(out, "active");
	buf_add_text(out, shown_active(scope, who) ? "true" : "false");
}

void render_principal(struct buf *out, const struct scope *scope, const struct principal *who,
		uint32_t attributes, bool in_list)
{
	const struct shown shown = {.scope = scope, .who = who};

	begin(out, who, kinds[who->kind].schemas);
	add_names(out, scope, who, attributes);
	if (who->kind != KIND_GROUP && attributes & ATTR_BIT(ATTR_ACTIVE))
		add_active(out, scope, who);
	if (who->kind == KIND_GROUP && attributes & ATTR_BIT(ATTR_MEMBERS) &&
			(!in_list || scope->workspace ||
					scope->sim->options.quirks[QUIRK_ACCOUNT_LIST_MEMBERS]))
		add_members(out, scope, who);
	if (attributes & ATTR_BIT(ATTR_ROLES))
		add_values(out, &shown, ATTR_ROLES);
	add_workspace_part(out, &shown, attributes);
	buf_add_char(out, '}');
}

void render_me(struct buf *out, const struct scope *scope, const struct principal *who,
		uint32_t attributes)
{
	const struct shown shown = {.scope = scope, .who = who};
	const char *display = who->display_name ? who->display_name : "";
	size_t given_len = strcspn(display, " ");
	AUTO(mem_freep) char *given = mem_strndup(display, given_len);

	begin(out, who, kinds[KIND_USER].schemas);
	if (attributes & ATTR_BIT(ATTR_USER_NAME))
		json_add_member(out, "userName", who->name);
	if (attributes & ATTR_BIT(ATTR_DISPLAY_NAME))
		json_add_member(out, "displayName", who->display_name);
	if (attributes & ATTR_BIT(ATTR_NAME) && given_len) {
		json_add_key(out, "name");
		buf_add_char(out, '{');
		json_add_member(out, "givenName", given);
		json_add_member(out, "familyName",
				display[given_len] ? display + given_len + 1 : NULL);
		buf_add_char(out, '}');
	}
	if (attributes & ATTR_BIT(ATTR_EMAILS))
		add_email(out, who->name);
	if (attributes & ATTR_BIT(ATTR_ACTIVE))
		add_active(out, scope, who);
	if (attributes & ATTR_BIT(ATTR_ROLES))
		add_values(out, &shown, ATTR_ROLES);
	add_workspace_part(out, &shown, attributes);
	buf_add_char(out, '}');
}
