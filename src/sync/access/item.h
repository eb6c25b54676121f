/*
 * item -- what is kept as rules say and is no principal: access control lists, cluster policies, IP access lists,
 * settings, tokens, rule sets, secrets.
 *
 * An item is one such thing at one target. It goes the same way as a principal: dirty -> (read) -> plan -> guard -> one
 * write -> settle -> plan again, with intents in the journal and every write in the audit. What differs from kind to kind
 * is in its item_class: how it is read, what a plan is, how a write is sent and what its answer means. What is common is
 * in item_pass.c (queues, guard, quarantine) and item_work.c (calls, intents, retries).
 *
 * Private to sync/. Everything belongs to the loop thread.
 */
#ifndef L2D_SYNC_ACCESS_ITEM_H
#define L2D_SYNC_ACCESS_ITEM_H

#include "base/table.h"
#include "sync/engine_state.h"

struct access;
struct concern;
struct item;
struct item_work;
struct roster;
struct roster_class;

struct item_plan {
	VEC(struct operation) operations; /* in the order in which they are carried out */
	const char *quarantine; /* why this item can't be planned; in arena, NULL: it can */
	const char *note; /* what a reader should know beside the operations; in arena, NULL */
	bool unknown; /* nothing is known of it since the start: what is not planned is no sign of anything */
	bool pending; /* something is left out until another item was read: what is missing is no sign of anything */
	bool wants_read; /* what is observed does not suffice to plan: operations are none, and it is read first */
};

/*
 * How one kind of thing works. read_next and write_next are asked when the work begins and after each answer that was a
 * success; they send the next call with work->call (item_work_prepare first) and return true, or return false: done. An answer
 * is looked at by the same function, which knows from work->step (counts the calls) what it is. A failed call ends the
 * work with failed(), or is tried again later.
 */
struct item_class {
	enum resource_kind resource;
	unsigned rank; /* lower ones are planned and listed first: what others refer to */
	/*
	 * What must be done, from what is wanted, observed and ours. Pure: may look at everything, changes nothing but the
	 * item's own notes. Operations in arena, filled by item_operation.
	 */
	void (*plan)(struct access *access, struct item *item, struct arena *arena,
			struct item_plan *ret);
	bool (*read_next)(struct item_work *work);
	/* Where one list tells of all items at a target: reads go there (roster.h), read_next is never asked. Else NULL. */
	const struct roster_class *roster;
	/*
	 * Fills work->ops with those of the plan that make the next write, all of them free to go (item_may_go). None: nothing
	 * can go now. What needs no call is settled by item_done_without_call on the way.
	 */
	void (*choose)(struct item_work *work, const struct item_plan *plan);
	bool (*write_next)(struct item_work *work);
	/* The operation was carried out (or adopts, or forgets): what is observed and ours follows; holdings are recorded. */
	void (*settle)(struct access *access, struct item *item, const struct operation *op);
	/* A call failed. true: dealt with, the work ends and the item is planned again. NULL: never. */
	bool (*failed)(struct item_work *work);
	/* Before that, of a write: true: it is on its way once more. NULL: never. */
	bool (*again)(struct item_work *work);
	/* An intent whose outcome is unknown: whether the item as just read shows its effect. NULL: never. */
	bool (*shows)(struct item *item, const struct operation *op);
	/* A holding of the store when the engine starts; value and former as recorded. NULL: never any. */
	void (*load)(struct access *access, struct item *item, const struct store_holding *holding);
	/* How many things of the item are ours; of tokens, how many there are. */
	size_t (*count_ours)(const struct item *item);
	/* Wall clock when it is looked at again by itself (a rotation, a token too old); 0: none. NULL: never. */
	int64_t (*due_ms)(const struct access *access, const struct item *item);
	/* What the class has under way outside the work's call ends; NULL: nothing ever. */
	void (*cancel)(struct item *item);
	void (*release)(struct
			item *item); /* what the class allocated in it; the item itself is freed by its owner */
};

/* The head of every class's own struct. */
struct item {
	const struct item_class *class;
	char *key; /* unique at its target: "job/123", "cluster_policy/NAME" */
	unsigned target;
	enum securable_type securable; /* RESOURCE_PERMISSIONS */
	char *id;                      /* as Databricks calls it; NULL: not there (yet) */
	char *name;                    /* for people */
	uint32_t index;                /* in the list of all */

	bool observed; /* read since the engine started */
	bool dirty, ready, delayed;
	bool read_wanted;
	bool doubted;    /* quarantined by its plan, not by an answer */
	bool disposable; /* nothing wants it and nothing of it is ours: dropped when idle */
	unsigned tries;
	struct item_work *work; /* under way */
	uint64_t written_ns;    /* last write of ours that was confirmed */
	uint64_t worked_ns; /* end of the last work: lists that were asked for before say nothing of it */
	uint64_t retry_ns; /* not before; 0: at once */
	uint64_t suspect; /* digest of a read that differed from what we hold; a second one must agree */
	uint64_t reported;      /* mode observe: digest of the operations that were told last */
	int64_t quarantined_ms; /* since; 0: not */
	char *reason;           /* of the quarantine */
	VEC(char *) decided;    /* keys of the guard's decisions that hang on this item's plan */
};

struct item_work {
	struct task task; /* first */
	struct engine *engine;
	struct access *access;
	struct item *item;
	struct arena *arena;
	enum { ITEM_READ, ITEM_COMMIT, ITEM_WRITE } stage;
	unsigned step; /* calls answered so far in this stage */
	enum lane lane;
	struct call call;
	struct store_commit commit;
	VEC(struct operation) ops; /* of this write */
	void *scratch;             /* of the class, in arena */
};

/* `sync user NAME` alone: whom it is about (concern.h). */
struct only {
	struct arena *arena;
	struct concern *concern;
};

struct access {
	struct engine *engine;
	VEC(struct item *) items;
	struct table *by_key; /* "TARGET NUMBER/KEY" -> item */
	VEC(struct item *) dirty, ready, asking, delayed;
	size_t ready_from, works;
	struct permission_index *permissions; /* permission_index.h */
	struct finder *finder;                /* finder.h */
	struct roster *rosters;               /* roster.h */
	size_t reading;                       /* of them, under way */
	struct token_book *tokens;            /* token_item.h */
	struct rule_book *rules;              /* rule_set_item.h */
	struct on_behalf_book *on_behalf;     /* on_behalf_item.h */
	struct only only;
	struct table *waiting; /* "KIND/FOLDED NAME" of a principal -> struct item_list *: looked at again when it is there */
	bool started; /* the rules of the files and of the stored directory have been taken in */
	bool known_from_store; /* a clean restart: what is ours is as it was, nothing need be read */
	uint64_t found_ns;     /* when objects were last looked for; 0: not since the start */
};

/* ---- access.c: what the engine calls ---- */
struct access *access_new(struct engine *engine);
void access_free(struct access *access);                                      /* NULL is fine */
MUST_CHECK enum err_code access_load(struct access *access, struct err *err); /* holdings */
/* A clean restart: what is ours is as the store says. */
void access_trust_store(struct access *access);
void access_start(struct
		access *access); /* rules of the files; items of open intents are to be read */
/* The store has a hold of the item's: whether it still stands is found out soon, also after a restart that trusts the store. */
void access_hold_loaded(struct access *access, struct item *item, const char *operation_id);
/* Databricks is to be read: at the start (unless all is known from the store), and at every reconcile. */
void access_read(struct access *access);
/* The directory has been read, so the rules for each group are known: looks for what that takes. */
void access_directory_read(struct access *access);
bool access_is_idle(const struct access *access);
/* Nothing is left to do but what the guard holds, and everything was looked at: a next start may go on from the store. */
bool access_is_settled(struct access *access);
/* What a first plan needs was read, or failed: access_is_complete says which. */
bool access_is_ready(const struct access *access);
bool access_is_complete(const struct access *access);
void access_collect(struct access *access); /* operations and notes for the plan that people see */
bool access_plan_slice(struct access *access); /* plans some; true: nothing is left to plan */
void access_decided(struct access *access);    /* the guard has spoken: what may go is taken up */
size_t access_count_retries(const struct access *access);
/* Looks for objects again: what failed, and what is new since `permissions_interval`. */
void access_look_again(struct access *access, uint64_t now);
void access_tick(struct access *access, uint64_t now);
void access_cancel(struct access *access); /* works and lists, at the end */
void access_mark_all(struct access *access);
/* The principal is there, was renamed, assigned or leaves: items that name it look again. */
void access_principal_changed(struct access *access, const struct object *object);
/* It was planned, so who is in it may have changed. */
void access_group_changed(struct access *access, const struct object *group);
/* It was deleted in Databricks, and its entries in access control lists with it. */
void access_principal_gone(struct access *access, const struct object *object);
/* It began to leave, or came back. */
void access_leaving_changed(struct access *access, const struct object *object);
/* A reconcile has read the directory whole. */
void access_reconciled(struct access *access);
/* The grants of rules that an entry stands for changed (expansion.h); rules live until the next call for that node. */
void access_set_node_rules(
		struct access *access, node_id node, const struct grant_rule *rules, size_t count);
/* What is ours at the target, by kind: adds to counts; tokens are only counted (nobody's of ours). */
void access_count_resources(
		const struct access *access, unsigned target, size_t counts[RESOURCE_COUNT_]);
size_t access_count_quarantined(const struct access *access);
void access_count_ours(const struct access *access, struct guard_counts *ours);

/* ---- items ---- */
struct item *item_find(const struct access *access, unsigned target, const char *key);
/* The item that a stored hold or intent is about, made if its class can; NULL: none. */
struct item *item_of_operation(struct access *access, const struct operation *op);
/* item: allocated by its class (mem_zalloc of its own struct), class and target set; key and name are copied. */
void item_add(struct access *access, struct item *item, const char *key, const char *name);
void item_drop(struct access *access, struct item *item);
void item_mark(struct access *access, struct item *item); /* dirty */
void item_want_read(struct access *access, struct item *item);
void item_set_name(struct item *item, const char *name);
/* The item waits for that principal: it is marked when access_principal_changed tells of it. */
void item_wait_for(struct access *access, struct item *item, const char *principal_key);

/* The decision of that key hangs on the item: it dissolves when its plan has no reason for it any more. */
void item_remember_key(struct item *item, const char *key);

/* ---- plans ---- */
/* Appends an operation with everything that the item says filled in; end it with item_operation_done. */
struct operation *item_operation(struct item *item, struct item_plan *plan,
		enum operation_kind kind, const struct why *why, struct arena *arena);
void item_removes(struct operation *op, enum guard_category category, const char *follows_leaver);
void item_operation_done(const struct access *access, struct operation *op, struct arena *arena);
void item_plan_release(struct item_plan *plan);
/* Computes it, with what the guard holds marked. */
void item_make_plan(struct access *access, struct item *item, struct arena *arena,
		struct item_plan *ret);

/* ---- work ---- */
bool item_work_start(struct access *access, struct item *item, enum lane lane);
void item_work_cancel(struct item *item);
void item_work_prepare(
		struct item_work *work); /* a call to the item's target, about to be filled */
bool item_may_go(const struct item_work *work,
		const struct operation *op); /* not held, and named by the plan file */
void item_done_without_call(struct item_work *work, const struct operation *op);
/* It was read by other means than a work of its own: what its open intents became is settled. */
void item_was_read(struct access *access, struct item *item);
/* The call's answer does not say what became of the write: what a read shows of its operations was done. */
void item_leave_open(struct item_work *work);
void item_delay(struct access *access, struct item *item, uint64_t ns);
void item_retry_later(struct access *access, struct item *item, const struct err *err);

/* ---- holdings ---- */
/* The class's name for it in the store: the securable's, or the resource's. */
const char *item_resource_name(const struct item *item);
void item_hold(struct access *access, const struct item *item, const char *part, const char *value,
		const char *former);
void item_release_hold(struct access *access, const struct item *item, const char *part);

/* ---- principals ---- */
/* The principal of that kind and name, as an object of ours or one that will be; NULL: somebody else's, or unknown. */
struct object *access_principal(const struct access *access, unsigned target,
		enum principal_kind kind, const char *name);
/* Of the service principal of that display name or application id, by which access control lists call it; NULL: not known
 * (yet). Borrowed. */
const char *access_application_id(const struct access *access, unsigned target, const char *name);
/* Whether the workspace knows the principal, as far as we can tell; false: it is about to be made or assigned. */
bool access_principal_is_there(
		struct access *access, unsigned target, enum principal_kind kind, const char *name);
/* "group/FOLDED NAME"; caller's, mem_free. */
char *access_principal_key(enum principal_kind kind, const char *name);
/* What the rules give the principal is in doubt (its entry failed to evaluate, say): nothing of his is taken away. */
bool access_is_unsure(const struct access *access, unsigned target, enum principal_kind kind,
		const char *name);

#endif
