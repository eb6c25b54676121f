/* Cluster policies: the grammar of definitions, and what becomes of a policy in a workspace. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "rules_support.h"

#include "base/text.h"
#include "base/vec.h"
#include "rules/evaluate.h"
#include "rules/json_document.h"
#include "rules/policy_definition.h"
#include "rules/policy_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct outcome {
	const char *text;    /* a definition */
	const char *message; /* begins so; NULL: it is valid */
	const char *warning; /* begins so; NULL: none */
};

static const struct outcome documents[] = {
		{"", "p.json:1:1: not valid JSON: a value is expected", NULL},
		{"{", "p.json:1:2: not valid JSON: a key in double quotes is expected", NULL},
		{"{}x", "p.json:1:3: not valid JSON: something follows", NULL},
		{"{} {}", "p.json:1:4: not valid JSON: something follows", NULL},
		{"{\"a\" 1}", "p.json:1:6: not valid JSON: `:` is expected", NULL},
		{"{\"a\": 1,}", "p.json:1:9: not valid JSON: a key in double quotes", NULL},
		{"{\"a\": {}\n \"b\": {}}", "p.json:2:2: not valid JSON: `,` or `}` is expected",
				NULL},
		{"{'a': 1}", "p.json:1:2: not valid JSON: a key in double quotes", NULL},
		{"{\"a\": yes}", "p.json:1:7: not valid JSON: a value is expected; texts", NULL},
		{"{\"a\": 01}", "p.json:1:7: not valid JSON: a value is expected", NULL},
		{"{\"a\": [1,]}", "p.json:1:10: not valid JSON: a value is expected", NULL},
		{"{\"a\": [1 2]}", "p.json:1:10: not valid JSON: `,` or `]` is expected", NULL},
		{"{\"a\": \"x\n\"}", "p.json:1:9: not valid JSON: a text holds a control", NULL},
		{"{\"a\": \"\\x\"}", "p.json:1:9: not valid JSON: unknown escape", NULL},
		{"{\"a\": \"\\u12g4\"}", "p.json:1:12: not valid JSON: \\u needs four", NULL},
		{"{\"a\": \"\\u0000\"}", "p.json:1:14: not valid JSON: a text holds a NUL", NULL},
		{"{\"a\": \"\\ud800x\"}", "p.json:1:14: not valid JSON: half of a surrogate", NULL},
		{"{\"a\": \"x", "p.json:1:9: not valid JSON: the text has no end", NULL},
		{"{\"a\": 1}\n// no", "p.json:2:1: not valid JSON: something follows", NULL},
		{"\xef\xbb\xbf{} {}", "p.json:1:4: not valid JSON: something follows", NULL},
		{"{\n \"\xc3\xa4\": \"\xff\"}", "p.json:2:8: not UTF-8 text (byte 0xff)", NULL},
		{"{\"a\": 1,\n \"a\": 2}", "p.json:2:2: `a` is there twice, first in line 1", NULL},
};

#define E(path, rest) "{\n \"" path "\": {" rest "}}"
#define CLUSTER_TYPES "all-purpose, job, dlt"
static const struct outcome definitions[] = {
		{"{}", NULL, NULL},
		{"[]", "p.json:1:1: a definition must be an object of attributes, this is a list",
				NULL},
		{"1", "p.json:1:1: a definition must be an object of attributes", NULL},
		{"{\"num_workers\": 3}", "p.json:1:17: `num_workers` must be an object such as",
				NULL},
		/* type */
		{E("num_workers", ""), "p.json:2:2: `num_workers` lacks `type`", NULL},
		{E("num_workers", "\"type\": 1"), "p.json:2:26: `type` must be a text", NULL},
		{E("num_workers", "\"type\": \"fixd\""),
				"p.json:2:26: unknown type `fixd`, did you mean `fixed`?", NULL},
		{E("num_workers", "\"type\": \"Fixed\", \"value\": 1"),
				"p.json:2:26: unknown type `Fixed`, did you mean `fixed`?", NULL},
		{E("node_type_id", "\"type\": \"whitelist\", \"values\": [\"a\"]"), NULL,
				"p.json:2:27: `whitelist` is the old name of `allowlist`"},
		/* fields */
		{E("num_workers", "\"type\": \"range\", \"minvalue\": 1"),
				"p.json:2:35: unknown field `minvalue`, did you mean `minValue`?",
				NULL},
		{E("num_workers", "\"type\": \"fixed\""), "p.json:2:2: `num_workers` lacks `value`",
				NULL},
		{E("num_workers", "\"type\": \"range\""),
				"p.json:2:2: `num_workers` lacks `minValue` or `maxValue`", NULL},
		{E("num_workers", "\"type\": \"fixed\", \"value\": 1, \"defaultValue\": 1"),
				"p.json:2:47: `defaultValue` is not for fixed", NULL},
		{E("num_workers", "\"type\": \"fixed\", \"value\": 1, \"isOptional\": true"),
				"p.json:2:47: `isOptional` is not for fixed", NULL},
		{E("num_workers", "\"type\": \"forbidden\", \"value\": 1"),
				"p.json:2:39: `value` is not for forbidden", NULL},
		{E("cluster_name", "\"type\": \"regex\", \"value\": \"a\""),
				"p.json:2:36: `value` is not for regex; its text is `pattern`",
				NULL},
		{E("node_type_id", "\"type\": \"allowlist\""),
				"p.json:2:2: `node_type_id` lacks `values`", NULL},
		{E("node_type_id", "\"type\": \"allowlist\", \"values\": \"a\""),
				"p.json:2:50: `values` must be a list, this is a text", NULL},
		{E("node_type_id", "\"type\": \"allowlist\", \"values\": []"),
				"p.json:2:50: `values` is empty: nothing would be allowed", NULL},
		{E("node_type_id", "\"type\": \"blocklist\", \"values\": []"), NULL, NULL},
		{E("node_type_id", "\"type\": \"allowlist\", \"values\": [null]"),
				"p.json:2:51: a value must be a text, a number", NULL},
		{E("node_type_id", "\"type\": \"blocklist\", \"values\": [\"a \"]"), NULL,
				"p.json:2:51: a blank at the end of a blocked value"},
		{E("cluster_name", "\"type\": \"regex\", \"pattern\": \"(a\""),
				"p.json:2:47: pattern: missing closing parenthesis", NULL},
		{E("cluster_name", "\"type\": \"regex\", \"pattern\": \"\\\\p{javaLowerCase}\""),
				NULL, "p.json:2:47: pattern: "},
		{E("num_workers", "\"type\": \"range\", \"minValue\": \"1\""),
				"p.json:2:47: `minValue` must be a number, without quotes", NULL},
		{E("num_workers", "\"type\": \"range\", \"minValue\": 5, \"maxValue\": 4.5"),
				"p.json:2:47: `minValue` 5 is above `maxValue` 4.5", NULL},
		{E("num_workers", "\"type\": \"fixed\", \"value\": 1, \"hidden\": \"true\""),
				"p.json:2:57: `hidden` must be true or false, without quotes",
				NULL},
		{E("num_workers", "\"type\": \"unlimited\", \"isOptional\": 1"),
				"p.json:2:53: `isOptional` must be true or false", NULL},
		{E("num_workers", "\"type\": \"range\", \"maxValue\": 4, \"defaultValue\": 9"),
				NULL, "p.json:2:66: `defaultValue` is not among"},
		{E("node_type_id",
				 "\"type\": \"allowlist\", \"values\": [\"a\"], \"defaultValue\": "
				 "\"b\""),
				NULL, "p.json:2:73: `defaultValue` is not among"},
		{E("node_type_id",
				 "\"type\": \"blocklist\", \"values\": [\"a\"], \"defaultValue\": "
				 "\"a\""),
				NULL, "p.json:2:73: `defaultValue` is not among"},
		/* values that the attribute can't have */
		{E("autotermination_minutes", "\"type\": \"fixed\", \"value\": \"soon\""),
				"p.json:2:56: `autotermination_minutes` is a number, not `soon`",
				NULL},
		{E("autotermination_minutes", "\"type\": \"fixed\", \"value\": \"30\""), NULL,
				NULL},
		{E("enable_elastic_disk", "\"type\": \"fixed\", \"value\": \"maybe\""),
				"p.json:2:52: `enable_elastic_disk` is true or false, not `maybe`",
				NULL},
		{E("enable_elastic_disk", "\"type\": \"fixed\", \"value\": true"), NULL, NULL},
		{E("node_type_id", "\"type\": \"range\", \"maxValue\": 1"),
				"p.json:2:27: `node_type_id` is no number; a range can't limit it",
				NULL},
		{E("spark_conf.spark.executor.cores", "\"type\": \"range\", \"maxValue\": 1"), NULL,
				"p.json:2:46: values of `spark_conf.spark.executor.cores` compare "
				"as"},
		{E("spark_version", "\"type\": \"forbidden\""),
				"p.json:2:28: every cluster has `spark_version`", NULL},
		/* paths */
		{E("num_wrkers", "\"type\": \"forbidden\""), NULL,
				"p.json:2:2: unknown attribute `num_wrkers`, did you mean "
				"`num_workers`?"},
		{E("made_up.thing", "\"type\": \"forbidden\""), NULL,
				"p.json:2:2: unknown attribute `made_up.thing`"},
		{E("", "\"type\": \"forbidden\""), "p.json:2:2: `` is no attribute's path", NULL},
		{E("custom_tags.${team}", "\"type\": \"forbidden\""),
				"p.json:2:2: `custom_tags.${team}`: templates are for values",
				NULL},
		{E("a..b", "\"type\": \"forbidden\""), "p.json:2:2: `a..b` is no attribute's",
				NULL},
		{E("spark_conf.", "\"type\": \"forbidden\""), "p.json:2:2: `spark_conf.` is no",
				NULL},
		{E("num workers", "\"type\": \"forbidden\""), "p.json:2:2: `num workers` is no",
				NULL},
		{E("cluster_source", "\"type\": \"fixed\", \"value\": \"UI\""), NULL,
				"p.json:2:2: `cluster_source` is only a filter"},
		{E("init_scripts.*.ftp.destination", "\"type\": \"forbidden\""), NULL,
				"p.json:2:2: unknown attribute `init_scripts.*.ftp.destination`"},
		/* across */
		{E("cluster_type", "\"type\": \"fixed\", \"value\": \"jobs\""),
				"p.json:2:45: unknown cluster type `jobs`, did you mean `job`?",
				NULL},
		{E("cluster_type", "\"type\": \"allowlist\", \"values\": [\"job\", \"x-y-z\"]"),
				"p.json:2:58: unknown cluster type `x-y-z`; known: " CLUSTER_TYPES,
				NULL},
		{E("dbus_per_hour", "\"type\": \"fixed\", \"value\": 3"),
				"p.json:2:28: `dbus_per_hour` is computed; only a range", NULL},
		{"{\"num_workers\": {\"type\": \"fixed\", \"value\": 2},\n"
		 "\"autoscale.max_workers\": {\"type\": \"range\", \"maxValue\": 8}}",
				"p.json:2:1: `autoscale.max_workers` and `num_workers` (line 1) "
				"are both",
				NULL},
		{"{\"num_workers\": {\"type\": \"fixed\", \"value\": 2},\n"
		 "\"autoscale.max_workers\": {\"type\": \"range\", \"maxValue\": 8, "
		 "\"isOptional\": "
		 "true}}",
				NULL, NULL},
		{"{\"ssh_public_keys.0\": {\"type\": \"forbidden\"},\n"
		 "\"ssh_public_keys.2\": {\"type\": \"forbidden\"}}",
				NULL,
				"p.json:2:1: `ssh_public_keys.2` without an element 1 before it"},
		{"{\"init_scripts.0.s3.destination\": {\"type\": \"fixed\", \"value\": "
		 "\"s3://a\"},\n"
		 "\"init_scripts.1.s3.region\": {\"type\": \"fixed\", \"value\": \"eu-1\"},\n"
		 "\"init_scripts.*.dbfs.destination\": {\"type\": \"forbidden\"}}",
				NULL, NULL},
};

struct heard {
	char text[400];
};

static void hear(void *context, const struct document_node *node, const char *text)
{
	struct heard *heard = context;
	struct err err;

	if (heard->text[0])
		return;
	(void)document_error(node, &err, "%s", text);
	(void)snprintf(heard->text, sizeof(heard->text), "%s", err.text);
}

static int unexpected;

static void expect(const struct outcome *outcome, enum err_code code, const struct err *err,
		const struct heard *heard)
{
	bool ok = outcome->message
			? code == ERR_CONFIG && text_starts_with(err->text, outcome->message)
			: code == ERR_NONE;

	if (ok && !outcome->message)
		ok = outcome->warning ? text_starts_with(heard->text, outcome->warning)
				      : !heard->text[0];
	if (ok)
		return;
	print_error("%s\nsays: %s\nwarns: %s\n", outcome->text, code ? err->text : "-",
			heard->text);
	unexpected++;
}

static void judge(const struct outcome *outcomes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct arena *arena = arena_new();
		struct heard heard = {""};
		struct policy_check check = {.warn = hear, .context = &heard};
		struct document_node *root;
		struct err err;
		enum err_code code = json_document_parse(
				span_of(outcomes[i].text), "p.json", arena, &root, &err);

		if (code == ERR_NONE)
			code = policy_definition_check(&check, root, &err);
		expect(&outcomes[i], code, &err, &heard);
		arena_free(arena);
	}
}

static void says_where_a_definition_is_wrong(void **state)
{
	(void)state;
	judge(documents, COUNT_OF(documents));
	judge(definitions, COUNT_OF(definitions));
	assert_int_equal(unexpected, 0);
}

static void takes_everything_of_the_grammar(void **state)
{
	static const char *const elements[] = {
			"\"type\": \"fixed\", \"value\": \"1\", \"hidden\": true",
			("\"type\": \"allowlist\", \"values\": [1, \"2\"], \"defaultValue\": 1, "
			 "\"isOptional\": true, \"hidden\": false"),
			"\"type\": \"blocklist\", \"values\": [1], \"isOptional\": false",
			"\"type\": \"regex\", \"pattern\": \"[0-9]+\", \"defaultValue\": 3",
			"\"type\": \"unlimited\", \"defaultValue\": 1", "\"type\": \"unlimited\""};
	static const char *const paths[] = {"autoscale.min_workers", "num_workers",
			"autotermination_minutes", "dbus_per_hour2",
			"aws_attributes.spot_bid_price_percent",
			"azure_attributes.spot_bid_max_price", "gcp_attributes.boot_disk_size",
			"cluster_name", "worker_node_type_flexibility.alternate_node_type_ids",
			"spark_conf.spark.databricks.io.cache.enabled", "spark_env_vars.A",
			"custom_tags.cost center", "ssh_public_keys.*", "ssh_public_keys.0",
			"init_scripts.*.workspace.destination", "init_scripts.0.s3.region",
			"docker_image.basic_auth.username",
			"azure_attributes.log_analytics_info.log_analytics_primary_key"};
	struct arena *arena = arena_new();

	(void)state;
	for (size_t p = 0; p < COUNT_OF(paths); p++) {
		for (size_t e = 0; e < COUNT_OF(elements); e++) {
			const char *text = arena_printf(
					arena, "{\"%s\": {%s}}", paths[p], elements[e]);
			struct policy_check check = {0};
			struct document_node *root;
			struct err err;

			if (json_document_parse(span_of(text), "p", arena, &root, &err) !=
							ERR_NONE ||
					policy_definition_check(&check, root, &err) != ERR_NONE)
				fail_msg("%s: %s", text, err.text);
		}
	}
	arena_free(arena);
}

static void judges_libraries(void **state)
{
	static const struct outcome cases[] = {
			{"[]", NULL, NULL},
			{"[{\"jar\": \"dbfs:/a.jar\"}, {\"whl\": \"/b.whl\"}, {\"requirements\": "
			 "\"/r.txt\"}, {\"pypi\": {\"package\": \"x==1\", \"repo\": "
			 "\"https://r\"}}, "
			 "{\"maven\": {\"coordinates\": \"a:b:1\", \"exclusions\": [\"c:d\"]}}]",
					NULL, NULL},
			{"{}", "p.json:1:1: `libraries` must be a list, this is a map", NULL},
			{"[{}]", "p.json:1:2: a library is an object with one key", NULL},
			{"[{\"jar\": \"a\", \"whl\": \"b\"}]", "p.json:1:2: a library is an object",
					NULL},
			{"[{\"pipy\": {}}]",
					"p.json:1:3: unknown kind of library `pipy`, did you mean",
					NULL},
			{"[{\"jar\": {}}]", "p.json:1:10: `jar` must be a text", NULL},
			{"[{\"pypi\": \"x\"}]", "p.json:1:11: `pypi` must be an object with", NULL},
			{"[{\"pypi\": {}}]", "p.json:1:3: `pypi` lacks `package`", NULL},
			{"[{\"pypi\": {\"package\": \"x\", \"rep\": \"y\"}}]",
					"p.json:1:28: unknown field `rep`, did you mean `repo`?",
					NULL},
			{"[{\"maven\": {\"coordinates\": \"x\", \"exclusions\": \"y\"}}]",
					"p.json:1:47: `exclusions` must be a list", NULL},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *arena = arena_new();
		struct policy_check check = {0};
		struct heard heard = {""};
		struct document_node *root;
		struct err err;
		enum err_code code = json_document_parse(
				span_of(cases[i].text), "p.json", arena, &root, &err);

		assert_int_equal(code, ERR_NONE);
		code = policy_libraries_check(&check, root, &err);
		expect(&cases[i], code, &err, &heard);
		arena_free(arena);
	}
	assert_int_equal(unexpected, 0);
}

static void writes_what_it_read(void **state)
{
	static const struct {
		const char *read, *written;
	} cases[] = {
			{" { \"a\" : [ 1 , -2.5e+3, true,null ] } ",
					"{\"a\":[1,-2.5e+3,true,null]}"},
			{"\"\\u00e4\\ud83d\\ude00\\n\\\"\\\\\\/\"",
					"\"\xc3\xa4\xf0\x9f\x98\x80\\u000a\\\"\\\\/\""},
			{"{}", "{}"},
			{"\"1\"", "\"1\""},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct arena *arena = arena_new();
		struct document_node *root;
		struct buf out;
		struct err err;

		buf_init(&out, 1000);
		assert_int_equal(json_document_parse(
						 span_of(cases[i].read), "p", arena, &root, &err),
				ERR_NONE);
		json_document_write(root, &out);
		assert_string_equal(buf_text(&out), cases[i].written);
		buf_release(&out);
		arena_free(arena);
	}
}

/* ---- in a mapping ---- */

#define HEAD "version: 1\n"
static const char config_text[] =
		"version: 1\n"
		"sources:\n"
		"  corp: {uri: ldaps://ldap.example.com, bind: {dn: \"cn=r\", password: env:P}}\n"
		"account: {host: \"https://accounts.example.com\"}\n"
		"workspaces:\n"
		"  prod: {host: \"https://prod.example.com\", tags: {env: prod, owner-team: "
		"core}}\n"
		"  dev: {host: \"https://dev.example.com\", tags: {env: dev}}\n"
		"store: sqlite:state.db\n";

static const struct {
	const char *text;    /* behind "- " in line 3 */
	const char *message; /* begins so */
} mistakes[] = {
		{"definition: {}",
				"mappings/a.yaml:3:3: this item of `cluster_policies` lacks "
				"`name`"},
		{"name: a",
				"mappings/a.yaml:3:3: this item of `cluster_policies` lacks "
				"`definition`"},
		{"{name: a, definition: {}, family: b}",
				"mappings/a.yaml:3:29: `definition` and `family`"},
		{"{name: a, definition: {}, overrides: {}}",
				"mappings/a.yaml:3:29: `overrides` go with `family`"},
		{"{name: a, definition: x.json}",
				"mappings/a.yaml:3:25: `definition` must be file:PATH"},
		{"{name: a, definition: \"file:none.json\"}",
				"mappings/a.yaml:3:25: `definition`: none.json: No such file"},
		{"{name: a, definition: {}, in: prd}",
				"mappings/a.yaml:3:33: unknown workspace `prd`"},
		{"{name: a, definition: {}, max_clusters_per_user: 0}",
				"mappings/a.yaml:3:52: `max_clusters_per_user` must be a whole "
				"number"},
		{"{name: a, definition: {}, gone: empty}",
				"mappings/a.yaml:3:35: unknown value `empty`; known: keep, delete"},
		{"{name: a, definition: {num_workers: {type: fixd}}}",
				"mappings/a.yaml:3:46: unknown type `fixd`, did you mean `fixed`?"},
		{"{name: a, family: f, overrides: {num_workers: {valu: 1}}}",
				"mappings/a.yaml:3:50: unknown field `valu`, did you mean "
				"`value`?"},
		{"{name: a, definition: {}, libraries: [{pipy: x}]}",
				"mappings/a.yaml:3:42: unknown kind of library `pipy`"},
		{"{name: \"a-${envi}\", definition: {}}",
				"mappings/a.yaml:3:15: unknown variable `envi`, did you mean "
				"`env`?"},
		{"{name: \"${entry['owner-team']}\", definition: {}}",
				"for workspace dev: mappings/a.yaml:3:10: `name` has no value"},
		{"{name: a, definition: {num_workers: {type: fixed, value: \"${env}\"}}}",
				"for workspace prod: mappings/a.yaml:3:60: `num_workers` is a "
				"number, not "
				"`prod`"},
		{"{name: a, definition: {num_workers: {type: \"${env}\", value: 1}}}",
				"for workspace prod: mappings/a.yaml:3:46: unknown type `prod`"},
		{"{name: a, definition: {}}\n- {name: \"A\", definition: {}, in: dev}",
				"mappings/a.yaml:4:10: workspace dev would have two policies `A`"},
};

static void refuses_policies_that_can_not_be(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
		AUTO(mem_freep)
		char *text = mem_printf(HEAD "cluster_policies:\n- %s\n", mistakes[i].text);
		struct config *config = NULL;
		struct err err;

		if (support_load(config_text, text, &config, &err) == ERR_NONE) {
			config_free(config);
			(void)snprintf(err.text, sizeof(err.text), "nothing");
		}
		if (!text_starts_with(err.text, mistakes[i].message)) {
			print_error("%s\nsays: %s\n", text, err.text);
			unexpected++;
		}
	}
	assert_int_equal(unexpected, 0);
}

static const struct target_settings *target(const struct config *config, const char *name)
{
	const struct settings *settings = config_settings(config);

	for (size_t i = 0; i < settings->target_count; i++) {
		if (strcmp(settings->targets[i].name, name) == 0)
			return &settings->targets[i];
	}
	fail_msg("no workspace %s", name);
	return NULL;
}

static void makes_a_policy_for_each_workspace(void **state)
{
	static const char mapping[] =
			HEAD "cluster_policies:\n"
			     "- name: jobs-${env}\n"
			     "  description: for ${workspace}\n"
			     "  definition:\n"
			     "    num_workers: {type: range, maxValue: \"${env == 'prod' and 50 or "
			     "5}\"}\n"
			     "    enable_elastic_disk: {type: fixed, value: \"${env == 'prod'}\"}\n"
			     "    custom_tags.env: {type: fixed, value: \"${env}\"}\n"
			     "    spark_conf.x: {type: fixed, value: \"$${A}\"}\n"
			     "  libraries: [{pypi: {package: \"x==${env}\"}}]\n"
			     "  max_clusters_per_user: 3\n"
			     "  adopt: true\n"
			     "  gone: keep\n"
			     "- {name: own, family: job-cluster, overrides: {num_workers: {hidden: "
			     "true}}, in: "
			     "[\"tag:env=dev\"]}\n";
	struct config *config = support_must_load(config_text, mapping);
	struct evaluator *evaluator = evaluator_new(config_mapping(config));
	struct arena *arena = arena_new();
	struct wanted_policy policy;
	const struct cluster_policy_rule *rules;
	struct err err;
	size_t count;

	(void)state;
	rules = mapping_cluster_policies(config_mapping(config), &count);
	assert_int_equal(count, 2);
	assert_true(rules[0].adopt);
	assert_int_equal(rules[0].gone, POLICY_GONE_KEEP);
	assert_string_equal(rules[0].in[0], "*");
	assert_int_equal(rules[1].gone, POLICY_GONE_DEFAULT);
	assert_int_equal(rules[1].why.line, 14);
	assert_int_equal(evaluate_cluster_policy(evaluator, &rules[0], target(config, "prod"),
					 arena, &policy, &err),
			ERR_NONE);
	assert_string_equal(policy.name, "jobs-prod");
	assert_string_equal(policy.description, "for prod");
	assert_string_equal(policy.definition,
			"{\"num_workers\":{\"type\":\"range\",\"maxValue\":50},"
			"\"enable_elastic_disk\":{\"type\":\"fixed\",\"value\":true},"
			"\"custom_tags.env\":{\"type\":\"fixed\",\"value\":\"prod\"},"
			"\"spark_conf.x\":{\"type\":\"fixed\",\"value\":\"${A}\"}}");
	assert_string_equal(policy.libraries, "[{\"pypi\":{\"package\":\"x==prod\"}}]");
	assert_int_equal(policy.max_clusters_per_user, 3);
	assert_null(policy.family);
	assert_int_equal(evaluate_cluster_policy(evaluator, &rules[1], target(config, "dev"), arena,
					 &policy, &err),
			ERR_NONE);
	assert_string_equal(policy.family, "job-cluster");
	assert_string_equal(policy.overrides, "{\"num_workers\":{\"hidden\":true}}");
	assert_null(policy.definition);
	arena_free(arena);
	evaluator_free(evaluator);
	config_free(config);
}

/* The file is found beside the configuration, counts in its digest, and its mistakes have its name. */
static void reads_definitions_from_files(void **state)
{
	char path[] = "/tmp/policy-XXXXXX";
	int fd = mkstemp(path);
	AUTO(mem_freep)
	char *mapping = mem_printf(
			HEAD "cluster_policies:\n- {name: a, definition: \"file:%s\"}\n", path);
	AUTO(mem_freep) char *expected = mem_printf("%s:2:18: unknown type `fixd`", path);
	struct config *config;
	char first[65];
	struct err err;
	size_t count;

	(void)state;
	assert_int_equal(write(fd, "{}", 2), 2);
	config = support_must_load(config_text, mapping);
	memcpy(first, config_settings(config)->digest, sizeof(first));
	config_free(config);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(write(fd, "{\"new.x\": {\"type\":\"forbidden\"}}", 31), 31);
	config = support_must_load(config_text, mapping);
	assert_string_not_equal(config_settings(config)->digest, first);
	assert_non_null(strstr(mapping_warnings(config_mapping(config), &count)[0],
			":1:2: unknown attribute `new.x`"));
	assert_int_equal(count, 1);
	config_free(config);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(write(fd, "{\n\"cluster_name\":{\"type\":\"fixd\"}}", 33), 33);
	assert_int_equal(support_load(config_text, mapping, &config, &err), ERR_CONFIG);
	(void)close(fd);
	(void)unlink(path);
	if (!strstr(err.text, "unknown type `fixd`") || !text_starts_with(err.text, path))
		fail_msg("%s, not %s", err.text, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(says_where_a_definition_is_wrong),
			cmocka_unit_test(takes_everything_of_the_grammar),
			cmocka_unit_test(judges_libraries),
			cmocka_unit_test(writes_what_it_read),
			cmocka_unit_test(refuses_policies_that_can_not_be),
			cmocka_unit_test(makes_a_policy_for_each_workspace),
			cmocka_unit_test(reads_definitions_from_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
