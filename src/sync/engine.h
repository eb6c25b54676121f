/*
 * engine -- the straight line: directory news -> snapshot -> desired -> plan -> guard -> journal ->
 * executor.
 *
 * One engine serves all callers: the service (ENGINE_RUN), `plan` (ENGINE_PLAN) and `apply`
 * (ENGINE_APPLY) differ in how long it follows the directory and whether it may write, not in what
 * they compute. All on the loop thread.
 *
 *   ENGINE_PLAN   reads the directory once and Databricks once, computes the plan, writes nothing,
 * takes no lock. ENGINE_APPLY  the same, then carries out what is allowed, until nothing is left to
 * do; locks the store. ENGINE_RUN    follows the directory and keeps Databricks true until
 * engine_stop; locks the store.
 */
#ifndef L2D_SYNC_ENGINE_H
#define L2D_SYNC_ENGINE_H

#include <jansson.h>

#include "base/loop.h"
#include "model/operation.h"
#include "rules/config.h"

enum engine_mode { ENGINE_PLAN, ENGINE_APPLY, ENGINE_RUN };

enum engine_phase {
	ENGINE_STARTING,
	ENGINE_READING_DIRECTORY,
	ENGINE_READING_DATABRICKS,
	ENGINE_PLANNED,  /* PLAN, APPLY: the plan is there; APPLY waits for engine_go */
	ENGINE_APPLYING, /* APPLY: operations are under way */
	ENGINE_FOLLOWING,
	ENGINE_DONE,  /* PLAN, APPLY: finished */
	ENGINE_FAILED /* engine_error says why */
};

struct engine_options {
	enum engine_mode mode;
	const struct config *config; /* borrowed until engine_free */
	struct task *wakes;          /* phase or progress changed; may be NULL */
	/* Only what concerns this principal (`sync user NAME` alone): who is NULL: everything. */
	enum principal_kind only_kind;
	const char *only_name;
	bool quiet;       /* a question about something else: what is quarantined is not told */
	bool old_targets; /* the list of workspaces is one that was remembered: it is asked for soon */
};

struct engine;
/*
 * Opens the store, loads what it knows, starts nothing yet.
 * Errors: ERR_CONFIG, ERR_STORE, ERR_CONFLICT (another instance holds the store).
 */
MUST_CHECK enum err_code engine_new(struct loop *loop, const struct engine_options *options,
		struct engine **ret, struct err *err);
void engine_start(struct engine *engine);
/* Ends: no new call is sent, those in flight are waited for (their outcome is journalled) up to
 * timeout_ms, then `wakes`. */
void engine_stop(struct engine *engine, uint64_t timeout_ms);
bool engine_is_stopped(const struct engine *engine);
void engine_free(struct engine *engine); /* after engine_is_stopped or before engine_start; NULL is
					    fine */

enum engine_phase engine_phase(const struct engine *engine);
const char *engine_phase_name(enum engine_phase phase);
const struct err *engine_error(const struct engine *engine);
struct engine_progress {
	size_t entries;    /* read from the directory so far */
	size_t principals; /* read from Databricks so far */
	size_t operations_done, operations_failed, operations_left, held, quarantined;
	uint64_t calls; /* requests to Databricks so far */
};
void engine_progress(const struct engine *engine, struct engine_progress *ret);

/* ---- PLAN and APPLY ---- */

/* Something that a reader of the plan must know: an incomplete search, a skipped entry, a name not
 * found. */
struct plan_note {
	enum { NOTE_INCOMPLETE, NOTE_QUARANTINE, NOTE_SKIPPED, NOTE_INFO } kind;
	const char *text; /* one sentence, with place */
};
struct plan_summary {
	size_t add, change, remove, adopt, held;
};
struct plan {
	const struct operation *operations; /* in the order in which they would be carried out */
	size_t count;
	const struct plan_note *notes;
	size_t note_count;
	struct plan_summary summary;
	bool complete; /* every search and every list was read whole; else no removal is in the plan
			*/
};
/* From ENGINE_PLANNED on; borrowed until engine_free. */
const struct plan *engine_plan(const struct engine *engine);
/*
 * APPLY, at ENGINE_PLANNED: carry out. allowed: only operations that one of these covers (a plan
 * file's); NULL: all that the plan shows and the guard lets go.
 */
void engine_go(struct engine *engine, const struct operation *allowed, size_t allowed_count);

/* ---- questions and commands of people; JSON as documented in doc/control.md; new references ----
 */

json_t *engine_status(const struct engine *engine);
json_t *engine_holds(const struct engine *engine);
/* Everything known about who (userName, display name, application id, remote id, DN, anchor, key).
 * Errors: ERR_NOT_FOUND, ERR_USAGE (several; text lists them). */
MUST_CHECK enum err_code engine_explain(
		const struct engine *engine, const char *who, json_t **ret, struct err *err);
/*
 * A question that takes reading in Databricks, so that the answer is there later; options.wakes runs then:
 *   who                  everything about a principal, as engine_explain, with what it has of its own read anew
 *   who, other           what the two have in common and what only one of them has
 *   who, object          how a principal comes to its rights on an object
 *   object               who can do what on an object
 */
struct engine_question {
	const char *object; /* access/lookup.h and role_lookup.h say what it may be; NULL: none */
	const char *workspace; /* a name, a glob or tag:KEY=VALUE; NULL: every one */
	const char *who;       /* as engine_explain */
	const char *other;     /* with who and no object: the other one of a comparison */
	const char *level;     /* who-can: only who has at least this; NULL: all */
	bool expand;           /* who-can: groups as the people in them, too */
};
struct question;
/* Texts are copied. Errors: ERR_USAGE, ERR_NOT_FOUND (who). */
MUST_CHECK enum err_code engine_ask(struct engine *engine, const struct engine_question *asked,
		struct question **ret, struct err *err);
bool question_is_done(const struct question *question);
/* Of one that is done. Errors: ERR_NOT_FOUND, ERR_USAGE (several objects; text lists them), those of calls. */
MUST_CHECK enum err_code question_answer(
		const struct question *question, json_t **ret, struct err *err);
void question_free(struct question *question); /* before the engine ends; NULL is fine */
/*
 * selector: one or more, separated by commas, of: a hold id, an operation id, a guard category ("users") or "all". What was rejected is
 * meant only by its own id, or by its hold's once nothing of that waits any more; it may be approved after all. Binds to the
 * operations as they are now: those listed in *ret_json ({"operations": [...]}). dry: only lists.
 * Errors: ERR_NOT_FOUND.
 */
MUST_CHECK enum err_code engine_approve(struct engine *engine, const char *selector, bool dry,
		json_t **ret, struct err *err);
MUST_CHECK enum err_code engine_reject(struct engine *engine, const char *selector,
		const char *reason, json_t **ret, struct err *err);
/* who: as engine_explain, or "all". Quarantined work is tried again at once. */
MUST_CHECK enum err_code engine_retry(
		struct engine *engine, const char *who, json_t **ret, struct err *err);
/* Reads and evaluates the principal anew and brings it in order, now. The answer lists the
 * operations started. */
MUST_CHECK enum err_code engine_sync(struct engine *engine, enum principal_kind kind,
		const char *name, json_t **ret, struct err *err);
/* ---- tokens ---- */

/* Before engine_start: the tokens of those workspaces are read (workspaces: as target_matches). */
void engine_want_tokens(struct engine *engine, const char *workspaces);
/*
 * {"tokens": [{workspace, id, comment, owner, owner_id, state: in | leaver | not_managed, guarded: protected | unknown | own |
 * null, created, expires, never_expires, last_used}], "unread": [{workspace, reason}]}: workspaces in the order of the
 * settings, in each by owner, time and id. New reference.
 */
json_t *engine_tokens(const struct engine *engine, const char *workspaces);
/*
 * A person wants that token revoked: it is in the plan from now on, without the guard. even_guarded: although its owner is
 * protected or unknown, or we sign in as him. false: no such workspace.
 */
bool engine_revoke_token(
		struct engine *engine, const char *workspace, const char *id, bool even_guarded);
/* {"waiting": [{workspace, id, reason}]}: those that a person wants revoked and that still are there, as far as we know. */
json_t *engine_revocations(const struct engine *engine);
/* RUN: tokens are read, and those go that the sweep and lifetimes of grants name, now. */
void engine_sweep_tokens(struct engine *engine, const char *workspaces);
/* From ENGINE_PLANNED on: revocations as planned now, or only those that engine_revoke_token asked for; valid until the
 * next plan. */
const struct operation *engine_token_operations(
		struct engine *engine, bool requested_only, size_t *ret_count);

/*
 * RUN: at each reconcile the account's workspaces are listed (`discover:`). Whether they are others than this engine's
 * targets: then it is to be stopped, the list given to the configuration, and another one made.
 */
bool engine_targets_changed(const struct engine *engine);
void engine_give_targets(
		const struct engine *engine, struct config *config); /* once it is stopped */
/* RUN: a complete reconcile now. */
void engine_reconcile(struct engine *engine);

#endif
