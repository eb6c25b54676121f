/* What the control socket says to each line; no socket. */
#include "service/control_protocol.h"

#include "fake_engine.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

struct bench {
	struct loop *loop;
	struct engine *engine;
};

static int set_up(void **state)
{
	struct bench *bench = mem_zalloc(sizeof(*bench));
	struct engine_options options = {.mode = ENGINE_RUN};
	struct err err;

	fake_engine_reset();
	bench->loop = loop_new();
	*state = bench;
	return engine_new(bench->loop, &options, &bench->engine, &err) == ERR_NONE ? 0 : -1;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	engine_free(bench->engine);
	loop_free(bench->loop);
	mem_free(bench);
	return 0;
}

/* The answer to a line as compact text with sorted keys; caller's, free. "waits" if there is none
 * yet. */
static char *say(struct bench *bench, const char *line)
{
	struct control_reply reply;
	char *text;

	control_handle_line(bench->engine, span_of(line), &reply);
	text = reply.answer ? json_dumps(reply.answer, JSON_COMPACT | JSON_SORT_KEYS)
			    : strdup("waits");
	control_reply_release(&reply);
	return text;
}

static void expect(void **state, const char *line, const char *wanted)
{
	char *text = say(*state, line);

	assert_string_equal(text, wanted);
	free(text);
}

static void expect_usage(void **state, const char *line, const char *says)
{
	char *text = say(*state, line);

	if (!strstr(text, "\"code\":\"usage\"") || !strstr(text, says))
		fail_msg("%s: %s does not say \"%s\"", line, text, says);
	free(text);
}

static void test_malformed(void **state)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
			{"", "not a JSON object"},
			{"status", "not a JSON object"},
			{"{\"command\":\"status\"", "not a JSON object"},
			{"{\"command\":\"status\"} {}", "not a JSON object"},
			{"{\"command\":\"status\",\"command\":\"holds\"}", "not a JSON object"},
			{"\xff\xfe", "not a JSON object"},
			{"[]", "a request is one JSON object"},
			{"{}", "no \\\"command\\\""},
			{"{\"command\":1}", "no \\\"command\\\""},
			{"{\"command\":\"stop\"}", "unknown command \\\"stop\\\""},
			{"{\"command\":\"status\",\"x\":1}", "unknown field \\\"x\\\""},
			{"{\"command\":\"explain\"}", "field \\\"who\\\" is missing"},
			{"{\"command\":\"explain\",\"who\":7}", "\\\"who\\\" must be text"},
			{"{\"command\":\"explain\",\"who\":\"a\\u0000b\"}", "not a JSON object"},
			{"{\"command\":\"explain\",\"who\":\"a\",\"workspace\":\"prod\"}",
					"needs an \\\"object\\\""},
			{"{\"command\":\"who_can\"}", "field \\\"object\\\" is missing"},
			{"{\"command\":\"who_can\",\"object\":\"jobs\"}", "no type of object"},
			{"{\"command\":\"diff\",\"who\":\"a\"}", "field \\\"other\\\" is missing"},
			{"{\"command\":\"revoke_tokens\"}", "field \\\"tokens\\\" is missing"},
			{"{\"command\":\"revoke_tokens\",\"tokens\":[{\"id\":\"a\"}]}",
					"must hold objects"},
			{"{\"command\":\"approve\"}",
					"either \\\"selector\\\" or \\\"operations\\\""},
			{"{\"command\":\"approve\",\"selector\":\"all\",\"operations\":[]}",
					"either"},
			{"{\"command\":\"approve\",\"operations\":[1]}", "must hold ids"},
			{"{\"command\":\"approve\",\"operations\":[\"all\"]}", "must hold ids"},
			{"{\"command\":\"approve\",\"operations\":[\"users\"]}", "must hold ids"},
			{"{\"command\":\"approve\",\"operations\":[\"a,b\"]}", "must hold ids"},
			{"{\"command\":\"approve\",\"operations\":[\"\"]}", "must hold ids"},
			{"{\"command\":\"approve\",\"operations\":\"a\"}", "must be a list"},
			{"{\"command\":\"approve\",\"selector\":\"all\",\"dry_run\":1}",
					"must be true or false"},
			{"{\"command\":\"sync\",\"kind\":\"robot\",\"name\":\"x\"}",
					"must be user, group"},
			{"{\"command\":\"sync\",\"kind\":\"user\",\"name\":\"x\",\"timeout_ms\":-"
			 "1}",
					"must be from 0 to"},
			{"{\"command\":\"sync\",\"kind\":\"user\",\"name\":\"x\",\"timeout_ms\":"
			 "600001}",
					"must be from 0"},
			{"{\"command\":\"sync\",\"kind\":\"user\",\"name\":\"x\",\"timeout_ms\":1."
			 "5}",
					"a whole number"},
	};

	for (size_t i = 0; i < COUNT_OF(cases); i++)
		expect_usage(state, cases[i].line, cases[i].says);
	assert_int_equal(fake.synced + fake.approved + fake.rejected, 0);
}

static void test_deep_nesting(void **state)
{
	char *line = mem_alloc(100002);

	memset(line, '[', 100001);
	line[100001] = '\0';
	expect_usage(state, line, "not a JSON object");
	mem_free(line);
}

static void test_simple_commands(void **state)
{
	expect(state, "{\"command\":\"status\"}",
			"{\"ok\":true,\"result\":{\"padding\":\"\",\"phase\":\"starting\"}}");
	expect(state, "{\"command\":\"holds\"}", "{\"ok\":true,\"result\":{\"holds\":[]}}");
	expect(state, "{\"command\":\"reconcile\"}", "{\"ok\":true,\"result\":{}}");
	assert_int_equal(fake.reconciled, 1);
	expect(state,
			"{\"command\":\"revoke_tokens\",\"tokens\":[{\"workspace\":\"prod\","
			"\"id\":\"a\"},{\"workspace\":\"nowhere\",\"id\":\"b\"}]}",
			"{\"ok\":true,\"result\":{\"accepted\":1}}");
	assert_int_equal(fake.revoked, 1);
	assert_int_equal(fake.revoked_guarded, 0);
	expect(state,
			"{\"command\":\"revoke_tokens\",\"even_guarded\":true,\"tokens\":[{"
			"\"workspace\":\"prod\",\"id\":\"a\"}]}",
			"{\"ok\":true,\"result\":{\"accepted\":1}}");
	assert_int_equal(fake.revoked_guarded, 1);
	expect(state, "{\"command\":\"revocations\"}", "{\"ok\":true,\"result\":{\"waiting\":[]}}");
	expect(state, "{\"command\":\"sweep_tokens\"}", "{\"ok\":true,\"result\":{}}");
	assert_int_equal(fake.swept, 1);
	expect(state, "{\"command\":\"retry\",\"who\":\"ada\"}",
			"{\"ok\":true,\"result\":{\"retried\":[{\"key\":\"ada\",\"name\":\"ada\"}]}"
			"}");
}

static void test_explain(void **state)
{
	expect(state, "{\"command\":\"explain\",\"who\":\"ada\"}",
			"{\"error\":{\"code\":\"not-found\",\"text\":\"nothing is known of "
			"\\\"ada\\\"\"},\"ok\":false}");
	fake.explain_state = "in_sync";
	expect(state, "{\"command\":\"explain\",\"who\":\"ada\"}", "waits");
	expect(state, "{\"command\":\"diff\",\"who\":\"ada\",\"other\":\"bo\"}", "waits");
}

/* What was held when the list was shown is decided; what has gone meanwhile is told, what came is
 * left. */
static void test_decisions_bind_to_ids(void **state)
{
	fake.held[0] = "op-1";
	fake.held[1] = "op-2";
	expect(state, "{\"command\":\"approve\",\"selector\":\"all\",\"dry_run\":true}",
			"{\"ok\":true,\"result\":{\"gone\":[],\"operations\":[{\"id\":\"op-1\"},{"
			"\"id\":\"op-2\"}]}}");
	assert_int_equal(fake.approved, 0);
	fake.held[0] = NULL;
	fake.held[2] = "op-3";
	expect(state, "{\"command\":\"approve\",\"operations\":[\"op-1\",\"op-2\"]}",
			"{\"ok\":true,\"result\":{\"gone\":[\"op-1\"],\"operations\":[{\"id\":\"op-"
			"2\"}]}}");
	assert_string_equal(fake.held[2], "op-3");
	expect(state, "{\"command\":\"approve\",\"operations\":[\"op-1\"]}",
			"{\"ok\":true,\"result\":{\"gone\":[\"op-1\"],\"operations\":[]}}");
	expect(state, "{\"command\":\"approve\",\"operations\":[]}",
			"{\"ok\":true,\"result\":{\"gone\":[],\"operations\":[]}}");
	expect(state, "{\"command\":\"reject\",\"selector\":\"op-3\",\"dry_run\":true}",
			"{\"ok\":true,\"result\":{\"gone\":[],\"operations\":[{\"id\":\"op-3\"}]}"
			"}");
	assert_int_equal(fake.rejected, 0);
	expect(state, "{\"command\":\"reject\",\"selector\":\"op-3\",\"reason\":\"still needed\"}",
			"{\"ok\":true,\"result\":{\"gone\":[],\"operations\":[{\"id\":\"op-3\"}]}"
			"}");
	assert_string_equal(fake.last_reason, "still needed");
}

static void test_too_many_ids(void **state)
{
	struct bench *bench = *state;
	json_auto_t *ids = json_array();
	json_auto_t *request = NULL;
	struct control_reply reply;

	for (size_t i = 0; i <= CONTROL_IDS_MAX; i++)
		(void)json_array_append_new(ids, json_string("a"));
	request = json_pack("{s:s, s:O}", "command", "approve", "operations", ids);
	control_handle(bench->engine, request, &reply);
	assert_string_equal(json_string_value(json_object_get(
					    json_object_get(reply.answer, "error"), "code")),
			"limit");
	control_reply_release(&reply);
}

static const char *state_of(const struct control_reply *reply)
{
	return json_string_value(
			json_object_get(json_object_get(reply->answer, "result"), "state"));
}

static void start_sync(const struct bench *bench, struct control_reply *ret)
{
	static const char line[] = "{\"command\":\"sync\",\"kind\":\"user\",\"name\":\"ada\","
				   "\"timeout_ms\":500}";

	fake.explain_state = "pending";
	control_handle_line(bench->engine, span_of(line), ret);
	assert_null(ret->answer);
	assert_int_equal(ret->timeout_ms, 500);
}

static void test_sync_waits_until_settled(void **state)
{
	static const struct {
		const char *explained, *answered;
	} cases[] = {{"in_sync", "done"}, {"leaver", "done"}, {"held", "held"},
			{"quarantined", "quarantined"}, {NULL, "done"}};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct bench *bench = *state;
		struct control_reply reply;

		start_sync(bench, &reply);
		control_reply_look(bench->engine, &reply);
		assert_null(reply.answer);
		fake.explain_state = cases[i].explained;
		control_reply_look(bench->engine, &reply);
		assert_string_equal(state_of(&reply), cases[i].answered);
		control_reply_expire(&reply); /* too late: the answer stays */
		assert_string_equal(state_of(&reply), cases[i].answered);
		control_reply_release(&reply);
	}
}

static void test_sync_expires(void **state)
{
	struct control_reply reply;

	start_sync(*state, &reply);
	control_reply_expire(&reply);
	assert_string_equal(state_of(&reply), "under_way");
	control_reply_release(&reply);
}

static void ask(const struct bench *bench, const char *object, struct control_reply *ret)
{
	AUTO(mem_freep)
	char *line = mem_printf("{\"command\":\"who_can\",\"object\":\"%s\"}", object);

	control_handle_line(bench->engine, span_of(line), ret);
	assert_null(ret->answer);
	assert_int_equal(ret->timeout_ms, CONTROL_QUESTION_MS);
}

static void stop_loop(struct task *task)
{
	loop_stop(task->loop);
}

static void test_question_waits_for_its_answer(void **state)
{
	static const struct {
		const char *object, *code;
	} cases[] = {{"job:x", NULL}, {"job:nothing", "not-found"}};

	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct bench *bench = *state;
		struct control_reply reply;
		struct task last = {0};

		ask(bench, cases[i].object, &reply);
		control_reply_look(bench->engine, &reply);
		assert_null(reply.answer);
		task_init(&last, bench->loop, stop_loop);
		task_wake(&last);
		loop_run(bench->loop);
		control_reply_look(bench->engine, &reply);
		assert_int_equal(json_is_true(json_object_get(reply.answer, "ok")), !cases[i].code);
		assert_true(text_equal(
				json_string_value(json_object_get(
						json_object_get(reply.answer, "error"), "code")),
				cases[i].code));
		assert_null(reply.question);
		control_reply_release(&reply);
	}
}

static void test_question_expires(void **state)
{
	struct control_reply reply;

	fake.mute = true;
	ask(*state, "job:x", &reply);
	control_reply_expire(&reply);
	assert_string_equal(json_string_value(json_object_get(
					    json_object_get(reply.answer, "error"), "code")),
			"timeout");
	control_reply_release(&reply);
	ask(*state, "job:x",
			&reply); /* and one that nobody waits for any more ends with its client */
	control_reply_release(&reply);
}

static void test_sync_of_nobody(void **state)
{
	expect(state, "{\"command\":\"sync\",\"kind\":\"user\",\"name\":\"nobody\"}",
			"{\"error\":{\"code\":\"not-found\",\"text\":\"nothing is known of "
			"\\\"nobody\\\"\"},\"ok\":false}");
}

/* An error keeps its kind on the way through, so that exit codes are the same with and without a
 * service. */
static void test_errors_travel(void **state)
{
	(void)state;
	for (unsigned code = ERR_NONE + 1; code < ERR_COUNT_; code++) {
		json_auto_t *answer = NULL;
		json_t *result = NULL;
		struct err sent = {0}, received = {0};

		(void)err_set(&sent, (enum err_code)code, 0, "text %u", code);
		answer = control_error(&sent);
		assert_int_equal(control_result(answer, &result, &received), code);
		assert_string_equal(received.text, sent.text);
		assert_null(result);
	}
}

static void test_foreign_answers(void **state)
{
	static const char *const texts[] = {"{}", "[]", "{\"ok\":true}", "{\"ok\":false}",
			"{\"ok\":false,\"error\":1}"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		json_auto_t *answer = json_loads(texts[i], 0, NULL);
		json_t *result = NULL;
		struct err err = {0};

		assert_int_equal(control_result(answer, &result, &err), ERR_PROTO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test_setup_teardown(test_malformed, set_up, tear_down),
			cmocka_unit_test_setup_teardown(test_deep_nesting, set_up, tear_down),
			cmocka_unit_test_setup_teardown(test_simple_commands, set_up, tear_down),
			cmocka_unit_test_setup_teardown(test_explain, set_up, tear_down),
			cmocka_unit_test_setup_teardown(
					test_decisions_bind_to_ids, set_up, tear_down),
			cmocka_unit_test_setup_teardown(test_too_many_ids, set_up, tear_down),
			cmocka_unit_test_setup_teardown(
					test_sync_waits_until_settled, set_up, tear_down),
			cmocka_unit_test_setup_teardown(test_sync_expires, set_up, tear_down),
			cmocka_unit_test_setup_teardown(
					test_question_waits_for_its_answer, set_up, tear_down),
			cmocka_unit_test_setup_teardown(test_question_expires, set_up, tear_down),
			cmocka_unit_test_setup_teardown(test_sync_of_nobody, set_up, tear_down),
			cmocka_unit_test(test_errors_travel),
			cmocka_unit_test(test_foreign_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
