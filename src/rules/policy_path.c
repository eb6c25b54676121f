#include "rules/policy_path.h"

#include "base/text.h"

#define TEXT(p)                                                                                    \
	{                                                                                          \
		p, POLICY_TEXT, false, false                                                       \
	}
#define NEEDED(p)                                                                                  \
	{                                                                                          \
		p, POLICY_TEXT, false, true                                                        \
	}
#define NUMBER(p)                                                                                  \
	{                                                                                          \
		p, POLICY_NUMBER, false, false                                                     \
	}
#define FLAG(p)                                                                                    \
	{                                                                                          \
		p, POLICY_FLAG, false, false                                                       \
	}
#define MAP(p)                                                                                     \
	{                                                                                          \
		p, POLICY_TEXT, true, false                                                        \
	}
static const struct policy_path paths[] = {NUMBER("autoscale.min_workers"),
		NUMBER("autoscale.max_workers"), NUMBER("num_workers"),
		NUMBER("autotermination_minutes"), TEXT("cluster_name"), TEXT("node_type_id"),
		TEXT("driver_node_type_id"),
		TEXT("worker_node_type_flexibility.alternate_node_type_ids"),
		TEXT("driver_node_type_flexibility.alternate_node_type_ids"),
		TEXT("instance_pool_id"), TEXT("driver_instance_pool_id"), NEEDED("spark_version"),
		TEXT("runtime_engine"), FLAG("use_ml_runtime"), FLAG("enable_serverless_compute"),
		TEXT("data_security_mode"), TEXT("single_user_name"), FLAG("enable_elastic_disk"),
		FLAG("enable_local_disk_encryption"), MAP("spark_conf.?"), MAP("spark_env_vars.?"),
		MAP("custom_tags.?"), TEXT("ssh_public_keys.*"), TEXT("cluster_log_conf.type"),
		TEXT("cluster_log_conf.path"), TEXT("cluster_log_conf.region"),
		TEXT("init_scripts.*.KIND.destination"), TEXT("init_scripts.*.s3.region"),
		TEXT("docker_image.url"), TEXT("docker_image.basic_auth.username"),
		TEXT("docker_image.basic_auth.password"), FLAG("workload_type.clients.jobs"),
		FLAG("workload_type.clients.notebooks"), TEXT("aws_attributes.availability"),
		TEXT("aws_attributes.zone_id"), TEXT("aws_attributes.instance_profile_arn"),
		NUMBER("aws_attributes.first_on_demand"),
		NUMBER("aws_attributes.spot_bid_price_percent"),
		NUMBER("aws_attributes.ebs_volume_count"), NUMBER("aws_attributes.ebs_volume_size"),
		TEXT("aws_attributes.ebs_volume_type"), TEXT("azure_attributes.availability"),
		NUMBER("azure_attributes.first_on_demand"),
		NUMBER("azure_attributes.spot_bid_max_price"),
		TEXT("azure_attributes.log_analytics_info.log_analytics_workspace_id"),
		TEXT("azure_attributes.log_analytics_info.log_analytics_primary_key"),
		TEXT("gcp_attributes.availability"), TEXT("gcp_attributes.google_service_account"),
		TEXT("gcp_attributes.zone_id"), NUMBER("gcp_attributes.boot_disk_size"),
		NUMBER("gcp_attributes.local_ssd_count"),
		TEXT("gcp_attributes.confidential_compute_type"), NUMBER("dbus_per_hour"),
		TEXT("cluster_type"), TEXT("cluster_source")};
static const char *const script_kinds[] = {
		"workspace", "volumes", "dbfs", "file", "gcs", "s3", "abfss"};

static bool is_index(struct span segment)
{
	if (span_equal(segment, SPAN_LIT("*")))
		return true;
	for (size_t i = 0; i < segment.len; i++) {
		if (segment.ptr[i] < '0' || segment.ptr[i] > '9')
			return false;
	}
	return segment.len > 0 && segment.len < 10;
}

static struct span next(const char **path)
{
	struct span segment = {*path, strcspn(*path, ".")};

	*path += segment.len + (segment.ptr[segment.len] == '.');
	return segment;
}

static bool segment_matches(struct span pattern, struct span segment)
{
	if (span_equal(pattern, SPAN_LIT("*")))
		return is_index(segment);
	if (span_equal(pattern, SPAN_LIT("KIND"))) {
		for (size_t i = 0; i < COUNT_OF(script_kinds); i++) {
			if (span_equal(segment, span_of(script_kinds[i])))
				return true;
		}
		return false;
	}
	return span_equal(pattern, segment);
}

static bool matches(const char *pattern, const char *path)
{
	while (*pattern && *path) {
		if (strcmp(pattern, "?") == 0)
			return true;
		if (!segment_matches(next(&pattern), next(&path)))
			return false;
	}
	return !*pattern && !*path;
}

enum policy_path_result policy_path_find(const char *path, const struct policy_path **ret)
{
	size_t len = strlen(path);

	*ret = NULL;
	for (size_t i = 0; i < COUNT_OF(paths); i++) {
		if (len && path[len - 1] != '.' && matches(paths[i].pattern, path)) {
			*ret = &paths[i];
			return POLICY_PATH_KNOWN;
		}
	}
	if (!len || path[0] == '.' || path[len - 1] == '.' || strstr(path, "..") ||
			strpbrk(path, " \t\n"))
		return POLICY_PATH_MALFORMED;
	return POLICY_PATH_UNKNOWN;
}

const char *policy_path_likely(const char *path)
{
	const char *known[COUNT_OF(paths)];

	for (size_t i = 0; i < COUNT_OF(paths); i++)
		known[i] = paths[i].pattern;
	return text_did_you_mean(path, known, COUNT_OF(paths));
}

size_t policy_path_index(const char *path, unsigned *ret)
{
	static const char *const arrays[] = {"ssh_public_keys.", "init_scripts."};

	*ret = 0;
	for (size_t i = 0; i < COUNT_OF(arrays); i++) {
		size_t len = strlen(arrays[i]);
		const char *at = path + len;
		struct span segment;

		if (!text_starts_with(path, arrays[i]))
			continue;
		segment = next(&at);
		if (!is_index(segment) || segment.ptr[0] == '*')
			return 0;
		for (size_t c = 0; c < segment.len; c++)
			*ret = *ret * 10 + (unsigned)(segment.ptr[c] - '0');
		return len;
	}
	return 0;
}
