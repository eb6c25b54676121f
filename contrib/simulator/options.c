#include "options.h"

#include <arpa/inet.h>
#include <getopt.h>

#include "base/text.h"

#define LATENCY_MAX_MS 600000
#define TOKEN_LIFETIME_MAX_S 86400
#define PAGE_MAX 10000
#define ACL_LAG_MAX 1000000

static const struct {
	const char *name;
	bool on;
	const char *help;
} quirks[QUIRK_COUNT_] = {
		[QUIRK_ABSENT_LISTS] = {"absent-lists", true,
				"an empty list's key is left out of the answer (tokens, IP lists, "
				"secrets)"},
		[QUIRK_ACCOUNT_LIST_MEMBERS] = {"account-list-members", false,
				"account lists of groups show members, as before August 2025"},
		[QUIRK_ACCOUNT_ENTITLEMENTS_IGNORED] = {"account-entitlements-ignored", false,
				"PATCH of entitlements at account level: 200 without effect "
				"instead of 400"},
		[QUIRK_ACL_AFTER_DELETE] = {"acl-after-delete", true,
				"the ACL of a deleted job, pipeline or genie space still answers"},
		[QUIRK_ACL_AMBIGUOUS] = {"acl-ambiguous", false,
				"two entries for one principal: 400; off: the last one counts"},
		[QUIRK_ACL_ANY_LEVEL] = {"acl-any-level", false,
				"a level that the type does not have is taken"},
		[QUIRK_ACL_BY_NAME] = {"acl-by-name", false,
				"ACLs of serving endpoints, vector search endpoints and models "
				"answer to their names, too"},
		[QUIRK_ACL_CASE] = {"acl-case", false,
				"names in ACLs must have the right case, else 404"},
		[QUIRK_ACL_GROUP_OWNER] = {"acl-group-owner", false, "a group may be IS_OWNER"},
		[QUIRK_ACL_OWNERLESS_500] = {"acl-ownerless-500", false,
				"PATCH of a job without owner that names none: 500 in place of "
				"400"},
		[QUIRK_ACL_PARTIAL] = {"acl-partial", false,
				"a refused PATCH still sets the entries before the bad one"},
		[QUIRK_ACL_ROOT_ZERO] = {"acl-root-zero", false,
				"inherited from \"/directories/0\" in place of \"/directories/\""},
		[QUIRK_ACL_UNKNOWN_400] = {"acl-unknown-400", false,
				"unknown principal in an ACL: 400 BAD_REQUEST in place of 404"},
		[QUIRK_ACTIVE_STRICT] = {"active-strict", false,
				"account PATCH of active with anything but true or false: 500"},
		[QUIRK_AIM] = {"aim", false,
				"automatic identity management: who has an external id is the "
				"identity provider's"},
		[QUIRK_BARE_LIFETIME] = {"bare-lifetime", false,
				"lifetime of a secret may be \"86400\" without its s"},
		[QUIRK_DEAD_TOKEN_403] = {"dead-token-403", true,
				"a revoked access token gets 403 with a number as error_code; "
				"off: 401"},
		[QUIRK_EMPTY_PAGES] = {"empty-pages", false,
				"lists with page tokens begin with an empty page"},
		[QUIRK_ENDLESS_TOKENS] = {"endless-tokens", false,
				"a token without lifetime never expires if the workspace sets no "
				"limit; off: 730 days"},
		[QUIRK_CHANGE_OWNER_RUNNING] = {"change-owner-running", false,
				"clusters/change-owner also works while it runs"},
		[QUIRK_DASHBOARD_ID] = {"dashboard-id", true,
				"ACLs of dashboards answer with the file's object id"},
		[QUIRK_EXPIRES_IN_TEXT] = {"expires-in-text", false,
				"expires_in of a token is a string"},
		[QUIRK_FEDERATED_400] = {"federated-400", false,
				"workspace change of an account group: 400 in place of 500"},
		[QUIRK_FEDERATION] = {"federation", true,
				"workspaces have a metastore, so assignment works"},
		[QUIRK_FILL_EMAILS] = {"fill-emails", true, "emails are filled from userName"},
		[QUIRK_FIND_INACTIVE] = {"find-inactive", true,
				"filters find deactivated users, too"},
		[QUIRK_IDENTITY_LIMITS] = {"identity-limits", false,
				"an account has at most 10000 users and service principals and "
				"5000 groups"},
		[QUIRK_INDIRECT_SEEN] = {"indirect-seen", true,
				"members of assigned groups show in the workspace's SCIM"},
		[QUIRK_IP_GUARD_ALWAYS] = {"ip-guard-always", false,
				"IP lists that would shut the caller out are refused even while "
				"they are off"},
		[QUIRK_IP_LISTS] = {"ip-lists", true,
				"the pricing tier has IP access lists; off: FEATURE_DISABLED"},
		[QUIRK_LINK_USERS] = {"link-users", true,
				"a workspace's POST of a user that the account has takes it in; "
				"off: 409"},
		[QUIRK_LIST_COERCED] = {"list-coerced", false,
				"too big a page of jobs or pipelines: the biggest in place of 400"},
		[QUIRK_MASK_IGNORED] = {"mask-ignored", false,
				"update_mask of queries and alerts is not looked at"},
		[QUIRK_NESTING_LIMIT] = {"nesting-limit", true,
				"more than 10 layers of groups: 400"},
		[QUIRK_OWNER_LOWERED] = {"owner-lowered", false,
				"PATCH may give the only owner another level; off: 400"},
		[QUIRK_OWNER_MOVES] = {"owner-moves", true,
				"PATCH with a new IS_OWNER makes the old one CAN_MANAGE; off: 400"},
		[QUIRK_PASSWORDS] = {"passwords", true, "there is authorization/passwords"},
		[QUIRK_PATCH_NO_CONTENT] = {"patch-no-content", false,
				"PATCH answers 204 in place of 200 and the object"},
		[QUIRK_RESTRICT_ADMINS] = {"restrict-admins", false,
				"admins may move jobs and the like only to themselves"},
		[QUIRK_RETRY_AFTER] = {"retry-after", true, "429 of --limits carries Retry-After"},
		[QUIRK_RUN_AS_ADMIN] = {"run-as-admin", false,
				"anybody may let jobs run as a service principal without being its "
				"user"},
		[QUIRK_SQL_IN_TREE] = {"sql-in-tree", false,
				"workspace/list shows queries, alerts and genie spaces as FILE"},
		[QUIRK_STRICT_HEADERS] = {"strict-headers", true,
				"X-Databricks-Workspace-Id is refused where it must not be"},
		[QUIRK_STRICT_REMOVE] = {"strict-remove", false,
				"removing a member that is none: 404 in place of 200"},
		[QUIRK_WAREHOUSE_ENTITLED] = {"warehouse-entitled", true,
				"a warehouse's new owner needs allow-cluster-create"},
		[QUIRK_WAREHOUSE_TOGGLE] = {"warehouse-toggle", false,
				"PUT to a warehouse without owner is refused if it names one, "
				"not if it names none"},
		[QUIRK_TEXT_PLAIN] = {"text-plain", false, "SCIM answers say they are text/plain"},
		[QUIRK_TOKENS_ACL_LATE] = {"tokens-acl-late", false,
				"authorization/tokens is 404 until a call makes the first token"},
		[QUIRK_TRUST_FORWARDED_FOR] = {"trust-forwarded-for", false,
				"X-Forwarded-For says where a request comes from"},
		[QUIRK_UNIFIED_HOST] = {"unified-host", false,
				"the account's host serves workspaces, too: the one that "
				"X-Databricks-Workspace-Id names"},
		[QUIRK_UNSET_SETTINGS_404] = {"unset-settings-404", false,
				"GET of a setting that was never set: 404, also if it has a "
				"default"},
		[QUIRK_UNSIGNED_FEDERATION] = {"unsigned-federation", false,
				"tokens of issuers whose policy brings no keys are believed"},
		[QUIRK_UNUSED_TOKENS_END] = {"unused-tokens-end", true,
				"access tokens that were not used for 90 days end"},
		[QUIRK_WIDE_IDS] = {"wide-ids", false, "new ids do not fit into a double"},
		[QUIRK_WORKSPACE_URL] = {"workspace-url", true,
				"workspaces say their workspace_url; off: only deployment_name"},
};

enum option_key {
	KEY_LISTEN = 256,
	KEY_ACCOUNT,
	KEY_WORKSPACE,
	KEY_STATE,
	KEY_SEED,
	KEY_OBJECTS,
	KEY_ACL_LAG,
	KEY_LIMITS,
	KEY_LATENCY,
	KEY_FAULTS,
	KEY_REQUEST_LOG,
	KEY_LOG_BODIES,
	KEY_TOKEN_LIFETIME,
	KEY_PAGE_MAX,
	KEY_CLOUD,
	KEY_QUIRK,
	KEY_EGRESS_ADDRESS,
	KEY_TAG,
	KEY_HELP
};

static const struct option long_options[] = {
		{"listen", required_argument, NULL, KEY_LISTEN},
		{"account", required_argument, NULL, KEY_ACCOUNT},
		{"workspace", required_argument, NULL, KEY_WORKSPACE},
		{"state", required_argument, NULL, KEY_STATE},
		{"seed", required_argument, NULL, KEY_SEED},
		{"objects", required_argument, NULL, KEY_OBJECTS},
		{"acl-lag", required_argument, NULL, KEY_ACL_LAG},
		{"limits", required_argument, NULL, KEY_LIMITS},
		{"latency", required_argument, NULL, KEY_LATENCY},
		{"faults", required_argument, NULL, KEY_FAULTS},
		{"request-log", required_argument, NULL, KEY_REQUEST_LOG},
		{"log-bodies", no_argument, NULL, KEY_LOG_BODIES},
		{"token-lifetime", required_argument, NULL, KEY_TOKEN_LIFETIME},
		{"page-max", required_argument, NULL, KEY_PAGE_MAX},
		{"cloud", required_argument, NULL, KEY_CLOUD},
		{"quirk", required_argument, NULL, KEY_QUIRK},
		{"tag", required_argument, NULL, KEY_TAG},
		{"egress-address", required_argument, NULL, KEY_EGRESS_ADDRESS},
		{"help", no_argument, NULL, KEY_HELP},
		{NULL, 0, NULL, 0},
};

void options_print_help(void)
{
	puts("Usage: dbx-sim [OPTION]...\n"
	     "A Databricks account and its workspaces, simulated on loopback.\n\n"
	     "  --listen PORT          port of the account's host (default 0: any free one)\n"
	     "  --account ID           account id (default: a random one)\n"
	     "  --workspace NAME[:PORT]  a workspace on a port of its own; may be repeated\n"
	     "  --tag NAME:KEY=VALUE   a custom tag of a workspace; may be repeated\n"
	     "  --state FILE           read at the start if it is there, written at the end and on "
	     "SIGUSR1\n"
	     "  --seed FILE            read at the start instead, if the state file is not there\n"
	     "  --objects FILE         what lives in the workspaces at the start, if the state "
	     "file "
	     "is not there;\n"
	     "                         JSON: {\"prod\": {\"clusters\": [{\"name\": \"etl-#\", "
	     "\"count\": 9,\n"
	     "                           \"creator\": \"ada@example.com\", \"tags\": "
	     "{\"team\": \"etl\"}}],\n"
	     "                           \"directories\": [\"/Shared/etl\"], \"jobs\": [...], "
	     "...}}; see README.md\n"
	     "  --acl-lag N            the first N ACL changes that name a new principal do not "
	     "know it\n"
	     "  --limits published|off   keep to the published request rates (default off)\n"
	     "  --latency MS           time that each request takes\n"
	     "  --faults FILE          a script of faults; read again on SIGHUP\n"
	     "  --request-log FILE     a line of JSON per request\n"
	     "  --log-bodies           what was sent, too, and the ids that it made\n"
	     "  --token-lifetime S     of OAuth tokens (default 3600)\n"
	     "  --page-max N           longest page of a SCIM list (default 10000)\n"
	     "  --cloud aws|azure|gcp  decides about application ids (default aws)\n"
	     "  --egress-address ADDR  IPv4 address that requests pretend to come from (IP access "
	     "lists)\n"
	     "  --quirk NAME=on|off    a behaviour that was seen once or only expected:");
	for (size_t i = 0; i < QUIRK_COUNT_; i++)
		printf("      %-30s %s (default %s)\n", quirks[i].name, quirks[i].help,
				quirks[i].on ? "on" : "off");
}

bool options_set_quirk(struct options *options, const char *name, bool on)
{
	for (size_t i = 0; i < QUIRK_COUNT_; i++) {
		if (strcmp(quirks[i].name, name) == 0) {
			options->quirks[i] = on;
			return true;
		}
	}
	return false;
}

static enum err_code bad_value(
		struct err *err, const char *option, const char *value, const char *wanted)
{
	return err_set(err, ERR_USAGE, 0, "--%s: \"%s\" is not %s", option, value, wanted);
}

static bool parse_number(const char *text, int64_t least, int64_t most, uint32_t *ret)
{
	int64_t number;

	if (!text_parse_int(text, least, most, &number))
		return false;
	*ret = (uint32_t)number;
	return true;
}

static bool parse_port(const char *text, uint16_t *ret)
{
	uint32_t port;

	if (!parse_number(text, 0, UINT16_MAX, &port))
		return false;
	*ret = (uint16_t)port;
	return true;
}

static enum err_code parse_listen(struct options *options, const char *value, struct err *err)
{
	static const char *const hosts[] = {"127.0.0.1:", "localhost:"};
	const char *port = value;

	for (size_t i = 0; i < COUNT_OF(hosts); i++) {
		if (text_starts_with(value, hosts[i]))
			port = value + strlen(hosts[i]);
	}
	return parse_port(port, &options->port)
			? ERR_NONE
			: bad_value(err, "listen", value, "a port; only loopback is served");
}

static enum err_code parse_tag(struct options *options, const char *value, struct err *err)
{
	const char *colon = strchr(value, ':'), *equals = colon ? strchr(colon, '=') : NULL;

	if (!equals || colon == value || equals == colon + 1)
		return bad_value(err, "tag", value, "NAME:KEY=VALUE");
	*vec_add(&options->tags) = (struct tag_option){
			.workspace = mem_strndup(value, (size_t)(colon - value)),
			.key = mem_strndup(colon + 1, (size_t)(equals - colon - 1)),
			.value = mem_strdup(equals + 1),
	};
	return ERR_NONE;
}

static enum err_code parse_address(struct options *options, const char *value, struct err *err)
{
	struct in_addr address;

	if (inet_pton(AF_INET, value, &address) != 1)
		return bad_value(err, "egress-address", value, "an IPv4 address");
	options->egress_address = ntohl(address.s_addr);
	return ERR_NONE;
}

static enum err_code parse_workspace(struct options *options, const char *value, struct err *err)
{
	const char *colon = strrchr(value, ':');
	struct workspace_option workspace = {0};

	if (colon && !parse_port(colon + 1, &workspace.port))
		return bad_value(err, "workspace", value, "NAME or NAME:PORT");
	if (colon == value || *value == '\0')
		return bad_value(err, "workspace", value, "NAME or NAME:PORT");
	if (options->workspaces.count == WORKSPACES_MAX)
		return err_set(err, ERR_USAGE, 0, "--workspace: more than %d", WORKSPACES_MAX);
	workspace.name = colon ? mem_strndup(value, (size_t)(colon - value)) : mem_strdup(value);
	for (vec_each (&options->workspaces, other)) {
		if (strcmp(other->name, workspace.name) == 0) {
			mem_free(workspace.name);
			return bad_value(err, "workspace", value, "a new name");
		}
	}
	*vec_add(&options->workspaces) = workspace;
	return ERR_NONE;
}

static enum err_code parse_cloud(struct options *options, const char *value, struct err *err)
{
	static const char *const words[] = {"aws", "azure", "gcp"};

	for (unsigned i = 0; i < COUNT_OF(words); i++) {
		if (strcmp(value, words[i]) == 0) {
			options->cloud = (enum cloud)i;
			return ERR_NONE;
		}
	}
	return bad_value(err, "cloud", value, "aws, azure or gcp");
}

const char *cloud_name(enum cloud cloud)
{
	static const char *const words[] = {"AWS", "AZURE", "GCP"};

	return words[cloud];
}

static enum err_code parse_limits(struct options *options, const char *value, struct err *err)
{
	options->limits = strcmp(value, "published") == 0;
	if (!options->limits && strcmp(value, "off") != 0)
		return bad_value(err, "limits", value, "published or off");
	return ERR_NONE;
}

static enum err_code parse_quirk(struct options *options, const char *value, struct err *err)
{
	size_t len = strcspn(value, "=");
	AUTO(mem_freep) char *name = mem_strndup(value, len);
	bool on = strcmp(value + len, "=on") == 0;

	if (!on && strcmp(value + len, "=off") != 0)
		return bad_value(err, "quirk", value, "NAME=on or NAME=off");
	if (!options_set_quirk(options, name, on))
		return bad_value(err, "quirk", name, "known; see --help");
	return ERR_NONE;
}

static enum err_code parse_count(
		const char *option, const char *value, int64_t most, uint32_t *ret, struct err *err)
{
	if (!parse_number(value, 0, most, ret))
		return err_set(err, ERR_USAGE, 0, "--%s: \"%s\" is not a number from 0 to %lld",
				option, value, (long long)most);
	return ERR_NONE;
}

static void take(char **field, const char *value)
{
	mem_free(*field);
	*field = mem_strdup(value);
}

static enum err_code parse_one(struct options *options, int key, const char *value, struct err *err)
{
	switch (key) {
	case KEY_LISTEN:
		return parse_listen(options, value, err);
	case KEY_WORKSPACE:
		return parse_workspace(options, value, err);
	case KEY_LIMITS:
		return parse_limits(options, value, err);
	case KEY_CLOUD:
		return parse_cloud(options, value, err);
	case KEY_QUIRK:
		return parse_quirk(options, value, err);
	case KEY_LATENCY:
		return parse_count("latency", value, LATENCY_MAX_MS, &options->latency_ms, err);
	case KEY_TOKEN_LIFETIME:
		return parse_count("token-lifetime", value, TOKEN_LIFETIME_MAX_S,
				&options->token_lifetime_s, err);
	case KEY_PAGE_MAX:
		return parse_count("page-max", value, PAGE_MAX, &options->page_max, err);
	case KEY_TAG:
		return parse_tag(options, value, err);
	case KEY_EGRESS_ADDRESS:
		return parse_address(options, value, err);
	case KEY_ACCOUNT:
		take(&options->account_id, value);
		return ERR_NONE;
	case KEY_STATE:
		take(&options->state_file, value);
		return ERR_NONE;
	case KEY_SEED:
		take(&options->seed_file, value);
		return ERR_NONE;
	case KEY_OBJECTS:
		take(&options->objects_file, value);
		return ERR_NONE;
	case KEY_ACL_LAG:
		return parse_count("acl-lag", value, ACL_LAG_MAX, &options->acl_lag, err);
	case KEY_FAULTS:
		take(&options->faults_file, value);
		return ERR_NONE;
	case KEY_REQUEST_LOG:
		take(&options->log_file, value);
		return ERR_NONE;
	case KEY_LOG_BODIES:
		options->log_bodies = true;
		return ERR_NONE;
	case KEY_HELP:
		options->help = true;
		return ERR_NONE;
	default:
		return err_set(err, ERR_BUG, 0, "option without a handler");
	}
}

enum err_code options_parse(int argc, char **argv, struct options *ret, struct err *err)
{
	struct options options = {.token_lifetime_s = 3600, .page_max = PAGE_MAX};
	int key;

	for (size_t i = 0; i < QUIRK_COUNT_; i++)
		options.quirks[i] = quirks[i].on;
	opterr = 0; /* one line is enough, and it is ours */
	while ((key = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (key == '?')
			(void)err_set(err, ERR_USAGE, 0,
					"unknown option or missing value: \"%s\"; try --help",
					argv[optind - 1]);
		if (key == '?' || parse_one(&options, key, optarg, err) != ERR_NONE) {
			options_release(&options);
			return err->code;
		}
	}
	if (optind < argc) {
		options_release(&options);
		return err_set(err, ERR_USAGE, 0, "unexpected argument \"%s\"; try --help",
				argv[optind]);
	}
	if (options.page_max == 0)
		options.page_max = 1;
	*ret = options;
	return ERR_NONE;
}

void options_release(struct options *options)
{
	for (vec_each (&options->workspaces, workspace))
		mem_free(workspace->name);
	vec_release(&options->workspaces);
	for (vec_each (&options->tags, tag)) {
		mem_free(tag->workspace);
		mem_free(tag->key);
		mem_free(tag->value);
	}
	vec_release(&options->tags);
	mem_free(options->account_id);
	mem_free(options->state_file);
	mem_free(options->seed_file);
	mem_free(options->faults_file);
	mem_free(options->objects_file);
	mem_free(options->log_file);
}
