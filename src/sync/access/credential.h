/*
 * credential -- what Databricks makes for a service principal and shows once: OAuth secrets and tokens on its behalf. When
 * one is made, where it goes, and when it goes away.
 *
 * None can be changed, so rotation is: make a new one before the old one ends, deliver it (secret_sink.h), and only then
 * remove those of ours that it replaces. Each of ours is in the holdings, in one of three states:
 *
 *   delivered   the sink took it
 *   made        the answer came; whether the sink took it is not known until it is delivered. After a crash in between it may
 *               be in use, so it is removed only when the next one was delivered
 *   withdrawn   nobody has it: the sink refused, or the answer was lost. It is removed at once
 *
 * Before it is made the intent is journalled with a mark by which one whose answer was lost is known again among those of
 * others (struct credential_kind). Those of others are never touched. Nothing here keeps, logs or plans the secret.
 *
 * Private to sync/access/. Everything belongs to the loop thread.
 */
#ifndef L2D_SYNC_ACCESS_CREDENTIAL_H
#define L2D_SYNC_ACCESS_CREDENTIAL_H

#include "base/secret.h"
#include "rules/access.h"
#include "sync/access/given.h"

enum credential_state { CREDENTIAL_MADE, CREDENTIAL_DELIVERED, CREDENTIAL_WITHDRAWN };

struct credential_row {
	struct given_row given; /* first */
	int64_t made_ms;
	int64_t expires_ms; /* 0: never */
	int64_t asked_ms; /* the lifetime that was asked for; what Databricks gives may be less; 0: not known */
	bool active;
	enum credential_state state; /* of ours */
	char *mark;                  /* that it bears or was known again by; NULL: none */
	char *place; /* digest of where it went (credential_place); NULL: not known */
};

struct sink_delivery;
struct credential_item {
	struct given_item given; /* first */
	int64_t next_ms;         /* wall clock: a new one is due; 0: none */
	uint64_t read_ns;        /* when its rows were last read; 0: not since the start */
	bool looked; /* for one whose answer was lost, in vain: once more, then it is not there */
	struct sink_delivery *delivery;
};

/* What rules say now. */
struct credential_terms {
	const struct object *object; /* NULL: not known (any more) */
	bool wanted;
	bool unsure; /* that none is wanted is no sign of anything */
	struct why why;
	int64_t lifetime_ms, rotate_before_ms;
	const struct sink *write_to;
	struct sink_values values;
};

/* One that was just made. */
struct credential_made {
	const char *id; /* in the work's arena */
	int64_t made_ms, expires_ms;
};

struct credential_kind {
	struct given_kind given; /* first */
	const char *what;        /* for people: "secret" */
	size_t most;             /* of one service principal; 0: not a matter */
	bool guess; /* a mark may be borne by chance: of several that bear it none is known again */
	void (*terms)(const struct access *access, const struct item *item,
			struct credential_terms *ret);
	/* The mark of one that is about to be made, in arena. */
	const char *(*make_mark)(const struct credential_item *set,
			const struct credential_terms *terms, struct arena *arena);
	bool (*bears)(const struct credential_row *row, const char *mark);
	/* Whether the workspace is ready for one; false: item_delay or item_wait_for was called. NULL: always. */
	bool (*may_create)(struct item_work *work, const struct credential_terms *terms);
	void (*create)(struct item_work *work, const struct credential_terms *terms,
			const char *mark);
	enum err_code (*read_created)(struct item_work *work, struct credential_made *ret,
			struct secret *ret_secret, struct err *err);
	void (*remove)(struct item_work *work, const char *id);
	/* Says what is to be done about a refusal to make one. NULL: nothing. */
	void (*explain)(const struct item_work *work, struct err *err);
};

/* ---- credential.c ---- */
struct credential_item *credential_of(struct item *item);
const struct credential_kind *credential_kind_of(const struct item *item);
struct credential_row *credential_row(struct credential_item *set, const char *id); /* NULL: none */
void credential_hold(struct access *access, struct item *item, struct credential_row *row);
/* When a new one is due, wall clock; 0: none is. An item_class has it so. */
int64_t credential_due_ms(const struct access *access, const struct item *item);
/* Looks at the clock: for whom a new one is due is read, and planned with what is there then. */
void credential_tick(struct access *access);
/* Where it goes; NULL: a value is not known yet. */
const char *credential_sink(const struct credential_terms *terms, struct arena *arena);
/* The same as a digest, which holds no name; caller's, mem_free. NULL: a value is not known yet. */
char *credential_place(const struct credential_terms *terms);
/* What that part of an operation says, after it or else before; NULL: there is none. */
const char *credential_part(const struct operation *op, const char *name);
/* The end of a reading. false: it is to be read once more, soon: what was lost may show. */
bool credential_taken(struct access *access, struct item *item);
void credential_mark_kind(struct access *access, const struct item_class *class);

void credential_load(struct access *access, struct item *item, const struct store_holding *holding);
void credential_item_cancel(struct item *item);
void credential_item_release(struct item *item);
void credential_release_row(struct given_row *row);

/* ---- credential_plan.c: for item_class.plan ---- */
void credential_plan(struct access *access, struct item *item, struct arena *arena,
		struct item_plan *ret);

/* ---- credential_work.c: for item_class ---- */
void credential_choose(struct item_work *work, const struct item_plan *plan);
bool credential_write_next(struct item_work *work);
void credential_settle(struct access *access, struct item *item, const struct operation *op);
bool credential_again(struct item_work *work);
bool credential_failed(struct item_work *work);
bool credential_shows(struct item *item, const struct operation *op);

#endif
