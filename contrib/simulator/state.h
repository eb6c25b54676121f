/*
 * state -- what the simulated account holds: principals, groups' members, workspaces, and who may use which workspace.
 *
 * Structs are open to the simulator's other modules for reading; only the functions here change them, because indices,
 * both ends of a membership and the lists of a workspace must stay in step. Strings are owned by what they hang on.
 * Threads: the caller holds the simulator's lock, for writing if the function changes anything.
 *
 * A principal is never freed before the state is: what was deleted may still be shown by a stale read.
 */
#ifndef SIM_STATE_H
#define SIM_STATE_H

#include <pthread.h>

#include "base/table.h"
#include "base/vec.h"
#include "scim_attr.h"

enum kind { KIND_USER, KIND_GROUP, KIND_SP, KIND_COUNT_ };
enum level { LEVEL_NONE, LEVEL_USER, LEVEL_ADMIN };
enum system_group { SYSTEM_NONE, SYSTEM_ACCOUNT_USERS, SYSTEM_USERS, SYSTEM_ADMINS };
enum index_kind { INDEX_NAME, INDEX_DISPLAY, INDEX_EXTERNAL, INDEX_COUNT_ };

#define ID_TEXT_SIZE 21
#define NESTING_MAX 10   /* layers of groups, published as fixed */
#define PARENTS_MAX 1500 /* direct groups of one principal, published as fixed */

struct principal;
struct workspace;

struct texts {
	char **items;
	size_t count, room;
};

/* One end of a membership: who is at the other end, and where in its list the twin of this link stands. */
struct link {
	struct principal *other;
	size_t at;
};
struct links {
	struct link *items;
	size_t count, room;
};

/* What one workspace knows about one principal. Level none: no assignment of its own, only attributes. */
struct seat {
	struct workspace *workspace;
	struct principal *who;
	enum level level;
	bool inactive;         /* deactivated in this workspace */
	uint32_t entitlements; /* see entitlement_names */
	struct texts roles;
};
struct seats {
	struct seat **items;
	size_t count, room;
};

struct principals {
	struct principal **items;
	size_t count, room;
};

struct asks;                          /* see asks.h */
struct records;                       /* see record.h */
struct object_store;                  /* see object.h */
struct stale;                         /* see stale.h */
void stale_free(struct stale *stale); /* NULL is fine */

struct principal {
	enum kind kind;
	enum system_group system;
	struct workspace *home; /* of a workspace-local group; NULL: of the account */
	uint64_t id;
	char id_text[ID_TEXT_SIZE];
	uint64_t sequence; /* order of creation: the order of lists */
	char *name;        /* userName in lower case, or application id; NULL for groups */
	char *display_name;
	char *external_id;
	char *given_name;
	char *family_name;
	char *email; /* NULL: the same as the name */
	bool active;
	bool deleted;
	struct texts roles; /* of the account */
	struct links members, parents;
	struct seats seats;  /* owned */
	struct stale *stale; /* owned; NULL: reads show the truth */
	struct principal *next_in_index[INDEX_COUNT_];
	uint64_t mark; /* for walks under walk_lock */
};

struct workspace {
	size_t number; /* from 1 */
	char *name;
	uint64_t id;
	char id_text[ID_TEXT_SIZE];
	char *token;          /* the personal access token of our own service principal */
	uint16_t port_wanted; /* 0: any */
	uint16_t port;
	int64_t created_ms;
	struct object_store *objects; /* see object.h */
	struct seats seats; /* those with a level, in order of assignment; borrowed from the principals */
	struct principals local_groups; /* system groups first */
	struct table *local_names;      /* folded display name -> group */
	struct principal *users, *admins;
	uint64_t seen_generation; /* of the lists below */
	struct principals seen
			[KIND_COUNT_]; /* what its SCIM shows, in order of creation; made when asked for */
};
struct workspaces {
	struct workspace **items;
	size_t count, room;
};

struct state {
	char *account_id;
	char *client_id;
	char *client_secret;
	struct principal *self; /* the service principal that the credentials belong to */
	struct principal *account_users;
	struct workspaces workspaces;
	struct principals lists[KIND_COUNT_]; /* of the account, in order of creation */
	struct principals ever;               /* every one made, for the end */
	struct records *records;              /* see record.h */
	struct asks *asks;                    /* see asks.h */
	struct table *by_id;                  /* 8 bytes -> principal */
	struct table *index[INDEX_COUNT_];
	uint64_t sequence;
	uint64_t generation; /* changes with whatever changes who is seen in a workspace */
	bool wide_ids;       /* ids beyond 2^53 */
	bool see_indirect;   /* members of assigned groups show in the workspace */
	pthread_mutex_t walk_lock;
	uint64_t walk;
	struct principals lagging; /* those that reads show as they were; see stale.h */
	pthread_mutex_t stale_lock;
};

struct state *state_new(void);
void state_free(struct state *state);

uint64_t state_new_id(struct state *state); /* random, not in use */
void id_format(uint64_t id, char ret[static ID_TEXT_SIZE]);
/* A decimal id without sign and leading zero; false otherwise. */
bool id_parse(const char *text, uint64_t *ret);

/* Both find only what is not deleted. */
struct principal *state_find_id(const struct state *state, uint64_t id);
/* First of those whose name, display name or external id is text (display names and names fold); follow next_in_index. */
struct principal *state_find_text(
		const struct state *state, enum kind kind, enum index_kind index, const char *text);

/*
 * A new principal with nothing but its id, active. home: NULL or the workspace of a local group. id 0: a new one. It
 * gets into lists and indices by state_enter, when its names are set.
 */
struct principal *state_make(
		struct state *state, enum kind kind, struct workspace *home, uint64_t id);
void state_enter(struct state *state, struct principal *who);
void state_change_id(struct state *state, struct principal *who,
		uint64_t id); /* of one that was entered */
/* Out of every list, group and workspace. */
void state_remove(struct state *state, struct principal *who);
/* A copy for a stale read: what it was, with its own lists; links and seats point at the same others. */
struct principal *principal_clone(const struct principal *who);
void principal_free(struct principal *who);

/* Each replaces a string and keeps the index. NULL: unset. */
void state_set_name(struct state *state, struct principal *who, const char *name);
void state_set_display_name(struct state *state, struct principal *who, const char *text);
void state_set_external_id(struct state *state, struct principal *who, const char *text);
void text_replace(char **field, const char *text);

bool texts_contain(const struct texts *texts, const char *text);
void texts_add(struct texts *texts, const char *text); /* a set: once */
void texts_remove(struct texts *texts, const char *text);
void texts_release(struct texts *texts);

bool group_has_member(const struct principal *group, const struct principal *who);
void group_add_member(struct state *state, struct principal *group, struct principal *who);
void group_remove_member(struct state *state, struct principal *group, struct principal *who);
/* Whether group is who, or somewhere below it. */
bool group_is_below(
		struct state *state, const struct principal *who, const struct principal *group);
size_t group_layers_below(
		const struct principal *group); /* itself counts as 1; bounded by NESTING_MAX + 1 */
size_t group_layers_above(const struct principal *group);

struct workspace *state_add_workspace(struct state *state, const char *name, uint64_t id);
struct workspace *state_find_workspace(const struct state *state, uint64_t id);
/* System groups have the names admins and users; local ones and assigned ones share one space of names. */
struct principal *workspace_find_group(const struct workspace *workspace, const char *display_name);

const struct seat *seat_find(
		const struct principal *who, const struct workspace *workspace); /* NULL: none */
struct seat *seat_need(
		struct principal *who, struct workspace *workspace); /* makes one of level none */
void seat_set_level(struct state *state, struct principal *who, struct workspace *workspace,
		enum level level);
enum level seat_level(const struct principal *who, const struct workspace *workspace);

/* Whether the workspace's SCIM shows it: its own groups, who is assigned, and members of assigned groups. */
bool workspace_sees(const struct state *state, const struct workspace *workspace,
		const struct principal *who);
/* All of them, in order of creation. Valid while the caller holds the lock and nothing changes. */
const struct principals *workspace_list(
		struct state *state, struct workspace *workspace, enum kind kind);

#endif
