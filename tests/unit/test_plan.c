/* One object, what is wanted of it, and the operations that follow: in order, with nothing that is not ours touched. */
#include "sync/plan.h"

#include "base/buf.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char *protected_users[] = {"breakglass@example.com"};
static struct target_settings targets[] = {
		{.name = "account", .is_account = true}, {.name = "prod"}};
static struct settings settings = {
		.targets = targets,
		.target_count = 2,
		.has_account = true,
		.protected_names = {[PRINCIPAL_USER] = protected_users},
		.protected_counts = {[PRINCIPAL_USER] = 1},
};

struct world {
	struct registry *registry;
	struct arena *arena;
	struct plan_context context;
	const char *level; /* what everybody has in prod by another hand */
	enum power power;
	const char *rival; /* who else claims every name */
};

static const char *level_of(void *context, unsigned workspace, uint64_t id)
{
	const struct world *world = context;

	(void)workspace;
	(void)id;
	return world->level;
}

static enum power power_of(void *context, uint64_t group, unsigned *ret_workspace)
{
	const struct world *world = context;

	(void)group;
	*ret_workspace = 1;
	return world->power;
}

static const char *rival_of(void *context, const struct object *object)
{
	const struct world *world = context;

	(void)object;
	return world->rival;
}

static const char *entry_of(void *context, const struct object *object)
{
	(void)context;
	(void)object;
	return NULL;
}

static const char *name_of(void *context, const struct object *object)
{
	(void)context;
	return object_name(object);
}

static int set_up(void **state)
{
	struct world *world = mem_zalloc(sizeof(*world));

	world->registry = registry_new();
	world->arena = arena_new();
	world->context = (struct plan_context){.settings = &settings,
			.registry = world->registry,
			.leavers = LEAVER_DEACTIVATE,
			.removals_allowed = true,
			.lists_known = true,
			.arena = world->arena,
			.assigned_level = level_of,
			.power_of = power_of,
			.rival_of = rival_of,
			.entry_of = entry_of,
			.name_of = name_of,
			.context = world};
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	registry_free(world->registry);
	arena_free(world->arena);
	mem_free(world);
	return 0;
}

static struct object *ours(struct world *world, enum principal_kind kind, const char *key,
		const char *name, uint64_t id)
{
	struct object *object = registry_object(world->registry, 0, kind, key);

	registry_bind(world->registry, object, id);
	object->ours = object->active = true;
	registry_set_field(world->registry, object, principal_name_field(kind), name);
	return object;
}

static struct identity user(const char *user_name)
{
	return (struct identity){.kind = PRINCIPAL_USER,
			.fields = {[FIELD_USER_NAME] = user_name},
			.active = true};
}

static struct identity group(const char *name)
{
	return (struct identity){.kind = PRINCIPAL_GROUP,
			.fields = {[FIELD_DISPLAY_NAME] = name},
			.active = true};
}

/* The plan as text, "create; add_members a b; ..." with h for held-able removals. */
static const char *planned(struct world *world, struct object *object, const struct wanted *wanted)
{
	struct object_plan plan;
	const char *text;
	struct buf buf;

	plan_object(&world->context, object, wanted, &plan);
	buf_init(&buf, 4096);
	for (vec_each (&plan.operations, op)) {
		buf_printf(&buf, "%s%s%s", buf.len ? "; " : "", op->adopts ? "=" : "",
				operation_kind_name(op->kind));
		for (size_t i = 0; i < op->field_count; i++)
			buf_printf(&buf, " %s=%s", field_name(op->fields[i].field),
					op->fields[i].after);
		for (size_t i = 0; i < op->member_count; i++)
			buf_printf(&buf, " %s", op->members[i].name);
		for (size_t i = 0; i < op->value_count; i++)
			buf_printf(&buf, " %s", op->values[i]);
		if (op->values_before)
			buf_printf(&buf, " was %s", op->values_before[0]);
		if (op->is_removal)
			buf_printf(&buf, " [%s]",
					op->follows_leaver ? "leaver"
							   : guard_category_name(op->category));
	}
	if (plan.quarantine)
		buf_printf(&buf, "quarantine: %s", plan.quarantine);
	text = arena_strdup(world->arena, buf_text(&buf));
	buf_release(&buf);
	object_plan_release(&plan);
	return text;
}

static void a_new_user_is_made(void **state)
{
	struct world *world = *state;
	struct identity ada = user("ada@example.com");
	struct object *object = registry_object(world->registry, 0, PRINCIPAL_USER, "corp/1");

	assert_string_equal(
			planned(world, object, &(struct wanted){WANTED_PRESENT, .identity = &ada}),
			"create userName=ada@example.com");
}

static void one_that_is_there_is_adopted(void **state)
{
	struct world *world = *state;
	struct identity ada = user("ada@example.com");
	struct object *object = registry_object(world->registry, 0, PRINCIPAL_USER, "corp/1");

	ada.fields[FIELD_EXTERNAL_ID] = "anchor-1";
	registry_foreign_put(world->registry, 0,
			&(struct foreign){.kind = PRINCIPAL_USER,
					.id = 7,
					.name = "ADA@example.com",
					.active = true});
	assert_string_equal(
			planned(world, object, &(struct wanted){WANTED_PRESENT, .identity = &ada}),
			"adopt externalId=anchor-1");
}

static void what_it_has_already_is_not_sent(void **state)
{
	struct world *world = *state;
	struct identity ada = user("ada@example.com");
	struct object *object = registry_object(world->registry, 0, PRINCIPAL_USER, "corp/1");

	ada.fields[FIELD_GIVEN_NAME] = "Ada";
	ada.fields[FIELD_FAMILY_NAME] = "Sample";
	registry_foreign_put(world->registry, 0,
			&(struct foreign){.kind = PRINCIPAL_USER,
					.id = 7,
					.name = "ada@example.com",
					.given_name = "Ada",
					.family_name = "Example",
					.active = true});
	assert_string_equal(
			planned(world, object, &(struct wanted){WANTED_PRESENT, .identity = &ada}),
			"adopt name.familyName=Sample");
}

static void a_second_plan_is_empty(void **state)
{
	struct world *world = *state;
	struct identity ada = user("Ada@example.com");
	struct object *object = ours(world, PRINCIPAL_USER, "corp/1", "ada@example.com", 7);

	assert_string_equal(
			planned(world, object, &(struct wanted){WANTED_PRESENT, .identity = &ada}),
			"");
}

static void a_changed_name_of_a_known_anchor_is_quarantined(void **state)
{
	struct world *world = *state;
	struct identity ada = user("ada.new@example.com");
	struct object *object = ours(world, PRINCIPAL_USER, "corp/1", "ada@example.com", 7);
	const char *text =
			planned(world, object, &(struct wanted){WANTED_PRESENT, .identity = &ada});

	assert_true(text_starts_with(text, "quarantine: userName changed"));
}

static void nobody_inherits_a_name(void **state)
{
	struct world *world = *state;
	struct identity ada = user("ada@example.com");
	struct object *object = registry_object(world->registry, 0, PRINCIPAL_USER, "corp/2");

	(void)ours(world, PRINCIPAL_USER, "corp/1", "ada@example.com", 7);
	assert_true(strstr(planned(world, object,
					   &(struct wanted){WANTED_PRESENT, .identity = &ada}),
				    "another entry") != NULL);
}

static void leavers(void **state)
{
	static const struct {
		enum leaver_action then;
		bool active, allowed;
		const char *plan;
	} cases[] = {
			{LEAVER_DEACTIVATE, true, true, "deactivate [leaver]"},
			{LEAVER_DEACTIVATE, false, true, ""},
			{LEAVER_DEACTIVATE, true, false, ""},
			{LEAVER_DELETE, true, true, "delete [leaver]"},
			{LEAVER_DELETE, false, true, "delete [leaver]"},
			{LEAVER_KEEP, true, true, ""},
	};
	struct world *world = *state;
	struct object *object = ours(world, PRINCIPAL_USER, "corp/1", "ada@example.com", 7);

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		object->active = cases[i].active;
		world->context.leavers = cases[i].then;
		world->context.removals_allowed = cases[i].allowed;
		assert_string_equal(
				planned(world, object, &(struct wanted){.state = WANTED_LEAVING}),
				cases[i].plan);
	}
}

static void a_failed_step_does_not_keep_the_account(void **state)
{
	struct world *world = *state;
	struct object *object = ours(world, PRINCIPAL_USER, "corp/1", "ada@example.com", 7);

	object_put_grant(object, &(struct held_grant){1, GRANT_ASSIGNMENT, "USER", NULL});
	assert_string_equal(planned(world, object, &(struct wanted){.state = WANTED_LEAVING}),
			"unassign USER [leaver]; deactivate [leaver]");
	object->tries = 1;
	assert_string_equal(planned(world, object, &(struct wanted){.state = WANTED_LEAVING}),
			"deactivate [leaver]; unassign USER [leaver]");
}

static void the_protected_keep_their_places(void **state)
{
	struct world *world = *state;
	struct identity team = group("team");
	struct object *object = ours(world, PRINCIPAL_GROUP, "corp/g", "team", 100);
	struct wanted wanted = {WANTED_PRESENT, .identity = &team};

	(void)ours(world, PRINCIPAL_USER, "corp/1", "BreakGlass@example.com", 7);
	(void)ids_add(&object->members, 7);
	registry_foreign_put(world->registry, 0,
			&(struct foreign){.kind = PRINCIPAL_GROUP,
					.id = 8,
					.name = "Admins",
					.display_name = "Admins",
					.active = true});
	object->actual_known = team.exclusive = true;
	(void)ids_add(&object->actual, 8);
	(void)ids_add(&object->actual, 9);
	assert_string_equal(planned(world, object, &wanted), "remove_members 9 [members]");
	world->context.lists_known = false; /* 9 may be anybody */
	assert_string_equal(planned(world, object, &wanted), "");
}

static void nothing_protected_or_taken_is_adopted(void **state)
{
	struct world *world = *state;
	struct identity team = group("team");
	struct object *object = registry_object(world->registry, 0, PRINCIPAL_GROUP, "corp/g");
	struct wanted wanted = {WANTED_PRESENT, .identity = &team};

	team.fields[FIELD_EXTERNAL_ID] = "anchor-g";
	registry_foreign_put(world->registry, 0,
			&(struct foreign){.kind = PRINCIPAL_GROUP,
					.id = 8,
					.name = "admins",
					.external_id = "anchor-g",
					.display_name = "admins",
					.active = true});
	assert_true(text_starts_with(planned(world, object, &wanted), "quarantine: \"admins\""));
	registry_foreign_drop_target(world->registry, 0);
	(void)ours(world, PRINCIPAL_GROUP, "corp/other", "other", 8);
	registry_foreign_put(world->registry, 0,
			&(struct foreign){.kind = PRINCIPAL_GROUP,
					.id = 8,
					.name = "other",
					.external_id = "anchor-g",
					.display_name = "other",
					.active = true});
	assert_true(strstr(planned(world, object, &wanted), "corp/other") != NULL);
}

static void another_kind_is_another_principal(void **state)
{
	struct world *world = *state;
	struct identity robot = {.kind = PRINCIPAL_SERVICE,
			.fields = {[FIELD_DISPLAY_NAME] = "robot"},
			.active = true};
	struct object *object = ours(world, PRINCIPAL_USER, "corp/1", "ada@example.com", 7);

	assert_true(text_starts_with(
			planned(world, object,
					&(struct wanted){WANTED_PRESENT, .identity = &robot}),
			"quarantine: "));
}

static void the_protected_are_never_touched(void **state)
{
	struct world *world = *state;
	struct object *object = ours(world, PRINCIPAL_USER, "corp/1", "BreakGlass@example.com", 7);
	struct object *admins = registry_object(world->registry, 0, PRINCIPAL_GROUP, "corp/2");
	struct identity wanted_admins = group("Admins");

	assert_string_equal(planned(world, object, &(struct wanted){.state = WANTED_LEAVING}), "");
	assert_string_equal(planned(world, admins,
					    &(struct wanted){WANTED_PRESENT,
							    .identity = &wanted_admins}),
			"");
}

static void members_come_and_go(void **state)
{
	struct world *world = *state;
	struct identity team = group("team");
	struct object *object = ours(world, PRINCIPAL_GROUP, "corp/g", "team", 100);
	struct object *a = ours(world, PRINCIPAL_USER, "corp/a", "a", 1),
		      *b = ours(world, PRINCIPAL_USER, "corp/b", "b", 2);
	struct object *c = ours(world, PRINCIPAL_USER, "corp/c", "c", 3),
		      *d = ours(world, PRINCIPAL_USER, "corp/d", "d", 4);
	struct object *members[] = {a, b};
	struct wanted wanted = {
			WANTED_PRESENT, .identity = &team, .members = members, .member_count = 2};

	(void)ids_add(&object->members, 2);
	(void)ids_add(&object->members, 3);
	(void)ids_add(&object->members, 4);
	d->leaving = true;
	(void)c;
	assert_string_equal(planned(world, object, &wanted),
			"add_members a; remove_members c [members]; remove_members d [leaver]");
	/* Read: a is there by another hand, and somebody we do not know. */
	object->actual_known = true;
	for (uint64_t id = 1; id <= 5; id++)
		(void)ids_add(&object->actual, id);
	assert_string_equal(planned(world, object, &wanted),
			"=add_members a; remove_members c [members]; remove_members d [leaver]");
	team.exclusive = true;
	assert_string_equal(planned(world, object, &wanted),
			"=add_members a; remove_members c [members]; remove_members d [leaver]; "
			"remove_members 5 [members]");
	world->context.removals_allowed = false;
	assert_string_equal(planned(world, object, &wanted), "=add_members a");
}

static void a_member_about_to_be_made_is_waited_for(void **state)
{
	struct world *world = *state;
	struct identity team = group("team");
	struct object *object = ours(world, PRINCIPAL_GROUP, "corp/g", "team", 100);
	struct object *pending = registry_object(world->registry, 0, PRINCIPAL_USER, "corp/new");
	struct object *stuck = registry_object(world->registry, 0, PRINCIPAL_USER, "corp/stuck");
	struct object *members[] = {pending, stuck};
	struct wanted wanted = {
			WANTED_PRESENT, .identity = &team, .members = members, .member_count = 2};
	struct object_plan plan;

	stuck->tries = 1;
	plan_object(&world->context, object, &wanted, &plan);
	assert_ptr_equal(plan.waits_for, pending);
	assert_int_equal(plan.operations.count, 1);
	assert_int_equal(plan.operations.items[0].member_count, 1);
	object_plan_release(&plan);
}

static void gone_groups(void **state)
{
	static const struct {
		enum origin origin;
		enum gone gone;
		const char *plan;
	} cases[] = {
			{ORIGIN_CREATED, GONE_DEFAULT, "delete [groups]"},
			{ORIGIN_ADOPTED, GONE_DEFAULT, "remove_members 9 [members]"},
			{ORIGIN_ADOPTED, GONE_DELETE, "delete [groups]"},
			{ORIGIN_CREATED, GONE_KEEP, ""},
			{ORIGIN_CREATED, GONE_EMPTY, "remove_members 9 [members]"},
	};
	struct world *world = *state;
	struct object *object = ours(world, PRINCIPAL_GROUP, "corp/g", "team", 100);
	struct object *above = ours(world, PRINCIPAL_GROUP, "corp/above", "above", 101);

	(void)ids_add(&object->members, 9);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		object->origin = cases[i].origin;
		object->gone = cases[i].gone;
		assert_string_equal(
				planned(world, object, &(struct wanted){.state = WANTED_LEAVING}),
				cases[i].plan);
	}
	(void)ids_remove(&object->members, 9);
	object->origin = ORIGIN_ADOPTED;
	object->gone = GONE_DEFAULT;
	/* Its place in a group above is still to be undone. */
	(void)ids_add(&above->members, 100);
	assert_string_equal(planned(world, object, &(struct wanted){.state = WANTED_LEAVING}), "");
	(void)ids_remove(&above->members, 100);
	assert_string_equal(planned(world, object, &(struct wanted){.state = WANTED_LEAVING}),
			"forget");
}

static void powerful_groups_are_adopted_only_when_told(void **state)
{
	struct world *world = *state;
	struct identity admins = group("platform");
	struct object *object = registry_object(world->registry, 0, PRINCIPAL_GROUP, "corp/g");
	struct wanted wanted = {WANTED_PRESENT, .identity = &admins};

	registry_foreign_put(world->registry, 0,
			&(struct foreign){.kind = PRINCIPAL_GROUP,
					.id = 7,
					.name = "platform",
					.display_name = "platform",
					.active = true});
	object->powerful = true;
	assert_true(text_starts_with(
			planned(world, object, &wanted), "quarantine: group \"platform\" exists"));
	admins.adopt_powerful = true;
	assert_string_equal(planned(world, object, &wanted), "adopt");
}

static void what_administers_a_workspace_is_powerful(void **state)
{
	static const struct {
		enum power power;
		const char *plan; /* begins so */
	} cases[] = {
			{POWER_NONE, "adopt; add_members a"},
			{POWER_ADMIN,
					"quarantine: group \"platform\" exists and holds admin "
					"rights "
					"in workspace \"prod\""},
			{POWER_UNREADABLE,
					"quarantine: group \"platform\" exists, and workspace "
					"\"prod\" cannot be asked"},
	};
	struct world *world = *state;
	struct identity admins = group("platform");
	struct object *object = registry_object(world->registry, 0, PRINCIPAL_GROUP, "corp/g");
	struct object *members[] = {ours(world, PRINCIPAL_USER, "corp/a", "a", 1)};
	struct wanted wanted = {
			WANTED_PRESENT, .identity = &admins, .members = members, .member_count = 1};
	struct object_plan plan;

	registry_foreign_put(world->registry, 0,
			&(struct foreign){.kind = PRINCIPAL_GROUP,
					.id = 7,
					.name = "platform",
					.display_name = "platform",
					.active = true});
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		world->power = cases[i].power;
		assert_true(text_starts_with(planned(world, object, &wanted), cases[i].plan));
	}
	/* Not known yet: nothing is planned, neither are members. */
	world->power = POWER_UNKNOWN;
	plan_object(&world->context, object, &wanted, &plan);
	assert_true(plan.waits_for_power);
	assert_int_equal(plan.operations.count, 0);
	assert_null(plan.quarantine);
	object_plan_release(&plan);
	admins.adopt_powerful = true;
	assert_string_equal(planned(world, object, &wanted), "adopt; add_members a");
}

static void a_service_principal_is_adopted_by_its_only_name(void **state)
{
	struct world *world = *state;
	struct identity etl = {.kind = PRINCIPAL_SERVICE,
			.fields = {[FIELD_DISPLAY_NAME] = "svc-etl",
					[FIELD_EXTERNAL_ID] = "anchor-1"},
			.active = true};
	struct object *object = registry_object(world->registry, 0, PRINCIPAL_SERVICE, "corp/s");
	struct wanted wanted = {WANTED_PRESENT, .identity = &etl};
	struct foreign by_hand = {.kind = PRINCIPAL_SERVICE,
			.id = 7,
			.name = "00000000-0000-0000-0000-000000000007",
			.display_name = "SVC-etl",
			.active = true};

	assert_true(text_starts_with(planned(world, object, &wanted), "create "));
	registry_foreign_put(world->registry, 0, &by_hand);
	registry_foreign_put(world->registry, 0, &by_hand); /* seen twice */
	assert_string_equal(planned(world, object, &wanted),
			"adopt displayName=svc-etl externalId=anchor-1");
	/* With an application id in the rule that decides. */
	etl.fields[FIELD_APPLICATION_ID] = "00000000-0000-0000-0000-000000000009";
	assert_true(text_starts_with(planned(world, object, &wanted), "create "));
	etl.fields[FIELD_APPLICATION_ID] = NULL;
	registry_foreign_drop(world->registry, 0, PRINCIPAL_SERVICE, 7);
	by_hand.external_id = "anchor-2";
	registry_foreign_put(world->registry, 0, &by_hand);
	assert_true(text_starts_with(planned(world, object, &wanted),
			"quarantine: service principal \"svc-etl\" "
			"(00000000-0000-0000-0000-000000000007) exists with another externalId"));
	by_hand.id = 8;
	registry_foreign_put(world->registry, 0, &by_hand);
	assert_true(text_starts_with(planned(world, object, &wanted),
			"quarantine: several service principals are called \"svc-etl\""));
	registry_foreign_drop_target(world->registry, 0);
	assert_true(text_starts_with(planned(world, object, &wanted), "create "));
}

static void a_name_of_two_entries_is_nobodys(void **state)
{
	struct world *world = *state;
	struct identity di = user("di@example.com"), team = group("team");
	struct object *object = registry_object(world->registry, 0, PRINCIPAL_USER, "corp/2");
	struct object *renamed = ours(world, PRINCIPAL_GROUP, "corp/g", "crew", 100);
	struct wanted wanted = {WANTED_PRESENT, .identity = &di};
	const char *text;

	world->rival = "uid=twin,dc=example,dc=com";
	text = planned(world, object, &wanted);
	assert_string_equal(text,
			"quarantine: \"di@example.com\" is claimed by another entry as well "
			"(uid=twin,dc=example,dc=com): it is made when only one of the "
			"two claims it");
	assert_true(text_starts_with(
			planned(world, renamed,
					&(struct wanted){WANTED_PRESENT, .identity = &team}),
			"quarantine: \"team\" is claimed by another entry as well"));
	/* By its anchor it is this one's. */
	di.fields[FIELD_EXTERNAL_ID] = "anchor-2";
	registry_foreign_put(world->registry, 0,
			&(struct foreign){.kind = PRINCIPAL_USER,
					.id = 7,
					.name = "di@example.com",
					.external_id = "anchor-2",
					.active = true});
	assert_string_equal(planned(world, object, &wanted), "adopt");
	/* Who has it keeps it. */
	object = ours(world, PRINCIPAL_USER, "corp/3", "di@example.com", 8);
	di.fields[FIELD_EXTERNAL_ID] = NULL;
	assert_string_equal(planned(world, object, &wanted), "");
}

static void grants_come_and_go(void **state)
{
	struct world *world = *state;
	struct identity team = group("team");
	struct object *object = ours(world, PRINCIPAL_GROUP, "corp/g", "team", 100);
	const struct wanted_grant grants[] = {{1, GRANT_ASSIGNMENT, "USER", {0}},
			{1, GRANT_ENTITLEMENT, "workspace-access", {0}},
			{1, GRANT_ENTITLEMENT, "databricks-sql-access", {0}}};
	struct wanted wanted = {
			WANTED_PRESENT, .identity = &team, .grants = grants, .grant_count = 3};
	const char *seen[] = {"workspace-access"};

	assert_string_equal(planned(world, object, &wanted),
			"assign USER; add_entitlements workspace-access databricks-sql-access");
	world->level = "ADMIN"; /* a higher one that is not ours satisfies the rule */
	object_set_seen(object, 1, seen, 1, NULL, 0);
	assert_string_equal(planned(world, object, &wanted),
			"=add_entitlements workspace-access; add_entitlements "
			"databricks-sql-access");
	world->level = "USER";
	assert_true(text_starts_with(planned(world, object, &wanted), "=assign USER; "));
	object_put_grant(object, &(struct held_grant){1, GRANT_ASSIGNMENT, "USER", NULL});
	object_put_grant(object,
			&(struct held_grant){1, GRANT_ENTITLEMENT, "workspace-access", NULL});
	wanted.grant_count = 0;
	assert_string_equal(planned(world, object, &wanted),
			"remove_entitlements workspace-access [permissions]; unassign USER "
			"[permissions]");
	/* An adopted object that leaves its rule loses only what is ours of it. */
	assert_string_equal(planned(world, object, &(struct wanted){.state = WANTED_NAMED}),
			"remove_entitlements workspace-access [permissions]; unassign USER "
			"[permissions]");
}

static void a_raised_level_remembers_the_former(void **state)
{
	struct world *world = *state;
	struct identity team = group("team");
	struct object *object = ours(world, PRINCIPAL_GROUP, "corp/g", "team", 100);
	const struct wanted_grant grant = {1, GRANT_ASSIGNMENT, "ADMIN", {0}};
	struct wanted wanted = {
			WANTED_PRESENT, .identity = &team, .grants = &grant, .grant_count = 1};

	world->level = "USER";
	assert_string_equal(planned(world, object, &wanted), "assign ADMIN was USER");
	object_put_grant(object, &(struct held_grant){1, GRANT_ASSIGNMENT, "ADMIN", "USER"});
	wanted.grant_count = 0;
	assert_string_equal(
			planned(world, object, &wanted), "unassign ADMIN was USER [permissions]");
}

#define with_world(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
			with_world(a_new_user_is_made),
			with_world(one_that_is_there_is_adopted),
			with_world(what_it_has_already_is_not_sent),
			with_world(a_second_plan_is_empty),
			with_world(a_changed_name_of_a_known_anchor_is_quarantined),
			with_world(nobody_inherits_a_name),
			with_world(leavers),
			with_world(a_failed_step_does_not_keep_the_account),
			with_world(the_protected_keep_their_places),
			with_world(nothing_protected_or_taken_is_adopted),
			with_world(another_kind_is_another_principal),
			with_world(the_protected_are_never_touched),
			with_world(members_come_and_go),
			with_world(a_member_about_to_be_made_is_waited_for),
			with_world(gone_groups),
			with_world(powerful_groups_are_adopted_only_when_told),
			with_world(what_administers_a_workspace_is_powerful),
			with_world(a_service_principal_is_adopted_by_its_only_name),
			with_world(a_name_of_two_entries_is_nobodys),
			with_world(grants_come_and_go),
			with_world(a_raised_level_remembers_the_former),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
