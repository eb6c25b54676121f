#include "account_workspace.h"

#include "api.h"
#include "base/digest.h"
#include "base/json_out.h"
#include "record.h"

#define RECORD_ID "details"
#define TAG_KEY_MAX 127 /* published */
#define TAG_VALUE_MAX 255

static const struct record *find_details(
		const struct state *state, const struct workspace *workspace)
{
	return record_find(state, workspace, RECORD_WORKSPACE, RECORD_ID);
}

static struct record *need_details(struct state *state, struct workspace *workspace)
{
	struct record_make make = {
			.kind = RECORD_WORKSPACE,
			.place = workspace,
			.id = RECORD_ID,
	};
	struct record *details = record_find(state, workspace, RECORD_WORKSPACE, RECORD_ID);

	return details ? details : record_make(state, &make);
}

void account_workspace_read(struct state *state, struct workspace *workspace, const json_t *line)
{
	static const char *const keys[] = {
			"custom_tags", "workspace_status", "deployment_name", "pricing_tier"};

	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		json_t *value = json_object_get(line, keys[i]);

		if (value)
			(void)json_object_set_new(need_details(state, workspace)->fields, keys[i],
					json_deep_copy(value));
	}
}

void account_workspace_set_tag(struct state *state, struct workspace *workspace, const char *key,
		const char *value)
{
	json_t *fields = need_details(state, workspace)->fields;

	if (!json_object_get(fields, "custom_tags"))
		(void)json_object_set_new(fields, "custom_tags", json_object());
	object_text(json_object_get(fields, "custom_tags"), key, value);
}

/* The form that each cloud gives it; the same for a workspace each time. On two clouds it has a dot in it. */
static char *deployment_name(const struct sim *sim, const struct workspace *workspace)
{
	char hex[DIGEST_HEX_SIZE];

	digest_sha256_hex(span_of(workspace->id_text), hex);
	switch (sim->options.cloud) {
	case CLOUD_AZURE:
		return mem_printf("adb-%s.%u", workspace->id_text, (unsigned)(workspace->id % 20));
	case CLOUD_GCP:
		return mem_printf("%s.%u", workspace->id_text, (unsigned)(workspace->id % 10));
	case CLOUD_AWS:
		break;
	}
	return mem_printf("dbc-%.8s-%.4s", hex, hex + 8);
}

static void show_place(struct buf *out, const struct sim *sim)
{
	static const char *const clouds[] = {
			[CLOUD_AWS] = "aws", [CLOUD_AZURE] = "azure", [CLOUD_GCP] = "gcp"};

	json_add_member(out, "cloud", clouds[sim->options.cloud]);
	if (sim->options.cloud == CLOUD_AWS)
		json_add_member(out, "aws_region", "eu-central-1");
	else
		json_add_member(out, "location", "europe-west3");
	if (sim->options.cloud == CLOUD_AZURE)
		buf_add_text(out,
				",\"azure_workspace_info\":{\"subscription_id\":"
				"\"00000000-0000-4000-8000-000000000002\","
				"\"resource_group\":\"sample\"}");
	if (sim->options.cloud == CLOUD_GCP)
		buf_add_text(out,
				",\"cloud_resource_container\":{\"gcp\":{\"project_id\":\"sample\"}"
				"}");
}

static void show_tags(struct buf *out, const struct record *details)
{
	const json_t *tags = details ? json_object_get(details->fields, "custom_tags") : NULL;
	char *text = json_object_size(tags) ? json_dumps(tags, JSON_COMPACT) : NULL;

	if (text) {
		json_add_key(out, "custom_tags");
		buf_add_text(out, text);
	}
	free(text); /* jansson's */
}

static const char *detail(const struct record *details, const char *key, const char *otherwise)
{
	const char *text = details ? record_text(details, key) : NULL;

	return text ? text : otherwise;
}

void account_workspace_show(
		struct buf *out, const struct sim *sim, const struct workspace *workspace)
{
	const struct record *details = find_details(sim->state, workspace);
	AUTO(mem_freep) char *deployment = deployment_name(sim, workspace);
	const char *status = detail(details, "workspace_status", "RUNNING");

	json_add_comma(out);
	buf_add_char(out, '{');
	json_add_key(out, "workspace_id");
	json_add_number(out, workspace->id);
	json_add_member(out, "workspace_name", workspace->name);
	json_add_member(out, "deployment_name", detail(details, "deployment_name", deployment));
	json_add_member(out, "workspace_status", status);
	if (strcmp(status, "RUNNING") == 0)
		json_add_member(out, "workspace_status_message", "Workspace is running.");
	json_add_member(out, "pricing_tier", detail(details, "pricing_tier", "ENTERPRISE"));
	json_add_member(out, "account_id", sim->state->account_id);
	show_place(out, sim);
	json_add_key(out, "creation_time");
	json_add_number(out, (uint64_t)workspace->created_ms);
	show_tags(out, details);
	if (sim->options.quirks[QUIRK_WORKSPACE_URL]) {
		json_add_key(out, "workspace_url");
		buf_printf(out, "\"http://127.0.0.1:%u\"",
				sim->options.quirks[QUIRK_UNIFIED_HOST] ? sim->account_port
									: workspace->port);
	}
	buf_add_char(out, '}');
}

static bool check_tags(struct api_call *call, json_t *tags)
{
	const char *key;
	json_t *value;

	if (!json_is_object(tags))
		return api_refuse(call, 400, "INVALID_REQUEST", "custom_tags must be an object");
	json_object_foreach(tags, key, value)
	{
		size_t len = strlen(key);

		if (len == 0 || len > TAG_KEY_MAX || !json_is_string(value) ||
				json_string_length(value) > TAG_VALUE_MAX)
			return api_refuse(call, 400, "INVALID_REQUEST", "Tag %s is not valid", key);
	}
	return true;
}

/* Of all that can be changed, we only keep the tags. */
static void patch_workspace(struct api_call *call)
{
	const char *mask = api_query(call, "update_mask");
	uint64_t id;
	struct workspace *workspace =
			id_parse(call->args[0], &id) ? state_find_workspace(call->state, id) : NULL;
	json_t *tags = json_object_get(call->body, "custom_tags");

	if (!workspace) {
		(void)api_refuse(call, 404, "NOT_FOUND", "Workspace %s does not exist",
				call->args[0]);
		return;
	}
	if (mask ? mask_names(mask, "custom_tags") : tags != NULL) {
		if (!check_tags(call, tags))
			return;
		(void)json_object_set(
				need_details(call->state, workspace)->fields, "custom_tags", tags);
	}
	account_workspace_show(answer_json(call->answer, 200), call->request->sim, workspace);
}

static const struct api_route routes[] = {
		{"PATCH", "api/2.0/accounts/*/workspaces/{}", API_ACCOUNT, API_ADMIN,
				patch_workspace, 0, 0},
};
const struct api_family account_workspace_calls = API_FAMILY(routes);
