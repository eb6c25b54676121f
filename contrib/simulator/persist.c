#include "persist.h"

#include <errno.h>
#include <jansson.h>
#include <unistd.h>

#include "base/digest.h"
#include "object_persist.h"
#include "base/text.h"
#include "base/json_out.h"
#include "account_workspace.h"
#include "client_secret.h"
#include "pat.h"
#include "policy.h"
#include "record.h"

static const char *const kind_keys[KIND_COUNT_] = {
		[KIND_USER] = "user",
		[KIND_GROUP] = "group",
		[KIND_SP] = "service_principal",
};
static const char *const level_names[] = {"NONE", "USER", "ADMIN"};
static const char *const system_names[] = {"", "account users", "users", "admins"};

static void make_self(struct state *state)
{
	struct principal *self = state_make(state, KIND_SP, NULL, 0);

	self->name = mem_strdup(state->client_id);
	self->display_name = mem_strdup("dbx-sim admin");
	texts_add(&self->roles, "account_admin");
	state_enter(state, self);
	state->self = self;
}

void persist_complete(struct state *state, const char *account_id)
{
	char uuid[37];

	if (account_id || !state->account_id) {
		digest_uuid(uuid);
		text_replace(&state->account_id, account_id ? account_id : uuid);
	}
	if (!state->client_id) {
		digest_uuid(uuid);
		state->client_id = mem_strdup(uuid);
	}
	if (!state->client_secret)
		state->client_secret = record_random("dose", 16);
	if (!state->account_users) {
		struct principal *group = state_make(state, KIND_GROUP, NULL, 0);

		group->system = SYSTEM_ACCOUNT_USERS;
		group->display_name = mem_strdup(system_names[SYSTEM_ACCOUNT_USERS]);
		state_enter(state, group);
		state->account_users = group;
	}
	state->self = state_find_text(state, KIND_SP, INDEX_NAME, state->client_id);
	if (!state->self)
		make_self(state);
	secret_adopt_own(state);
}

void persist_join(struct state *state, struct workspace *workspace)
{
	if (!workspace->token) {
		workspace->token = record_random("dapi", 16);
		seat_set_level(state, state->self, workspace, LEVEL_ADMIN);
	}
	pat_adopt_own(state, workspace);
	policy_adopt_standard(state, workspace);
}

/* Writing. */

static void add_texts(struct buf *out, const char *key, const struct texts *texts)
{
	if (!texts->count)
		return;
	json_add_key(out, key);
	buf_add_char(out, '[');
	for (vec_each (texts, text)) {
		json_add_comma(out);
		json_add_text(out, *text);
	}
	buf_add_char(out, ']');
}

static void add_seat(struct buf *out, const struct seat *seat)
{
	json_add_comma(out);
	buf_add_char(out, '{');
	json_add_member(out, "workspace", seat->workspace->id_text);
	json_add_member(out, "level", level_names[seat->level]);
	if (seat->inactive)
		buf_add_text(out, ",\"active\":false");
	json_add_key(out, "entitlements");
	buf_add_char(out, '[');
	for (uint32_t i = 0; i < ENTITLEMENT_COUNT; i++) {
		if (seat->entitlements & UINT32_C(1) << i) {
			json_add_comma(out);
			json_add_text(out, entitlement_names[i]);
		}
	}
	buf_add_char(out, ']');
	add_texts(out, "roles", &seat->roles);
	buf_add_char(out, '}');
}

static void add_lists(struct buf *out, const struct principal *who)
{
	add_texts(out, "roles", &who->roles);
	if (who->members.count) {
		json_add_key(out, "members");
		buf_add_char(out, '[');
		for (vec_each (&who->members, link)) {
			json_add_comma(out);
			json_add_text(out, link->other->id_text);
		}
		buf_add_char(out, ']');
	}
	if (who->seats.count) {
		json_add_key(out, "seats");
		buf_add_char(out, '[');
		for (vec_each (&who->seats, seat))
			add_seat(out, *seat);
		buf_add_char(out, ']');
	}
}

static void add_principal(struct buf *out, const struct principal *who)
{
	buf_printf(out, "{\"%s\":{", kind_keys[who->kind]);
	json_add_member(out, "id", who->id_text);
	json_add_member(out, who->kind == KIND_SP ? "applicationId" : "userName", who->name);
	json_add_member(out, "displayName", who->display_name);
	json_add_member(out, "externalId", who->external_id);
	json_add_member(out, "givenName", who->given_name);
	json_add_member(out, "familyName", who->family_name);
	json_add_member(out, "email", who->email);
	json_add_member(out, "home", who->home ? who->home->id_text : NULL);
	if (who->system != SYSTEM_NONE)
		json_add_member(out, "system", system_names[who->system]);
	if (!who->active)
		buf_add_text(out, ",\"active\":false");
	add_lists(out, who);
	buf_add_text(out, "}}\n");
}

static void add_workspace(struct buf *out, const struct workspace *workspace)
{
	buf_add_text(out, "{\"workspace\":{");
	json_add_member(out, "name", workspace->name);
	json_add_member(out, "id", workspace->id_text);
	json_add_member(out, "token", workspace->token);
	buf_add_text(out, "}}\n");
}

static void add_account(struct buf *out, const struct state *state)
{
	buf_add_text(out, "{\"account\":{");
	json_add_member(out, "account_id", state->account_id);
	json_add_member(out, "client_id", state->client_id);
	json_add_member(out, "client_secret", state->client_secret);
	buf_add_text(out, "}}\n");
}

static void put_out(FILE *file, struct buf *line)
{
	(void)fwrite(line->ptr, 1, line->len, file);
	buf_reset(line);
}

static void write_all(FILE *file, const struct state *state)
{
	AUTO(buf_release) struct buf line;

	buf_init(&line, STATE_LINE_MAX);
	add_account(&line, state);
	put_out(file, &line);
	for (vec_each (&state->workspaces, workspace)) {
		add_workspace(&line, *workspace);
		put_out(file, &line);
	}
	for (vec_each (&state->ever, who)) {
		if ((*who)->deleted)
			continue;
		add_principal(&line, *who);
		put_out(file, &line);
	}
	records_write(state, file, &line);
	for (vec_each (&state->workspaces, workspace))
		objects_write((*workspace)->objects, &line, file);
}

enum err_code persist_save(const char *path, const struct state *state, struct err *err)
{
	AUTO(mem_freep) char *fresh = mem_printf("%s.new", path);
	FILE *file = fopen(fresh, "we");
	bool bad;

	if (!file)
		return err_errno(err, ERR_IO, errno, "state file \"%s\"", fresh);
	write_all(file, state);
	bad = fflush(file) != 0 || ferror(file) || fsync(fileno(file)) != 0;
	bad = fclose(file) != 0 || bad;
	if (bad || rename(fresh, path) != 0)
		return err_errno(err, ERR_IO, errno, "state file \"%s\"", path);
	return ERR_NONE;
}

/* Reading: principals in the first pass, what refers to them in the second. */

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static uint64_t id_of(const json_t *object, const char *key)
{
	const char *text = text_of(object, key);
	uint64_t id;

	return text && id_parse(text, &id) ? id : 0;
}

static void read_account(struct state *state, const json_t *object)
{
	text_replace(&state->account_id, text_of(object, "account_id"));
	text_replace(&state->client_id, text_of(object, "client_id"));
	text_replace(&state->client_secret, text_of(object, "client_secret"));
}

static bool read_workspace(struct state *state, const json_t *object)
{
	const char *name = text_of(object, "name");
	struct workspace *workspace;

	if (!name)
		return false;
	workspace = state_add_workspace(state, name, id_of(object, "id"));
	text_replace(&workspace->token, text_of(object, "token"));
	account_workspace_read(state, workspace, object);
	return true;
}

/* The groups that a workspace has of itself keep their ids. */
static bool read_system_group(struct state *state, const char *system, struct workspace *home,
		const json_t *object)
{
	struct principal *group;
	uint64_t id = id_of(object, "id");

	if (!home) {
		group = state_make(state, KIND_GROUP, NULL, id);
		group->system = SYSTEM_ACCOUNT_USERS;
		group->display_name = mem_strdup(system);
		state_enter(state, group);
		state->account_users = group;
		return true;
	}
	group = workspace_find_group(home, system);
	if (group && id)
		state_change_id(state, group, id);
	return group != NULL;
}

static bool read_principal(struct state *state, enum kind kind, const json_t *object)
{
	uint64_t id = id_of(object, "id"), home_id = id_of(object, "home");
	struct workspace *home = home_id ? state_find_workspace(state, home_id) : NULL;
	const char *name = text_of(object, kind == KIND_SP ? "applicationId" : "userName");
	const char *system = text_of(object, "system");
	struct principal *who;

	if (system)
		return read_system_group(state, system, home, object);
	if ((kind == KIND_GROUP ? !text_of(object, "displayName") : !name) || (home_id && !home) ||
			(id && state_find_id(state, id)))
		return false;
	who = state_make(state, kind, home, id);
	who->name = mem_strdup_or_null(kind == KIND_GROUP ? NULL : name);
	text_replace(&who->display_name, text_of(object, "displayName"));
	text_replace(&who->external_id, text_of(object, "externalId"));
	text_replace(&who->given_name, text_of(object, "givenName"));
	text_replace(&who->family_name, text_of(object, "familyName"));
	text_replace(&who->email, text_of(object, "email"));
	who->active = !json_is_false(json_object_get(object, "active"));
	state_enter(state, who);
	return true;
}

static void read_texts(const json_t *array, struct texts *texts)
{
	size_t i;
	json_t *text;

	json_array_foreach(array, i, text)
	{
		if (json_is_string(text))
			texts_add(texts, json_string_value(text));
	}
}

static enum level read_level(const char *name)
{
	for (unsigned i = 0; name && i < COUNT_OF(level_names); i++) {
		if (strcmp(name, level_names[i]) == 0)
			return (enum level)i;
	}
	return LEVEL_NONE;
}

static bool read_seat(struct state *state, struct principal *who, const json_t *object)
{
	struct workspace *workspace = state_find_workspace(state, id_of(object, "workspace"));
	struct seat *seat;
	size_t i;
	json_t *name;

	if (!workspace)
		return false;
	seat = seat_need(who, workspace);
	seat_set_level(state, who, workspace, read_level(text_of(object, "level")));
	seat->inactive = json_is_false(json_object_get(object, "active"));
	seat->entitlements = 0;
	json_array_foreach(json_object_get(object, "entitlements"), i, name) seat->entitlements |=
			json_is_string(name) ? entitlement_bit(json_string_value(name)) : 0;
	read_texts(json_object_get(object, "roles"), &seat->roles);
	return true;
}

static bool read_references(struct state *state, const json_t *object)
{
	struct principal *who = state_find_id(state, id_of(object, "id"));
	size_t i;
	json_t *item;

	if (!who)
		return true; /* without an id nothing can refer to it, nor it to others */
	read_texts(json_object_get(object, "roles"), &who->roles);
	json_array_foreach(json_object_get(object, "members"), i, item)
	{
		uint64_t id;
		const char *text = json_string_value(item);
		struct principal *member =
				text && id_parse(text, &id) ? state_find_id(state, id) : NULL;

		if (!member)
			return false;
		group_add_member(state, who, member);
	}
	json_array_foreach(json_object_get(object, "seats"), i, item)
	{
		if (!read_seat(state, who, item))
			return false;
	}
	return true;
}

static bool read_first(struct state *state, const char *key, const json_t *object)
{
	if (strcmp(key, "account") == 0) {
		read_account(state, object);
		return true;
	}
	if (strcmp(key, "workspace") == 0)
		return read_workspace(state, object);
	if (record_is_key(key))
		return true;
	if (objects_owns_line(key))
		return true; /* in the second pass */
	for (int kind = 0; kind < KIND_COUNT_; kind++) {
		if (strcmp(key, kind_keys[kind]) == 0)
			return read_principal(state, (enum kind)kind, object);
	}
	return false;
}

static bool read_second(struct state *state, const char *key, const json_t *object)
{
	bool good;

	if (objects_read_line(state, key, object, &good))
		return good;
	if (strcmp(key, "account") == 0 || strcmp(key, "workspace") == 0)
		return true;
	if (record_is_key(key))
		return record_read(state, key, object);
	return read_references(state, object);
}

static bool read_line(struct state *state, const char *line, size_t len, bool second)
{
	json_t *root = json_loadb(line, len, 0, NULL);
	const char *key = json_object_iter_key(json_object_iter(root));
	const json_t *object = json_object_get(root, key ? key : "");
	bool good = json_is_object(object) &&
			(second ? read_second(state, key, object) : read_first(state, key, object));

	json_decref(root);
	return good;
}

static enum err_code read_pass(const char *path, struct state *state, bool second, struct err *err)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	int number = 0;
	enum err_code code = ERR_NONE;

	if (!file)
		return err_errno(err, ERR_IO, errno, "\"%s\"", path);
	while (code == ERR_NONE && (len = getline(&line, &room, file)) > 0) {
		number++;
		if (line[0] != '\n' && !read_line(state, line, (size_t)len, second))
			code = err_set(err, ERR_CONFIG, 0,
					"%s:%d: not a line of a state file, or it refers to what "
					"is not there",
					path, number);
	}
	if (code == ERR_NONE && ferror(file))
		code = err_errno(err, ERR_IO, errno, "\"%s\"", path);
	free(line);
	(void)fclose(file);
	return code;
}

enum err_code persist_load(const char *path, struct state *state, struct err *err)
{
	enum err_code code = read_pass(path, state, false, err);

	return code == ERR_NONE ? read_pass(path, state, true, err) : code;
}
