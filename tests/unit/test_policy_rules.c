#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy.h"

#define BAD "malformed"
#define CLUSTER                                                                                    \
	"{\"num_workers\":4,\"spark_version\":\"115.1\",\"autotermination_minutes\":30,"           \
	"\"enable_elastic_disk\":false,\"spark_conf\":{\"spark.a.b\":\"x\",\"spark.n\":\"1\"},"    \
	"\"custom_tags\":{\"team\":\" x\"},\"aws_attributes\":{\"zone_id\":\"auto\"},"             \
	"\"ssh_public_keys\":[\"k0\",\"k1\",\"k2\"],"                                              \
	"\"init_scripts\":[{\"dbfs\":{\"destination\":\"dbfs:/a\"}},"                              \
	"{\"s3\":{\"destination\":\"s3:/b\"}}]}"

/* want: the paths that are blamed, each with a blank in front, in any order; BAD: the definition is malformed. */
static const struct {
	const char *definition, *want;
} cases[] = {
		{"{}", ""},
		{"[]", BAD},
		{"{\"a\":{}}", BAD},
		{"{\"a\":{\"type\":\"Fixed\",\"value\":1}}", BAD},
		{"{\"a\":{\"type\":\"fixed\"}}", BAD},
		{"{\"a\":{\"type\":\"allowlist\",\"values\":\"x\"}}", BAD},
		{"{\"a\":{\"type\":\"regex\",\"value\":\"x\"}}", BAD},
		{"{\"a\":{\"type\":\"range\",\"minvalue\":1}}", BAD},
		{"{\"num_workers\":{\"type\":\"fixed\",\"value\":4}}", ""},
		{"{\"num_workers\":{\"type\":\"fixed\",\"value\":\"4\"}}", ""},
		{"{\"num_workers\":{\"type\":\"fixed\",\"value\":5}}", " num_workers"},
		{"{\"enable_elastic_disk\":{\"type\":\"fixed\",\"value\":true}}",
				" enable_elastic_disk"},
		{"{\"aws_attributes.zone_id\":{\"type\":\"fixed\",\"value\":\"auto\"}}", ""},
		{"{\"instance_pool_id\":{\"type\":\"forbidden\"}}", ""},
		{"{\"num_workers\":{\"type\":\"forbidden\",\"hidden\":true}}", " num_workers"},
		/* Keys of maps may have dots. */
		{"{\"spark_conf.spark.a.b\":{\"type\":\"fixed\",\"value\":\"x\"}}", ""},
		{"{\"spark_conf.spark.n\":{\"type\":\"fixed\",\"value\":1}}", ""},
		{"{\"spark_conf.spark.c\":{\"type\":\"fixed\",\"value\":\"x\"}}",
				" spark_conf.spark.c"},
		/* Patterns are held against the whole value, texts exactly as they are. */
		{"{\"spark_version\":{\"type\":\"regex\",\"pattern\":\"15\\\\..*\"}}",
				" spark_version"},
		{"{\"spark_version\":{\"type\":\"regex\",\"pattern\":\"115\\\\..*\"}}", ""},
		{"{\"spark_version\":{\"type\":\"regex\",\"pattern\":\"11|115.1\"}}", ""},
		{"{\"custom_tags.team\":{\"type\":\"blocklist\",\"values\":[\"x\"]}}", ""},
		{"{\"custom_tags.team\":{\"type\":\"blacklist\",\"values\":[\" x\"]}}",
				" custom_tags.team"},
		{"{\"custom_tags.team\":{\"type\":\"allowlist\",\"values\":[\"x\",\" x\"]}}", ""},
		{"{\"custom_tags.team\":{\"type\":\"whitelist\",\"values\":[\"x\"]}}",
				" custom_tags.team"},
		{"{\"num_workers\":{\"type\":\"range\",\"minValue\":4,\"maxValue\":4}}", ""},
		{"{\"num_workers\":{\"type\":\"range\",\"minValue\":4.5}}", " num_workers"},
		{"{\"num_workers\":{\"type\":\"range\",\"maxValue\":3}}", " num_workers"},
		{"{\"spark_version\":{\"type\":\"range\",\"maxValue\":200}}", ""},
		{"{\"custom_tags.team\":{\"type\":\"range\",\"maxValue\":200}}",
				" custom_tags.team"},
		/* Limits require, unless they are optional; a default is no value. */
		{"{\"cluster_name\":{\"type\":\"unlimited\"}}", " cluster_name"},
		{"{\"cluster_name\":{\"type\":\"unlimited\",\"isOptional\":true}}", ""},
		{"{\"cluster_name\":{\"type\":\"unlimited\",\"defaultValue\":\"x\"}}",
				" cluster_name"},
		{"{\"cluster_name\":{\"type\":\"fixed\",\"value\":\"x\"}}", " cluster_name"},
		/* Elements of arrays: a rule of its own goes before the star. */
		{"{\"ssh_public_keys.*\":{\"type\":\"forbidden\"},"
		 "\"ssh_public_keys.0\":{\"type\":\"fixed\",\"value\":\"k0\"}}",
				" ssh_public_keys.1 ssh_public_keys.2"},
		{"{\"ssh_public_keys.3\":{\"type\":\"unlimited\"}}", " ssh_public_keys.3"},
		{"{\"init_scripts.*.dbfs.destination\":{\"type\":\"forbidden\"}}",
				" init_scripts.0.dbfs.destination"},
		{"{\"init_scripts.*.gcs.destination\":{\"type\":\"forbidden\"}}", ""},
		{"{\"dbus_per_hour\":{\"type\":\"range\",\"maxValue\":1}}", ""},
};

static void check(size_t i, const json_t *cluster)
{
	json_t *definition = json_loads(cases[i].definition, 0, NULL);
	json_t *violations = policy_violations(definition, cluster), *message;
	AUTO(buf_release) struct buf got;
	const char *path;

	buf_init(&got, 4096);
	if (!violations)
		buf_add_text(&got, BAD);
	json_object_foreach(violations, path, message)
	{
		buf_printf(&got, " %s", path);
	}
	if (strcmp(buf_text(&got), cases[i].want) != 0)
		fail_msg("%s: \"%s\", not \"%s\"", cases[i].definition, buf_text(&got),
				cases[i].want);
	json_decref(violations);
	json_decref(definition);
}

static void test_violations(void **state)
{
	json_t *cluster = json_loads(CLUSTER, 0, NULL);

	(void)state;
	assert_non_null(cluster);
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		check(i, cluster);
	json_decref(cluster);
}

static void test_messages(void **state)
{
	json_t *cluster = json_loads(CLUSTER, 0, NULL);
	json_t *definition = json_pack("{s:{s:s, s:b}, s:{s:s, s:s}}", "enable_elastic_disk",
			"type", "fixed", "value", 1, "spark_conf.spark.x.y", "type", "fixed",
			"value", "v");
	json_t *violations = policy_violations(definition, cluster);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(violations, "enable_elastic_disk")),
			"Validation failed for enable_elastic_disk, the value must be true "
			"(is \"false\")");
	assert_string_equal(json_string_value(json_object_get(violations, "spark_conf.spark.x.y")),
			"Validation failed for spark_conf.spark.x.y, must be present");
	json_decref(violations);
	json_decref(definition);
	json_decref(cluster);
}

static void test_no_more_than_the_limit(void **state)
{
	json_t *cluster = json_object(), *definition = json_object(), *violations;
	char path[32];

	(void)state;
	for (int i = 0; i < POLICY_VIOLATIONS_MAX + 5; i++) {
		(void)snprintf(path, sizeof(path), "custom_tags.k%d", i);
		(void)json_object_set_new(definition, path,
				json_pack("{s:s, s:s}", "type", "fixed", "value", "x"));
	}
	violations = policy_violations(definition, cluster);
	assert_int_equal(json_object_size(violations), POLICY_VIOLATIONS_MAX);
	json_decref(violations);
	json_decref(definition);
	json_decref(cluster);
}

static void test_merge(void **state)
{
	json_t *merged = policy_merge("{\"a\":1,\"b\":2}", "{\"b\":3,\"c\":4}");
	json_t *want = json_pack("{s:i, s:i, s:i}", "a", 1, "b", 3, "c", 4);

	(void)state;
	assert_true(json_equal(merged, want));
	assert_null(policy_merge("{}", "[]"));
	assert_null(policy_merge("x", "{}"));
	json_decref(merged);
	merged = policy_merge("{\"a\":1}", NULL);
	assert_int_equal(json_object_size(merged), 1);
	json_decref(merged);
	json_decref(want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(test_violations),
			cmocka_unit_test(test_messages),
			cmocka_unit_test(test_no_more_than_the_limit),
			cmocka_unit_test(test_merge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
