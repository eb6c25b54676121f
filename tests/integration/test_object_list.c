/*
 * Lists, searches and walks against a server that answers by what it is asked: which calls they take, and what comes of them.
 */
#include "canned_fixture.h"

#include "base/buf.h"
#include "base/text.h"
#include "databricks/object_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* What was told, sorted by nothing: "type:id" separated by blanks. */
struct hearing {
	struct canned_fixture fixture;
	struct object_sink sink;
	struct buf seen;
	size_t pages;
	bool done;
	enum err_code code;
	struct err err;
	const char *wanted;               /* the only name that `wants` says yes to */
	struct object_list *cancels;      /* by the first page */
	struct object_tree *cancels_tree; /* likewise */
};

static void on_page(void *context, const struct found_object *objects, size_t count)
{
	struct hearing *hearing = context;

	hearing->pages++;
	for (size_t i = 0; i < count; i++)
		buf_printf(&hearing->seen, "%s%s:%s", hearing->seen.len ? " " : "",
				securable_traits(objects[i].type)->name, objects[i].facts.id);
	if (hearing->cancels)
		object_list_cancel(STEAL(hearing->cancels));
	if (hearing->cancels_tree)
		object_tree_cancel(STEAL(hearing->cancels_tree));
}

static void on_done(void *context, const struct err *err_or_null)
{
	struct hearing *hearing = context;

	assert_false(hearing->done);
	hearing->done = true;
	hearing->code = err_or_null ? err_or_null->code : ERR_NONE;
	if (err_or_null)
		hearing->err = *err_or_null;
	loop_stop(hearing->fixture.loop);
}

static bool wants(void *context, const struct found_object *object)
{
	struct hearing *hearing = context;

	assert_null(object->facts.id);
	return text_equal(object->facts.name, hearing->wanted);
}

static void hearing_start(struct hearing *hearing)
{
	*hearing = (struct hearing){0};
	canned_fixture_start(&hearing->fixture);
	hearing->sink = (struct object_sink){.page = on_page, .done = on_done, .context = hearing};
	buf_init(&hearing->seen, SIZE_MAX / 2);
}

static void hearing_stop(struct hearing *hearing)
{
	canned_fixture_stop(&hearing->fixture);
	buf_release(&hearing->seen);
}

static void serve(struct hearing *hearing, const struct canned_page *pages, size_t count)
{
	canned_serve(&hearing->fixture.server, pages, count);
	buf_reset(&hearing->seen);
	hearing->pages = 0;
	hearing->done = false;
}

/* Waits for the end and shows how it was: what was seen, or the error. */
static const char *outcome(struct hearing *hearing)
{
	canned_fixture_wait(&hearing->fixture, &hearing->done);
	return hearing->code == ERR_NONE ? buf_text(&hearing->seen) : err_code_name(hearing->code);
}

static const char *list(struct hearing *hearing, enum securable_type type)
{
	(void)object_list_start(hearing->fixture.databricks, 0, type, &hearing->sink);
	return outcome(hearing);
}

static const char *find(struct hearing *hearing, const struct selector *selector)
{
	(void)object_find_start(hearing->fixture.databricks, 0, selector, &hearing->sink);
	return outcome(hearing);
}

static size_t requests(const struct hearing *hearing)
{
	return canned_fixture_requests(&hearing->fixture);
}

static bool asked(const struct hearing *hearing, const char *request)
{
	for (size_t i = 0; i < requests(hearing); i++) {
		const char *line = canned_fixture_request(&hearing->fixture, i);

		if (text_starts_with(line, request) && line[strlen(request)] == ' ')
			return true;
	}
	return false;
}

#define SERVE(hearing, pages) serve(hearing, pages, COUNT_OF(pages))

/* ---- lists ---- */

static void lists_go_on_until_there_is_no_token(void **state)
{
	static const struct canned_page pages[] = {
			{"GET /api/2.2/jobs/list?limit=100 ", 200,
					"{\"jobs\":[{\"job_id\":1},{\"job_id\":2}],"
					"\"next_page_token\":\"a b\"}"},
			/* empty, and not the end; then repeats */
			{"GET /api/2.2/jobs/list?limit=100&page_token=a%20b ", 200,
					"{\"jobs\":[],\"next_page_token\":\"c\"}"},
			{"GET /api/2.2/jobs/list?limit=100&page_token=c ", 200,
					"{\"next_page_token\":\"d\"}"},
			{"GET /api/2.2/jobs/list?limit=100&page_token=d ", 200,
					"{\"jobs\":[{\"job_id\":2},{\"job_id\":9007199254740993}],"
					"\"next_page_token\":\"\"}"},
	};
	struct hearing hearing;

	(void)state;
	hearing_start(&hearing);
	SERVE(&hearing, pages);
	assert_string_equal(list(&hearing, SECURABLE_JOB), "job:1 job:2 job:9007199254740993");
	assert_int_equal(requests(&hearing), 4);
	hearing_stop(&hearing);
}

static void pages_are_asked_for_in_many_ways(void **state)
{
	static const struct {
		enum securable_type type;
		struct canned_page pages[2];
		const char *seen;
	} cases[] = {
			{SECURABLE_REPO,
					{{"GET /api/2.0/repos ", 200,
							 "{\"repos\":[{\"id\":1,\"path\":\"/"
							 "Repos/a/"
							 "b\"}],\"next_page_token\":\"x\"}"},
							{"GET /api/2.0/repos?next_page_token=x ",
									200,
									"{\"repos\":[{\"id\":2}]"
									"}"}},
					"repo:1 repo:2"},
			{SECURABLE_LEGACY_DASHBOARD,
					{{"GET /api/2.0/preview/sql/dashboards?page_size=100 ", 200,
							 "{\"count\":3,\"page\":1,\"page_size\":2,"
							 "\"results\":[{\"id\":\"a\"},{\"id\":"
							 "\"b\"}"
							 "]}"},
							{"GET /api/2.0/preview/sql/"
							 "dashboards?page_size=100&page=2 ",
									200,
									"{\"count\":3,\"page\":2,"
									"\"page_size\":2,"
									"\"results\":[{"
									"\"id\":\"c\"}]}"}},
					"legacy_dashboard:a legacy_dashboard:b legacy_dashboard:c"},
			{SECURABLE_APP,
					{{"GET /api/2.0/apps ", 200,
							 "{\"apps\":[{\"name\":\"a\"}],\"next_"
							 "page_token\":\"x\"}"},
							{"GET /api/2.0/apps?page_token=x ", 200,
									"{\"apps\":[{\"name\":"
									"\"b\"}]}"}},
					"app:a app:b"},
			/* a token where no paging is known says nothing */
			{SECURABLE_CLUSTER_POLICY,
					{{"GET /api/2.0/policies/clusters/list ", 200,
							 "{\"policies\":[{\"policy_id\":\"p\"}],"
							 "\"next_page_token\":\"x\"}"},
							{"GET /none", 500, ""}},
					"cluster_policy:p"},
			{SECURABLE_INSTANCE_POOL,
					{{"GET /api/2.0/instance-pools/list ", 200, "{}"},
							{"GET /none", 500, ""}},
					""},
	};
	struct hearing hearing;

	(void)state;
	hearing_start(&hearing);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		SERVE(&hearing, cases[i].pages);
		assert_string_equal(list(&hearing, cases[i].type), cases[i].seen);
	}
	hearing_stop(&hearing);
}

/* A POST that only reads: its page is in the body, and it is repeated as a GET is. */
static void experiments_are_searched(void **state)
{
	struct hearing hearing;

	(void)state;
	hearing_start(&hearing);
	SAY(&hearing.fixture, {canned_answer(503, "", ""), CANNED_KEEP},
			{canned_answer(200, "",
					 "{\"experiments\":[{\"experiment_id\":\"1\",\"name\":\"/"
					 "a\"}]"
					 ",\"next_page_token\":\"x\"}"),
					CANNED_KEEP},
			{canned_answer(200, "",
					 "{\"experiments\":[{\"experiment_id\":\"2\",\"name\":\"/"
					 "b\"}]}"),
					CANNED_KEEP});
	assert_string_equal(list(&hearing, SECURABLE_EXPERIMENT), "experiment:1 experiment:2");
	assert_int_equal(requests(&hearing), 3);
	assert_true(asked(&hearing, "POST /api/2.0/mlflow/experiments/search"));
	assert_non_null(strstr(canned_fixture_request(&hearing.fixture, 1),
			"\r\n\r\n{\"max_results\":1000}"));
	assert_non_null(strstr(canned_fixture_request(&hearing.fixture, 2),
			"\r\n\r\n{\"max_results\":1000,\"page_token\":\"x\"}"));
	hearing_stop(&hearing);
}

static void incomplete_lists_are_errors(void **state)
{
	static const struct {
		struct canned_page pages[2];
		const char *outcome;
	} cases[] = {
			/* the same token again */
			{{{"GET /api/2.2/jobs/list", 200, "{\"next_page_token\":\"x\"}"},
					 {"GET /none", 500, ""}},
					"incomplete"},
			{{{"GET /api/2.2/jobs/list?limit=100 ", 200,
					  "{\"jobs\":[{\"job_id\":1}],\"next_page_token\":\"x\"}"},
					 {"GET /api/2.2/jobs/list?limit=100&page_token=x ", 200,
							 "{\"jobs\":[{\"job_id\":[]}]}"}},
					"protocol"},
			{{{"GET /api/2.2/jobs/list?limit=100 ", 200,
					  "{\"jobs\":[{\"job_id\":1}],\"next_page_token\":\"x\"}"},
					 {"GET /api/2.2/jobs/list?limit=100&page_token=x ", 403,
							 "{\"error_code\":\"PERMISSION_DENIED\"}"}},
					"denied"},
			{{{"GET /api/2.2/jobs/list", 200, ""}, {"GET /none", 500, ""}}, "protocol"},
			{{{"GET /api/2.2/jobs/list", 200, "<html></html>"}, {"GET /none", 500, ""}},
					"protocol"},
			/* features that are off, or were never there */
			{{{"GET /api/2.2/jobs/list", 400, "{\"error_code\":\"FEATURE_DISABLED\"}"},
					 {"GET /none", 500, ""}},
					"unsupported"},
			{{{"GET /api/2.2/jobs/list", 404,
					  "{\"error_code\":\"ENDPOINT_NOT_FOUND\",\"message\":\"No "
					  "API found for 'GET /x'\"}"},
					 {"GET /none", 500, ""}},
					"unsupported"},
			{{{"GET /api/2.2/jobs/list", 404, "{\"error_code\":\"NOT_FOUND\"}"},
					 {"GET /none", 500, ""}},
					"unsupported"},
	};
	struct hearing hearing;

	(void)state;
	hearing_start(&hearing);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		SERVE(&hearing, cases[i].pages);
		assert_string_equal(list(&hearing, SECURABLE_JOB), cases[i].outcome);
	}
	hearing_stop(&hearing);
}

static void what_has_no_list_is_a_mistake(void **state)
{
	static const struct selector glob = {.type = SECURABLE_JOB, .name = "n*", .is_glob = true};
	struct hearing hearing;

	(void)state;
	hearing_start(&hearing);
	serve(&hearing, NULL, 0);
	assert_string_equal(list(&hearing, SECURABLE_NOTEBOOK), err_code_name(ERR_BUG));
	serve(&hearing, NULL, 0);
	assert_string_equal(find(&hearing, &glob), err_code_name(ERR_BUG));
	assert_int_equal(requests(&hearing), 0);
	hearing_stop(&hearing);
}

#define MODEL_LIST "GET /api/2.0/mlflow/registered-models/list?max_results=1000"
#define MODEL_GET "GET /api/2.0/mlflow/databricks/registered-models/get?name="

static const struct canned_page models[] = {
		{MODEL_LIST " ", 200,
				"{\"registered_models\":[{\"name\":\"a b\"},{\"name\":\"gone\"}],"
				"\"next_page_token\":\"x\"}"},
		/* late: all questions of the first page are answered by then */
		{MODEL_LIST "&page_token=x ", -200, "{\"registered_models\":[{\"name\":\"c\"}]}"},
		{MODEL_GET "a%20b ", 200,
				"{\"registered_model_databricks\":{\"name\":\"a "
				"b\",\"id\":\"m1\",\"permission_level\":\"CAN_MANAGE\"}}"},
		{MODEL_GET "c ", 200,
				"{\"registered_model_databricks\":{\"name\":\"c\",\"id\":\"m2\"}}"},
};

static void models_are_asked_for_their_ids(void **state)
{
	static const struct selector one = {.type = SECURABLE_REGISTERED_MODEL, .name = "c"};
	static const struct canned_page broken[] = {
			{MODEL_LIST, 200, "{\"registered_models\":[{\"name\":\"a\"}]}"},
			{MODEL_GET, 200, "{\"registered_model_databricks\":{\"name\":\"a\"}}"},
	};
	struct hearing hearing;

	(void)state;
	hearing_start(&hearing);
	SERVE(&hearing, models);
	(void)list(&hearing, SECURABLE_REGISTERED_MODEL);
	assert_int_equal(hearing.code, ERR_NONE);
	assert_non_null(strstr(buf_text(&hearing.seen), "registered_model:m1"));
	assert_non_null(strstr(buf_text(&hearing.seen), "registered_model:m2"));
	assert_int_equal(requests(&hearing), 6);
	/* Only those that somebody wants. */
	hearing.sink.wants = wants;
	hearing.wanted = "c";
	SERVE(&hearing, models);
	assert_string_equal(list(&hearing, SECURABLE_REGISTERED_MODEL), "registered_model:m2");
	assert_int_equal(requests(&hearing), 4);
	SERVE(&hearing, models);
	hearing.wanted = "none";
	assert_string_equal(list(&hearing, SECURABLE_REGISTERED_MODEL), "");
	assert_int_equal(requests(&hearing), 3);
	hearing.sink.wants = NULL;
	SERVE(&hearing, models);
	assert_string_equal(find(&hearing, &one), "registered_model:m2");
	assert_int_equal(requests(&hearing), 1);
	SERVE(&hearing, broken);
	assert_string_equal(list(&hearing, SECURABLE_REGISTERED_MODEL), "protocol");
	hearing_stop(&hearing);
}

/* The first page cancels: what waits is not asked, what was asked is not told, and nobody hears of an end. */
static void expect_silence_after_cancelling(struct hearing *hearing)
{
	struct call *call = &hearing->fixture.call;
	size_t before;

	while (hearing->cancels || hearing->cancels_tree)
		(void)uv_run(loop_uv(hearing->fixture.loop), UV_RUN_ONCE);
	before = requests(hearing);
	scim_get(hearing->fixture.databricks, call, PRINCIPAL_GROUP, "1", 0);
	canned_fixture_wait(&hearing->fixture, &call->done);
	assert_int_equal(requests(hearing), before + 1);
	assert_int_equal(hearing->pages, 1);
	assert_false(hearing->done);
}

static void a_list_can_be_cancelled_at_any_time(void **state)
{
	static const struct canned_page pages[] = {
			{"GET /api/2.2/jobs/list?limit=100 ", 200,
					"{\"jobs\":[{\"job_id\":1}],\"next_page_token\":\"x\"}"},
			{"GET /api/2.2/jobs/list?limit=100&page_token=x ", 200,
					"{\"jobs\":[{\"job_id\":2}]}"},
	};
	static const struct selector glob = {
			.type = SECURABLE_FILE, .path = "/**", .is_glob = true};
	const struct selector *selectors[] = {&glob};
	static const struct canned_page tree[] = {{"GET /api/2.0/workspace/list", 200,
			"{\"objects\":[{\"object_type\":\"FILE\",\"object_id\":1,\"path\":\"/f\"},"
			"{\"object_type\":\"DIRECTORY\",\"object_id\":2,\"path\":\"/d\"}]}"}};
	struct hearing hearing;

	(void)state;
	hearing_start(&hearing);
	SERVE(&hearing, pages);
	object_list_cancel(object_list_start(
			hearing.fixture.databricks, 0, SECURABLE_JOB, &hearing.sink));
	hearing.cancels = object_list_start(
			hearing.fixture.databricks, 0, SECURABLE_JOB, &hearing.sink);
	expect_silence_after_cancelling(&hearing);
	SERVE(&hearing, models);
	hearing.cancels = object_list_start(
			hearing.fixture.databricks, 0, SECURABLE_REGISTERED_MODEL, &hearing.sink);
	expect_silence_after_cancelling(&hearing);
	SERVE(&hearing, tree);
	object_tree_cancel(object_tree_start(hearing.fixture.databricks, 0,
			&(struct object_tree_query){selectors, 1}, &hearing.sink));
	hearing.cancels_tree = object_tree_start(hearing.fixture.databricks, 0,
			&(struct object_tree_query){selectors, 1}, &hearing.sink);
	expect_silence_after_cancelling(&hearing);
	hearing_stop(&hearing);
}

/* ---- one ---- */

static void one_object_takes_one_call(void **state)
{
	static const struct {
		struct selector selector;
		struct canned_page page;
		const char *seen;
	} cases[] = {
			{{.type = SECURABLE_JOB, .name = "Nightly & co"},
					{"GET /api/2.2/jobs/"
					 "list?limit=100&name=Nightly%20%26%20co ",
							200,
							"{\"jobs\":[{\"job_id\":1,\"settings\":{"
							"\"name\":\"nightly & co\"}},{\"job_id\":2,"
							"\"settings\":{\"name\":\"Nightly & co\"}}]"
							"}"},
					"job:2"},
			{{.type = SECURABLE_PIPELINE, .name = "p_1"},
					{"GET /api/2.0/"
					 "pipelines?max_results=100&filter=name%20LIKE%20%27p_1%"
					 "27 ",
							200,
							"{\"statuses\":[{\"pipeline_id\":\"a\","
							"\"name\":\"px1\"},{\"pipeline_id\":\"b\","
							"\"name\":\"p_1\"}]}"},
					"pipeline:b"},
			{{.type = SECURABLE_SERVING_ENDPOINT, .name = "e/1"},
					{"GET /api/2.0/serving-endpoints/e%2F1 ", 200,
							"{\"id\":\"x\",\"name\":\"e/1\"}"},
					"serving_endpoint:x"},
			{{.type = SECURABLE_SERVING_ENDPOINT, .name = "databricks-y"},
					{"GET /api/2.0/serving-endpoints/databricks-y ", 200,
							"{\"id\":\"\",\"name\":\"databricks-y\"}"},
					""},
			{{.type = SECURABLE_EXPERIMENT, .path = "/Shared/e"},
					{"GET /api/2.0/mlflow/experiments/"
					 "get-by-name?experiment_name=%2FShared%2Fe ",
							200,
							"{\"experiment\":{\"experiment_id\":\"7\","
							"\"name\":\"/Shared/e\"}}"},
					"experiment:7"},
			{{.type = SECURABLE_DATABASE_PROJECT, .name = "p"},
					{"GET /api/2.0/postgres/projects/p ", 200,
							"{\"name\":\"projects/p\"}"},
					"database_project:p"},
			{{.type = SECURABLE_DIRECTORY, .path = "/Shared/etl x"},
					{"GET /api/2.0/workspace/"
					 "get-status?path=%2FShared%2Fetl%20x ",
							200,
							"{\"object_type\":\"DIRECTORY\",\"object_"
							"id\":"
							"9007199254740993,\"path\":\"/Workspace/"
							"Shared/etl x\"}"},
					"directory:9007199254740993"},
			{{.type = SECURABLE_DIRECTORY, .path = "/g"},
					{"GET /api/2.0/workspace/get-status?path=%2Fg ", 200,
							"{\"object_type\":\"DIRECTORY\",\"object_"
							"id\":"
							"3,\"path\":\"/"
							"g\",\"directory_info\":{\"is_"
							"git_folder\":true}}"},
					"directory:3"},
			{{.type = SECURABLE_DASHBOARD, .path = "/d"},
					{"GET /api/2.0/workspace/get-status?path=%2Fd ", 200,
							"{\"object_type\":\"DASHBOARD\",\"object_"
							"id\":"
							"3,\"resource_id\":\"01ef\",\"path\":\"/"
							"d\"}"},
					"dashboard:01ef"},
			/* another thing than what was meant */
			{{.type = SECURABLE_NOTEBOOK, .path = "/x"},
					{"GET /api/2.0/workspace/get-status?path=%2Fx ", 200,
							"{\"object_type\":\"DIRECTORY\",\"object_"
							"id\":"
							"3,\"path\":\"/x\"}"},
					"not-found"},
			{{.type = SECURABLE_NOTEBOOK, .path = "/x"},
					{"GET /api/2.0/workspace/get-status?path=%2Fx ", 200,
							"{\"object_type\":\"LIBRARY\",\"object_"
							"id\":3,"
							"\"path\":\"/x\"}"},
					"not-found"},
			/* nothing */
			{{.type = SECURABLE_NOTEBOOK, .path = "/x"}, {"GET /none", 500, ""}, ""},
			{{.type = SECURABLE_APP, .name = "x"}, {"GET /none", 500, ""}, ""},
			{{.type = SECURABLE_APP, .name = "x"}, {"GET /", 200, "[]"}, "protocol"},
			{{.type = SECURABLE_APP, .name = "x"},
					{"GET /", 400, "{\"error_code\":\"FEATURE_DISABLED\"}"},
					"unsupported"},
	};
	struct hearing hearing;

	(void)state;
	hearing_start(&hearing);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		serve(&hearing, &cases[i].page, 1);
		assert_string_equal(find(&hearing, &cases[i].selector), cases[i].seen);
		assert_int_equal(requests(&hearing), 1);
	}
	hearing_stop(&hearing);
}

/* ---- the tree ---- */

#define NODE(type, id, path)                                                                       \
	"{\"object_type\":\"" type "\",\"object_id\":" id ",\"path\":\"" path "\"}"
#define TREE_LIST "GET /api/2.0/workspace/list?path="
#define TREE_STATUS "GET /api/2.0/workspace/get-status?path="

static const struct canned_page tree_pages[] = {
		{TREE_LIST "%2FTeams ", 200,
				"{\"objects\":[" NODE("DIRECTORY", "10",
						"/Workspace/Teams/a") "," NODE("DIRECTORY", "11",
						"/Teams/b") "," NODE("NOTEBOOK", "12",
						"/Teams/etl") ",{\"object_type\":\"MLFLOW_"
							      "EXPERIMENT\"}," NODE("DIRECTORY",
									      "13",
									      "/Teams/locked") "]"
											       "}"},
		{TREE_LIST "%2FTeams%2Fa ", 200,
				"{\"objects\":[" NODE("DIRECTORY", "20", "/Teams/a/etl") "," NODE(
						"DIRECTORY", "21",
						"/Teams/a/other") "," NODE("FILE", "22",
						"/Teams/a/f") "]}"},
		{TREE_LIST "%2FTeams%2Fa%2Fetl ", 200, "{}"},
		{TREE_LIST "%2FTeams%2Fa%2Fother ", 200,
				"{\"objects\":[" NODE("REPO", "30", "/Teams/a/other/r") "]}"},
		{TREE_LIST "%2FTeams%2Fb ", 200,
				"{\"objects\":[" NODE("DIRECTORY", "23", "/Teams/b/etl") "]}"},
		{TREE_LIST "%2FTeams%2Fb%2Fetl ", 200,
				"{\"objects\":[" NODE("FILE", "24", "/Teams/b/etl/f") "]}"},
		{TREE_STATUS "%2FTeams%2Fb ", 200, NODE("DIRECTORY", "11", "/Teams/b")},
		{TREE_STATUS "%2F ", 200, NODE("DIRECTORY", "0", "/")},
};

static const char *walk(
		struct hearing *hearing, const struct selector *const *selectors, size_t count)
{
	SERVE(hearing, tree_pages);
	(void)object_tree_start(hearing->fixture.databricks, 0,
			&(struct object_tree_query){selectors, count}, &hearing->sink);
	return outcome(hearing);
}

static bool saw(const struct hearing *hearing, const char *object)
{
	const char *at = strstr(buf_text(&hearing->seen), object);
	size_t len = strlen(object);

	return at && (at[len] == ' ' || at[len] == '\0') && !strstr(at + len, object);
}

static void a_walk_enters_only_what_can_match(void **state)
{
	static const struct selector etl = {
			.type = SECURABLE_DIRECTORY, .path = "/Teams/*/etl", .is_glob = true};
	const struct selector *selectors[] = {&etl};
	struct hearing hearing;

	(void)state;
	hearing_start(&hearing);
	(void)walk(&hearing, selectors, 1);
	assert_int_equal(hearing.code, ERR_NONE);
	assert_true(saw(&hearing, "directory:20"));
	assert_true(saw(&hearing, "directory:23"));
	assert_int_equal(hearing.pages, 2);
	assert_int_equal(requests(&hearing), 4);
	assert_true(asked(&hearing, "GET /api/2.0/workspace/list?path=%2FTeams%2Flocked"));
	hearing_stop(&hearing);
}

static void a_walk_goes_to_the_bottom_but_for_git_folders(void **state)
{
	static const struct selector files = {
			.type = SECURABLE_FILE, .path = "/Teams/**", .is_glob = true};
	static const struct selector repos = {
			.type = SECURABLE_REPO, .path = "/Teams/**", .is_glob = true};
	static const struct selector job = {.type = SECURABLE_JOB, .path = "/Teams/x"};
	const struct selector *selectors[] = {&files, &repos, &job};
	struct hearing hearing;

	(void)state;
	hearing_start(&hearing);
	(void)walk(&hearing, selectors, COUNT_OF(selectors));
	assert_int_equal(hearing.code, ERR_NONE);
	assert_true(saw(&hearing, "file:22"));
	assert_true(saw(&hearing, "file:24"));
	assert_true(saw(&hearing, "repo:30"));
	assert_null(strstr(buf_text(&hearing.seen), "directory"));
	assert_int_equal(requests(&hearing), 7);
	assert_false(asked(&hearing, "GET /api/2.0/workspace/list?path=%2FTeams%2Fa%2Fother%2Fr"));
	hearing_stop(&hearing);
}

static void single_paths_cost_as_little_as_they_can(void **state)
{
	static const struct selector a = {.type = SECURABLE_DIRECTORY, .path = "/Teams/a"};
	static const struct selector b = {.type = SECURABLE_DIRECTORY, .path = "/Teams/b"};
	static const struct selector root = {.type = SECURABLE_DIRECTORY, .path = "/"};
	static const struct selector gone = {.type = SECURABLE_FILE, .path = "/Gone/x"};
	static const struct selector below = {
			.type = SECURABLE_DIRECTORY, .path = "/Teams/*", .is_glob = true};
	static const struct selector nowhere = {
			.type = SECURABLE_DIRECTORY, .path = "/Nowhere/*", .is_glob = true};
	const struct selector *alone[] = {&b}, *both[] = {&a, &b}, *covered[] = {&below, &b},
			      *odd[] = {&root, &gone, &nowhere};
	struct hearing hearing;

	(void)state;
	hearing_start(&hearing);
	assert_string_equal(walk(&hearing, alone, 1), "directory:11");
	assert_int_equal(requests(&hearing), 1);
	assert_true(asked(&hearing, "GET /api/2.0/workspace/get-status?path=%2FTeams%2Fb"));
	assert_string_equal(walk(&hearing, both, 2), "directory:10 directory:11");
	assert_int_equal(requests(&hearing), 1);
	assert_string_equal(walk(&hearing, covered, 2), "directory:10 directory:11 directory:13");
	assert_int_equal(requests(&hearing), 1);
	assert_string_equal(walk(&hearing, odd, 3), "directory:0");
	assert_int_equal(requests(&hearing), 3);
	assert_string_equal(walk(&hearing, NULL, 0), "");
	assert_int_equal(requests(&hearing), 0);
	hearing_stop(&hearing);
}

/* Asked for by itself, and listed as well, because a walk comes by later. */
static void nothing_is_told_twice(void **state)
{
	static const struct selector deep = {
			.type = SECURABLE_DIRECTORY, .path = "/Teams/*/*", .is_glob = true};
	static const struct selector one = {.type = SECURABLE_DIRECTORY, .path = "/Teams/b/etl"};
	static const struct canned_page pages[] = {
			{TREE_LIST "%2FTeams ", 200,
					"{\"objects\":[" NODE("DIRECTORY", "11", "/Teams/b") "]}"},
			{TREE_LIST "%2FTeams%2Fb ", 200,
					"{\"objects\":[" NODE(
							"DIRECTORY", "23", "/Teams/b/etl") "]}"},
			{TREE_STATUS "%2FTeams%2Fb%2Fetl ", 200,
					NODE("DIRECTORY", "23", "/Teams/b/etl")},
	};
	const struct selector *selectors[] = {&deep, &one};
	struct hearing hearing;

	(void)state;
	hearing_start(&hearing);
	SERVE(&hearing, pages);
	(void)object_tree_start(hearing.fixture.databricks, 0,
			&(struct object_tree_query){selectors, 2}, &hearing.sink);
	assert_string_equal(outcome(&hearing), "directory:23");
	hearing_stop(&hearing);
}

static void broken_trees_are_errors(void **state)
{
	static const struct selector glob = {
			.type = SECURABLE_DIRECTORY, .path = "/**", .is_glob = true};
	static const struct {
		struct canned_page page;
		const char *outcome;
	} cases[] = {
			{{"GET /", 200, "[]"}, "protocol"},
			{{"GET /", 200, ""}, "protocol"},
			{{"GET /", 200, "{\"objects\":{}}"}, "protocol"},
			{{"GET /", 200, "{\"objects\":[{\"object_type\":\"FILE\"}]}"}, "protocol"},
			{{"GET /", 403, "{\"error_code\":\"PERMISSION_DENIED\"}"}, "denied"},
			/* a server that knows only one folder, which is in itself */
			{{"GET /", 200, "{\"objects\":[" NODE("DIRECTORY", "1", "/a") "]}"},
					"directory:1"},
			/* what is no folder is told of itself */
			{{"GET /", 200, "{\"objects\":[" NODE("FILE", "1", "/") "]}"}, ""},
	};
	const struct selector *selectors[] = {&glob};
	struct hearing hearing;

	(void)state;
	hearing_start(&hearing);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		serve(&hearing, &cases[i].page, 1);
		(void)object_tree_start(hearing.fixture.databricks, 0,
				&(struct object_tree_query){selectors, 1}, &hearing.sink);
		assert_string_equal(outcome(&hearing), cases[i].outcome);
	}
	hearing_stop(&hearing);
}

/* ---- limits ---- */

/* An answer of count items between head and the end, each numbered. Caller's. */
static char *many(const char *head, const char *before, const char *behind, unsigned count)
{
	struct buf text;

	buf_init(&text, SIZE_MAX / 2);
	buf_add_text(&text, head);
	for (unsigned i = 1; i <= count; i++)
		buf_printf(&text, "%s%s%u%s", i > 1 ? "," : "", before, i, behind);
	buf_add_text(&text, "]}");
	return buf_steal(&text);
}

static void lists_have_a_limit(void **state)
{
	struct hearing hearing;

	(void)state;
	hearing_start(&hearing);
	for (unsigned over = 0; over < 2; over++) {
		AUTO(mem_freep)
		char *text = many("{\"jobs\":[", "{\"job_id\":", "}", OBJECT_LIST_MAX + over);
		const struct canned_page page = {"GET /", 200, text};

		serve(&hearing, &page, 1);
		(void)list(&hearing, SECURABLE_JOB);
		assert_int_equal(hearing.code, over ? ERR_LIMIT : ERR_NONE);
	}
	hearing_stop(&hearing);
}

static void walks_have_limits(void **state)
{
	static const struct selector glob = {
			.type = SECURABLE_FILE, .path = "/**", .is_glob = true};
	const struct selector *selectors[] = {&glob};
	AUTO(mem_freep)
	char *wide = many("{\"objects\":[",
			"{\"object_type\":\"DIRECTORY\",\"object_id\":1,\"path\":\"/", "\"}",
			OBJECT_TREE_FOLDERS_MAX);
	const struct canned_page page = {"GET /", 200, wide};
	struct hearing hearing;

	(void)state;
	hearing_start(&hearing);
	serve(&hearing, &page, 1);
	(void)object_tree_start(hearing.fixture.databricks, 0,
			&(struct object_tree_query){selectors, 1}, &hearing.sink);
	assert_string_equal(outcome(&hearing), "limit");
	hearing_stop(&hearing);
}

/* A folder so deep is passed over: who digs one must not stop the walk for all others. */
static void the_deepest_folders_are_left_out(void **state)
{
	static const struct selector glob = {
			.type = SECURABLE_FILE, .path = "/**", .is_glob = true};
	const struct selector *selectors[] = {&glob};
	struct hearing hearing;

	(void)state;
	hearing_start(&hearing);
	for (unsigned over = 0; over < 2; over++) {
		struct buf text;
		struct canned_page page = {"GET /", 200, NULL};

		buf_init(&text, SIZE_MAX / 2);
		buf_add_text(&text,
				"{\"objects\":[{\"object_type\":\"DIRECTORY\",\"object_id\":1,"
				"\"path\":\"");
		for (unsigned i = 1; i < OBJECT_TREE_DEPTH_MAX + over; i++)
			buf_add_text(&text, "/d");
		buf_add_text(&text, "\"}]}");
		page.body = buf_text(&text);
		serve(&hearing, &page, 1);
		(void)object_tree_start(hearing.fixture.databricks, 0,
				&(struct object_tree_query){selectors, 1}, &hearing.sink);
		assert_string_equal(outcome(&hearing), "");
		assert_int_equal(requests(&hearing), over ? 1 : 2);
		buf_release(&text);
	}
	hearing_stop(&hearing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(lists_go_on_until_there_is_no_token),
			cmocka_unit_test(pages_are_asked_for_in_many_ways),
			cmocka_unit_test(experiments_are_searched),
			cmocka_unit_test(incomplete_lists_are_errors),
			cmocka_unit_test(what_has_no_list_is_a_mistake),
			cmocka_unit_test(models_are_asked_for_their_ids),
			cmocka_unit_test(a_list_can_be_cancelled_at_any_time),
			cmocka_unit_test(one_object_takes_one_call),
			cmocka_unit_test(a_walk_enters_only_what_can_match),
			cmocka_unit_test(a_walk_goes_to_the_bottom_but_for_git_folders),
			cmocka_unit_test(single_paths_cost_as_little_as_they_can),
			cmocka_unit_test(nothing_is_told_twice),
			cmocka_unit_test(broken_trees_are_errors),
			cmocka_unit_test(lists_have_a_limit),
			cmocka_unit_test(walks_have_limits),
			cmocka_unit_test(the_deepest_folders_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
