/*
 * engine_state -- what the parts of the engine share: intake, inventory, pass, worker, records,
 * report.
 *
 *   feed ──► intake ──► snapshot, desired ──► dirty objects ──► pass (plan, guard) ──► ready
 * objects ──► worker ──► Databricks ▲                                                         │
 *            inventory (lists) ──────────────────┴──────────── outcome, records
 * ◄──────────────────────────┘
 *
 * Private to sync/. Everything belongs to the loop thread.
 */
#ifndef L2D_SYNC_ENGINE_STATE_H
#define L2D_SYNC_ENGINE_STATE_H

#include "base/vec.h"
#include "databricks/assignment.h"
#include "databricks/client.h"
#include "databricks/scim.h"
#include "directory/feed.h"
#include "store/store.h"
#include "sync/desired.h"
#include "sync/engine.h"
#include "sync/guard.h"
#include "sync/object.h"
#include "sync/plan.h"
#include "sync/subject.h"

#define SECOND_NS UINT64_C(1000000000)
/* Databricks' reads are not monotonic for about a minute after a write (scim reference: caches up
 * to 60 s). */
#define READ_LAG_NS (60 * SECOND_NS)
#define WORKS_MAX                                                                                  \
	128 /* objects under work at once; budgets and concurrency caps of the client decide the   \
	       pace */
#define BULK_FROM 50   /* ready objects from which on work counts as bulk */
#define PASS_SLICE 500 /* objects planned in one turn of the loop */
#define START_SLICE                                                                                \
	200 /* taken up in one turn: what is adopted without a call is over at once, but fills     \
	       the batch */
/* Records that the store has not written yet, from which on nothing more is taken up. */
#define BACKLOG_MAX ((size_t)100000)
#define BATCH_BYTES                                                                                \
	((size_t)4 * 1024 * 1024) /* a batch of more is committed before the turn ends */

struct source_state {
	struct feed *feed;
	const char *state; /* "connecting", "reading", "following", "waiting", "failed" */
	char *uri;
	int64_t since_ms, last_event_ms;
	struct err err;
	bool finished; /* FEED_ONCE */
};

struct search_state {
	bool settled;  /* complete, or failed at least once: a first plan need not wait any more */
	bool complete; /* read whole at least once, absences confirmed */
	bool confirming;
	bool refreshing;  /* a pass runs */
	bool enumerating; /* it is read whole, or waits for that */
	uint64_t ticket;
	char *cookie; /* newest one that may not be stored yet, because absences are being confirmed
		       */
	size_t cookie_len;
	size_t entries; /* delivered by the present pass */
	struct err err;
};

struct workspace_state {
	uint64_t id; /* numeric id as text below; 0: not known yet */
	char id_text[ID_TEXT_SIZE];
	struct call ask_id;
	struct task answered;
	struct assignment_list *list;
	bool assignments_known;
	uint64_t assignments_ns; /* when they were last read; 0: not since the start */
	struct table *levels;    /* "KIND? ID" -> text of level: by principal id */
	uint64_t retry_ns;
	struct err err;
	struct engine *engine;
	unsigned target;
	/* Of a target where principals are made. */
	bool lists_settled; /* its lists were read since the start, or need not be, or could not be */
	bool lists_complete; /* the last time whole */
	uint64_t lists_ns;   /* when they were last read whole; 0: not since the start */
};

/* An intent of which it is not known whether it had its effect. */
struct open_intent {
	struct arena *arena;
	struct operation op;
};

/* A quarantine as the store kept it. */
struct doubt {
	int64_t since_ms;
	unsigned tries;
	const char *reason;
};

struct inventory;
struct access;
struct expansion;

/* engine_discover.c: whether the targets are still those that the account has. */
struct discovery {
	struct call call;
	struct task answered;
	struct arena *arena; /* of targets */
	const struct target_settings *targets;
	size_t count;
	uint64_t retry_ns; /* 0: the last list came */
	unsigned tries;    /* without an answer, in a row */
	bool asked, changed;
};

/* Waiting for the store to write what it was given. */
struct room {
	struct store_commit commit;
	bool awaited;
};

struct engine {
	struct engine_options options;
	struct loop *loop;
	const struct settings *settings; /* as configured, and our own credential is protected */
	struct settings own_settings;
	const struct mapping *mapping;
	const struct search *searches;
	size_t search_count;

	struct store *store;
	struct databricks *databricks;
	struct snapshot *snapshot;
	struct desired *desired;
	struct registry *registry;
	struct subjects *subjects;
	struct guard *guard;
	struct inventory *inventory;
	struct access *access;       /* access/item.h: what is no principal */
	struct expansion *expansion; /* expansion.h: what rules give to each group */

	struct source_state *sources;
	struct arena *feed_arena; /* what the feeds borrow */
	struct search_state *search_states;
	struct workspace_state
			*workspaces; /* by target; of the account's row only its lists are used */
	VEC(struct open_intent *) intents;
	/* Principals of ours at targets that are not configured any more, and one of these. */
	size_t homeless;
	const char *homeless_target;
	struct table *doubts; /* key -> doubt in feed_arena: of the start, for objects that entries bring later; NULL: none */

	enum engine_phase phase;
	struct err err;
	char run_id[37];
	int64_t started_ms, last_complete_ms;
	uint64_t next_ticket;
	bool directory_ready;        /* every search is settled: planning may begin */
	uint64_t inventory_retry_ns; /* lists that could not be read are not read again before */
	/* What must be known of Databricks for planning to begin is: in a single command of all targets, in the service of one. */
	bool inventory_ready;
	bool powers_wanted; /* some group is adopted only when all workspaces' assignments are known */
	/* Principals of ours whose entry no search returned are searched for once more before they
	 * count as leavers. */
	bool leavers_confirmed;
	size_t leavers_asked; /* searches that have not answered yet */
	uint64_t leavers_ticket;
	int64_t next_reconcile_ms; /* wall clock; 0: none */
	bool reconciling;
	bool started, stopping, stopped;
	struct discovery discovery;

	struct object_list {
		struct object **items;
		size_t count, room;
	} * by_node; /* per target: the object of each node, or NULL */

	VEC(struct object *) dirty;   /* to be planned */
	VEC(struct object *) ready;   /* planned, with something to do; persons before groups */
	size_t ready_from;            /* taken so far */
	VEC(struct object *) asking;  /* planned, wait for the guard's verdict on this pass */
	VEC(struct object *) delayed; /* wait for retry_ns */
	size_t works;                 /* under way */
	struct task pass, news, wind_up;
	struct loop_timer *tick; /* the next retry or reconcile to look at */
	uint64_t tick_ns;        /* when it fires; 0: not set */
	struct task ticked;
	/* Entries whose record the store does not have yet, because a pass runs. */
	VEC(node_id) notes;
	bool *noted; /* by node, as long as there are notes */
	size_t noted_room;
	struct task keep;
	struct task trim;
	struct store_commit trim_room;
	struct arena *scratch;     /* of one object's plan */
	struct store_batch *batch; /* what this turn wrote; committed at its end */
	struct room pass_room, keep_room;

	struct arena *plan_arena;
	VEC(struct operation) plan_operations;
	VEC(struct plan_note) plan_notes;
	struct plan plan;
	const struct operation *allowed;
	size_t allowed_count;
	bool restricted; /* to allowed */

	struct engine_progress progress;
	struct guard_counts ours;
};

/* ---- engine.c ---- */
void engine_set_phase(struct engine *engine, enum engine_phase phase);
void engine_fail(struct engine *engine, const struct err *err);
void engine_tell(struct engine *engine); /* wakes the one who watches */
/* Whether absence means anything now: every search and list was read whole; at one target: its lists and every search. */
bool engine_removals_allowed(const struct engine *engine);
bool engine_removals_allowed_at(const struct engine *engine, unsigned target);
bool engine_may_write(const struct engine *engine); /* the store: not for a plan */
bool engine_may_change(const struct engine
				*engine); /* Databricks: not for a plan, not in `mode: observe` */
/* Looks whether the next phase can begin. */
void engine_advance(struct engine *engine);
void engine_trim(struct task *task); /* of engine->trim */

/* ---- engine_leavers.c ---- */
/* Principals of ours without an entry are searched for by anchor, in the searches that are complete. */
void engine_ask_for_missing(struct engine *engine);
/* One search answered about the missing leavers; err: it could not. */
void engine_leavers_answered(struct engine *engine, const struct err *err_or_null);

/* ---- engine_time.c ---- */
void engine_tick_at(struct engine *engine, uint64_t monotonic_ns);
void engine_ticked(struct task *task); /* of engine->ticked */
/* When the next one is due by the time of day, and the timer with it. */
void engine_schedule_reconcile(struct engine *engine);

/* ---- engine_stop.c ---- */
void engine_wind_up(struct task *task); /* of engine->wind_up */

/* ---- engine_discover.c ---- */
void discovery_init(struct engine *engine);
void discovery_start(struct engine *engine); /* asks for the list, unless that is under way */
void discovery_tick(struct engine *engine, uint64_t now);
void discovery_remember(struct engine *engine); /* the targets, in the store */
void discovery_release(struct engine *engine);

/* ---- pass.c and its parts ---- */
void pass_mark(struct engine *engine, struct object *object); /* dirty: plan it */
void pass_mark_node(struct engine *engine, node_id node);
void pass_mark_all(struct engine *engine);
void pass_mark_subjects(struct engine *engine); /* grants whose principal no entry stands for */
void pass_node_gone(
		struct engine *engine, node_id node); /* its number may be used again from now on */
void pass_run(struct task *task);
/* Plans one object as it is now; ret must be released. Operations live in engine->scratch until the
 * next call of pass_. */
void pass_plan(struct engine *engine, struct object *object, struct arena *arena,
		struct object_plan *ret);
/* Ours, but made at another level than its rule says now: it is left alone, and told. */
bool pass_is_stray(const struct engine *engine, const struct object *object);
/* How many strays are at the target. */
size_t pass_count_strays(const struct engine *engine, unsigned target);
/* Enough is known of the object's target. */
bool pass_may_plan(const struct engine *engine, const struct object *object);
/* A rule of that level makes the identity at that target. */
bool pass_is_home(const struct engine *engine, const struct identity *identity, unsigned target);
struct object *pass_object_of_node(const struct engine *engine, unsigned target, node_id node);
/* What people call an object: its name in Databricks, else the one that the rules give it, else its key. */
const char *pass_name(const struct engine *engine, const struct object *object);
/* What desired and grants want of an object now; arrays in arena. */
void pass_wanted(struct engine *engine, struct object *object, struct arena *arena,
		struct wanted *ret);
void pass_wanted_grants(struct engine *engine, struct object *object, struct arena *arena,
		struct wanted *ret); /* the same without members */
/* It wants to be read: begins at once, whether or not planning can begin. */
void pass_read_soon(struct engine *engine, struct object *object);
/* Marks what the guard holds in a plan. */
void pass_mark_held(struct engine *engine, struct object_plan *plan, struct arena *arena);
/* Objects that wait for their next try and are not quarantined. */
size_t pass_count_retries(const struct engine *engine);
bool pass_is_idle(const struct engine *engine);
void pass_list_operation(struct engine *engine, const struct operation *op); /* in plan_arena */
void pass_list_note(struct engine *engine, int kind, const char *text);
void pass_build_plan(struct engine *engine); /* engine->plan from all objects */
void pass_dissolve(struct engine *engine, const char *key);
void pass_dissolve_unseen(
		struct engine *engine, struct object *object, const struct object_plan *plan);
/* Puts removals without a verdict before the guard. Returns whether the object must wait for one. */
bool pass_ask_guard(struct engine *engine, struct object *object, const struct object_plan *plan);
/* Of an operation at target, the object with that key: at the target, or in the account. NULL: none. */
struct object *pass_owner(const struct engine *engine, unsigned target, const char *key);
/* The decision of that key hangs on the object: it dissolves when its plan has no reason for it any more. */
void pass_remember_key(struct object *object, const char *key);
/* The guard let that person go. */
void pass_let_leave(struct engine *engine, const char *key, int64_t now_ms);
/* apply: what the plan showed as free to go is kept, now that somebody said yes. */
void pass_keep_shown(struct engine *engine);
void pass_decide(struct engine *engine); /* verdicts for all that asked; they are ready then */
/* Groups that wait for it look again: it is there, or will not be for a while. */
void pass_wake_waiters(struct engine *engine, struct object *object);
void pass_ready(struct engine *engine, struct object *object); /* something of it may be taken up */

/* How loud it is told that something is quarantined. */
enum log_level pass_quarantine_level(const struct engine *engine);

/* ---- pass_subject.c ---- */
/* What grants give to the object by its names; NULL if none names it. */
const struct subject *pass_subject(const struct engine *engine, const struct object *object);
const struct subject *pass_subject_of(const struct engine *engine,
		const struct identity *identity); /* NULL: none names it */
/* The subject that a named-only object stands for, by its key "name/KIND/FOLDED NAME". */
const struct subject *pass_named_subject(const struct engine *engine, const struct object *object);
/* An entry stands for the name, or did: its search may not be complete (again) yet. */
bool pass_has_principal_of_ours(
		const struct engine *engine, const struct subject *subject, unsigned target);
#define KEY_LISTED "listed/"
char *pass_key_of_listed(const struct identity *identity); /* mem_free */
/* What a mapping says of a service principal that it lists without an entry ("listed/FOLDED NAME"); NULL: the object is
 * none, or is listed no more. */
const struct identity *pass_listed(const struct engine *engine, const struct object *object);

/* ---- worker.c ---- */
/* Takes up the object: a read if one is wanted, else the first operation of its plan that can go
 * now. false: nothing to do now. */
bool worker_start(struct engine *engine, struct object *object, enum lane lane);
void worker_cancel_all(struct engine *engine);

/* ---- records.c ---- */
MUST_CHECK enum err_code records_load(struct engine *engine, bool *ret_clean, struct err *err);
void records_principal(struct engine *engine,
		const struct object *object); /* put or drop, as object says */
void records_member(
		struct engine *engine, const struct object *group, uint64_t member, bool is_member);
void records_grant(struct engine *engine, const struct object *object,
		const struct held_grant *grant, bool is_held);
void records_decision(struct engine *engine, const struct decision *decision, bool present);
void records_quarantine(struct engine *engine, const struct object *object);
/* The object was made just now: it may have been quarantined before the start. */
void records_take_doubt(struct engine *engine, struct object *object);
void records_audit(struct engine *engine, const char *event, const struct operation *op,
		const char *result, const char *request_id, const struct err *err);
/* Access (access/item.h) may have been left behind what the rules want: the next start looks at all of it. As when the
 * engine began; noted from its start until all is known to be in order. */
bool records_rights_are_open(struct engine *engine);
void records_note_rights(struct engine *engine, bool open);
struct store_batch *records_batch(struct engine *engine); /* of this turn; made when needed */
void records_flush(struct engine *engine); /* commits the turn's batch, nobody waits */
/* false: the store is far behind; wakes runs when it is not any more. */
bool records_have_room(struct engine *engine, struct room *room, struct task *wakes);
struct open_intent *records_open_intent(struct engine *engine, const struct operation *op);
bool records_intent_is_of(const struct engine *engine, const struct open_intent *intent,
		const struct object *object);
/* In memory and in the store: those that a read of the principal settles (NO_WORKSPACE), or the assignments in that
 * workspace, which only its list settles. */
#define NO_WORKSPACE UINT32_MAX
void records_close_intents(struct engine *engine, const struct object *object, unsigned workspace);

/* ---- settle.c: what answers and reads mean ---- */
void settle_write(struct engine *engine, struct object *object, const struct operation *op,
		const struct resource *answer);
/* A read of the principal by id: returns false if a second read must agree first. */
bool settle_read(struct engine *engine, struct object *object, const struct resource *resource);
void settle_gone(struct engine *engine, struct object *object); /* twice not found */
void settle_seen(struct engine *engine, struct object *object, unsigned workspace,
		const struct resource *resource);

/* ---- keep.c ---- */
/* What changed in the snapshot, before it is settled. */
void keep_changes(struct engine *engine, const struct snapshot_change *changes, size_t count);
void keep_cookie(struct engine *engine, unsigned search, struct span cookie);
void keep_waiting_cookies(struct engine *engine); /* what they wait for may have happened */
void keep_drop_cookie(struct engine *engine, unsigned search);
void keep_pass(struct engine *engine, unsigned search, bool runs);
void keep_run(struct task *task);
void keep_all(struct engine *engine); /* at the end */

/* ---- intake.c ---- */
void intake_start(struct engine *engine);
void intake_run(struct task *task);
void intake_enumerate(struct engine *engine);
void intake_evaluate_all(struct engine *engine);

/* ---- inventory.c ---- */
/* all: every list; else only those of targets that could not be read whole the last time. One at a time: if one is under way
 * already, all of them are read once more after it. */
void inventory_start(struct engine *engine, bool all);
/* The lists of the target where a principal of that target is made, or all of them. */
bool inventory_is_complete_at(const struct engine *engine, unsigned target);
bool inventory_is_complete(const struct engine *engine);
bool inventory_is_settled_at(const struct engine *engine, unsigned target);
/* What exists there is known: for so many ns at most that it was read. */
bool inventory_is_known_at(const struct engine *engine, unsigned target, uint64_t age_max_ns);
/* Whether the lists show a principal that the object would adopt. */
bool inventory_may_adopt(const struct engine *engine, const struct object *object);
void inventory_cancel(struct engine *engine);
bool inventory_is_running(const struct engine *engine);
void inventory_directory_read(
		struct engine *engine); /* what was read before it is looked at again */

/* ---- inventory_workspace.c ---- */
/* The level of a principal in a workspace as last read; and starts what is needed to know it. NULL:
 * none or not known. */
const char *inventory_level(void *engine, unsigned workspace, uint64_t id);
bool inventory_workspace_ready(struct engine *engine,
		unsigned workspace); /* id and assignments known; starts reading if not */
/* A workspace to which principals of the account are assigned. */
bool inventory_is_assigned_to(const struct engine *engine, unsigned target);
/* See plan_context; context is the engine. Starts reading what must be known. */
enum power inventory_power(void *engine, uint64_t group, unsigned *ret_workspace);
/* Every workspace of the account was asked: its assignments are known, or it does not tell. */
bool inventory_powers_settled(struct engine *engine);
void inventory_set_level(struct engine *engine, unsigned workspace, uint64_t id,
		const char *level); /* NULL: none */
void inventory_cancel_workspaces(struct engine *engine);

#endif
