#include "sync/discover.h"

#include "base/table.h"
#include "base/text.h"
#include "databricks/auth/profile.h"
#include "store/store.h"

#include <inttypes.h>
#include <stdlib.h>

#define NAME_BYTES_MAX 64 /* as a name in the file */

bool discover_is_on(const struct config *config)
{
	const struct settings *settings = config_settings(config);

	return settings->has_account && settings->discover.workspaces;
}

/* ---- which ---- */

static bool matches_any(const char *name, const char *const *globs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (text_matches_glob(globs[i], name))
			return true;
	}
	return false;
}

static bool has_tag(const struct workspace_info *workspace, const struct tag *tag)
{
	for (size_t i = 0; i < workspace->tags.count; i++) {
		const struct pair *pair = &workspace->tags.items[i];

		if (text_equal_folded(pair->key, tag->key))
			return !tag->value || text_matches_glob(tag->value, pair->value);
	}
	return false;
}

static bool has_tags(
		const struct workspace_info *workspace, const struct discover_settings *discover)
{
	for (size_t i = 0; i < discover->tag_count; i++) {
		if (!has_tag(workspace, &discover->tags[i]))
			return false;
	}
	return true;
}

/* The letters that a name in the file may have; others become hyphens. */
static const char *clean_name(struct arena *arena, const char *text)
{
	static const char letters[] =
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	char *name = arena_strndup(arena, text, strnlen(text, NAME_BYTES_MAX));

	for (char *c = name; *c; c++)
		*c = strchr(letters, *c) ? *c : '-';
	return name;
}

static const char *name_of(const struct workspace_info *workspace, struct arena *arena)
{
	if (workspace->name && *workspace->name)
		return clean_name(arena, workspace->name);
	if (workspace->deployment && *workspace->deployment)
		return clean_name(arena, workspace->deployment);
	return workspace->id;
}

static bool is_in_file(const struct settings *settings, const char *const *hosts,
		const struct workspace_info *workspace)
{
	for (size_t i = 0; i < settings->target_count; i++) {
		const struct target_settings *target = &settings->targets[i];

		if (target->is_account || target->discovered)
			continue;
		if (text_equal(target->workspace_id, workspace->id) ||
				(!workspace->routed && !target->workspace_id &&
						text_equal(hosts[i], workspace->host)))
			return true;
	}
	return false;
}

static bool is_chosen(const struct settings *settings, const char *const *hosts,
		const struct workspace_info *workspace, struct arena *arena)
{
	const struct discover_settings *discover = &settings->discover;
	const char *name = name_of(workspace, arena);

	return workspace->usable && !is_in_file(settings, hosts, workspace) &&
			(!discover->match_count ||
					matches_any(name, discover->match,
							discover->match_count)) &&
			!matches_any(name, discover->exclude, discover->exclude_count) &&
			has_tags(workspace, discover);
}

/* ---- names ---- */

static const char *name_before(const struct settings *settings, const char *id)
{
	for (size_t i = 0; i < settings->target_count; i++) {
		if (settings->targets[i].discovered &&
				text_equal(settings->targets[i].workspace_id, id))
			return settings->targets[i].name;
	}
	for (size_t i = 0; i < settings->vanished_count; i++) {
		if (text_equal(settings->vanished[i].workspace_id, id))
			return settings->vanished[i].name;
	}
	return NULL;
}

/* The oldest first, so that of several with one name it is always the same one that has it alone. */
static int compare_age(const void *a, const void *b)
{
	const struct workspace_info *const *x = a, *const *y = b;

	if ((*x)->created_ms != (*y)->created_ms)
		return (*x)->created_ms < (*y)->created_ms ? -1 : 1;
	return strcmp((*x)->id, (*y)->id);
}

static int compare_targets(const void *a, const void *b)
{
	const struct target_settings *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static const char *take_name(
		struct table *taken, const char *name, const char *id, struct arena *arena)
{
	AUTO(mem_freep) char *folded = text_fold(span_of(name));

	if (!table_find(taken, span_of(folded))) {
		(void)table_put(taken, span_of(folded), taken);
		return name;
	}
	return take_name(taken,
			arena_printf(arena, "%.*s-%s", (int)(NAME_BYTES_MAX - 1 - strlen(id)), name,
					id),
			id, arena);
}

static void take_file_names(const struct settings *settings, struct table *taken)
{
	for (size_t i = 0; i < settings->target_count; i++) {
		AUTO(mem_freep) char *folded = text_fold(span_of(settings->targets[i].name));

		if (!settings->targets[i].discovered)
			(void)table_put(taken, span_of(folded), taken);
	}
}

static struct target_settings target_of(const struct settings *settings,
		const struct workspace_info *workspace, const char *name, struct arena *arena)
{
	struct tag *tags = arena_alloc(arena, (workspace->tags.count + 1) * sizeof(*tags));

	for (size_t i = 0; i < workspace->tags.count; i++)
		tags[i] = (struct tag){
				workspace->tags.items[i].key, workspace->tags.items[i].value};
	return (struct target_settings){.name = name,
			.host = workspace->host,
			.workspace_id = workspace->id,
			.ca_file = settings->targets[0].ca_file,
			.tags = tags,
			.tag_count = workspace->tags.count,
			.discovered = true};
}

size_t discover_choose(const struct settings *settings, const char *const *hosts,
		const struct workspace_info *workspaces, size_t count, struct arena *arena,
		const struct target_settings **ret)
{
	const struct workspace_info **chosen = arena_alloc(arena, (count + 1) * sizeof(*chosen));
	struct target_settings *targets = arena_alloc(arena, (count + 1) * sizeof(*targets));
	struct table *taken = table_new();
	size_t kept = 0;

	for (size_t i = 0; i < count && kept < DISCOVERED_MAX; i++) {
		if (is_chosen(settings, hosts, &workspaces[i], arena))
			chosen[kept++] = &workspaces[i];
	}
	if (kept)
		qsort(chosen, kept, sizeof(*chosen), compare_age);
	take_file_names(settings, taken);
	/* Who had a name has it still. */
	for (size_t i = 0; i < kept; i++) {
		const char *before = name_before(settings, chosen[i]->id);

		targets[i].name = before ? take_name(taken, before, chosen[i]->id, arena) : NULL;
	}
	for (size_t i = 0; i < kept; i++) {
		const char *name = targets[i].name
				? targets[i].name
				: take_name(taken, name_of(chosen[i], arena), chosen[i]->id, arena);

		targets[i] = target_of(settings, chosen[i], name, arena);
	}
	table_free(taken);
	if (kept)
		qsort(targets, kept, sizeof(*targets), compare_targets);
	*ret = targets;
	return kept;
}

static bool is_same(const struct target_settings *a, const struct target_settings *b)
{
	bool same = text_equal(a->name, b->name) && text_equal(a->host, b->host) &&
			text_equal(a->workspace_id, b->workspace_id) &&
			a->tag_count == b->tag_count;

	for (size_t i = 0; same && i < a->tag_count; i++)
		same = text_equal(a->tags[i].key, b->tags[i].key) &&
				text_equal(a->tags[i].value, b->tags[i].value);
	return same;
}

bool discover_is_same(const struct settings *settings, const struct target_settings *targets,
		size_t count)
{
	size_t at = settings->target_count -
			(settings->target_count < count ? settings->target_count : count);

	if (settings->target_count < count || (at > 0 && settings->targets[at - 1].discovered))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!settings->targets[at + i].discovered ||
				!is_same(&settings->targets[at + i], &targets[i]))
			return false;
	}
	return true;
}

/* ---- as the store keeps it ---- */

static void add_target(json_t *list, const struct target_settings *target, bool gone)
{
	json_t *tags = json_object(), *json;

	for (size_t i = 0; i < target->tag_count; i++)
		(void)json_object_set_new(
				tags, target->tags[i].key, json_string(target->tags[i].value));
	json = json_pack("{s:s, s:s, s:s, s:o}", "name", target->name, "id", target->workspace_id,
			"host", target->host, "tags", tags);
	if (gone)
		(void)json_object_set_new(json, "gone", json_true());
	(void)json_array_append_new(list, json);
}

char *discover_to_text(const struct settings *settings)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; i < settings->target_count; i++) {
		if (settings->targets[i].discovered)
			add_target(list, &settings->targets[i], false);
	}
	for (size_t i = 0; i < settings->vanished_count; i++)
		add_target(list, &settings->vanished[i], true);
	return json_dumps(list, JSON_COMPACT);
}

static bool read_target(json_t *json, struct arena *arena, struct target_settings *ret)
{
	const char *name, *id, *host, *key;
	json_t *tags, *value;
	struct tag *list;
	size_t count = 0;

	if (json_unpack(json, "{s:s, s:s, s:s, s:o}", "name", &name, "id", &id, "host", &host,
			    "tags", &tags) != 0)
		return false;
	list = arena_alloc(arena, (json_object_size(tags) + 1) * sizeof(*list));
	json_object_foreach(tags, key, value) list[count++] = (struct tag){
			arena_strdup(arena, key), arena_strdup(arena, json_string_value(value))};
	*ret = (struct target_settings){.name = arena_strdup(arena, name),
			.workspace_id = arena_strdup(arena, id),
			.host = arena_strdup(arena, host),
			.tags = list,
			.tag_count = count,
			.discovered = true};
	return true;
}

size_t discover_from_text(const char *text, struct arena *arena, const struct target_settings **ret,
		size_t *ret_gone)
{
	json_error_t problem;
	json_auto_t *list = text ? json_loads(text, 0, &problem) : NULL;
	struct target_settings *targets =
			arena_alloc(arena, (json_array_size(list) + 1) * sizeof(*targets));
	size_t count = 0, present = 0, index;
	json_t *item;

	/* Those that are gone were written last. */
	json_array_foreach(list, index, item)
	{
		if (count == DISCOVERED_MAX || !read_target(item, arena, &targets[count]))
			continue;
		count++;
		if (!json_is_true(json_object_get(item, "gone")))
			present = count;
	}
	*ret = targets;
	*ret_gone = count - present;
	return present;
}

void discover_remembered(struct config *config)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	const struct settings *settings = config_settings(config);
	const struct target_settings *targets;
	struct store *store = NULL;
	const char *text = NULL;
	size_t count, gone;
	struct err err;

	if (!discover_is_on(config) ||
			store_open(NULL, settings->store_path, STORE_READ, &store, &err) !=
					ERR_NONE)
		return;
	if (store_get_meta(store, DISCOVERED_META, arena, &text, &err) == ERR_NONE && text) {
		count = discover_from_text(text, arena, &targets, &gone);
		for (size_t i = 0; i < count + gone; i++)
			((struct target_settings *)(uintptr_t)targets)[i].ca_file =
					settings->targets[0].ca_file;
		config_set_discovered(config, targets, count + gone);
		if (gone)
			config_set_discovered(config, targets, count);
	}
	store_close(store);
}

/* ---- asking ---- */

const char *const *discover_hosts(const struct settings *settings, struct arena *arena)
{
	const char **hosts = arena_alloc(arena, (settings->target_count + 1) * sizeof(*hosts));

	for (size_t i = 0; i < settings->target_count; i++) {
		struct credential credential = {0};
		struct err err;

		hosts[i] = NULL;
		if (credential_resolve(settings, i, &credential, &err) == ERR_NONE)
			hosts[i] = arena_strdup(arena, credential.host);
		credential_release(&credential);
	}
	return hosts;
}

struct asking {
	struct loop *loop;
	struct task over;
	struct call call;
};

static void asking_over(struct task *task)
{
	loop_stop(((struct asking *)((char *)task - offsetof(struct asking, over)))->loop);
}

static enum err_code take_list(struct config *config, struct databricks *databricks,
		struct call *call, struct err *err)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	const struct settings *settings = config_settings(config);
	const struct workspace_info *workspaces;
	const struct target_settings *targets;
	struct target_status status;
	size_t count;

	databricks_status(databricks, 0, &status);
	if (workspace_list_read(call, status.host, arena, &workspaces, &count, err) != ERR_NONE)
		return err->code;
	count = discover_choose(settings, discover_hosts(settings, arena), workspaces, count, arena,
			&targets);
	config_set_discovered(config, targets, count);
	return ERR_NONE;
}

enum err_code discover_now(struct config *config, uint64_t timeout_ms, struct err *err)
{
	struct settings account = *config_settings(config);
	struct asking asking = {.loop = NULL};
	struct databricks *databricks = NULL;
	struct loop_timer *timer;
	enum err_code code;

	if (!discover_is_on(config))
		return ERR_NONE;
	account.target_count = 1;
	asking.loop = loop_new();
	task_init(&asking.over, asking.loop, asking_over);
	timer = loop_timer_new(asking.loop, &asking.over);
	code = databricks_new(asking.loop, &account, &databricks, err);
	if (code == ERR_NONE) {
		asking.call.lane = LANE_SINGLE;
		asking.call.wakes = &asking.over;
		workspace_list(databricks, &asking.call);
		loop_timer_start(timer, timeout_ms);
		loop_run(asking.loop);
		code = asking.call.done ? take_list(config, databricks, &asking.call, err)
					: err_set(err, ERR_TIMEOUT, 0, "no answer in %" PRIu64 " s",
							  timeout_ms / 1000);
		call_release(&asking.call);
	}
	databricks_free(databricks);
	task_cancel(&asking.over);
	loop_timer_free(timer);
	loop_free(asking.loop);
	return code == ERR_NONE ? code : err_context(err, "the account's list of workspaces");
}
