#include "state.h"

#include <inttypes.h>

#include "base/digest.h"
#include "base/text.h"
#include "asks.h"
#include "record.h"
#include "object.h"

#define JSON_EXACT (UINT64_C(1) << 53) /* beyond this a double loses digits */

struct state *state_new(void)
{
	struct state *state = mem_zalloc(sizeof(*state));

	state->by_id = table_new();
	state->records = records_new();
	state->asks = mem_zalloc(sizeof(*state->asks));
	for (int i = 0; i < INDEX_COUNT_; i++)
		state->index[i] = table_new();
	state->generation = 1;
	(void)pthread_mutex_init(&state->walk_lock, NULL);
	(void)pthread_mutex_init(&state->stale_lock, NULL);
	return state;
}

static void workspace_free(struct workspace *workspace)
{
	mem_free(workspace->name);
	mem_free(workspace->token);
	vec_release(&workspace->seats);
	vec_release(&workspace->local_groups);
	for (int i = 0; i < KIND_COUNT_; i++)
		vec_release(&workspace->seen[i]);
	table_free(workspace->local_names);
	object_store_free(workspace->objects);
	mem_free(workspace);
}

void state_free(struct state *state)
{
	if (!state)
		return;
	records_free(state->records);
	mem_free(state->asks);
	for (vec_each (&state->ever, who))
		principal_free(*who);
	vec_release(&state->ever);
	for (int i = 0; i < KIND_COUNT_; i++)
		vec_release(&state->lists[i]);
	for (vec_each (&state->workspaces, workspace))
		workspace_free(*workspace);
	vec_release(&state->workspaces);
	table_free(state->by_id);
	for (int i = 0; i < INDEX_COUNT_; i++)
		table_free(state->index[i]);
	mem_free(state->account_id);
	mem_free(state->client_id);
	mem_free(state->client_secret);
	(void)pthread_mutex_destroy(&state->walk_lock);
	(void)pthread_mutex_destroy(&state->stale_lock);
	vec_release(&state->lagging);
	mem_free(state);
}

void id_format(uint64_t id, char ret[static ID_TEXT_SIZE])
{
	(void)snprintf(ret, ID_TEXT_SIZE, "%" PRIu64, id);
}

bool id_parse(const char *text, uint64_t *ret)
{
	int64_t id;

	if (*text < '1' || *text > '9' || !text_parse_int(text, 1, INT64_MAX, &id))
		return false;
	*ret = (uint64_t)id;
	return true;
}

static struct span id_key(const uint64_t *id)
{
	return (struct span){(const char *)id, sizeof(*id)};
}

/* Sixteen digits that a double holds, as seen in the wild; or, to find clients that use doubles, more than it holds. */
uint64_t state_new_id(struct state *state)
{
	const uint64_t least = state->wide_ids ? JSON_EXACT + 1 : UINT64_C(1000000000000000);
	const uint64_t most = state->wide_ids ? (uint64_t)INT64_MAX : JSON_EXACT - 1;
	uint64_t id;

	do {
		digest_random(&id, sizeof(id));
		id = least + id % (most - least);
	} while (table_find(state->by_id, id_key(&id)));
	return id;
}

struct principal *state_find_id(const struct state *state, uint64_t id)
{
	return table_find(state->by_id, id_key(&id));
}

/* Indices: a folded text with its kind in front leads to a chain through the principals. */
static char *index_key(enum kind kind, enum index_kind index, const char *text)
{
	AUTO(mem_freep)
	char *folded = index == INDEX_EXTERNAL ? mem_strdup(text) : text_fold(span_of(text));

	return mem_printf("%d%s", (int)kind, folded);
}

struct principal *state_find_text(
		const struct state *state, enum kind kind, enum index_kind index, const char *text)
{
	AUTO(mem_freep) char *key = index_key(kind, index, text);

	return table_find(state->index[index], span_of(key));
}

static void index_add(
		struct state *state, struct principal *who, enum index_kind index, const char *text)
{
	AUTO(mem_freep) char *key = NULL;

	if (!text)
		return;
	key = index_key(who->kind, index, text);
	who->next_in_index[index] = table_put(state->index[index], span_of(key), who);
}

static void index_remove(
		struct state *state, struct principal *who, enum index_kind index, const char *text)
{
	AUTO(mem_freep) char *key = NULL;
	struct principal *first, **link;

	if (!text)
		return;
	key = index_key(who->kind, index, text);
	first = table_find(state->index[index], span_of(key));
	for (link = &first; *link && *link != who; link = &(*link)->next_in_index[index])
		;
	if (*link)
		*link = who->next_in_index[index];
	who->next_in_index[index] = NULL;
	if (first)
		(void)table_put(state->index[index], span_of(key), first);
	else
		(void)table_remove(state->index[index], span_of(key));
}

static bool is_indexed(const struct state *state, const struct principal *who)
{
	return state_find_id(state, who->id) == who;
}

void text_replace(char **field, const char *text)
{
	char *copy = mem_strdup_or_null(text);

	mem_free(*field);
	*field = copy;
}

static void set_indexed(struct state *state, struct principal *who, enum index_kind index,
		char **field, const char *text)
{
	bool indexed = !who->home && is_indexed(state, who);

	if (indexed)
		index_remove(state, who, index, *field);
	text_replace(field, text);
	if (indexed)
		index_add(state, who, index, *field);
}

void state_set_name(struct state *state, struct principal *who, const char *name)
{
	set_indexed(state, who, INDEX_NAME, &who->name, name);
}

static void local_name_remove(struct principal *group)
{
	AUTO(mem_freep) char *key = text_fold(span_of(group->display_name));

	(void)table_remove(group->home->local_names, span_of(key));
}

static void local_name_add(struct principal *group)
{
	AUTO(mem_freep) char *key = text_fold(span_of(group->display_name));

	(void)table_put(group->home->local_names, span_of(key), group);
}

void state_set_display_name(struct state *state, struct principal *who, const char *text)
{
	bool local = who->home && is_indexed(state, who);

	if (local)
		local_name_remove(who);
	set_indexed(state, who, INDEX_DISPLAY, &who->display_name, text);
	if (local)
		local_name_add(who);
}

void state_set_external_id(struct state *state, struct principal *who, const char *text)
{
	set_indexed(state, who, INDEX_EXTERNAL, &who->external_id, text);
}

bool texts_contain(const struct texts *texts, const char *text)
{
	for (vec_each (texts, item)) {
		if (strcmp(*item, text) == 0)
			return true;
	}
	return false;
}

void texts_add(struct texts *texts, const char *text)
{
	if (!texts_contain(texts, text))
		*vec_add(texts) = mem_strdup(text);
}

void texts_remove(struct texts *texts, const char *text)
{
	for (size_t i = 0; i < texts->count; i++) {
		if (strcmp(texts->items[i], text) == 0) {
			mem_free(texts->items[i]);
			texts->count--;
			memmove(&texts->items[i], &texts->items[i + 1],
					(texts->count - i) * sizeof(char *));
			return;
		}
	}
}

void texts_release(struct texts *texts)
{
	for (vec_each (texts, item))
		mem_free(*item);
	vec_release(texts);
}

static void principals_drop(struct principals *list, const struct principal *who)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i] == who) {
			list->count--;
			memmove(&list->items[i], &list->items[i + 1],
					(list->count - i) * sizeof(who));
			return;
		}
	}
}

struct principal *state_make(
		struct state *state, enum kind kind, struct workspace *home, uint64_t id)
{
	struct principal *who = mem_zalloc(sizeof(*who));

	who->kind = kind;
	who->home = home;
	who->id = id ? id : state_new_id(state);
	id_format(who->id, who->id_text);
	who->active = true;
	*vec_add(&state->ever) = who;
	return who;
}

void state_enter(struct state *state, struct principal *who)
{
	who->sequence = ++state->sequence;
	(void)table_put(state->by_id, id_key(&who->id), who);
	state->generation++;
	if (who->home) {
		*vec_add(&who->home->local_groups) = who;
		local_name_add(who);
		return;
	}
	*vec_add(&state->lists[who->kind]) = who;
	index_add(state, who, INDEX_NAME, who->name);
	index_add(state, who, INDEX_DISPLAY, who->display_name);
	index_add(state, who, INDEX_EXTERNAL, who->external_id);
}

void state_change_id(struct state *state, struct principal *who, uint64_t id)
{
	(void)table_remove(state->by_id, id_key(&who->id));
	who->id = id;
	id_format(id, who->id_text);
	(void)table_put(state->by_id, id_key(&who->id), who);
}

void state_remove(struct state *state, struct principal *who)
{
	while (who->members.count)
		group_remove_member(state, who, who->members.items[who->members.count - 1].other);
	while (who->parents.count)
		group_remove_member(state, who->parents.items[who->parents.count - 1].other, who);
	for (vec_each (&who->seats, seat))
		seat_set_level(state, who, (*seat)->workspace, LEVEL_NONE);
	if (who->home) {
		local_name_remove(who);
		principals_drop(&who->home->local_groups, who);
	} else {
		index_remove(state, who, INDEX_NAME, who->name);
		index_remove(state, who, INDEX_DISPLAY, who->display_name);
		index_remove(state, who, INDEX_EXTERNAL, who->external_id);
		principals_drop(&state->lists[who->kind], who);
	}
	(void)table_remove(state->by_id, id_key(&who->id));
	who->deleted = true;
	state->generation++;
}

static void texts_copy(struct texts *to, const struct texts *from)
{
	*to = (struct texts){0};
	for (vec_each (from, item))
		*vec_add(to) = mem_strdup(*item);
}

static void links_copy(struct links *to, const struct links *from)
{
	*to = (struct links){0};
	for (vec_each (from, link))
		*vec_add(to) = *link;
}

struct principal *principal_clone(const struct principal *who)
{
	struct principal *copy = mem_alloc(sizeof(*copy));

	*copy = *who;
	copy->name = mem_strdup_or_null(who->name);
	copy->display_name = mem_strdup_or_null(who->display_name);
	copy->external_id = mem_strdup_or_null(who->external_id);
	copy->given_name = mem_strdup_or_null(who->given_name);
	copy->family_name = mem_strdup_or_null(who->family_name);
	copy->email = mem_strdup_or_null(who->email);
	texts_copy(&copy->roles, &who->roles);
	links_copy(&copy->members, &who->members);
	links_copy(&copy->parents, &who->parents);
	copy->stale = NULL;
	copy->seats = (struct seats){0};
	for (vec_each (&who->seats, seat)) {
		struct seat *twin = mem_alloc(sizeof(*twin));

		*twin = **seat;
		texts_copy(&twin->roles, &(*seat)->roles);
		*vec_add(&copy->seats) = twin;
	}
	return copy;
}

void principal_free(struct principal *who)
{
	if (!who)
		return;
	mem_free(who->name);
	mem_free(who->display_name);
	mem_free(who->external_id);
	mem_free(who->given_name);
	mem_free(who->family_name);
	mem_free(who->email);
	texts_release(&who->roles);
	vec_release(&who->members);
	vec_release(&who->parents);
	for (vec_each (&who->seats, seat)) {
		texts_release(&(*seat)->roles);
		mem_free(*seat);
	}
	vec_release(&who->seats);
	stale_free(who->stale);
	mem_free(who);
}

/* The member's own list is short, the group's may be long: look in the shorter one. */
bool group_has_member(const struct principal *group, const struct principal *who)
{
	const struct links *links = who->parents.count <= group->members.count ? &who->parents
									       : &group->members;
	const struct principal *other = links == &who->parents ? group : who;

	for (vec_each (links, link)) {
		if (link->other == other)
			return true;
	}
	return false;
}

void group_add_member(struct state *state, struct principal *group, struct principal *who)
{
	size_t member_at = group->members.count, parent_at = who->parents.count;

	*vec_add(&group->members) = (struct link){.other = who, .at = parent_at};
	*vec_add(&who->parents) = (struct link){.other = group, .at = member_at};
	state->generation++;
}

/* The last link takes the place of the one that goes; its twin learns the new place. */
static void links_drop(struct links *links, size_t at, bool of_members)
{
	struct link moved = links->items[--links->count];

	if (at == links->count)
		return;
	links->items[at] = moved;
	if (of_members)
		moved.other->parents.items[moved.at].at = at;
	else
		moved.other->members.items[moved.at].at = at;
}

void group_remove_member(struct state *state, struct principal *group, struct principal *who)
{
	for (size_t i = 0; i < who->parents.count; i++) {
		if (who->parents.items[i].other == group) {
			size_t member_at = who->parents.items[i].at;

			links_drop(&who->parents, i, false);
			links_drop(&group->members, member_at, true);
			state->generation++;
			return;
		}
	}
}

static bool walk_finds(struct principal *at, const struct principal *group, uint64_t mark)
{
	if (at == group)
		return true;
	if (at->mark == mark)
		return false;
	at->mark = mark;
	for (vec_each (&at->members, link)) {
		if (link->other->kind == KIND_GROUP && walk_finds(link->other, group, mark))
			return true;
	}
	return false;
}

bool group_is_below(struct state *state, const struct principal *who, const struct principal *group)
{
	bool found;

	(void)pthread_mutex_lock(&state->walk_lock);
	found = walk_finds((struct principal *)(uintptr_t)who, group, ++state->walk);
	(void)pthread_mutex_unlock(&state->walk_lock);
	return found;
}

static size_t layers(const struct principal *group, bool below, size_t left)
{
	const struct links *links = below ? &group->members : &group->parents;
	size_t deepest = 0;

	if (left == 0)
		return 1;
	for (vec_each (links, link)) {
		if (link->other->kind == KIND_GROUP) {
			size_t depth = layers(link->other, below, left - 1);

			deepest = depth > deepest ? depth : deepest;
		}
	}
	return deepest + 1;
}

size_t group_layers_below(const struct principal *group)
{
	return layers(group, true, NESTING_MAX);
}

size_t group_layers_above(const struct principal *group)
{
	return layers(group, false, NESTING_MAX);
}
