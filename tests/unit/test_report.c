/* How status and explain read. */
#include "cli/report.h"

#include "cli/common.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

/* In place of the one in cli/common.c: operations have tests of their own. */
void print_operations_json(const struct canvas *canvas, const json_t *list,
		const struct settings *settings, bool full)
{
	(void)settings;
	(void)full;
	(void)fprintf(canvas->file, "(%zu operations)\n", json_array_size(list));
}

static const char status_json[] =
		"{\"version\":\"1.2\",\"mode\":\"enforce\",\"phase\":\"following\",\"since\":"
		"\"2026-11-24T13:33:37.123Z\","
		"\"error\":null,\"sources\":[{\"name\":\"corp\",\"state\":\"waiting\",\"uri\":"
		"\"ldaps://dc1.corp.example\","
		"\"since\":\"2026-11-24T13:33:36.001Z\",\"last_event\":null,\"error\":\"bind "
		"refused\",\"searches\":["
		"{\"purpose\":\"users\",\"base\":\"ou=people\",\"complete\":false,\"entries\":200}]"
		"}],"
		"\"targets\":[{\"name\":\"account\",\"host\":\"https://"
		"a.example\",\"sign_in\":\"ok\",\"auth_type\":\"pat\","
		"\"calls\":7,\"throttled\":1,\"in_flight\":2,\"waiting\":3,\"error\":null},"
		"{\"name\":\"dev\",\"host\":null,\"sign_in\":\"none\",\"auth_type\":null,"
		"\"calls\":0,\"throttled\":0,\"in_flight\":0,\"waiting\":0,\"error\":null,"
		"\"ours\":{\"users\":0,\"grants\":2,\"permissions\":5},"
		"\"unseen\":[{\"type\":\"job\",\"error\":\"HTTP 500\"}]}],"
		"\"counts\":{\"users\":200,\"groups\":31,\"service_principals\":2,\"members\":1044,"
		"\"grants\":12,\"permissions\":5},"
		"\"work\":{\"queued\":1,\"in_flight\":2,\"done\":97,\"failed\":3},"
		"\"last_complete\":\"2026-11-24T13:33:37.120Z\",\"next_reconcile\":null,"
		"\"holds\":[{\"id\":\"h-4f\",\"category\":\"users\",\"count\":12,\"since\":\"2026-"
		"11-24T13:39:00.000Z\","
		"\"reason\":\"too many\"}],"
		"\"rejected\":[{\"id\":\"h-3\",\"category\":\"groups\",\"count\":1,\"since\":null,"
		"\"reason\":\"still needed\"}],"
		"\"quarantine\":[{\"key\":\"corp/"
		"5\",\"name\":\"bo@corp.example\",\"reason\":\"userName is nil\","
		"\"since\":\"2026-11-24T13:35:00.000Z\",\"retry\":\"2026-11-24T14:05:00.000Z\","
		"\"tries\":3}]}";

static const char status_text[] =
		"following since 2026-11-24 13:33:37Z, mode enforce, version 1.2\n"
		"Directory\n"
		"  corp  waiting  ldaps://dc1.corp.example  since 2026-11-24 13:33:36Z\n"
		"      bind refused\n"
		"         200 entries  users  ou=people  (incomplete)\n"
		"Databricks\n"
		"  account  https://a.example  sign-in ok (pat)  7 calls, 1 throttled, 2 in "
		"flight, 3 waiting\n"
		"  dev  not used yet  0 calls, 0 throttled, 0 in flight, 0 waiting\n"
		"      ours: 2 grants, 5 permissions\n"
		"      could not be looked for: job\n"
		"      HTTP 500\n"
		"Ours       200 users, 31 groups, 2 service principals, 1044 memberships, 12 "
		"grants, 5 permissions\n"
		"Work       1 queued, 2 in flight, 97 done, 3 failed\n"
		"Reconcile  last complete 2026-11-24 13:33:37Z\n"
		"Held: waits for approve or reject\n"
		"  h-4f  12 users  since 2026-11-24 13:39:00Z\n"
		"      too many\n"
		"Rejected: kept until approved by its id\n"
		"  h-3  1 groups\n"
		"      still needed\n"
		"Quarantined: cannot be synced now\n"
		"  bo@corp.example  since 2026-11-24 13:35:00Z, tried 3 times, again 2026-11-24 "
		"14:05:00Z\n"
		"      userName is nil\n";

static const char explain_json[] =
		"{\"name\":\"ada@corp.example\",\"kind\":\"user\",\"key\":\"corp/"
		"5f\",\"state\":\"in_sync\","
		"\"entry\":{\"source\":\"corp\",\"dn\":\"uid=ada,dc=corp\",\"anchor\":\"5f\"},"
		"\"rule\":{\"file\":\"mappings/corp.yaml\",\"line\":3},"
		"\"wanted\":{\"userName\":\"ada@corp.example\",\"active\":true},"
		"\"principals\":[{\"target\":\"account\",\"id\":\"8214\",\"origin\":\"created\","
		"\"active\":true,\"fields\":{}}],"
		"\"groups\":[{\"target\":\"account\",\"id\":\"1\",\"name\":\"engineers\",\"via\":"
		"\"dbx-berlin\"},"
		"{\"target\":\"account\",\"id\":\"2\",\"name\":\"all\",\"via\":null}],\"members\":"
		"null,"
		"\"grants\":[{\"target\":\"prod\",\"kind\":\"assignment\",\"value\":\"USER\","
		"\"to\":\"engineers\","
		"\"file\":\"mappings/corp.yaml\",\"line\":20}],"
		"\"held\":[{}],\"quarantine\":null,\"pending\":[]}";

static const char explain_text[] =
		"user \"ada@corp.example\": in sync\n"
		"  entry      uid=ada,dc=corp  (corp)\n"
		"  anchor     5f\n"
		"  rule       mappings/corp.yaml:3\n"
		"  key        corp/5f\n"
		"  wanted\n"
		"    userName \"ada@corp.example\"\n"
		"    active true\n"
		"  Databricks account, id 8214, created\n"
		"  groups\n"
		"    engineers (account)  through dbx-berlin\n"
		"    all (account)\n"
		"  grants\n"
		"    prod: assignment USER  through engineers  # mappings/corp.yaml:20\n"
		"Held\n"
		"(1 operations)\n";

static const char group_json[] =
		"{\"name\":\"engineers\",\"kind\":\"group\",\"key\":\"corp/"
		"7\",\"state\":\"quarantined\",\"entry\":null,\"rule\":null,"
		"\"wanted\":null,\"principals\":[],\"groups\":[],\"members\":{\"count\":5,"
		"\"names\":[\"a\",\"b\"]},\"grants\":[],"
		"\"held\":[],\"quarantine\":{\"key\":\"corp/"
		"7\",\"name\":\"engineers\",\"reason\":\"name taken\",\"since\":null,"
		"\"retry\":null,\"tries\":0},\"pending\":[{},{}]}";

static const char group_text[] = "group \"engineers\": quarantined\n"
				 "  entry      none: no directory entry stands behind it\n"
				 "  key        corp/7\n"
				 "  Databricks not there\n"
				 "  members    5\n"
				 "    a\n"
				 "    b\n"
				 "    and 3 more\n"
				 "Quarantined\n"
				 "  engineers\n"
				 "      name taken\n"
				 "To do\n"
				 "(2 operations)\n";

static char *shown(const char *json_text, bool explain)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	struct canvas canvas = {.file = file};
	json_auto_t *json = json_loads(json_text, 0, NULL);

	assert_non_null(json);
	if (explain)
		report_explain(&canvas, json, NULL);
	else
		report_status(&canvas, json);
	assert_int_equal(fclose(file), 0);
	return text;
}

static void test_golden(void **state)
{
	static const struct {
		const char *json;
		bool explain;
		const char *text;
	} cases[] = {
			{status_json, false, status_text},
			{explain_json, true, explain_text},
			{group_json, true, group_text},
			{"{\"phase\":\"stopped\",\"last_complete\":null}", false,
					"No service runs on this store; this is what it "
					"holds.\nReconcile  never complete yet\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char *text = shown(cases[i].json, cases[i].explain);

		assert_string_equal(text, cases[i].text);
		free(text);
	}
}

/* Another version's answer, or a hostile one, is shown as far as it goes. */
static void test_odd_answers(void **state)
{
	static const char *const odd[] = {"{}", "[]",
			"{\"sources\":1,\"targets\":{},\"holds\":[1,null],\"phase\":7}",
			"{\"sources\":[{\"searches\":[[]]}],\"quarantine\":[{}]}",
			"{\"name\":\"\\u001b[2J\",\"entry\":{},\"rule\":[],\"principals\":[7],"
			"\"groups\":[null],\"members\":{},"
			"\"grants\":[{}],\"wanted\":{\"\\u001b\":[]}}"};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(odd); i++) {
		for (int explain = 0; explain < 2; explain++) {
			char *text = shown(odd[i], explain);

			assert_null(strchr(text, '\033'));
			free(text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_golden),
			cmocka_unit_test(test_odd_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
