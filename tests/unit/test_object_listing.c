/*
 * Objects as the many lists answer them.
 */
#include "databricks/object_internal.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct page {
	struct tape *tape;
	struct arena *arena;
	struct found_object *objects;
	size_t count;
	struct err err;
};

static void page_parse(struct page *page, const char *text)
{
	*page = (struct page){.arena = arena_new()};
	assert_int_equal(tape_parse(mem_strdup(text), strlen(text), &page->tape, &page->err),
			ERR_NONE);
}

static enum err_code page_read(struct page *page, enum securable_type type, const char *text)
{
	const struct object_listing *listing = object_listing(type);
	struct object_reader reader = {.type = type, .keys = &listing->keys, .err = &page->err};

	page_parse(page, text);
	reader.arena = page->arena;
	return object_read_page(&reader, tape_root(page->tape), listing->array, &page->objects,
			&page->count);
}

static void page_release(struct page *page)
{
	tape_free(page->tape);
	arena_free(page->arena);
}

/* "id|name|path|creator|tag=value,..." with - for NULL. */
static char *show(const struct found_object *object)
{
	const struct securable_facts *facts = &object->facts;
	struct buf text;

	buf_init(&text, SIZE_MAX / 2);
	buf_printf(&text, "%s|%s|%s|%s|", facts->id ? facts->id : "-",
			facts->name ? facts->name : "-", facts->path ? facts->path : "-",
			facts->creator ? facts->creator : "-");
	for (size_t i = 0; i < facts->tag_count; i++)
		buf_printf(&text, "%s%s=%s", i ? "," : "", facts->tags[i].key,
				facts->tags[i].value);
	return buf_steal(&text);
}

static const struct {
	enum securable_type type;
	const char *text, *shown;
} words[] = {
		{SECURABLE_ALERT,
				"{\"alerts\":[{\"id\":\"a1\",\"display_name\":\"late\","
				"\"owner_user_name\":\"ada@example.com\",\"parent_path\":"
				"\"/Workspace/Users/ada@example.com\"}]}",
				"a1|late|/Users/ada@example.com/late|ada@example.com|"},
		{SECURABLE_APP,
				"{\"apps\":[{\"name\":\"hello\",\"id\":\"x\",\"creator\":"
				"\"ada@example.com\"}]}",
				"hello|hello|-|ada@example.com|"},
		{SECURABLE_CLUSTER,
				"{\"clusters\":[{\"cluster_id\":\"0101-x\",\"cluster_"
				"name\":"
				"\"shared\",\"creator_user_name\":\"ada@example.com\","
				"\"cluster_source\":\"UI\",\"custom_tags\":{\"team\":"
				"\"de\","
				"\"n\":null}}]}",
				"0101-x|shared|-|ada@example.com|team=de,n="},
		{SECURABLE_CLUSTER_POLICY,
				"{\"policies\":[{\"policy_id\":\"ABC\",\"name\":\"std\"}]}",
				"ABC|std|-|-|"},
		{SECURABLE_DASHBOARD,
				"{\"dashboards\":[{\"dashboard_id\":\"01ef\",\"display_"
				"name\":"
				"\"Sales\",\"path\":\"/Workspace/Shared/"
				"Sales.lvdash.json\"}]"
				"}",
				"01ef|Sales|/Shared/Sales.lvdash.json|-|"},
		{SECURABLE_DATABASE_INSTANCE,
				"{\"database_instances\":[{\"name\":\"db1\",\"uid\":\"u\","
				"\"creator\":\"c\",\"custom_tags\":[{\"key\":\"k\","
				"\"value\":"
				"\"v\"}]}]}",
				"db1|db1|-|c|k=v"},
		{SECURABLE_DATABASE_PROJECT,
				"{\"projects\":[{\"name\":\"projects/p1\",\"status\":{"
				"\"owner\":\"ada@example.com\"}}]}",
				"p1|p1|-|ada@example.com|"},
		{SECURABLE_DATABASE_PROJECT,
				"{\"projects\":[{\"name\":\"projects/p1\",\"project_id\":"
				"\"p1\"}]}",
				"p1|p1|-|-|"},
		{SECURABLE_EXPERIMENT,
				"{\"experiments\":[{\"experiment_id\":\"123\",\"name\":"
				"\"/Shared/"
				"exp\",\"tags\":[{\"key\":\"a\",\"value\":\"b\"}]}]"
				"}",
				"123|/Shared/exp|/Shared/exp|-|a=b"},
		{SECURABLE_FEATURE_TABLE,
				"{\"feature_tables\":[{\"id\":\"f1\",\"name\":\"db.t\"}]}",
				"f1|db.t|-|-|"},
		{SECURABLE_GENIE_SPACE,
				"{\"spaces\":[{\"space_id\":\"01ab\",\"title\":\"Ask\","
				"\"parent_path\":\"/\"}]}",
				"01ab|Ask|/Ask|-|"},
		{SECURABLE_INSTANCE_POOL,
				"{\"instance_pools\":[{\"instance_pool_id\":\"p-1\","
				"\"instance_pool_name\":\"small\",\"custom_tags\":{\"a\":"
				"\"b\"}}]}",
				"p-1|small|-|-|a=b"},
		/* ids above 2^53 keep all their digits */
		{SECURABLE_JOB,
				"{\"jobs\":[{\"job_id\":9007199254740993,\"settings\":{"
				"\"name\":\"nightly\",\"tags\":{\"env\":\"prod\"}},"
				"\"creator_user_name\":\"ada@example.com\"}]}",
				"9007199254740993|nightly|-|ada@example.com|env=prod"},
		{SECURABLE_JOB, "{\"jobs\":[{\"job_id\":18446744073709551615}]}",
				"18446744073709551615||-|-|"},
		{SECURABLE_KNOWLEDGE_ASSISTANT,
				"{\"knowledge_assistants\":[{\"id\":\"k\",\"display_name\":"
				"\"K\",\"creator\":\"c\"}]}",
				"k|K|-|c|"},
		{SECURABLE_LEGACY_ALERT,
				"{\"results\":[{\"id\":\"u-1\",\"display_name\":\"A\","
				"\"owner_user_name\":\"o\"}]}",
				"u-1|A|-|o|"},
		{SECURABLE_LEGACY_DASHBOARD,
				"{\"results\":[{\"id\":\"u-2\",\"name\":\"D\",\"parent\":"
				"\"folders/"
				"7\",\"user\":{\"id\":1,\"email\":\"e\"},\"tags\":["
				"\"x\",\"y\"]}]}",
				"u-2|D|-|e|x=,y="},
		{SECURABLE_PIPELINE,
				"{\"statuses\":[{\"pipeline_id\":\"u-3\",\"name\":\"P\","
				"\"creator_user_name\":\"c\"}]}",
				"u-3|P|-|c|"},
		{SECURABLE_QUERY,
				"{\"results\":[{\"id\":\"u-4\",\"display_name\":\"Q\","
				"\"owner_user_name\":\"o\",\"tags\":[\"t\"]}]}",
				"u-4|Q|-|o|t="},
		{SECURABLE_REGISTERED_MODEL,
				"{\"registered_models\":[{\"name\":\"m\",\"user_id\":7,"
				"\"tags\":[{\"key\":\"a\"}]}]}",
				"-|m|-|-|a="},
		{SECURABLE_REPO,
				"{\"repos\":[{\"id\":5,\"path\":\"/Repos/ada@example.com/"
				"r\","
				"\"url\":\"https://git.example.com/r\"}]}",
				"5|r|/Repos/ada@example.com/r|-|"},
		{SECURABLE_SERVING_ENDPOINT,
				"{\"endpoints\":[{\"id\":\"e1\",\"name\":\"s\",\"creator\":"
				"\"c\",\"tags\":[{\"key\":\"a\",\"value\":\"b\"}]}]}",
				"e1|s|-|c|a=b"},
		{SECURABLE_SQL_WAREHOUSE,
				"{\"warehouses\":[{\"id\":\"w1\",\"name\":\"W\","
				"\"creator_name\":\"c\",\"tags\":{\"custom_tags\":[{"
				"\"key\":"
				"\"a\",\"value\":\"b\"},{\"value\":\"x\"}]}}]}",
				"w1|W|-|c|a=b"},
		{SECURABLE_SUPERVISOR_AGENT,
				"{\"supervisor_agents\":[{\"supervisor_agent_id\":\"s1\","
				"\"display_name\":\"S\"}]}",
				"s1|S|-|-|"},
		{SECURABLE_VECTOR_SEARCH_ENDPOINT,
				"{\"endpoints\":[{\"id\":\"u-5\",\"name\":\"V\","
				"\"creator\":"
				"\"c\",\"custom_tags\":[{\"key\":\"a\",\"value\":\"b\"}]}]"
				"}",
				"u-5|V|-|c|a=b"},
};

static void every_type_is_read_in_its_own_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		AUTO(mem_freep) char *shown = NULL;
		struct page page;

		if (page_read(&page, words[i].type, words[i].text) != ERR_NONE)
			fail_msg("%s", page.err.text);
		assert_int_equal(page.count, 1);
		assert_int_equal(page.objects[0].type, words[i].type);
		shown = show(&page.objects[0]);
		assert_string_equal(shown, words[i].shown);
		page_release(&page);
	}
}

static void every_type_with_a_list_has_a_row(void **state)
{
	(void)state;
	for (unsigned type = 0; type < SECURABLE_TYPE_COUNT_; type++) {
		bool tree = securable_traits(type)->in_tree;

		assert_int_equal(object_can_list(type),
				(!tree && type != SECURABLE_AUTHORIZATION) ||
						type == SECURABLE_REPO);
	}
}

static void what_has_no_rights_of_its_own_is_passed_over(void **state)
{
	static const struct {
		enum securable_type type;
		const char *text;
	} cases[] = {
			{SECURABLE_CLUSTER,
					"{\"clusters\":[{\"cluster_id\":\"1\",\"cluster_source\":"
					"\"JOB\"},{\"cluster_id\":\"2\",\"cluster_source\":"
					"\"PIPELINE_MAINTENANCE\"},{\"cluster_id\":\"3\"}]}"},
			{SECURABLE_SERVING_ENDPOINT,
					"{\"endpoints\":[{\"id\":\"\",\"name\":\"databricks-x\"},{"
					"\"name\":\"databricks-y\"},{\"id\":\"3\",\"name\":\"z\"}]"
					"}"},
			{SECURABLE_EXPERIMENT,
					"{\"experiments\":[{\"experiment_id\":\"1\",\"name\":\"/"
					"a\","
					"\"tags\":[{\"key\":\"mlflow.experimentType\",\"value\":"
					"\"NOTEBOOK\"}]},{\"experiment_id\":\"2\",\"name\":\"/b\","
					"\"tags\":[{\"key\":\"x\",\"value\":\"y\"},{\"key\":"
					"\"mlflow.experiment.sourceType\",\"value\":"
					"\"REPO_NOTEBOOK\"}]},{\"experiment_id\":\"3\",\"name\":"
					"\"/c\",\"tags\":[{\"key\":\"mlflow.experimentType\","
					"\"value\":\"MLFLOW_EXPERIMENT\"}]}]}"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct page page;

		assert_int_equal(page_read(&page, cases[i].type, cases[i].text), ERR_NONE);
		assert_int_equal(page.count, 1);
		assert_string_equal(page.objects[0].facts.id, "3");
		page_release(&page);
	}
}

static void pages_of_every_shape(void **state)
{
	static const struct {
		const char *text;
		enum err_code code;
	} cases[] = {
			{"{}", ERR_NONE},
			{"{\"jobs\":[],\"next_page_token\":\"x\"}", ERR_NONE},
			{"{\"jobs\":null}", ERR_NONE},
			{"", ERR_PROTO},
			{"[]", ERR_PROTO},
			{"{\"jobs\":{}}", ERR_PROTO},
			{"{\"jobs\":[7]}", ERR_PROTO},
			{"{\"jobs\":[{}]}", ERR_PROTO},
			{"{\"jobs\":[{\"job_id\":null}]}", ERR_PROTO},
			{"{\"jobs\":[{\"job_id\":\"\"}]}", ERR_PROTO},
			{"{\"jobs\":[{\"job_id\":true}]}", ERR_PROTO},
			{"{\"jobs\":[{\"job_id\":1.5}]}", ERR_PROTO},
			{"{\"jobs\":[{\"job_id\":1e3}]}", ERR_PROTO},
			{"{\"jobs\":[{\"job_id\":-1}]}", ERR_PROTO},
			{"{\"jobs\":[{\"job_id\":1,\"settings\":{\"name\":7}}]}", ERR_PROTO},
			{"{\"jobs\":[{\"job_id\":1,\"creator_user_name\":[]}]}", ERR_PROTO},
			{"{\"jobs\":[{\"job_id\":1,\"settings\":{\"tags\":\"x\"}}]}", ERR_PROTO},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct page page;
		enum err_code code = page_read(&page, SECURABLE_JOB, cases[i].text);

		if (code != cases[i].code || page.count != 0)
			fail_msg("%s: %s", cases[i].text, err_code_name(code));
		page_release(&page);
	}
}

static void tags_have_a_limit(void **state)
{
	struct buf text;
	struct page page;

	(void)state;
	buf_init(&text, SIZE_MAX / 2);
	buf_add_text(&text, "{\"clusters\":[{\"cluster_id\":\"1\",\"custom_tags\":{");
	for (unsigned i = 0; i <= OBJECT_TAGS_MAX; i++)
		buf_printf(&text, "%s\"k%u\":\"v\"", i ? "," : "", i);
	buf_add_text(&text, "}}]}");
	assert_int_equal(page_read(&page, SECURABLE_CLUSTER, buf_text(&text)), ERR_NONE);
	assert_int_equal(page.objects[0].facts.tag_count, OBJECT_TAGS_MAX);
	page_release(&page);
	buf_release(&text);
}

static void nodes_of_the_tree_are_read(void **state)
{
	static const struct {
		const char *text;
		enum err_code code;
		enum securable_type type; /* COUNT_: passed over */
		const char *shown;
	} cases[] = {
			{"{\"object_type\":\"NOTEBOOK\",\"object_id\":9007199254740993,\"path\":"
			 "\"/Workspace/Users/a/n\",\"language\":\"SQL\"}",
					ERR_NONE, SECURABLE_NOTEBOOK,
					"9007199254740993|n|/Users/a/n|-|"},
			{"{\"object_type\":\"DIRECTORY\",\"object_id\":0,\"path\":\"/\"}", ERR_NONE,
					SECURABLE_DIRECTORY, "0||/|-|"},
			{"{\"object_type\":\"DIRECTORY\",\"object_id\":5,\"path\":\"/Workspace\"}",
					ERR_NONE, SECURABLE_DIRECTORY, "5||/|-|"},
			{"{\"object_type\":\"DIRECTORY\",\"object_id\":5,\"path\":\"/WorkspaceX\"}",
					ERR_NONE, SECURABLE_DIRECTORY,
					"5|WorkspaceX|/WorkspaceX|-|"},
			{"{\"object_type\":\"DIRECTORY\",\"object_id\":6,\"path\":\"/g\","
			 "\"directory_info\":{\"is_git_folder\":true}}",
					ERR_NONE, SECURABLE_REPO, "6|g|/g|-|"},
			{"{\"object_type\":\"FILE\",\"object_id\":7,\"path\":\"/f.txt\"}", ERR_NONE,
					SECURABLE_FILE, "7|f.txt|/f.txt|-|"},
			{"{\"object_type\":\"REPO\",\"object_id\":8,\"path\":\"/Repos/a/r\"}",
					ERR_NONE, SECURABLE_REPO, "8|r|/Repos/a/r|-|"},
			{"{\"object_type\":\"DASHBOARD\",\"object_id\":9,\"resource_id\":\"01ef\","
			 "\"path\":\"/d.lvdash.json\"}",
					ERR_NONE, SECURABLE_DASHBOARD,
					"01ef|d.lvdash.json|/d.lvdash.json|-|"},
			{"{\"object_type\":\"DASHBOARD\",\"object_id\":9,\"path\":\"/d\"}",
					ERR_NONE, SECURABLE_TYPE_COUNT_, NULL},
			{"{\"object_type\":\"LIBRARY\",\"object_id\":9,\"path\":\"/l\"}", ERR_NONE,
					SECURABLE_TYPE_COUNT_, NULL},
			{"{\"object_type\":\"MLFLOW_EXPERIMENT\",\"object_id\":9}", ERR_NONE,
					SECURABLE_TYPE_COUNT_, NULL},
			{"{\"object_id\":9}", ERR_NONE, SECURABLE_TYPE_COUNT_, NULL},
			{"{\"object_type\":\"FILE\",\"path\":\"/f\"}", ERR_PROTO, 0, NULL},
			{"{\"object_type\":\"FILE\",\"object_id\":9}", ERR_PROTO, 0, NULL},
			{"{\"object_type\":\"FILE\",\"object_id\":9,\"path\":\"f\"}", ERR_PROTO, 0,
					NULL},
			{"{\"object_type\":\"FILE\",\"object_id\":9,\"path\":7}", ERR_PROTO, 0,
					NULL},
			{"[]", ERR_PROTO, 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct found_object object;
		struct page page;
		bool is_one = false;
		enum err_code code;

		page_parse(&page, cases[i].text);
		code = object_read_node(
				tape_root(page.tape), page.arena, &object, &is_one, &page.err);
		if (code != cases[i].code)
			fail_msg("%s: %s", cases[i].text, err_code_name(code));
		if (code == ERR_NONE) {
			assert_int_equal(is_one, cases[i].shown != NULL);
			if (is_one) {
				AUTO(mem_freep) char *shown = show(&object);

				assert_int_equal(object.type, cases[i].type);
				assert_string_equal(shown, cases[i].shown);
			}
		}
		page_release(&page);
	}
}

static void what_can_be_found_by_itself(void **state)
{
	static const struct {
		struct selector selector;
		bool can;
	} cases[] = {
			{{.type = SECURABLE_DIRECTORY, .path = "/Shared"}, true},
			{{.type = SECURABLE_DIRECTORY, .path = "/Shared/*", .is_glob = true},
					false},
			{{.type = SECURABLE_DASHBOARD, .path = "/x.lvdash.json"}, true},
			{{.type = SECURABLE_DASHBOARD, .name = "x"}, false},
			{{.type = SECURABLE_ALERT, .path = "/x"}, false},
			{{.type = SECURABLE_EXPERIMENT, .path = "/x"}, true},
			{{.type = SECURABLE_EXPERIMENT, .name = "/x"}, true},
			{{.type = SECURABLE_JOB, .name = "it's 100%"}, true},
			{{.type = SECURABLE_JOB, .name = "n*", .is_glob = true}, false},
			{{.type = SECURABLE_JOB, .all = true}, false},
			{{.type = SECURABLE_JOB, .id = "7"}, false},
			{{.type = SECURABLE_JOB}, false},
			{{.type = SECURABLE_PIPELINE, .name = "p_1"}, true},
			{{.type = SECURABLE_PIPELINE, .name = "it's"}, false},
			{{.type = SECURABLE_APP, .name = "a"}, true},
			{{.type = SECURABLE_REGISTERED_MODEL, .name = "m"}, true},
			{{.type = SECURABLE_CLUSTER, .name = "c"}, false},
			{{.type = SECURABLE_APP, .creator = "c"}, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (object_can_find(&cases[i].selector) != cases[i].can)
			fail_msg("case %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(every_type_is_read_in_its_own_words),
			cmocka_unit_test(every_type_with_a_list_has_a_row),
			cmocka_unit_test(what_has_no_rights_of_its_own_is_passed_over),
			cmocka_unit_test(pages_of_every_shape),
			cmocka_unit_test(tags_have_a_limit),
			cmocka_unit_test(nodes_of_the_tree_are_read),
			cmocka_unit_test(what_can_be_found_by_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
