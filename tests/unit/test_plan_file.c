/* An operation survives its JSON, whatever its kind; and what a plan file allows. */
#include "sync/plan_file.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct target_settings targets[] = {
		{.name = "account", .is_account = true}, {.name = "prod"}};
static const struct settings settings = {
		.targets = targets, .target_count = 2, .has_account = true};

static const struct field_change made[] = {
		{FIELD_USER_NAME, NULL, "ada@example.com"}, {FIELD_EXTERNAL_ID, NULL, "anchor-1"}};
static const struct field_change renamed[] = {{FIELD_DISPLAY_NAME, "Ada", "Ada Sample"},
		{FIELD_FAMILY_NAME, "\xc3\x9cnsample", NULL}};
static const struct principal_ref people[] = {
		{"corp/a", "1", "a@example.com"}, {"corp/b", NULL, "b@example.com"}};
static const char *const user_level[] = {"USER"}, *const admin_level[] = {"ADMIN"};
static const char *const rights[] = {"workspace-access", "databricks-sql-access"};

#define WHY .why = {"mappings/corp.yaml", 12, "uid=ada,ou=People,dc=example,dc=com"}
#define ADA                                                                                        \
	.object = {"corp/1", "7", "ada@example.com"}, .active_before = true, .active_after = true
#define TEAM .principal = PRINCIPAL_GROUP, .object = {"corp/g", "100", "team"}
#define ROBOT                                                                                      \
	.principal = PRINCIPAL_SERVICE, .object = {"corp/s", "9", "robot"}, .active_before = true, \
	.active_after = true
#define REMOVES(of) .is_removal = true, .category = (of)
#define TEXTS(name, texts) .name = (texts), .value_count = COUNT_OF(texts)

static const struct principal_ref holders[] = {
		{"group/etl", NULL, "Etl"}, {"user/ada@example.com", NULL, "ada@example.com"}};
static const char *const levels[] = {"CAN_MANAGE_RUN", "CAN_VIEW"};
static const char *const former_levels[] = {"CAN_VIEW", NULL}, *const no_level[] = {NULL};
static const struct part_change parts[] = {
		{"definition", NULL, "{}"}, {"description", "old", NULL}};
#define JOB                                                                                        \
	.resource = RESOURCE_PERMISSIONS, .securable = SECURABLE_JOB,                              \
	.object = {"job/1", "1", "nightly"}, .target = 1
#define TOKENS                                                                                     \
	.resource = RESOURCE_PERMISSIONS, .securable = SECURABLE_AUTHORIZATION,                    \
	.object = {"authorization/tokens", "tokens", "tokens"}, .target = 1
#define POLICY                                                                                     \
	.resource = RESOURCE_CLUSTER_POLICY, .object = {"cluster_policy/small", "A1", "small"},    \
	.target = 1
#define PARTS .parts = parts, .part_count = COUNT_OF(parts)

static const struct operation operations[] = {
		{.kind = OP_CREATE,
				.object = {"corp/1", NULL, "ada@example.com"},
				.active_before = true,
				.active_after = true,
				.fields = made,
				.field_count = 2,
				WHY},
		{.kind = OP_ADOPT, ADA},
		{.kind = OP_ADOPT,
				TEAM,
				.active_before = true,
				.active_after = true,
				.fields = renamed,
				.field_count = 1},
		{.kind = OP_UPDATE, ADA, .fields = renamed, .field_count = 2, WHY},
		{.kind = OP_UPDATE,
				.object = {"corp/1", "7", "ada@example.com"},
				.active_after = true},
		{.kind = OP_DEACTIVATE,
				.object = {"corp/1", "7", "ada@example.com"},
				.active_before = true,
				REMOVES(GUARD_USERS),
				.follows_leaver = "corp/1",
				.held_by = "users-3",
				WHY},
		{.kind = OP_DELETE,
				.object = {"corp/1", "7", "ada@example.com"},
				.active_before = true,
				REMOVES(GUARD_USERS),
				.follows_leaver = "corp/1"},
		{.kind = OP_DELETE,
				TEAM,
				.active_before = true,
				.active_after = true,
				REMOVES(GUARD_GROUPS)},
		{.kind = OP_FORGET, TEAM, .active_before = true, .active_after = true},
		{.kind = OP_ADD_MEMBERS,
				TEAM,
				.active_before = true,
				.active_after = true,
				.members = people,
				.member_count = 2},
		{.kind = OP_ADD_MEMBERS,
				TEAM,
				.active_before = true,
				.active_after = true,
				.members = people,
				.member_count = 1,
				.adopts = true},
		{.kind = OP_REMOVE_MEMBERS,
				TEAM,
				.active_before = true,
				.active_after = true,
				.members = people,
				.member_count = 1,
				REMOVES(GUARD_MEMBERS),
				.follows_leaver = "corp/a"},
		{.kind = OP_ASSIGN, ADA, .target = 1, TEXTS(values, user_level)},
		{.kind = OP_ASSIGN,
				ADA,
				.target = 1,
				TEXTS(values, admin_level),
				.values_before = user_level},
		{.kind = OP_UNASSIGN,
				ADA,
				.target = 1,
				TEXTS(values, user_level),
				REMOVES(GUARD_PERMISSIONS)},
		{.kind = OP_UNASSIGN,
				ADA,
				.target = 1,
				TEXTS(values, admin_level),
				.values_before = user_level,
				REMOVES(GUARD_PERMISSIONS)},
		{.kind = OP_ADD_ENTITLEMENTS, ROBOT, .target = 1, TEXTS(values, rights)},
		{.kind = OP_REMOVE_ENTITLEMENTS,
				ROBOT,
				.target = 1,
				TEXTS(values, rights),
				REMOVES(GUARD_PERMISSIONS)},
		{.kind = OP_ADD_ROLES, ROBOT, TEXTS(values, user_level), .adopts = true},
		{.kind = OP_REMOVE_ROLES,
				ROBOT,
				TEXTS(values, user_level),
				REMOVES(GUARD_PERMISSIONS)},
		{.kind = OP_SET_PERMISSIONS,
				JOB,
				.members = holders,
				.member_count = 2,
				TEXTS(values, levels),
				.values_before = former_levels,
				WHY},
		{.kind = OP_SET_PERMISSIONS,
				JOB,
				.members = holders,
				.member_count = 1,
				.values = levels,
				.value_count = 1,
				.values_before = no_level,
				.adopts = true},
		{.kind = OP_REMOVE_PERMISSIONS,
				JOB,
				.members = holders,
				.member_count = 1,
				.values = levels,
				.value_count = 1,
				.values_before = no_level,
				REMOVES(GUARD_PERMISSIONS)},
		{.kind = OP_REMOVE_PERMISSIONS,
				TOKENS,
				.members = holders,
				.member_count = 1,
				.values = levels,
				.value_count = 1,
				.values_before = no_level,
				.weight = 40,
				REMOVES(GUARD_TOKENS)},
		{.kind = OP_SET_PERMISSIONS,
				.resource = RESOURCE_RULE_SET,
				.object = {"rule_set/1", "1", "etl"},
				.members = holders,
				.member_count = 1,
				.values = levels,
				.value_count = 1,
				.values_before = no_level},
		{.kind = OP_CREATE_RESOURCE, POLICY, PARTS},
		{.kind = OP_ADOPT_RESOURCE, POLICY},
		{.kind = OP_CHANGE_RESOURCE, POLICY, PARTS, .held_by = "policies-1"},
		{.kind = OP_REMOVE_RESOURCE, POLICY, REMOVES(GUARD_POLICIES)},
		{.kind = OP_FORGET_RESOURCE, POLICY},
		{.kind = OP_REMOVE_RESOURCE,
				.resource = RESOURCE_IP_ACCESS_LIST,
				.object = {"ip_access_list/ALLOW/offices", "x", "offices"},
				.target = 1,
				REMOVES(GUARD_LISTS)},
		{.kind = OP_REMOVE_RESOURCE,
				.resource = RESOURCE_TOKEN,
				.object = {"token/abc", "abc", "of ada"},
				.target = 1,
				REMOVES(GUARD_TOKENS)},
};

static void same_ref(const struct principal_ref *a, const struct principal_ref *b)
{
	assert_string_equal(a->key, b->key);
	assert_true(text_equal(a->remote_id, b->remote_id));
	assert_string_equal(a->name, b->name);
}

static void same_lists(const struct operation *a, const struct operation *b)
{
	assert_int_equal(a->field_count, b->field_count);
	for (size_t i = 0; i < a->field_count; i++) {
		assert_int_equal(a->fields[i].field, b->fields[i].field);
		assert_true(text_equal(a->fields[i].before, b->fields[i].before));
		assert_true(text_equal(a->fields[i].after, b->fields[i].after));
	}
	assert_int_equal(a->member_count, b->member_count);
	for (size_t i = 0; i < a->member_count; i++)
		same_ref(&a->members[i], &b->members[i]);
	assert_int_equal(a->value_count, b->value_count);
	for (size_t i = 0; i < a->value_count; i++)
		assert_string_equal(a->values[i], b->values[i]);
	assert_int_equal(a->values_before != NULL, b->values_before != NULL);
	if (a->values_before)
		assert_true(text_equal(a->values_before[0], b->values_before[0]));
	assert_int_equal(a->part_count, b->part_count);
	for (size_t i = 0; i < a->part_count; i++) {
		assert_string_equal(a->parts[i].name, b->parts[i].name);
		assert_true(text_equal(a->parts[i].before, b->parts[i].before));
		assert_true(text_equal(a->parts[i].after, b->parts[i].after));
	}
}

static void same_operation(const struct operation *a, const struct operation *b)
{
	assert_string_equal(a->id, b->id);
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->principal, b->principal);
	assert_int_equal(a->resource, b->resource);
	assert_int_equal(a->securable, b->securable);
	assert_int_equal(a->target, b->target);
	same_ref(&a->object, &b->object);
	same_lists(a, b);
	assert_int_equal(a->active_before, b->active_before);
	assert_int_equal(a->active_after, b->active_after);
	assert_int_equal(a->adopts, b->adopts);
	assert_int_equal(a->is_removal, b->is_removal);
	assert_int_equal(a->category, b->category);
	assert_int_equal(a->weight, b->weight);
	assert_true(text_equal(a->follows_leaver, b->follows_leaver));
	assert_true(text_equal(a->held_by, b->held_by));
	assert_true(text_equal(a->why.file, b->why.file));
	assert_int_equal(a->why.line, b->why.line);
	assert_true(text_equal(a->why.entry, b->why.entry));
}

static void every_kind_survives(void **state)
{
	bool seen[OP_KIND_COUNT_] = {false};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(operations); i++) {
		AUTO(arena_freep) struct arena *arena = arena_new();
		struct operation op = operations[i], read;
		json_auto_t *json = NULL;
		const char *id;
		struct err err;

		seen[op.kind] = true;
		operation_set_id(&op, &settings, arena);
		json = operation_to_json(&op, &settings);
		if (operation_from_json(json, &settings, arena, &read, &err) != ERR_NONE)
			fail_msg("row %zu: %s", i, err.text);
		same_operation(&op, &read);
		id = read.id;
		operation_set_id(&read, &settings, arena);
		assert_string_equal(read.id, id);
	}
	for (size_t kind = 0; kind < OP_KIND_COUNT_; kind++) {
		if (!seen[kind])
			fail_msg("no row for kind %zu", kind);
	}
}

static void ids_tell_all_apart(void **state)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	struct operation ops[COUNT_OF(operations)];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(operations); i++) {
		ops[i] = operations[i];
		operation_set_id(&ops[i], &settings, arena);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(ops[i].id, ops[k].id);
	}
}

static void what_is_no_operation_is_refused(void **state)
{
	static const char *const cases[] = {"{}", "[]", "{\"id\": \"1\", \"op\": \"create\"}",
			"{\"id\": \"1\", \"op\": \"explode\", \"kind\": \"user\", \"target\": "
			"\"account\", \"object\": {\"key\": \"k\", \"name\": \"n\"}}",
			"{\"id\": \"1\", \"op\": \"create\", \"kind\": \"user\", \"target\": "
			"\"elsewhere\", \"object\": {\"key\": \"k\", \"name\": \"n\"}}",
			"{\"id\": \"1\", \"op\": \"add_members\", \"kind\": \"group\", \"target\": "
			"\"account\", \"object\": {\"key\": \"k\", \"name\": \"n\"}, \"members\": "
			"[7]}",
			"{\"id\": \"1\", \"op\": \"assign\", \"kind\": \"group\", \"target\": "
			"\"prod\", \"object\": {\"key\": \"k\", \"name\": \"n\"}, \"values\": "
			"[7]}"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(arena_freep) struct arena *arena = arena_new();
		json_error_t problem;
		json_auto_t *json = json_loads(cases[i], 0, &problem);
		struct operation op;
		struct err err;

		assert_non_null(json);
		if (operation_from_json(json, &settings, arena, &op, &err) != ERR_CONFIG)
			fail_msg("case %zu was taken", i);
	}
}

static void only_what_was_shown_is_covered(void **state)
{
	static const struct field_change other_before[] = {
			{FIELD_DISPLAY_NAME, "Someone", "Ada Sample"}};
	static const struct {
		struct operation op, allowed;
		bool covered;
	} cases[] = {
			{{.kind = OP_ADD_MEMBERS, TEAM, .members = people, .member_count = 1},
					{.kind = OP_ADD_MEMBERS,
							TEAM,
							.members = people,
							.member_count = 2},
					true},
			{{.kind = OP_ADD_MEMBERS, TEAM, .members = people, .member_count = 2},
					{.kind = OP_ADD_MEMBERS,
							TEAM,
							.members = people,
							.member_count = 1},
					false},
			/* It was there by another hand, and is no more. */
			{{.kind = OP_ADD_MEMBERS, TEAM, .members = people, .member_count = 1},
					{.kind = OP_ADD_MEMBERS,
							TEAM,
							.members = people,
							.member_count = 1,
							.adopts = true},
					false},
			{{.kind = OP_ADD_MEMBERS,
					 TEAM,
					 .members = people,
					 .member_count = 1,
					 .adopts = true},
					{.kind = OP_ADD_MEMBERS,
							TEAM,
							.members = people,
							.member_count = 1},
					true},
			{{.kind = OP_UPDATE, ADA, .fields = renamed, .field_count = 1},
					{.kind = OP_UPDATE,
							ADA,
							.fields = renamed,
							.field_count = 2},
					true},
			/* The object has moved on. */
			{{.kind = OP_UPDATE, ADA, .fields = other_before, .field_count = 1},
					{.kind = OP_UPDATE,
							ADA,
							.fields = renamed,
							.field_count = 1},
					false},
			/* Nobody was shown that the account is activated again. */
			{{.kind = OP_UPDATE,
					 .object = {"corp/1", "7", "ada@example.com"},
					 .active_after = true,
					 .fields = renamed,
					 .field_count = 1},
					{.kind = OP_UPDATE,
							ADA,
							.fields = renamed,
							.field_count = 1},
					false},
			{{.kind = OP_UNASSIGN,
					 ADA,
					 .target = 1,
					 TEXTS(values, admin_level),
					 .values_before = user_level},
					{.kind = OP_UNASSIGN,
							ADA,
							.target = 1,
							TEXTS(values, admin_level)},
					false},
			{{.kind = OP_ASSIGN, ADA, .target = 1, TEXTS(values, user_level)},
					{.kind = OP_ASSIGN,
							ADA,
							.target = 0,
							TEXTS(values, user_level)},
					false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (operation_is_covered(&cases[i].op, &cases[i].allowed) != cases[i].covered)
			fail_msg("case %zu: %d", i, !cases[i].covered);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(every_kind_survives),
			cmocka_unit_test(ids_tell_all_apart),
			cmocka_unit_test(what_is_no_operation_is_refused),
			cmocka_unit_test(only_what_was_shown_is_covered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
