/*
 * store -- what outlives the process: entries and cookies, what is ours in Databricks, the journal,
 * holds, audit.
 *
 * A thread of its own owns the database; the loop hands it batches and is woken when they are
 * durable. Batches that wait together are committed together (one fsync). Opening and reading are
 * synchronous, on the thread that opened the store; bulk reading belongs before the loop runs. What
 * is read is what has been committed, never a batch under way. A batch is all or nothing. Version
 * of the schema: PRAGMA user_version; older ones migrate on opening, newer ones are refused. One
 * writer: the file is locked (by PATH.lock beside it) for as long as it is open read-write; readers
 * in other processes work beside it.
 *
 * Strings handed in are copied at once; strings handed out are in the caller's arena. A remote id
 * or anchor comes back byte for byte as it was put. Names of sources and targets are at most 4096
 * bytes, a batch at most 128 MiB (ERR_LIMIT). A NULL where a record needs a text fails the batch
 * with ERR_BUG.
 */
#ifndef L2D_STORE_STORE_H
#define L2D_STORE_STORE_H

#include "base/loop.h"
#include "model/identity.h"
#include "model/settings.h"

enum store_mode { STORE_WRITE, STORE_READ };

struct store;
/*
 * Errors: ERR_STORE (not ours, damaged, newer schema, I/O), ERR_CONFLICT (another process writes to
 * it; text names its pid if known), ERR_NOT_FOUND (STORE_READ and no such file, or an empty one).
 * STORE_WRITE makes the file (mode 0600) and its folder's last part; after an unclean end it checks
 * a file of up to 64 MiB whole. STORE_READ shows the state of the moment of opening: open it anew
 * to see later changes, and close it soon, because the writer's log cannot shrink meanwhile. loop
 * may be NULL with STORE_READ; with STORE_WRITE an open store keeps loop_run from ending.
 */
MUST_CHECK enum err_code store_open(struct loop *loop, const char *path, enum store_mode mode,
		struct store **ret, struct err *err);
/*
 * Waits for batches that were committed, marks their commits done and wakes their tasks, then
 * closes. Before loop_free. NULL is fine.
 */
void store_close(struct store *store);

/* ---- records ---- */

struct store_entry {
	const char *source; /* by name, so that the order in the file may change */
	const char *anchor;
	const char *dn;
	uint64_t searches; /* bits by search id; only valid under the same meta "searches" */
	struct span attributes, members;
};

enum origin { ORIGIN_CREATED, ORIGIN_ADOPTED };
struct store_principal {    /* a principal that is ours; identified by (target, kind, remote_id) */
	const char *target; /* by name */
	enum principal_kind kind;
	const char *remote_id;
	const char *key; /* "SOURCE/ANCHOR" or "name/KIND/FOLDED NAME"; unique per (target, kind) */
	enum origin origin;
	const char *fields[FIELD_COUNT_]; /* as last confirmed */
	bool active;
	int64_t left_ms;   /* wall clock when it became a leaver; 0: not */
	const char *match; /* value of the rule's `match:` attribute; NULL: none */
	enum gone gone;    /* groups: what the rule said last, for when the entry is gone */
};
struct store_member { /* a membership that is ours */
	const char *target, *group_id, *member_id;
};
enum grant_kind { GRANT_ASSIGNMENT, GRANT_ENTITLEMENT, GRANT_ROLE };
/* A grant that is ours. An assignment's target is the workspace; one per principal. */
struct store_grant {
	const char *target;
	enum principal_kind kind;
	const char *remote_id;
	enum grant_kind grant;
	const char *value;  /* level, entitlement or role */
	const char *former; /* assignment: the level before we raised it, NULL: none */
};
/* What is ours of a resource that is no principal: the whole (part ""), or one entry of its access control list. */
struct store_holding {
	const char *target;
	const char *resource; /* "job", "cluster_policy", "ip_access_list", ... */
	const char *id;       /* as Databricks calls it */
	const char *part;     /* "group/FOLDED NAME"; "": all of it */
	const char *name;     /* of the resource, for people */
	const char *value;    /* the level, or what was written last */
	const char *former;   /* what it was before us and comes back on removal; NULL: nothing */
};
struct store_intent { /* a call that may be under way */
	const char *operation_id;
	const char *operation; /* JSON, as in a plan file */
	int64_t time_ms;
};
enum hold_state { HOLD_WAITING, HOLD_APPROVED, HOLD_REJECTED };
struct store_hold {
	/* Of the held operation: its content's digest, so approval binds to what was shown. */
	const char *operation_id;
	const char *hold_id;   /* short id of the batch it was held in, for `approve` */
	const char *operation; /* JSON */
	enum guard_category category;
	enum hold_state state;
	int64_t time_ms;    /* when it was held, or decided */
	const char *reason; /* why held; on reject: the person's */
};
struct store_quarantine {
	const char *key;
	const char *name; /* for people */
	const char *reason;
	int64_t since_ms, retry_ms;
	unsigned tries;
};
struct store_removals { /* for the guard's window */
	int64_t time_ms;
	enum guard_category category;
	unsigned count;
};

/* ---- loading ---- */

/*
 * Call visit for every record; its strings are valid only during the call. In no promised order,
 * except: members by target and group; intents, holds and quarantine as first put; removals by time.
 */
MUST_CHECK enum err_code store_each_entry(struct store *store,
		void (*visit)(void *context, const struct store_entry *), void *context,
		struct err *err);
MUST_CHECK enum err_code store_each_principal(struct store *store,
		void (*visit)(void *context, const struct store_principal *), void *context,
		struct err *err);
MUST_CHECK enum err_code store_each_member(struct store *store,
		void (*visit)(void *context, const struct store_member *), void *context,
		struct err *err);
MUST_CHECK enum err_code store_each_grant(struct store *store,
		void (*visit)(void *context, const struct store_grant *), void *context,
		struct err *err);
MUST_CHECK enum err_code store_each_holding(struct store *store,
		void (*visit)(void *context, const struct store_holding *), void *context,
		struct err *err);
MUST_CHECK enum err_code store_each_intent(struct store *store,
		void (*visit)(void *context, const struct store_intent *), void *context,
		struct err *err);
MUST_CHECK enum err_code store_each_hold(struct store *store,
		void (*visit)(void *context, const struct store_hold *), void *context,
		struct err *err);
MUST_CHECK enum err_code store_each_quarantine(struct store *store,
		void (*visit)(void *context, const struct store_quarantine *), void *context,
		struct err *err);
MUST_CHECK enum err_code store_each_removals(struct store *store, int64_t since_ms,
		void (*visit)(void *context, const struct store_removals *), void *context,
		struct err *err);
/*
 * A cookie for that search digest, with its own checksum verified; ptr NULL: none (or damaged: then
 * it is dropped). An empty cookie has a ptr.
 */
MUST_CHECK enum err_code store_get_cookie(struct store *store, const char *search_digest,
		struct arena *arena, struct span *ret, struct err *err);
/* Small facts by name ("config_digest", "searches", "last_complete_ms", "run_open"); NULL: none. */
MUST_CHECK enum err_code store_get_meta(struct store *store, const char *name, struct arena *arena,
		const char **ret, struct err *err);

/* ---- writing ---- */

struct store_batch;
/* The caller's, until it goes to store_commit or store_batch_free. */
struct store_batch *store_batch_new(struct store *store);
void store_batch_free(struct store_batch *batch); /* without committing it; NULL is fine */
bool store_batch_is_empty(const struct store_batch *batch);
size_t store_batch_bytes(const struct store_batch *batch);
void store_put_entry(struct store_batch *batch, const struct store_entry *entry);
void store_drop_entry(struct store_batch *batch, const char *source, const char *anchor);
void store_drop_all_entries(struct store_batch *batch); /* and cookies */
void store_put_cookie(struct store_batch *batch, const char *search_digest, struct span cookie);
void store_drop_cookie(struct store_batch *batch, const char *search_digest);
/*
 * If the same target and kind has another principal under this key, that one is dropped as by
 * store_drop_principal: its successor has taken its place.
 */
void store_put_principal(struct store_batch *batch, const struct store_principal *principal);
/*
 * With its memberships (as group and as member, in that target) and grants: those in that target,
 * and, if it was the last principal of that kind and id in any target, those elsewhere (the
 * account's principals have grants in workspaces).
 */
void store_drop_principal(struct store_batch *batch, const char *target, enum principal_kind kind,
		const char *remote_id);
void store_put_member(struct store_batch *batch, const struct store_member *member);
void store_drop_member(struct store_batch *batch, const struct store_member *member);
void store_put_grant(struct store_batch *batch, const struct store_grant *grant);
/* By target, kind, remote_id and grant, and by value unless it is an assignment. */
void store_drop_grant(struct store_batch *batch, const struct store_grant *grant);
void store_put_holding(struct store_batch *batch, const struct store_holding *holding);
/* By target, resource, id and part. */
void store_drop_holding(struct store_batch *batch, const struct store_holding *holding);
void store_put_intent(struct store_batch *batch, const struct store_intent *intent);
void store_drop_intent(struct store_batch *batch, const char *operation_id);
void store_put_hold(struct store_batch *batch, const struct store_hold *hold);
void store_drop_hold(struct store_batch *batch, const char *operation_id);
void store_put_quarantine(struct store_batch *batch, const struct store_quarantine *quarantine);
void store_drop_quarantine(struct store_batch *batch, const char *key);
void store_add_removals(struct store_batch *batch, const struct store_removals *removals);
/* value NULL: drop */
void store_put_meta(struct store_batch *batch, const char *name, const char *value);
/* A line of the audit: a JSON object. Time (of this call), sequence and hash are added to it. */
void store_add_audit(struct store_batch *batch, const char *json);

/* A commit is embedded in whoever waits for it. */
struct store_commit {
	struct task *wakes; /* NULL: nobody waits; a failure is then told by store_failed */
	bool done;
	enum err_code code;
	struct err err; /* with code other than ERR_NONE */
};
/*
 * Gives the batch away. commit must stay until done; NULL: nobody waits. The order of commits is
 * kept, their completions come in the same order, in a later turn. An empty batch is done after
 * those before it. After a failure nothing of the batch is in the store; batches behind it are
 * tried all the same, because the disk may have room again.
 */
void store_commit(struct store *store, struct store_batch *batch, struct store_commit *commit);
/* Why the last commit that was done failed; NULL: it did not. Valid until the next turn. */
const struct err *store_failed(const struct store *store);
/* Records given to store_commit and not done yet: who produces many should wait for it to fall. */
size_t store_backlog(const struct store *store);

/* ---- audit ---- */

/*
 * Each line is hashed with the hash before it: SHA-256 over the text
 * "PREVIOUS HASH\nSEQUENCE\nTIME\nJSON" (hash in lower-case hex, 64 zeros before line 1; time in ms).
 * Verify: ERR_STORE with the first sequence number that does not fit. *ret_count: lines verified.
 */
MUST_CHECK enum err_code store_verify_audit(
		struct store *store, uint64_t *ret_count, struct err *err);
MUST_CHECK enum err_code store_each_audit(struct store *store, uint64_t from_sequence,
		void (*visit)(void *context, uint64_t sequence, int64_t time_ms, const char *hash,
				const char *json),
		void *context, struct err *err);

#endif
