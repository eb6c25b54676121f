#include "state.h"

#include "base/clock.h"
#include "base/text.h"
#include "object.h"

static struct principal *add_system_group(struct state *state, struct workspace *home,
		enum system_group system, const char *name)
{
	struct principal *group = state_make(state, KIND_GROUP, home, 0);

	group->system = system;
	group->display_name = mem_strdup(name);
	state_enter(state, group);
	/* What members of "users" may do by default. */
	if (system == SYSTEM_USERS)
		seat_need(group, home)->entitlements = entitlement_bit("workspace-access") |
				entitlement_bit("databricks-sql-access");
	return group;
}

struct workspace *state_add_workspace(struct state *state, const char *name, uint64_t id)
{
	struct workspace *workspace = mem_zalloc(sizeof(*workspace));

	workspace->name = mem_strdup(name);
	workspace->id = id ? id : state_new_id(state);
	id_format(workspace->id, workspace->id_text);
	workspace->local_names = table_new();
	workspace->created_ms = clock_wall_ms();
	*vec_add(&state->workspaces) = workspace;
	workspace->number = state->workspaces.count;
	workspace->admins = add_system_group(state, workspace, SYSTEM_ADMINS, "admins");
	workspace->users = add_system_group(state, workspace, SYSTEM_USERS, "users");
	workspace->objects = object_store_new(state, workspace);
	return workspace;
}

struct workspace *state_find_workspace(const struct state *state, uint64_t id)
{
	for (vec_each (&state->workspaces, workspace)) {
		if ((*workspace)->id == id)
			return *workspace;
	}
	return NULL;
}

struct principal *workspace_find_group(const struct workspace *workspace, const char *display_name)
{
	AUTO(mem_freep) char *key = text_fold(span_of(display_name));
	struct principal *local = table_find(workspace->local_names, span_of(key));

	if (local)
		return local;
	for (vec_each (&workspace->seats, seat)) {
		struct principal *who = (*seat)->who;

		if (who->kind == KIND_GROUP && text_equal_folded(who->display_name, display_name))
			return who;
	}
	return NULL;
}

const struct seat *seat_find(const struct principal *who, const struct workspace *workspace)
{
	for (vec_each (&who->seats, seat)) {
		if ((*seat)->workspace == workspace)
			return *seat;
	}
	return NULL;
}

struct seat *seat_need(struct principal *who, struct workspace *workspace)
{
	struct seat *made;

	for (vec_each (&who->seats, seat)) {
		if ((*seat)->workspace == workspace)
			return *seat;
	}
	made = mem_zalloc(sizeof(*made));
	made->workspace = workspace;
	made->who = who;
	*vec_add(&who->seats) = made;
	return made;
}

enum level seat_level(const struct principal *who, const struct workspace *workspace)
{
	const struct seat *seat = seat_find(who, workspace);

	return seat ? seat->level : LEVEL_NONE;
}

void seat_set_level(struct state *state, struct principal *who, struct workspace *workspace,
		enum level level)
{
	struct seat *seat = seat_need(who, workspace);
	struct seats *list = &workspace->seats;

	if (seat->level == LEVEL_NONE && level != LEVEL_NONE)
		*vec_add(list) = seat;
	if (seat->level != LEVEL_NONE && level == LEVEL_NONE) {
		for (size_t i = 0; i < list->count; i++) {
			if (list->items[i] == seat) {
				list->count--;
				memmove(&list->items[i], &list->items[i + 1],
						(list->count - i) * sizeof(seat));
				break;
			}
		}
		seat->entitlements = 0;
		texts_release(&seat->roles);
		seat->inactive = false;
	}
	seat->level = level;
	state->generation++;
}

static bool reaches_seat(
		const struct workspace *workspace, const struct principal *who, int layers_left)
{
	for (vec_each (&who->parents, link)) {
		if (seat_level(link->other, workspace) != LEVEL_NONE)
			return true;
		if (layers_left && reaches_seat(workspace, link->other, layers_left - 1))
			return true;
	}
	return false;
}

bool workspace_sees(const struct state *state, const struct workspace *workspace,
		const struct principal *who)
{
	if (who->home)
		return who->home == workspace;
	if (seat_level(who, workspace) != LEVEL_NONE)
		return true;
	if (who->kind == KIND_GROUP || !state->see_indirect)
		return false;
	return seat_level(state->account_users, workspace) != LEVEL_NONE ||
			reaches_seat(workspace, who, NESTING_MAX);
}

static void walk_down(struct workspace *workspace, struct principal *group, uint64_t mark)
{
	if (group->mark == mark)
		return;
	group->mark = mark;
	for (vec_each (&group->members, link)) {
		struct principal *member = link->other;

		if (member->kind == KIND_GROUP) {
			walk_down(workspace, member, mark);
		} else if (member->mark != mark) {
			member->mark = mark;
			*vec_add(&workspace->seen[member->kind]) = member;
		}
	}
}

static int by_sequence(const void *a, const void *b)
{
	const struct principal *const *left = a, *const *right = b;

	return ((*left)->sequence > (*right)->sequence) - ((*left)->sequence < (*right)->sequence);
}

static void sort_seen(struct principals *list)
{
	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), by_sequence);
}

/* A group's own seat must not hide it from the walk below it: groups are gathered apart, their marks are the walk's. */
static void gather(struct state *state, struct workspace *workspace)
{
	uint64_t mark = ++state->walk;

	for (int i = 0; i < KIND_COUNT_; i++)
		workspace->seen[i].count = 0;
	for (vec_each (&workspace->local_groups, group))
		*vec_add(&workspace->seen[KIND_GROUP]) = *group;
	for (vec_each (&workspace->seats, seat)) {
		struct principal *who = (*seat)->who;

		if (who->kind == KIND_GROUP) {
			*vec_add(&workspace->seen[KIND_GROUP]) = who;
			if (state->see_indirect)
				walk_down(workspace, who, mark);
		} else if (who->mark != mark) {
			who->mark = mark;
			*vec_add(&workspace->seen[who->kind]) = who;
		}
		if (who == state->account_users && state->see_indirect) {
			for (int kind = 0; kind < KIND_COUNT_; kind++) {
				for (vec_each (&state->lists[kind], any)) {
					if (kind != KIND_GROUP && (*any)->mark != mark) {
						(*any)->mark = mark;
						*vec_add(&workspace->seen[kind]) = *any;
					}
				}
			}
		}
	}
	for (int i = 0; i < KIND_COUNT_; i++)
		sort_seen(&workspace->seen[i]);
}

const struct principals *workspace_list(
		struct state *state, struct workspace *workspace, enum kind kind)
{
	(void)pthread_mutex_lock(&state->walk_lock);
	if (workspace->seen_generation != state->generation) {
		gather(state, workspace);
		workspace->seen_generation = state->generation;
	}
	(void)pthread_mutex_unlock(&state->walk_lock);
	return &workspace->seen[kind];
}
