/*
 * Access lists as they are answered, and what the words of a refusal mean.
 */
#include "databricks/permission.h"

#include "base/text.h"
#include "databricks/answer.h"
#include "databricks/tape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct list {
	struct call call; /* only its answer */
	struct arena *arena;
	struct acl acl;
	struct err err;
};

static enum err_code read_acl(struct list *list, enum securable_type type, const char *text)
{
	*list = (struct list){.arena = arena_new()};
	assert_int_equal(tape_parse(mem_strdup(text), strlen(text), &list->call.answer, &list->err),
			ERR_NONE);
	return permission_acl(&list->call, type, list->arena, &list->acl, &list->err);
}

static void list_release(struct list *list)
{
	tape_free(list->call.answer);
	arena_free(list->arena);
}

#define JOB                                                                                        \
	"{\"object_id\":\"/jobs/42\",\"object_type\":\"job\",\"access_control_list\":["            \
	"{\"user_name\":\"Ada@Example.com\",\"display_name\":\"Ada Sample\",\"all_permissions\":"  \
	"[{\"permission_level\":\"IS_OWNER\",\"inherited\":false}]},"                              \
	"{\"group_name\":\"etl\",\"all_permissions\":[{\"permission_level\":\"CAN_VIEW\","         \
	"\"inherited\":false},{\"permission_level\":\"CAN_MANAGE_RUN\",\"inherited\":true,"        \
	"\"inherited_from_object\":[\"/folders/1\"]},{\"permission_level\":\"CAN_VIEW\","          \
	"\"inherited\":true,\"inherited_from_object\":[\"/folders/2\"]}]},"                        \
	"{\"service_principal_name\":\"2f0e8a8c-0000-4000-8000-000000000000\","                    \
	"\"display_name\":\"robot\",\"all_permissions\":[{\"permission_level\":\"CAN_VIEW\"}]},"   \
	"{\"group_name\":\"admins\",\"all_permissions\":[{\"permission_level\":\"CAN_MANAGE\","    \
	"\"inherited\":true,\"inherited_from_object\":[\"/jobs/\"]}]}]}"

static void a_list_is_read(void **state)
{
	const struct acl_entry *entry;
	struct list list;

	(void)state;
	assert_int_equal(read_acl(&list, SECURABLE_JOB, JOB), ERR_NONE);
	assert_int_equal(list.acl.count, 4);
	assert_int_equal(list.acl.unreadable, 0);
	entry = acl_find(&list.acl, PRINCIPAL_GROUP, "etl");
	assert_non_null(entry);
	assert_string_equal(entry->direct, "CAN_VIEW");
	assert_string_equal(entry->inherited, "CAN_MANAGE_RUN");
	assert_string_equal(entry->from, "/folders/1");
	entry = acl_find(&list.acl, PRINCIPAL_GROUP, "admins");
	assert_null(entry->direct);
	assert_string_equal(entry->inherited, "CAN_MANAGE");
	entry = acl_find(&list.acl, PRINCIPAL_USER, "ADA@example.com");
	assert_string_equal(entry->name, "Ada@Example.com");
	assert_ptr_equal(entry, acl_owner(&list.acl));
	entry = acl_find(&list.acl, PRINCIPAL_SERVICE, "2F0E8A8C-0000-4000-8000-000000000000");
	assert_string_equal(entry->direct, "CAN_VIEW");
	assert_null(entry->inherited);
	assert_null(acl_find(&list.acl, PRINCIPAL_USER, "etl"));
	list_release(&list);
}

static void direct_entries_can_be_sent_again(void **state)
{
	struct acl_grant *grants;
	struct list list;
	size_t count;

	(void)state;
	assert_int_equal(read_acl(&list, SECURABLE_JOB, JOB), ERR_NONE);
	grants = acl_grants(&list.acl, 1, list.arena, &count);
	assert_int_equal(count, 3);
	assert_string_equal(grants[0].level, "IS_OWNER");
	assert_string_equal(grants[1].level, "CAN_VIEW");
	assert_int_equal(grants[2].kind, PRINCIPAL_SERVICE);
	grants[count] = (struct acl_grant){PRINCIPAL_GROUP, "new", "CAN_VIEW"};
	list_release(&list);
}

static void one_principal_has_one_entry(void **state)
{
	struct list list;

	(void)state;
	assert_int_equal(read_acl(&list, SECURABLE_SQL_WAREHOUSE,
					 "{\"access_control_list\":[{\"user_name\":\"a@example."
					 "com\","
					 "\"all_permissions\":[{\"permission_level\":\"CAN_VIEW\"}]"
					 "},{"
					 "\"user_name\":\"A@example.com\",\"all_permissions\":[{"
					 "\"permission_level\":\"CAN_USE\"}]}]}"),
			ERR_NONE);
	assert_int_equal(list.acl.count, 1);
	/* Not comparable: both together are the next one. */
	assert_string_equal(list.acl.entries[0].direct, "CAN_MONITOR");
	list_release(&list);
}

static void levels_are_understood(void **state)
{
	static const struct {
		enum securable_type type;
		const char *levels; /* of all_permissions */
		const char *direct, *inherited;
	} cases[] = {
			/* the old name, where it is one */
			{SECURABLE_QUERY, "{\"permission_level\":\"CAN_VIEW\"}", "CAN_READ", NULL},
			{SECURABLE_LEGACY_ALERT, "{\"permission_level\":\"CAN_VIEW\"}", "CAN_READ",
					NULL},
			{SECURABLE_LEGACY_DASHBOARD,
					"{\"permission_level\":\"CAN_VIEW\",\"inherited\":true}",
					NULL, "CAN_READ"},
			{SECURABLE_SERVING_ENDPOINT, "{\"permission_level\":\"CAN_VIEW\"}",
					"CAN_VIEW", NULL},
			/* levels that the type is not known to have are kept, and ordered as elsewhere */
			{SECURABLE_DATABASE_INSTANCE, "{\"permission_level\":\"CAN_CREATE\"}",
					"CAN_CREATE", NULL},
			{SECURABLE_CLUSTER,
					"{\"permission_level\":\"CAN_RUN\",\"inherited\":true},{"
					"\"permission_level\":\"CAN_MANAGE\",\"inherited\":true}",
					NULL, "CAN_MANAGE"},
			{SECURABLE_CLUSTER,
					"{\"permission_level\":\"CAN_MANAGE\",\"inherited\":true},{"
					"\"permission_level\":\"CAN_FLY\",\"inherited\":true}",
					NULL, "CAN_MANAGE"},
			/* who does not say is direct, but for those who say from where it comes */
			{SECURABLE_CLUSTER, "{\"permission_level\":\"CAN_RESTART\"}", "CAN_RESTART",
					NULL},
			{SECURABLE_CLUSTER,
					"{\"permission_level\":\"CAN_RESTART\","
					"\"inherited_from_object\":[\"/clusters/\"]}",
					NULL, "CAN_RESTART"},
			{SECURABLE_CLUSTER,
					"{\"permission_level\":\"CAN_RESTART\",\"inherited\":false,"
					"\"inherited_from_object\":[\"/clusters/\"]}",
					"CAN_RESTART", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(mem_freep)
		char *text = mem_printf("{\"access_control_list\":[{\"group_name\":\"g\","
					"\"all_permissions\":[%s]}]}",
				cases[i].levels);
		struct list list;

		assert_int_equal(read_acl(&list, cases[i].type, text), ERR_NONE);
		assert_int_equal(list.acl.count, 1);
		if (!text_equal(list.acl.entries[0].direct, cases[i].direct) ||
				!text_equal(list.acl.entries[0].inherited, cases[i].inherited))
			fail_msg("case %zu: %s, %s", i, list.acl.entries[0].direct,
					list.acl.entries[0].inherited);
		list_release(&list);
	}
}

static void lists_of_every_shape(void **state)
{
	static const struct {
		const char *text;
		enum err_code code;
		size_t count, unreadable;
	} cases[] = {
			{"{\"object_id\":\"/jobs/1\",\"object_type\":\"job\"}", ERR_NONE, 0, 0},
			{"{\"access_control_list\":[]}", ERR_NONE, 0, 0},
			{"{\"object_id\":\"/x\",\"access_control_list\":null}", ERR_NONE, 0, 0},
			/* another object's id is not looked at; unknown keys are not either */
			{"{\"object_id\":\"/dashboards/77\",\"x\":{},\"access_control_list\":[{"
			 "\"group_name\":\"g\",\"permission_level\":\"CAN_MANAGE\"}]}",
					ERR_NONE, 1, 0},
			{"{\"access_control_list\":[{\"robot_name\":\"x\",\"all_permissions\":[]},{"
			 "\"user_name\":\"\"}]}",
					ERR_NONE, 0, 2},
			/* says nothing */
			{"{\"access_control_list\":[{\"user_name\":\"x\",\"all_permissions\":[]},{"
			 "\"user_name\":\"y\"}]}",
					ERR_NONE, 0, 0},
			/* no list, and never an empty one */
			{"{}", ERR_PROTO, 0, 0},
			{"[]", ERR_PROTO, 0, 0},
			{"", ERR_PROTO, 0, 0},
			{"{\"object_id\":\"/x\",\"access_control_list\":{}}", ERR_PROTO, 0, 0},
			{"{\"access_control_list\":[7]}", ERR_PROTO, 0, 0},
			{"{\"access_control_list\":[{\"user_name\":7}]}", ERR_PROTO, 0, 0},
			{"{\"access_control_list\":[{\"user_name\":\"x\",\"all_permissions\":7}]}",
					ERR_PROTO, 0, 0},
			{"{\"access_control_list\":[{\"user_name\":\"x\",\"all_permissions\":[{}]}]"
			 "}",
					ERR_PROTO, 0, 0},
			{"{\"access_control_list\":[{\"user_name\":\"x\",\"all_permissions\":[{"
			 "\"permission_level\":3}]}]}",
					ERR_PROTO, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct list list;
		enum err_code code = read_acl(&list, SECURABLE_JOB, cases[i].text);

		if (code != cases[i].code || list.acl.count != cases[i].count ||
				list.acl.unreadable != cases[i].unreadable)
			fail_msg("%s: %s, %zu and %zu", cases[i].text, err_code_name(code),
					list.acl.count, list.acl.unreadable);
		list_release(&list);
	}
}

static void lists_have_a_limit(void **state)
{
	for (unsigned over = 0; over < 2; over++) {
		struct buf text;
		struct list list;

		(void)state;
		buf_init(&text, SIZE_MAX / 2);
		buf_add_text(&text, "{\"access_control_list\":[");
		for (unsigned i = 0; i < PERMISSION_ENTRIES_MAX + over; i++)
			buf_printf(&text,
					"%s{\"group_name\":\"g%u\",\"permission_level\":\"CAN_"
					"USE\"}",
					i ? "," : "", i);
		buf_add_text(&text, "]}");
		assert_int_equal(read_acl(&list, SECURABLE_APP, buf_text(&text)),
				over ? ERR_LIMIT : ERR_NONE);
		assert_int_equal(list.acl.count, over ? 0 : PERMISSION_ENTRIES_MAX);
		list_release(&list);
		buf_release(&text);
	}
}

static void levels_of_an_object_are_read(void **state)
{
	static const char text[] =
			"{\"permission_levels\":[{\"permission_level\":\"CAN_USE\",\"description\":"
			"\"x\"},{\"permission_level\":\"CAN_MANAGE\"}]}";
	static const char *const broken[] = {
			"{}", "{\"permission_levels\":[{}]}", "{\"permission_levels\":7}", ""};
	const char *const *levels;
	struct list list = {.arena = arena_new()};
	size_t count;

	assert_int_equal(tape_parse(mem_strdup(text), strlen(text), &list.call.answer, &list.err),
			ERR_NONE);
	assert_int_equal(permission_levels(&list.call, list.arena, &levels, &count, &list.err),
			ERR_NONE);
	assert_int_equal(count, 2);
	assert_string_equal(levels[1], "CAN_MANAGE");
	list_release(&list);
	(void)state;
	for (size_t i = 0; i < COUNT_OF(broken); i++) {
		list = (struct list){.arena = arena_new()};
		assert_int_equal(tape_parse(mem_strdup(broken[i]), strlen(broken[i]),
						 &list.call.answer, &list.err),
				ERR_NONE);
		assert_int_equal(permission_levels(&list.call, list.arena, &levels, &count,
						 &list.err),
				ERR_PROTO);
		list_release(&list);
	}
}

/* ---- refusals ---- */

static enum err_code judge(int status, const char *body, struct answer_verdict *verdict)
{
	const struct answer answer = {.what = "PATCH /api/2.0/permissions/jobs/42",
			.is_write = true,
			.status = status,
			.body = span_of(body),
			.location = "",
			.retry_after = ""};
	struct err err;

	return answer_check(&answer, verdict, &err);
}

static void refusals_are_told_apart(void **state)
{
	static const struct {
		int status;
		const char *code, *message;
		enum err_code meaning;
		enum refusal refusal;
	} cases[] = {
			{400, "INVALID_PARAMETER_VALUE", "The job must have exactly one owner.",
					ERR_REFUSED, REFUSAL_OWNER},
			{500, "INTERNAL_ERROR", "The pipeline must have exactly one owner.",
					ERR_REFUSED, REFUSAL_OWNER},
			{400, "INVALID_PARAMETER_VALUE",
					"PUT requests for warehouse 1a2b with no existing owner "
					"must provide a new owner.",
					ERR_REFUSED, REFUSAL_OWNER_LOST},
			{400, "X",
					"Permissions being set for UserName(a@example.com) are "
					"ambiguous",
					ERR_REFUSED, REFUSAL_AMBIGUOUS},
			{400, "X", "Cannot remove admins's CAN_MANAGE permission on 0", ERR_REFUSED,
					REFUSAL_ADMINS},
			{400, "X", "Cannot change permissions for group 'admins' to None.",
					ERR_REFUSED, REFUSAL_ADMINS},
			{404, "RESOURCE_DOES_NOT_EXIST", "Principal: GroupName(x) does not exist",
					ERR_CONFLICT, REFUSAL_PRINCIPAL},
			{400, "BAD_REQUEST", "Principal: UserName(x) does not exist", ERR_CONFLICT,
					REFUSAL_PRINCIPAL},
			{400, "INVALID_STATE",
					"Cannot access cluster 0101-x that was terminated or "
					"unpinned more than 30 days ago.",
					ERR_NOT_FOUND, REFUSAL_OTHER},
			{400, "INVALID_PARAMETER_VALUE", "Job 7 does not exist.", ERR_NOT_FOUND,
					REFUSAL_OTHER},
			{400, "INVALID_PARAMETER_VALUE", "Cluster 0101-x does not exist",
					ERR_NOT_FOUND, REFUSAL_OTHER},
			{400, "INVALID_PARAMETER_VALUE", "Level CAN_FLY does not exist",
					ERR_REFUSED, REFUSAL_OTHER},
			{404, "RESOURCE_DOES_NOT_EXIST", "Node ID 5 does not exist.", ERR_NOT_FOUND,
					REFUSAL_OTHER},
			{404, "NOT_FOUND", "genie-space 1f not found.", ERR_NOT_FOUND,
					REFUSAL_OTHER},
			{403, "PERMISSION_DENIED",
					"a@example.com does not have Manage permissions on Job "
					"with "
					"ID: ElasticJobId(7). Please contact the owner or an "
					"administrator for access.",
					ERR_DENIED, REFUSAL_MANAGE},
			{403, "PERMISSION_DENIED", "no", ERR_DENIED, REFUSAL_OTHER},
			{403, "X", "User is not a metastore admin for Metastore 'm'.", ERR_DENIED,
					REFUSAL_METASTORE},
			{400, "FEATURE_DISABLED", "off", ERR_UNSUPPORTED, REFUSAL_OTHER},
			{400, "INVALID_PARAMETER_VALUE",
					"Setting permissions on experiments created from notebooks "
					"is not allowed",
					ERR_REFUSED, REFUSAL_ELSEWHERE},
			{504, "TEMPORARILY_UNAVAILABLE", "late", ERR_TIMEOUT, REFUSAL_OTHER},
			{429, "REQUEST_LIMIT_EXCEEDED", "slow", ERR_THROTTLED, REFUSAL_OTHER},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(mem_freep)
		char *body = mem_printf("{\"error_code\":\"%s\",\"message\":\"%s\"}", cases[i].code,
				cases[i].message);
		struct answer_verdict verdict;
		enum err_code code = judge(cases[i].status, body, &verdict);

		if (code != cases[i].meaning || verdict.refusal != cases[i].refusal)
			fail_msg("%s: %s, %d", cases[i].message, err_code_name(code),
					(int)verdict.refusal);
	}
}

static void unknown_principals_are_named(void **state)
{
	static const struct {
		const char *message;
		enum principal_kind kind;
		const char *name; /* NULL: not that refusal */
	} cases[] = {
			{"Principal: GroupName(data eng) does not exist", PRINCIPAL_GROUP,
					"data eng"},
			{"Principal: UserName(ada@example.com) does not exist.", PRINCIPAL_USER,
					"ada@example.com"},
			{"Error: Principal: ServicePrincipalName(2f-x) does not exist",
					PRINCIPAL_SERVICE, "2f-x"},
			{"Principal: GroupName(a (b) does not exist) does not exist",
					PRINCIPAL_GROUP, "a (b) does not exist"},
			{"Principal: GroupName(\\\"q\\\" \\u00e9) does not exist", PRINCIPAL_GROUP,
					"\"q\" \xc3\xa9"},
			{"Principal: RobotName(x) does not exist", PRINCIPAL_KIND_COUNT_,
					"RobotName(x)"},
			{"Principal: GroupName() does not exist", PRINCIPAL_GROUP, ""},
			{"Principal: GroupName(x) is odd", PRINCIPAL_GROUP, NULL},
			{"The Principal GroupName(x) does not exist", PRINCIPAL_GROUP, NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		AUTO(mem_freep)
		char *body = mem_printf("{\"error_code\":\"RESOURCE_DOES_NOT_EXIST\","
					"\"message\":\"%s\"}",
				cases[i].message);
		struct answer_verdict verdict;

		(void)!judge(404, body, &verdict);
		assert_int_equal(verdict.refusal == REFUSAL_PRINCIPAL, cases[i].name != NULL);
		if (!cases[i].name)
			continue;
		assert_int_equal(verdict.unknown_kind, cases[i].kind);
		assert_string_equal(verdict.unknown_name, cases[i].name);
	}
}

/* A message is cut to a line of 240 bytes before its words are looked at; names are longer than that. */
static void long_names_are_whole(void **state)
{
	static const size_t lengths[] = {300, ANSWER_NAME_SIZE - 1, ANSWER_NAME_SIZE};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(lengths); i++) {
		AUTO(mem_freep) char *name = mem_alloc(lengths[i] + 1);
		AUTO(mem_freep) char *body = NULL;
		struct answer_verdict verdict;

		memset(name, 'x', lengths[i]);
		name[lengths[i]] = '\0';
		body = mem_printf("{\"error_code\":\"RESOURCE_DOES_NOT_EXIST\",\"message\":"
				  "\"Principal: GroupName(%s) does not exist\"}",
				name);
		assert_int_equal(judge(404, body, &verdict), ERR_CONFLICT);
		assert_int_equal(verdict.refusal, REFUSAL_PRINCIPAL);
		assert_string_equal(
				verdict.unknown_name, lengths[i] < ANSWER_NAME_SIZE ? name : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(a_list_is_read),
			cmocka_unit_test(direct_entries_can_be_sent_again),
			cmocka_unit_test(one_principal_has_one_entry),
			cmocka_unit_test(levels_are_understood),
			cmocka_unit_test(lists_of_every_shape),
			cmocka_unit_test(lists_have_a_limit),
			cmocka_unit_test(levels_of_an_object_are_read),
			cmocka_unit_test(refusals_are_told_apart),
			cmocka_unit_test(unknown_principals_are_named),
			cmocka_unit_test(long_names_are_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
