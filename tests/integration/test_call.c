/*
 * The life of a call against a server that answers as told: what is repeated, what is not, what an error says.
 */
#include "canned_fixture.h"

#include "base/text.h"
#include "databricks/tape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void read_group(struct canned_fixture *fixture)
{
	scim_get(fixture->databricks, &fixture->call, PRINCIPAL_GROUP, "8214", SCIM_WITH_MEMBERS);
	canned_fixture_wait(fixture, &fixture->call.done);
}

static void rename_group(struct canned_fixture *fixture)
{
	struct scim_change change = {.fields = {[FIELD_DISPLAY_NAME] = "new"}};

	scim_update(fixture->databricks, &fixture->call, PRINCIPAL_GROUP, "8214", &change);
	canned_fixture_wait(fixture, &fixture->call.done);
}

#define GROUP "{\"id\":\"8214\",\"displayName\":\"x\"}"
#define SCIM_ERROR(status, detail)                                                                 \
	"{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:Error\"],\"detail\":\"" detail      \
	"\",\"status\":\"" status "\"}"

static void a_call_carries_what_it_should(void **state)
{
	struct canned_fixture fixture;

	(void)state;
	canned_fixture_start(&fixture);
	SAY(&fixture,
			{canned_answer(200, "X-Request-Id: r-1\r\nX-Databricks-Org-Id: 77\r\n",
					 GROUP),
					CANNED_KEEP});
	rename_group(&fixture);
	assert_int_equal(fixture.call.code, ERR_NONE);
	assert_int_equal(fixture.call.status, 200);
	assert_string_equal(fixture.call.request_id, "r-1");
	assert_string_equal(fixture.call.org_id, "77");
	assert_true(text_starts_with(canned_fixture_request(&fixture, 0),
			"PATCH /api/2.0/preview/scim/v2/Groups/8214 HTTP/1.1\r\n"));
	assert_non_null(strstr(canned_fixture_request(&fixture, 0),
			"\r\nAuthorization: Bearer secret-token\r\n"));
	assert_non_null(strstr(canned_fixture_request(&fixture, 0), "\r\nUser-Agent: ldap2dbx/"));
	assert_non_null(strstr(canned_fixture_request(&fixture, 0), " auth/pat\r\n"));
	assert_non_null(strstr(canned_fixture_request(&fixture, 0),
			"\r\nContent-Type: application/json\r\n"));
	assert_null(strstr(canned_fixture_request(&fixture, 0), "X-Databricks-Workspace-Id"));
	assert_non_null(strstr(canned_fixture_request(&fixture, 0),
			"\r\n\r\n{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:PatchOp\"],"
			"\"Operations\":[{\"op\":\"replace\","
			"\"path\":\"displayName\",\"value\":\"new\"}]}"));
	canned_fixture_stop(&fixture);
}

static void connections_are_kept(void **state)
{
	struct canned_fixture fixture;

	(void)state;
	canned_fixture_start(&fixture);
	SAY(&fixture, {canned_answer(200, "", GROUP), CANNED_KEEP});
	for (unsigned i = 0; i < 5; i++)
		read_group(&fixture);
	assert_int_equal(canned_fixture_requests(&fixture), 5);
	assert_int_equal(fixture.server.connections, 1);
	canned_fixture_stop(&fixture);
}

static void an_idle_client_sleeps(void **state)
{
	struct canned_fixture fixture;

	(void)state;
	canned_fixture_start(&fixture);
	SAY(&fixture, {canned_answer(200, "", GROUP), CANNED_KEEP});
	read_group(&fixture);
	for (unsigned i = 0; i < 10; i++)
		(void)uv_run(loop_uv(fixture.loop), UV_RUN_NOWAIT);
	/* no timer is left but the fixture's own */
	assert_true(uv_backend_timeout(loop_uv(fixture.loop)) > CANNED_GUARD_MS / 2);
	canned_fixture_stop(&fixture);
}

static void missing_members_are_none_where_they_were_asked_for(void **state)
{
	struct arena *arena = arena_new();
	struct resource resource;
	struct canned_fixture fixture;
	struct err err;

	(void)state;
	canned_fixture_start(&fixture);
	SAY(&fixture, {canned_answer(200, "", GROUP), CANNED_KEEP});
	read_group(&fixture);
	assert_int_equal(scim_resource(&fixture.call, PRINCIPAL_GROUP, arena, &resource, &err),
			ERR_NONE);
	assert_true(resource.has_members);
	assert_int_equal(resource.member_count, 0);
	scim_get(fixture.databricks, &fixture.call, PRINCIPAL_GROUP, "8214", 0);
	canned_fixture_wait(&fixture, &fixture.call.done);
	assert_int_equal(scim_resource(&fixture.call, PRINCIPAL_GROUP, arena, &resource, &err),
			ERR_NONE);
	assert_false(resource.has_members);
	arena_free(arena);
	canned_fixture_stop(&fixture);
}

/* What a server may answer to a read before it answers well. */
static void reads_are_repeated_inside(void **state)
{
	const struct canned_answer cases[] = {
			{canned_answer(500, "", SCIM_ERROR("500", "null")), CANNED_KEEP},
			{canned_answer(502, "", "Bad Gateway"), CANNED_KEEP},
			{canned_answer(503, "Retry-After: 1\r\n",
					 "<html><pre>No webapps</pre></html>"),
					CANNED_KEEP},
			{canned_answer(504, "", ""), CANNED_KEEP},
			{canned_answer(429, "Retry-After: 1.58\r\n", ""), CANNED_KEEP},
			{canned_answer(500, "",
					 SCIM_ERROR("500",
							 "REQUEST_LIMIT_EXCEEDED: Workspace 7 "
							 "exceeded the concurrent limit "
							 "of 4 requests.")),
					CANNED_KEEP},
			{canned_answer(401, "", "{\"error_code\":\"UNAUTHORIZED\"}"), CANNED_KEEP},
			{NULL, CANNED_CLOSE},
			{"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"id\":", CANNED_CLOSE},
			{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"id\"",
					CANNED_CLOSE},
			{"HTTP/1.1 200", CANNED_CLOSE},
			{"nonsense\r\n\r\n", CANNED_CLOSE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct canned_fixture fixture;

		canned_fixture_start(&fixture);
		SAY(&fixture, cases[i], {canned_answer(200, "", GROUP), CANNED_KEEP});
		read_group(&fixture);
		if (fixture.call.code != ERR_NONE)
			fail_msg("case %zu: %s", i, fixture.call.err.text);
		assert_int_equal(canned_fixture_requests(&fixture), 2);
		assert_string_equal(
				tape_text(tape_get(tape_root(fixture.call.answer), "id")), "8214");
		canned_fixture_stop(&fixture);
	}
}

static void what_will_not_change_is_not_repeated(void **state)
{
	const struct {
		struct canned_answer answer;
		enum err_code code;
	} cases[] = {
			{{canned_answer(400, "", "{\"error_code\":\"INVALID_PARAMETER_VALUE\"}"),
					 CANNED_KEEP},
					ERR_REFUSED},
			{{canned_answer(403, "", ""), CANNED_KEEP}, ERR_DENIED},
			{{canned_answer(404, "",
					  SCIM_ERROR("404", "Group with id 8214 is not found")),
					 CANNED_KEEP},
					ERR_NOT_FOUND},
			{{canned_answer(409, "", ""), CANNED_KEEP}, ERR_CONFLICT},
			{{canned_answer(200, "", "<html><title>Sign in</title></html>"),
					 CANNED_KEEP},
					ERR_PROTO},
			{{canned_answer(200, "", "{\"id\":1,\"id\":2}"), CANNED_KEEP}, ERR_PROTO},
			{{canned_answer(302, "Location: /login?next_url=x\r\n", ""), CANNED_KEEP},
					ERR_PROTO},
			{{canned_answer(302,
					  "Location: "
					  "/login.html?error=private-link-validation-error:1\r\n",
					  ""),
					 CANNED_KEEP},
					ERR_DENIED},
			{{canned_answer(429, "Retry-After: 100000\r\n", ""), CANNED_KEEP},
					ERR_THROTTLED},
			{{canned_answer(503, "Retry-After: 300\r\n", ""), CANNED_KEEP}, ERR_SERVER},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct canned_fixture fixture;

		canned_fixture_start(&fixture);
		SAY(&fixture, cases[i].answer, {canned_answer(200, "", GROUP), CANNED_KEEP});
		read_group(&fixture);
		assert_int_equal(fixture.call.code, cases[i].code);
		assert_int_equal(canned_fixture_requests(&fixture), 1);
		if (!text_starts_with(fixture.call.err.text, "GET .../Groups/8214: "))
			fail_msg("%s", fixture.call.err.text);
		canned_fixture_stop(&fixture);
	}
}

static void writes_are_left_to_their_owner(void **state)
{
	const struct {
		struct canned_answer answer;
		enum err_code code;
		bool unknown;
		uint32_t retry_after_s;
	} cases[] = {
			{{canned_answer(500, "", SCIM_ERROR("500", "null")), CANNED_KEEP},
					ERR_SERVER, true, 0},
			{{canned_answer(502, "", ""), CANNED_KEEP}, ERR_SERVER, true, 0},
			{{canned_answer(503, "Retry-After: 7\r\n", ""), CANNED_KEEP}, ERR_SERVER,
					false, 7},
			{{canned_answer(504, "", ""), CANNED_KEEP}, ERR_TIMEOUT, true, 0},
			{{canned_answer(429, "Retry-After: 5\r\n", ""), CANNED_KEEP}, ERR_THROTTLED,
					false, 5},
			{{canned_answer(409, "", ""), CANNED_KEEP}, ERR_CONFLICT, false, 0},
			{{NULL, CANNED_CLOSE}, ERR_IO, true, 0},
			{{"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"id\":", CANNED_CLOSE},
					ERR_IO, true, 0},
			{{canned_answer(200, "", "<html>"), CANNED_KEEP}, ERR_PROTO, true, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct canned_fixture fixture;

		canned_fixture_start(&fixture);
		/* once on a fresh connection, once on one that was used before: curl itself would repeat there */
		for (unsigned warm = 0; warm < 2; warm++) {
			SAY(&fixture, {canned_answer(200, "", GROUP), CANNED_KEEP}, cases[i].answer,
					{canned_answer(200, "", GROUP), CANNED_KEEP});
			if (warm)
				read_group(&fixture);
			else
				fixture.server.answered = 1;
			rename_group(&fixture);
			assert_int_equal(fixture.call.code, cases[i].code);
			assert_int_equal(fixture.call.err.effect_unknown, cases[i].unknown);
			assert_int_equal(fixture.call.err.retry_after_s, cases[i].retry_after_s);
			assert_int_equal(canned_fixture_requests(&fixture), warm + 1);
			if (!warm) {
				canned_fixture_stop(&fixture);
				canned_fixture_start(&fixture);
			}
		}
		canned_fixture_stop(&fixture);
	}
}

static void nothing_sent_has_no_effect(void **state)
{
	struct canned_fixture fixture;

	(void)state;
	canned_fixture_start(&fixture);
	canned_stop(&fixture.server);
	rename_group(&fixture);
	assert_int_equal(fixture.call.code, ERR_IO);
	assert_false(fixture.call.err.effect_unknown);
	canned_start(&fixture.server, fixture.loop);
	canned_fixture_stop(&fixture);
}

static void a_second_401_is_final(void **state)
{
	struct target_status status;
	struct canned_fixture fixture;

	(void)state;
	canned_fixture_start(&fixture);
	SAY(&fixture, {canned_answer(401, "", ""), CANNED_KEEP});
	rename_group(&fixture);
	assert_int_equal(fixture.call.code, ERR_AUTH);
	assert_int_equal(canned_fixture_requests(&fixture), 2);
	databricks_status(fixture.databricks, 0, &status);
	assert_int_equal(status.sign_in, SIGN_IN_OK);
	rename_group(&fixture);
	rename_group(&fixture);
	assert_int_equal(canned_fixture_requests(&fixture), 6);
	databricks_status(fixture.databricks, 0, &status);
	assert_int_equal(status.sign_in, SIGN_IN_REFUSED);
	/* from here on no request is made for a while */
	rename_group(&fixture);
	assert_int_equal(fixture.call.code, ERR_AUTH);
	assert_int_equal(canned_fixture_requests(&fixture), 6);
	canned_fixture_stop(&fixture);
}

static void a_changed_token_is_read_anew(void **state)
{
	struct canned_fixture fixture;

	(void)state;
	canned_fixture_start(&fixture);
	SAY(&fixture, {canned_answer(200, "", GROUP), CANNED_KEEP},
			{canned_answer(401, "", ""), CANNED_KEEP},
			{canned_answer(200, "", GROUP), CANNED_KEEP});
	read_group(&fixture);
	assert_int_equal(setenv("TEST_TOKEN", "another-token", 1), 0);
	rename_group(&fixture);
	assert_int_equal(fixture.call.code, ERR_NONE);
	assert_non_null(strstr(canned_fixture_request(&fixture, 1), "Bearer secret-token"));
	assert_non_null(strstr(canned_fixture_request(&fixture, 2), "Bearer another-token"));
	canned_fixture_stop(&fixture);
}

static void scims_own_type_is_used_where_json_is_refused(void **state)
{
	struct canned_fixture fixture;

	(void)state;
	canned_fixture_start(&fixture);
	SAY(&fixture, {canned_answer(415, "", ""), CANNED_KEEP},
			{canned_answer(204, "", ""), CANNED_KEEP});
	rename_group(&fixture);
	assert_int_equal(fixture.call.code, ERR_NONE);
	assert_null(fixture.call.answer);
	assert_non_null(strstr(canned_fixture_request(&fixture, 1),
			"\r\nContent-Type: application/scim+json\r\n"));
	canned_fixture_stop(&fixture);
}

static void removing_what_is_not_there_is_success(void **state)
{
	static const char *const values[] = {"workspace-access"};
	static const struct scim_values_change removal = {SCIM_ENTITLEMENTS, NULL, 0, values, 1};
	static const struct scim_values_change addition = {SCIM_ENTITLEMENTS, values, 1, NULL, 0};
	struct canned_fixture fixture;

	(void)state;
	canned_fixture_start(&fixture);
	SAY(&fixture,
			{canned_answer(400, "",
					 "{\"detail\":\"No such attribute with the name : "
					 "entitlements in the current resource\","
					 "\"scimType\":\"invalidPath\",\"status\":\"400\"}"),
					CANNED_KEEP});
	scim_change_values(fixture.databricks, &fixture.call, PRINCIPAL_USER, "1", &removal);
	canned_fixture_wait(&fixture, &fixture.call.done);
	assert_int_equal(fixture.call.code, ERR_NONE);
	assert_non_null(strstr(canned_fixture_request(&fixture, 0),
			"\"Operations\":[{\"op\":\"remove\",\"path\":\"entitlements\","
			"\"value\":[{\"value\":\"workspace-access\"}]}]"));
	scim_change_values(fixture.databricks, &fixture.call, PRINCIPAL_USER, "1", &addition);
	canned_fixture_wait(&fixture, &fixture.call.done);
	assert_int_equal(fixture.call.code, ERR_REFUSED);
	canned_fixture_stop(&fixture);
}

static void bodies_are_as_databricks_takes_them(void **state)
{
	static const char *const ids[] = {"1", "2"};
	static const char *const roles[] = {"arn:aws:iam::1:instance-profile/x"};
	static const struct scim_members_change members = {ids, 2, ids, 1};
	static const struct scim_values_change values = {SCIM_ROLES, roles, 1, roles, 1};
	static const struct scim_change off = {.set_active = true, .active = false};
	static const char *const user[FIELD_COUNT_] = {[FIELD_USER_NAME] = "ada@example.com",
			[FIELD_GIVEN_NAME] = "Ada",
			[FIELD_APPLICATION_ID] = "not a user's"};
	static const char *const group[FIELD_COUNT_] = {
			[FIELD_DISPLAY_NAME] = "eng", [FIELD_EXTERNAL_ID] = "a-1"};
	struct canned_fixture fixture;
	struct call *call = &fixture.call;

	(void)state;
	canned_fixture_start(&fixture);
	SAY(&fixture, {canned_answer(200, "", GROUP), CANNED_KEEP});
	scim_change_members(fixture.databricks, call, "9", &members);
	canned_fixture_wait(&fixture, &call->done);
	scim_change_values(fixture.databricks, call, PRINCIPAL_SERVICE, "9", &values);
	canned_fixture_wait(&fixture, &call->done);
	scim_update(fixture.databricks, call, PRINCIPAL_USER, "9", &off);
	canned_fixture_wait(&fixture, &call->done);
	scim_create(fixture.databricks, call, PRINCIPAL_USER, user, false);
	canned_fixture_wait(&fixture, &call->done);
	scim_create(fixture.databricks, call, PRINCIPAL_GROUP, group, true);
	canned_fixture_wait(&fixture, &call->done);
	scim_delete(fixture.databricks, call, PRINCIPAL_SERVICE, "9");
	canned_fixture_wait(&fixture, &call->done);
	assert_non_null(strstr(canned_fixture_request(&fixture, 0),
			"\"Operations\":[{\"op\":\"remove\",\"path\":\"members[value eq "
			"\\\"1\\\"]\"},{\"op\":\"add\",\"path\":"
			"\"members\",\"value\":[{\"value\":\"1\"},{\"value\":\"2\"}]}]"));
	assert_non_null(strstr(canned_fixture_request(&fixture, 1),
			"\"Operations\":[{\"op\":\"add\",\"path\":\"roles\",\"value\":[{\"value\":"
			"\"arn:aws:iam::1:instance-profile/"
			"x\"}]},{\"op\":\"remove\",\"path\":\"roles[value eq "
			"\\\"arn:aws:iam::1:instance-profile/x\\\"]\"}]"));
	assert_non_null(strstr(canned_fixture_request(&fixture, 2),
			"\"Operations\":[{\"op\":\"replace\",\"path\":\"active\",\"value\":false}"
			"]"));
	assert_non_null(strstr(canned_fixture_request(&fixture, 3),
			"{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],"
			"\"userName\":\"ada@example.com\",\"name\":{"
			"\"givenName\":\"Ada\"},\"active\":false}"));
	assert_non_null(strstr(canned_fixture_request(&fixture, 4),
			"{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:Group\"],"
			"\"displayName\":\"eng\",\"externalId\":"
			"\"a-1\"}"));
	assert_true(text_starts_with(canned_fixture_request(&fixture, 5),
			"DELETE /api/2.0/preview/scim/v2/ServicePrincipals/9 HTTP/1.1\r\n"));
	canned_fixture_stop(&fixture);
}

/* The header routes on hosts of several workspaces, and is refused on account paths. */
static void workspace_ids_go_where_they_belong(void **state)
{
	struct canned_fixture fixture;

	(void)state;
	canned_fixture_start(&fixture);
	assert_int_equal(setenv("DATABRICKS_WORKSPACE_ID", "77", 1), 0);
	canned_fixture_reconnect(&fixture);
	SAY(&fixture, {canned_answer(200, "", GROUP), CANNED_KEEP});
	read_group(&fixture);
	assert_non_null(strstr(canned_fixture_request(&fixture, 0),
			"\r\nX-Databricks-Workspace-Id: 77\r\n"));
	fixture.targets[0].is_account = true;
	fixture.targets[0].account_id = CANNED_ACCOUNT_ID;
	canned_fixture_reconnect(&fixture);
	read_group(&fixture);
	assert_null(strstr(canned_fixture_request(&fixture, 1), "X-Databricks-Workspace-Id"));
	assert_int_equal(unsetenv("DATABRICKS_WORKSPACE_ID"), 0);
	canned_fixture_stop(&fixture);
}

struct listing {
	struct canned_fixture *fixture;
	char ids[64];
	bool done;
	enum err_code code;
};

static void on_page(void *context, const struct resource *resources, size_t count)
{
	struct listing *listing = context;

	for (size_t i = 0; i < count; i++) {
		size_t used = strlen(listing->ids);

		(void)snprintf(listing->ids + used, sizeof(listing->ids) - used, "%s ",
				resources[i].id);
	}
}

static void on_listed(void *context, const struct err *err_or_null)
{
	struct listing *listing = context;

	listing->code = err_or_null ? err_or_null->code : ERR_NONE;
	listing->done = true;
	loop_stop(listing->fixture->loop);
}

#define PAGE(total, items)                                                                         \
	canned_answer(200, "", "{\"totalResults\":" total ",\"Resources\":[" items "]}")

static void lists_drop_repeats_and_do_not_trust_their_end(void **state)
{
	const struct {
		struct canned_answer answers[4];
		const char *ids;
		enum err_code code;
		size_t requests;
	} cases[] = {
			{{{PAGE("3", "{\"id\":\"1\"},{\"id\":\"2\"}"), CANNED_KEEP},
					 {PAGE("3", "{\"id\":\"2\"},{\"id\":\"3\"}"), CANNED_KEEP},
					 {canned_answer(200, "", "{\"totalResults\":3}"),
							 CANNED_KEEP}},
					"1 2 3 ", ERR_NONE, 3},
			{{{PAGE("3", "{\"id\":\"1\"},{\"id\":\"1\"}"), CANNED_KEEP},
					 {PAGE("3", ""), CANNED_KEEP}},
					"1 ", ERR_INCOMPLETE, 2},
			{{{PAGE("3", "{\"id\":\"1\"}"), CANNED_KEEP},
					 {canned_answer(200, "", "<html>"), CANNED_KEEP}},
					"1 ", ERR_PROTO, 2},
			{{{PAGE("3", "{\"id\":\"1\"}"), CANNED_KEEP},
					 {canned_answer(404, "", ""), CANNED_KEEP}},
					"1 ", ERR_NOT_FOUND, 2},
			{{{PAGE("3", "{\"id\":\"1\"}"), CANNED_KEEP},
					 {canned_answer(500, "", ""), CANNED_KEEP},
					 {PAGE("2", "{\"id\":\"2\"}"), CANNED_KEEP},
					 {PAGE("2", ""), CANNED_KEEP}},
					"1 2 ", ERR_NONE, 4},
			{{{PAGE("1", "{\"name\":7}"), CANNED_KEEP}}, "", ERR_PROTO, 1},
			{{{canned_answer(200, "", "{\"totalResults\":0}"), CANNED_KEEP}}, "",
					ERR_NONE, 1},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct canned_fixture fixture;
		struct listing listing = {.fixture = &fixture};

		canned_fixture_start(&fixture);
		canned_say(&fixture.server, cases[i].answers, cases[i].requests);
		(void)scim_list_start(fixture.databricks, 0, PRINCIPAL_USER, 0, on_page, on_listed,
				&listing);
		canned_fixture_wait(&fixture, &listing.done);
		assert_string_equal(listing.ids, cases[i].ids);
		assert_int_equal(listing.code, cases[i].code);
		assert_int_equal(canned_fixture_requests(&fixture), cases[i].requests);
		canned_fixture_stop(&fixture);
	}
}

static void a_cancelled_call_is_not_heard_of(void **state)
{
	struct call other = {.lane = LANE_SINGLE};
	struct canned_fixture fixture;

	(void)state;
	canned_fixture_start(&fixture);
	SAY(&fixture, {NULL, CANNED_HANG}, {canned_answer(200, "", GROUP), CANNED_KEEP});
	other.wakes = &fixture.woken;
	/* before it is sent, and while the server sits on it */
	scim_get(fixture.databricks, &other, PRINCIPAL_USER, "1", 0);
	call_cancel(&other);
	scim_get(fixture.databricks, &other, PRINCIPAL_USER, "1", 0);
	while (canned_fixture_requests(&fixture) == 0)
		(void)uv_run(loop_uv(fixture.loop), UV_RUN_ONCE);
	call_cancel(&other);
	read_group(&fixture);
	assert_int_equal(fixture.call.code, ERR_NONE);
	assert_false(other.done);
	call_release(&other);
	canned_fixture_stop(&fixture);
}

static void a_big_answer_is_parsed_on_the_pool(void **state)
{
	AUTO(mem_freep) char *padding = mem_alloc(200001);
	AUTO(mem_freep) char *body = NULL;
	struct canned_fixture fixture;
	struct call other = {.lane = LANE_SINGLE};

	(void)state;
	memset(padding, 'x', 200000);
	padding[200000] = '\0';
	body = mem_printf("{\"id\":\"8214\",\"displayName\":\"%s\"}", padding);
	canned_fixture_start(&fixture);
	SAY(&fixture, {canned_answer(200, "", body), CANNED_KEEP});
	read_group(&fixture);
	assert_int_equal(fixture.call.code, ERR_NONE);
	assert_int_equal(tape_get(tape_root(fixture.call.answer), "displayName")->len, 200000);
	/* cancelled at each moment of its life, the pool's part among them */
	other.wakes = &fixture.woken;
	for (unsigned turns = 0; turns < 40; turns++) {
		scim_get(fixture.databricks, &other, PRINCIPAL_USER, "1", 0);
		for (unsigned i = 0; i < turns && !other.done; i++)
			(void)uv_run(loop_uv(fixture.loop), UV_RUN_NOWAIT);
		call_release(&other);
		other = (struct call){.lane = LANE_SINGLE, .wakes = &fixture.woken};
	}
	canned_fixture_stop(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(a_call_carries_what_it_should),
			cmocka_unit_test(connections_are_kept),
			cmocka_unit_test(an_idle_client_sleeps),
			cmocka_unit_test(missing_members_are_none_where_they_were_asked_for),
			cmocka_unit_test(reads_are_repeated_inside),
			cmocka_unit_test(what_will_not_change_is_not_repeated),
			cmocka_unit_test(writes_are_left_to_their_owner),
			cmocka_unit_test(nothing_sent_has_no_effect),
			cmocka_unit_test(a_second_401_is_final),
			cmocka_unit_test(a_changed_token_is_read_anew),
			cmocka_unit_test(scims_own_type_is_used_where_json_is_refused),
			cmocka_unit_test(removing_what_is_not_there_is_success),
			cmocka_unit_test(bodies_are_as_databricks_takes_them),
			cmocka_unit_test(workspace_ids_go_where_they_belong),
			cmocka_unit_test(lists_drop_repeats_and_do_not_trust_their_end),
			cmocka_unit_test(a_cancelled_call_is_not_heard_of),
			cmocka_unit_test(a_big_answer_is_parsed_on_the_pool),
	};

	return cmocka_run_group_tests_name("call", tests, NULL, NULL);
}
