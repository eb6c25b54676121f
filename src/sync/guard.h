/*
 * guard -- what holds removals back. Pure: time and counts come in, verdicts go out.
 *
 * Removals of one pass form a batch per category. A batch passes if what passed within the window
 * plus the batch stays within the allowance: a share of what was ours at the window's start, or a
 * number, and at least `minimum`; of cluster policies and IP access lists, of which there are few, no
 * minimum passes. A batch over it is held whole. What follows from one user's
 * leaving has that user's verdict and counts under `users` only. A verdict is remembered by its key
 * until the removal is done or its reason goes: asking again counts nothing twice.
 */
#ifndef L2D_SYNC_GUARD_H
#define L2D_SYNC_GUARD_H

#include "base/vec.h"
#include "model/operation.h"
#include "store/store.h"

enum verdict { VERDICT_GO, VERDICT_HELD, VERDICT_REJECTED };

struct decision {
	char *key;        /* see guard_key */
	char *object_key; /* whose plan must still contain it, else it dissolves */
	unsigned target;
	enum guard_category category;
	enum verdict verdict;
	unsigned weight; /* how many removals it counts as */
	char *hold_id;   /* HELD, REJECTED */
	char *operation; /* JSON of the operation it was made for; NULL for those that go */
	char *reason;
	int64_t time_ms;
	bool seen; /* in the plan of its object, at the last look */
	bool new;  /* made by guard_decide in this process, not loaded */
};

struct guard;
struct guard *guard_new(const struct settings *settings); /* borrowed */
void guard_free(struct guard *guard);

/* The key under which an operation is decided: the leaver whose leaving it is or follows, else its
 * own id. In arena. */
const char *guard_key(const struct operation *op, struct arena *arena);
bool guard_is_key(const struct operation *op, const char *key); /* without making the text */
struct decision *guard_find(const struct guard *guard, const char *key);

/* What was kept: removals that passed within the window, and holds. */
void guard_load_removals(struct guard *guard, const struct store_removals *removals);
void guard_load_hold(struct guard *guard, const struct store_hold *hold, const char *object_key,
		const struct operation *op); /* that it was made for, of hold->operation */

/* How many of a category are ours now. */
struct guard_counts {
	size_t ours[GUARD_CATEGORY_COUNT_];
};

/* A pass: add all removals that have no decision yet, then decide them together. */
void guard_ask(struct guard *guard, const struct operation *op, const char *operation_json);
/* Verdicts of all that was asked. Counts the passing ones at now_ms. */
void guard_decide(struct guard *guard, const struct guard_counts *counts, int64_t now_ms);
/* Decisions made by the last guard_decide, for the store; borrowed until the next call that changes
 * the guard. */
struct decision *const *guard_decided(const struct guard *guard, size_t *ret_count);
/* Per category what the last guard_decide let pass, for the store. */
const unsigned *guard_passed(const struct guard *guard);

/* A removal was done, or its reason is gone. */
void guard_forget(struct guard *guard, const char *key);
void guard_approve(struct guard *guard, struct decision *decision, int64_t now_ms); /* counts it */
void guard_reject(
		struct guard *guard, struct decision *decision, const char *reason, int64_t now_ms);

size_t guard_held_count(const struct guard *guard);
/* All decisions, in no order; NULL at the end: for (size_t i = 0; (d = guard_at(guard, i)); i++) */
struct decision *guard_at(const struct guard *guard, size_t index);

/* The arithmetic by itself: whether batch more may go when passed went within the window and ours
 * are left. */
bool guard_allows(const struct guard_settings *settings, enum guard_category category, size_t ours,
		size_t passed, size_t batch);

#endif
