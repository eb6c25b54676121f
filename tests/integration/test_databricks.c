#include "databricks_world.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ACCOUNT 0
#define WORKSPACE 1

static void assert_done(const struct call *call)
{
	if (call->code != ERR_NONE)
		fail_msg("%s", call->err.text);
}

/* Creates one and returns its id, which the arena owns. */
static const char *create(struct world *world, struct arena *arena, unsigned target,
		enum principal_kind kind, const char *const fields[FIELD_COUNT_])
{
	struct call call = world_call(world, target);
	struct resource resource;
	struct err err;

	scim_create(world->databricks, &call, kind, fields, true);
	world_wait(world, &call);
	assert_done(&call);
	if (scim_resource(&call, kind, arena, &resource, &err) != ERR_NONE)
		fail_msg("%s", err.text);
	world_release(world, &call);
	return resource.id;
}

static struct resource get(struct world *world, struct arena *arena, unsigned target,
		enum principal_kind kind, const char *id)
{
	struct call call = world_call(world, target);
	struct resource resource;
	struct err err;

	scim_get(world->databricks, &call, kind, id,
			SCIM_WITH_MEMBERS | SCIM_WITH_ROLES | SCIM_WITH_ENTITLEMENTS);
	world_wait(world, &call);
	assert_done(&call);
	if (scim_resource(&call, kind, arena, &resource, &err) != ERR_NONE)
		fail_msg("%s", err.text);
	world_release(world, &call);
	return resource;
}

static const char *find(struct world *world, struct arena *arena, unsigned target,
		enum principal_kind kind, enum field by, const char *value)
{
	struct call call = world_call(world, target);
	const struct resource *found;
	struct err err;
	size_t count;

	scim_find(world->databricks, &call, kind, by, value, 0);
	world_wait(world, &call);
	assert_done(&call);
	if (scim_found(&call, kind, arena, &found, &count, &err) != ERR_NONE)
		fail_msg("%s", err.text);
	world_release(world, &call);
	assert_true(count <= 1);
	return count ? found[0].id : NULL;
}

static void every_kind_at(struct world *world, unsigned target)
{
	static const struct {
		enum principal_kind kind;
		const char *fields[FIELD_COUNT_];
		enum field by;
		const char *asked;
	} cases[] = {
			{PRINCIPAL_USER,
					{[FIELD_USER_NAME] = "ada.o'sample@example.com",
							[FIELD_DISPLAY_NAME] =
									"Ada \"A\" Sample \\ Co",
							[FIELD_GIVEN_NAME] = "Ada",
							[FIELD_FAMILY_NAME] = "O'Sample",
							[FIELD_EXTERNAL_ID] = "anchor-1"},
					FIELD_USER_NAME, "ADA.O'SAMPLE@example.com"},
			{PRINCIPAL_GROUP,
					{[FIELD_DISPLAY_NAME] = "Data \"Engineers\" \\ Überall",
							[FIELD_EXTERNAL_ID] = "anchor-2"},
					FIELD_DISPLAY_NAME, "Data \"Engineers\" \\ Überall"},
			{PRINCIPAL_SERVICE,
					{[FIELD_DISPLAY_NAME] = "etl",
							[FIELD_EXTERNAL_ID] = "anchor-3"},
					FIELD_EXTERNAL_ID, "anchor-3"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *arena = arena_new();
		const char *id = create(world, arena, target, cases[i].kind, cases[i].fields);
		struct call call = world_call(world, target);
		struct resource read = get(world, arena, target, cases[i].kind, id);
		struct scim_change change = {.fields = {[FIELD_DISPLAY_NAME] = "Renamed",
							     [FIELD_EXTERNAL_ID] = "anchor-x",
							     [FIELD_GIVEN_NAME] = "Grace"},
				.set_active = true,
				.active = false};

		for (unsigned f = 0; f < FIELD_COUNT_; f++) {
			if (cases[i].fields[f])
				assert_string_equal(read.fields[f], cases[i].fields[f]);
		}
		assert_string_equal(find(world, arena, target, cases[i].kind, cases[i].by,
						    cases[i].asked),
				id);
		scim_update(world->databricks, &call, cases[i].kind, id, &change);
		world_wait(world, &call);
		assert_done(&call);
		read = get(world, arena, target, cases[i].kind, id);
		/* A workspace leaves the names of people to the account. */
		if (target == ACCOUNT || cases[i].kind == PRINCIPAL_GROUP) {
			assert_string_equal(read.fields[FIELD_DISPLAY_NAME], "Renamed");
			assert_string_equal(read.fields[FIELD_EXTERNAL_ID], "anchor-x");
			assert_null(find(world, arena, target, cases[i].kind, FIELD_EXTERNAL_ID,
					cases[i].fields[FIELD_EXTERNAL_ID]));
		}
		if (target == ACCOUNT && cases[i].kind == PRINCIPAL_USER)
			assert_string_equal(read.fields[FIELD_GIVEN_NAME], "Grace");
		if (cases[i].kind != PRINCIPAL_GROUP)
			assert_false(read.active);
		scim_delete(world->databricks, &call, cases[i].kind, id);
		world_wait(world, &call);
		assert_done(&call);
		scim_get(world->databricks, &call, cases[i].kind, id, 0);
		world_wait(world, &call);
		assert_int_equal(call.code, ERR_NOT_FOUND);
		call_release(&call);
		arena_free(arena);
	}
}

static void every_kind_is_made_found_changed_and_deleted(void **state)
{
	struct world world;

	(void)state;
	world_start(&world,
			&(struct world_setup){.options = (const char *const[]){
							      "--quirk", "wide-ids=on", NULL}});
	every_kind_at(&world, ACCOUNT);
	every_kind_at(&world, WORKSPACE);
	world_stop(&world);
}

static const char *create_named(struct world *world, struct arena *arena, enum principal_kind kind,
		const char *name)
{
	const char *fields[FIELD_COUNT_] = {[FIELD_DISPLAY_NAME] = name};

	if (kind == PRINCIPAL_USER)
		fields[FIELD_USER_NAME] = name;
	return create(world, arena, ACCOUNT, kind, fields);
}

/* ---- members, values ---- */

static void members_are_added_and_removed_in_one_patch(void **state)
{
	struct arena *arena = arena_new();
	struct resource group;
	struct world world;
	struct call call;
	const char *ids[3], *id;

	(void)state;
	world_start(&world, &(struct world_setup){0});
	ids[0] = create_named(&world, arena, PRINCIPAL_USER, "a@example.com");
	ids[1] = create_named(&world, arena, PRINCIPAL_SERVICE, "etl");
	ids[2] = create_named(&world, arena, PRINCIPAL_GROUP, "inner");
	id = create_named(&world, arena, PRINCIPAL_GROUP, "outer");
	call = world_call(&world, ACCOUNT);
	scim_change_members(world.databricks, &call, id,
			&(struct scim_members_change){.add = ids, .add_count = 2});
	world_wait(&world, &call);
	assert_done(&call);
	scim_change_members(world.databricks, &call, id,
			&(struct scim_members_change){.add = ids + 1,
					.add_count = 2,
					.remove = ids,
					.remove_count = 1});
	world_wait(&world, &call);
	assert_done(&call);
	group = get(&world, arena, ACCOUNT, PRINCIPAL_GROUP, id);
	assert_int_equal(group.member_count, 2);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(group.members[i].id,
				ids[group.members[i].kind == PRINCIPAL_SERVICE ? 1 : 2]);
	call_release(&call);
	arena_free(arena);
	world_stop(&world);
}

static void change_values(struct world *world, unsigned target, const char *id,
		const struct scim_values_change *change)
{
	struct call call = world_call(world, target);

	scim_change_values(world->databricks, &call, PRINCIPAL_USER, id, change);
	world_wait(world, &call);
	assert_done(&call);
	call_release(&call);
}

static void roles_and_entitlements_are_set_and_taken(void **state)
{
	static const char *const roles[] = {"account_admin"};
	static const char *const entitlements[] = {"workspace-access", "allow-cluster-create"};
	struct arena *arena = arena_new();
	struct resource user;
	struct world world;
	const char *id;

	(void)state;
	world_start(&world, &(struct world_setup){0});
	id = create_named(&world, arena, PRINCIPAL_USER, "a@example.com");
	change_values(&world, ACCOUNT, id,
			&(struct scim_values_change){SCIM_ROLES, roles, 1, NULL, 0});
	user = get(&world, arena, ACCOUNT, PRINCIPAL_USER, id);
	assert_int_equal(user.role_count, 1);
	assert_string_equal(user.roles[0], "account_admin");
	change_values(&world, ACCOUNT, id,
			&(struct scim_values_change){SCIM_ROLES, NULL, 0, roles, 1});
	assert_int_equal(get(&world, arena, ACCOUNT, PRINCIPAL_USER, id).role_count, 0);

	id = create(&world, arena, WORKSPACE, PRINCIPAL_USER,
			(const char *const[FIELD_COUNT_]){[FIELD_USER_NAME] = "b@example.com"});
	/* none yet: the removal is what was wanted */
	change_values(&world, WORKSPACE, id,
			&(struct scim_values_change){SCIM_ENTITLEMENTS, NULL, 0, entitlements, 1});
	change_values(&world, WORKSPACE, id,
			&(struct scim_values_change){SCIM_ENTITLEMENTS, entitlements, 2, NULL, 0});
	assert_int_equal(get(&world, arena, WORKSPACE, PRINCIPAL_USER, id).entitlement_count, 2);
	change_values(&world, WORKSPACE, id,
			&(struct scim_values_change){SCIM_ENTITLEMENTS, NULL, 0, entitlements, 1});
	user = get(&world, arena, WORKSPACE, PRINCIPAL_USER, id);
	assert_int_equal(user.entitlement_count, 1);
	assert_string_equal(user.entitlements[0], "allow-cluster-create");
	arena_free(arena);
	world_stop(&world);
}

/* ---- lists ---- */

struct listing {
	struct world *world;
	bool done;
	enum err_code code;
	size_t count, pages;
	bool cancel_in_page;
	struct scim_list *list;
};

static void on_page(void *context, const struct resource *resources, size_t count)
{
	struct listing *listing = context;

	for (size_t i = 0; i < count; i++)
		assert_non_null(resources[i].id);
	listing->count += count;
	listing->pages++;
	if (listing->cancel_in_page) {
		scim_list_cancel(listing->list);
		listing->done = true;
		loop_stop(listing->world->loop);
	}
}

static void on_listed(void *context, const struct err *err_or_null)
{
	struct listing *listing = context;

	listing->code = err_or_null ? err_or_null->code : ERR_NONE;
	listing->done = true;
	loop_stop(listing->world->loop);
}

static struct listing list_users(struct world *world, bool cancel_in_page)
{
	struct listing listing = {.world = world, .cancel_in_page = cancel_in_page};

	listing.list = scim_list_start(world->databricks, ACCOUNT, PRINCIPAL_USER, 0, on_page,
			on_listed, &listing);
	world_wait_for(world, &listing.done);
	return listing;
}

#define MANY 250

static void create_many(struct world *world, size_t count)
{
	struct call *calls = mem_array(count, sizeof(*calls));

	for (size_t i = 0; i < count; i++) {
		AUTO(mem_freep) char *name = mem_printf("user%zu@example.com", i);
		const char *fields[FIELD_COUNT_] = {[FIELD_USER_NAME] = name};

		calls[i] = world_call(world, ACCOUNT);
		scim_create(world->databricks, &calls[i], PRINCIPAL_USER, fields, true);
	}
	for (size_t i = 0; i < count; i++) {
		world_wait(world, &calls[i]);
		assert_done(&calls[i]);
		call_release(&calls[i]);
	}
	mem_free(calls);
}

static void lists_come_whole_or_not_at_all(void **state)
{
	static const char *const pages[] = {"--page-max", "120", NULL};
	struct listing listing;
	struct world world;

	(void)state;
	world_start(&world,
			&(struct world_setup){.options = pages,
					/* the fifth page request of the test fails for good */
					.faults = "[{\"match\":\"GET "
						  "/*/"
						  "Users?*startIndex=121*\",\"skip\":2,\"times\":1,"
						  "\"status\":403}]"});
	create_many(&world, MANY);
	listing = list_users(&world, false);
	assert_int_equal(listing.code, ERR_NONE);
	assert_int_equal(listing.count, MANY);
	assert_int_equal(listing.pages, 3);
	(void)list_users(&world, true);
	listing = list_users(&world, false);
	listing = listing.code == ERR_NONE ? list_users(&world, false) : listing;
	assert_int_equal(listing.code, ERR_DENIED);
	/* cancelled while the first page is on its way, or on the pool */
	for (unsigned turns = 0; turns < 30; turns++) {
		listing = (struct listing){.world = &world};
		listing.list = scim_list_start(world.databricks, ACCOUNT, PRINCIPAL_USER, 0,
				on_page, on_listed, &listing);
		for (unsigned i = 0; i < turns && !listing.done; i++)
			(void)uv_run(loop_uv(world.loop), UV_RUN_NOWAIT);
		if (!listing.done)
			scim_list_cancel(listing.list);
	}
	world_stop(&world);
}

/* ---- assignment ---- */

struct assigned {
	struct world *world;
	bool done;
	enum err_code code;
	size_t count, users, admins;
};

static void on_assignments(void *context, const struct assignment *assignments, size_t count,
		const struct err *err_or_null)
{
	struct assigned *assigned = context;

	assigned->code = err_or_null ? err_or_null->code : ERR_NONE;
	assigned->count = count;
	for (size_t i = 0; i < count; i++) {
		assigned->users += text_equal(assignments[i].level, "USER");
		assigned->admins += text_equal(assignments[i].level, "ADMIN");
		assert_non_null(assignments[i].name);
	}
	assigned->done = true;
	loop_stop(assigned->world->loop);
}

static struct assigned list_assignments(struct world *world, const char *workspace_id)
{
	struct assigned assigned = {.world = world};

	(void)assignment_list_start(world->databricks, workspace_id, on_assignments, &assigned);
	world_wait_for(world, &assigned.done);
	return assigned;
}

static void put(struct world *world, const char *workspace_id, const char *id, const char *level,
		enum err_code code)
{
	struct call call = world_call(world, ACCOUNT);
	struct err err;

	assignment_put(world->databricks, &call, workspace_id, id, level);
	world_wait(world, &call);
	assert_int_equal(assignment_check_put(&call, &err), code);
	call_release(&call);
}

static void principals_are_assigned_to_workspaces(void **state)
{
	struct arena *arena = arena_new();
	struct assigned before, after;
	struct world world;
	struct call call;
	const char *id, *workspace_id;

	(void)state;
	world_start(&world,
			&(struct world_setup){
					.faults = "[{\"match\":\"PUT "
						  "/*/principals/"
						  "*\",\"skip\":2,\"fault\":\"item-error\"}]"});
	id = create_named(&world, arena, PRINCIPAL_GROUP, "eng");
	call = world_call(&world, WORKSPACE);
	assignment_ask_workspace_id(world.databricks, &call, WORKSPACE);
	world_wait(&world, &call);
	assert_done(&call);
	workspace_id = arena_strdup(arena, call.org_id);
	assert_true(*workspace_id);
	before = list_assignments(&world, workspace_id);
	assert_int_equal(before.code, ERR_NONE);
	put(&world, workspace_id, id, "USER", ERR_NONE);
	after = list_assignments(&world, workspace_id);
	assert_int_equal(after.users, before.users + 1);
	put(&world, workspace_id, id, "ADMIN", ERR_NONE);
	after = list_assignments(&world, workspace_id);
	assert_int_equal(after.admins, before.admins + 1);
	put(&world, workspace_id, id, "USER", ERR_NOT_FOUND); /* 200 with an error inside */
	put(&world, workspace_id, id, "user", ERR_BUG);       /* never sent */
	assert_int_equal(get(&world, arena, WORKSPACE, PRINCIPAL_GROUP, id)
					 .fields[FIELD_DISPLAY_NAME][0],
			'e');
	assignment_delete(world.databricks, &call, workspace_id, id);
	world_wait(&world, &call);
	assert_done(&call);
	after = list_assignments(&world, workspace_id);
	assert_int_equal(after.count, before.count);
	call_release(&call);
	arena_free(arena);
	world_stop(&world);
}

static void a_configured_workspace_id_is_not_asked_for(void **state)
{
	struct world world;
	struct call call;

	(void)state;
	world_start(&world, &(struct world_setup){0});
	world.targets[1].workspace_id = "77";
	world_reconnect(&world);
	call = world_call(&world, WORKSPACE);
	assignment_ask_workspace_id(world.databricks, &call, WORKSPACE);
	assert_false(world.woken.queued == false);
	world_wait(&world, &call);
	assert_done(&call);
	assert_string_equal(call.org_id, "77");
	assert_int_equal(databricks_calls(world.databricks), 0);
	call_release(&call);
	world_stop(&world);
}

/* ---- sign-in ---- */

static void read_me(struct world *world, struct call *call)
{
	*call = world_call(world, WORKSPACE);
	assignment_ask_workspace_id(world->databricks, call, WORKSPACE);
	world_wait(world, call);
}

static void every_way_to_sign_in_works(void **state)
{
	struct target_status status;
	struct world world;
	struct call call;
	char *profile;

	(void)state;
	world_start(&world, &(struct world_setup){0});
	/* the account's credential at the workspace's own token endpoint */
	read_me(&world, &call);
	assert_done(&call);
	call_release(&call);
	databricks_status(world.databricks, WORKSPACE, &status);
	assert_string_equal(status.auth_type, "oauth-m2m");
	assert_int_equal(status.sign_in, SIGN_IN_OK);
	assert_int_equal(world_count_requests(&world, "/oidc/v1/token"), 1);

	world.targets[1].auth = (struct auth_settings){
			.values[AUTH_KEY_TOKEN] = "env:TEST_TOKEN", .line = 1};
	world_reconnect(&world);
	read_me(&world, &call);
	assert_done(&call);
	call_release(&call);
	databricks_status(world.databricks, WORKSPACE, &status);
	assert_string_equal(status.auth_type, "pat");

	profile = mem_printf("[DEV]\nhost = %s\nclient_id = %s\nclient_secret = %s\n",
			world.targets[1].host, world.targets[0].auth.values[AUTH_KEY_CLIENT_ID],
			getenv("TEST_CLIENT_SECRET"));
	assert_int_equal(setenv("DATABRICKS_CONFIG_FILE", world_write(&world, "profile", profile),
					 1),
			0);
	world.targets[1] = (struct target_settings){.name = "prod", .profile = "DEV"};
	world_reconnect(&world);
	read_me(&world, &call);
	assert_done(&call);
	call_release(&call);
	assert_int_equal(unsetenv("DATABRICKS_CONFIG_FILE"), 0);
	mem_free(profile);
	world_stop(&world);
}

static void a_wrong_secret_is_refused_and_not_hammered(void **state)
{
	struct target_status status;
	struct world world;
	struct call calls[20];

	(void)state;
	world_start(&world, &(struct world_setup){0});
	assert_int_equal(setenv("TEST_CLIENT_SECRET", "wrong", 1), 0);
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		calls[i] = world_call(&world, ACCOUNT);
		scim_get(world.databricks, &calls[i], PRINCIPAL_USER, "1", 0);
	}
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		world_wait(&world, &calls[i]);
		assert_int_equal(calls[i].code, ERR_AUTH);
		call_release(&calls[i]);
	}
	databricks_status(world.databricks, ACCOUNT, &status);
	assert_int_equal(status.sign_in, SIGN_IN_REFUSED);
	assert_non_null(strstr(status.sign_in_error, "invalid_client"));
	assert_null(strstr(status.sign_in_error, "wrong"));
	assert_int_equal(world_count_requests(&world, "/v1/token"), 1);
	assert_int_equal(world_count_requests(&world, "/scim/"), 0);
	world_stop(&world);
}

static void throttled_and_broken_sign_ins_are_tried_again(void **state)
{
	struct world world;
	struct call call;

	(void)state;
	world_start(&world,
			&(struct world_setup){
					.faults = "[{\"match\":\"POST "
						  "/*/token\",\"fault\":\"oauth-throttle\"},"
						  "{\"match\":\"POST "
						  "/*/token\",\"fault\":\"503-html\"},"
						  "{\"match\":\"POST "
						  "/*/token\",\"fault\":\"cut-before\"},"
						  "{\"match\":\"GET "
						  "/.well-known/"
						  "databricks-config\",\"fault\":\"502-text\"},"
						  "{\"match\":\"GET /oidc/*\",\"fault\":\"503\"},"
						  "{\"match\":\"GET "
						  "/oidc/*\",\"fault\":\"login-page\"}]"});
	read_me(&world, &call);
	assert_done(&call);
	call_release(&call);
	world_stop(&world);
}

/* Reads one after the other, eight at a time, for as long as `ms`. */
static size_t keep_reading(struct world *world, const char *id, uint64_t ms)
{
	struct call calls[8];
	uint64_t end = uv_hrtime() + ms * 1000000;
	size_t count = 0;

	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		calls[i] = world_call(world, ACCOUNT);
		scim_get(world->databricks, &calls[i], PRINCIPAL_USER, id, 0);
	}
	while (uv_hrtime() < end) {
		world_wait(world, &calls[count % COUNT_OF(calls)]);
		assert_done(&calls[count % COUNT_OF(calls)]);
		scim_get(world->databricks, &calls[count++ % COUNT_OF(calls)], PRINCIPAL_USER, id,
				0);
	}
	for (size_t i = 0; i < COUNT_OF(calls); i++)
		call_release(&calls[i]);
	return count;
}

static void short_tokens_are_renewed_ahead_of_their_end(void **state)
{
	static const char *const options[] = {"--token-lifetime", "2", "--latency", "5", "--quirk",
			"expires-in-text=on", NULL};
	struct arena *arena = arena_new();
	struct world world;
	size_t tokens;

	(void)state;
	world_start(&world, &(struct world_setup){.options = options});
	(void)keep_reading(
			&world, create_named(&world, arena, PRINCIPAL_USER, "a@example.com"), 5000);
	tokens = world_count_requests(&world, "/v1/token");
	assert_in_range(tokens, 3, 12);
	assert_int_equal(world_count_requests(&world, "\"status\":401"), 0);
	arena_free(arena);
	world_stop(&world);
}

static void a_401_renews_the_token_once(void **state)
{
	struct arena *arena = arena_new();
	struct world world;
	const char *id;

	(void)state;
	world_start(&world,
			&(struct world_setup){
					.faults = "[{\"match\":\"GET "
						  "/*/Users/"
						  "*\",\"skip\":3,\"fault\":\"revoke-tokens\"}]"});
	id = create_named(&world, arena, PRINCIPAL_USER, "a@example.com");
	(void)keep_reading(&world, id, 500);
	assert_in_range(world_count_requests(&world, "\"status\":401"), 1, 9);
	assert_int_equal(world_count_requests(&world, "/v1/token"), 2);
	arena_free(arena);
	world_stop(&world);
}

/* ---- trouble ---- */

static void lost_answers_are_told_and_not_repeated(void **state)
{
	static const char *const faults[] = {"lost-reply", "half-body", "504-applied"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		AUTO(mem_freep)
		char *script = mem_printf(
				"[{\"match\":\"POST /*/Users\",\"fault\":\"%s\"}]", faults[i]);
		static const char *const fields[FIELD_COUNT_] = {
				[FIELD_USER_NAME] = "a@example.com"};
		struct arena *arena = arena_new();
		struct world world;
		struct call call;

		world_start(&world, &(struct world_setup){.faults = script});
		call = world_call(&world, ACCOUNT);
		/* the connection is warm, so that libcurl would repeat the request by itself */
		(void)find(&world, arena, ACCOUNT, PRINCIPAL_USER, FIELD_USER_NAME,
				"a@example.com");
		scim_create(world.databricks, &call, PRINCIPAL_USER, fields, true);
		world_wait(&world, &call);
		assert_int_not_equal(call.code, ERR_NONE);
		assert_true(call.err.effect_unknown);
		assert_true(err_is_transient(&call.err));
		assert_int_equal(
				world_count_requests(&world, "\"method\":\"POST\",\"path\":\"/api"),
				1);
		assert_non_null(find(&world, arena, ACCOUNT, PRINCIPAL_USER, FIELD_USER_NAME,
				"a@example.com"));
		call_release(&call);
		arena_free(arena);
		world_stop(&world);
	}
}

static void the_published_limits_are_not_run_into(void **state)
{
	static const char *const options[] = {"--limits", "published", NULL};
	struct arena *arena = arena_new();
	struct target_status status;
	struct world world;
	const char *id;

	(void)state;
	world_start(&world, &(struct world_setup){.options = options, .share = 80});
	create_many(&world, 12);
	id = create_named(&world, arena, PRINCIPAL_USER, "a@example.com");
	(void)keep_reading(&world, id, 4000);
	assert_int_equal(world_count_requests(&world, "\"status\":429"), 0);
	databricks_status(world.databricks, ACCOUNT, &status);
	assert_int_equal(status.throttled, 0);
	arena_free(arena);
	world_stop(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(every_kind_is_made_found_changed_and_deleted),
			cmocka_unit_test(members_are_added_and_removed_in_one_patch),
			cmocka_unit_test(roles_and_entitlements_are_set_and_taken),
			cmocka_unit_test(lists_come_whole_or_not_at_all),
			cmocka_unit_test(principals_are_assigned_to_workspaces),
			cmocka_unit_test(a_configured_workspace_id_is_not_asked_for),
			cmocka_unit_test(every_way_to_sign_in_works),
			cmocka_unit_test(a_wrong_secret_is_refused_and_not_hammered),
			cmocka_unit_test(throttled_and_broken_sign_ins_are_tried_again),
			cmocka_unit_test(short_tokens_are_renewed_ahead_of_their_end),
			cmocka_unit_test(a_401_renews_the_token_once),
			cmocka_unit_test(lost_answers_are_told_and_not_repeated),
			cmocka_unit_test(the_published_limits_are_not_run_into),
	};

	return cmocka_run_group_tests_name("databricks", tests, NULL, NULL);
}
