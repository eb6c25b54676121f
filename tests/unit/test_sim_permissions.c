/*
 * What the Permissions API of the simulator asks of other parts and tells them: token rights that are lost, policies
 * that come and go, admins that are restricted.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "permissions.h"

struct world {
	struct sim sim;
	struct workspace *workspace;
	struct principal *self, *ada, *bob, *etl;
};

static struct {
	struct principal *items[16];
	size_t count;
} lost;

static void remember_lost(struct sim *sim, struct workspace *workspace, struct principal *who)
{
	(void)sim;
	assert_non_null(workspace);
	lost.items[lost.count++ % COUNT_OF(lost.items)] = who;
}

static bool policy_is_there;
static bool has_policy(struct sim *sim, const struct workspace *workspace, const char *id)
{
	(void)sim;
	(void)workspace;
	return policy_is_there && strcmp(id, "P1") == 0;
}

static bool restricted;
static bool is_restricted(struct sim *sim, const struct workspace *workspace)
{
	(void)sim;
	(void)workspace;
	return restricted;
}

static struct principal *make(struct world *world, enum kind kind, const char *name)
{
	struct principal *who = state_make(world->sim.state, kind, NULL, 0);

	if (kind == KIND_GROUP)
		who->display_name = mem_strdup(name);
	else
		who->name = mem_strdup(name);
	state_enter(world->sim.state, who);
	return who;
}

static int set_up(void **state)
{
	static char program[] = "dbx-sim";
	struct world *world = mem_zalloc(sizeof(*world));
	char *argv[] = {program, NULL};
	struct err err;

	assert_int_equal(options_parse(1, argv, &world->sim.options, &err), ERR_NONE);
	world->sim.state = state_new();
	world->sim.state->see_indirect = true;
	world->sim.state->account_users = make(world, KIND_GROUP, "account users");
	world->workspace = state_add_workspace(world->sim.state, "prod", 0);
	world->self = make(world, KIND_SP, "00000000-0000-4000-8000-000000000000");
	world->ada = make(world, KIND_USER, "ada@example.com");
	world->bob = make(world, KIND_USER, "bob@example.com");
	world->etl = make(world, KIND_GROUP, "etl");
	seat_set_level(world->sim.state, world->self, world->workspace, LEVEL_ADMIN);
	seat_set_level(world->sim.state, world->etl, world->workspace, LEVEL_USER);
	seat_set_level(world->sim.state, world->bob, world->workspace, LEVEL_USER);
	group_add_member(world->sim.state, world->etl, world->ada);
	lost.count = 0;
	restricted = false;
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;

	state_free(world->sim.state);
	options_release(&world->sim.options);
	mem_free(world);
	return 0;
}

/* One request of the admin's; returns the status. */
static unsigned call(struct world *world, const char *method, const char *target, const char *body)
{
	struct request request = {
			.sim = &world->sim,
			.host = world->workspace,
			.method = method,
			.target = target,
			.body = span_of(body),
			.caller = world->self,
	};
	const char *args[API_ARGS_MAX] = {0};
	const struct api_route *route;
	struct answer answer;
	unsigned status;
	bool elsewhere;

	answer_init(&answer);
	request_parse_target(&request);
	route = api_find(&request, args, &elsewhere);
	assert_non_null(route);
	api_serve(&request, route, args, &answer);
	status = answer.status;
	request_release(&request);
	answer_release(&answer);
	return status;
}

#define TOKENS "/api/2.0/permissions/authorization/tokens"
#define ACE(kind, name, level) "{\"" kind "\":\"" name "\",\"permission_level\":\"" level "\"}"
#define ACL(entries) "{\"access_control_list\":[" entries "]}"
#define ADMINS ACE("group_name", "admins", "CAN_MANAGE")

static bool may_use(const struct world *world, const struct principal *who)
{
	return permissions_may_use_tokens(world->sim.state, world->workspace, who);
}

static void who_may_use_tokens(void **state)
{
	struct world *world = *state;

	assert_true(may_use(world, world->ada)); /* a user of the workspace */
	assert_true(may_use(world, world->self));
	assert_int_equal(call(world, "PUT", TOKENS, ACL(ADMINS)), 200);
	assert_false(may_use(world, world->ada));
	assert_false(may_use(world, world->bob));
	assert_true(may_use(world, world->self)); /* an admin */
	assert_int_equal(call(world, "PATCH", TOKENS, ACL(ACE("group_name", "etl", "CAN_USE"))),
			200);
	assert_true(may_use(world, world->ada)); /* by the group */
	assert_false(may_use(world, world->bob));
	group_remove_member(world->sim.state, world->etl, world->ada);
	assert_false(may_use(world, world->ada));
}

static void tokens_are_lost(void **state)
{
	struct world *world = *state;

	world->sim.hooks.tokens_lost = remember_lost;
	assert_int_equal(call(world, "PATCH", TOKENS, ACL(ACE("group_name", "etl", "CAN_USE"))),
			200);
	assert_int_equal(lost.count, 0);
	/* Bob has it only by "users"; Ada also by etl. */
	assert_int_equal(call(world, "PUT", TOKENS,
					 ACL(ACE("group_name", "etl", "CAN_USE") "," ADMINS)),
			200);
	assert_int_equal(lost.count, 1);
	assert_ptr_equal(lost.items[0], world->bob);
	assert_int_equal(call(world, "PUT", TOKENS,
					 ACL(ACE("user_name", "bob@example.com",
							 "CAN_USE") "," ADMINS)),
			200);
	assert_int_equal(lost.count, 2);
	assert_ptr_equal(lost.items[1], world->ada);
	/* What is refused takes nothing. */
	assert_int_equal(call(world, "PUT", TOKENS, ACL("")), 400);
	assert_int_equal(call(world, "PUT", TOKENS,
					 ACL(ACE("group_name", "nobody", "CAN_USE") "," ADMINS)),
			404);
	assert_int_equal(lost.count, 2);
	/* The admin never loses it. */
	assert_int_equal(call(world, "PUT", TOKENS, ACL(ADMINS)), 200);
	assert_int_equal(lost.count, 3);
	assert_ptr_equal(lost.items[2], world->bob);
}

static bool may_use_policy(const struct world *world, const struct principal *who)
{
	return permissions_may_use_policy(world->sim.state, world->workspace, who, "P1");
}

static void policies_of_another_part(void **state)
{
	struct world *world = *state;
	const char *path = "/api/2.0/permissions/cluster-policies/P1";
	const char *body = ACL(ACE("group_name", "etl", "CAN_USE"));
	struct object *object;

	assert_int_equal(call(world, "GET", path, ""), 404);
	assert_false(may_use_policy(world, world->ada));
	assert_true(may_use_policy(world, world->self));
	world->sim.hooks.policy_exists = has_policy;
	policy_is_there = true;
	assert_int_equal(call(world, "PATCH", path, body), 200);
	object = object_find(world->workspace->objects, OBJECT_CLUSTER_POLICY, "P1");
	assert_non_null(object);
	assert_int_equal(object->acl.count, 1);
	assert_true(may_use_policy(world, world->ada)); /* by the group */
	assert_true(may_use_policy(world, world->self));
	assert_false(may_use_policy(world, world->bob));
	assert_int_equal(call(world, "GET", "/api/2.0/permissions/cluster-policies/P2", ""), 404);
	policy_is_there = false;
	assert_int_equal(call(world, "GET", path, ""), 404);
	policy_is_there = true; /* of the same id: a new one */
	assert_int_equal(call(world, "GET", path, ""), 200);
	assert_int_equal(object_find(world->workspace->objects, OBJECT_CLUSTER_POLICY, "P1")
					 ->acl.count,
			0);
}

static void restricted_admins(void **state)
{
	struct world *world = *state;
	struct object *job = object_make(world->workspace->objects,
			&(struct object_make){.kind = OBJECT_JOB, .id = "7", .name = "j"});
	const char *body = ACL(ACE("user_name", "bob@example.com", "IS_OWNER"));

	object_grant_creator(job, world->ada);
	world->sim.hooks.admins_restricted = is_restricted;
	restricted = true;
	assert_int_equal(call(world, "PATCH", "/api/2.0/permissions/jobs/7", body), 403);
	assert_ptr_equal(acl_owner(world->sim.state, world->workspace, job), world->ada);
	restricted = false;
	assert_int_equal(call(world, "PATCH", "/api/2.0/permissions/jobs/7", body), 200);
	assert_ptr_equal(acl_owner(world->sim.state, world->workspace, job), world->bob);
}

static void clusters_for_another_part(void **state)
{
	struct world *world = *state;
	struct object *cluster = object_make(world->workspace->objects,
			&(struct object_make){.kind = OBJECT_CLUSTER, .id = "c", .name = "n"});
	json_t *all;

	document_set(cluster->document, "policy_id", json_string("P1"));
	assert_null(object_cluster(world->sim.state, world->workspace, "d"));
	assert_string_equal(document_text(object_cluster(world->sim.state, world->workspace, "c"),
					    "policy_id"),
			"P1");
	all = object_clusters(world->sim.state, world->workspace);
	assert_int_equal(json_array_size(all), 1);
	json_decref(all);
	object_remove(world->workspace->objects, cluster);
	assert_null(object_cluster(world->sim.state, world->workspace, "c"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test_setup_teardown(who_may_use_tokens, set_up, tear_down),
			cmocka_unit_test_setup_teardown(tokens_are_lost, set_up, tear_down),
			cmocka_unit_test_setup_teardown(
					policies_of_another_part, set_up, tear_down),
			cmocka_unit_test_setup_teardown(
					clusters_for_another_part, set_up, tear_down),
			cmocka_unit_test_setup_teardown(restricted_admins, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
