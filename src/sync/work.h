/*
 * work -- one object under work: a read of it, or one call of its plan. Private to worker*.c.
 */
#ifndef L2D_SYNC_WORK_H
#define L2D_SYNC_WORK_H

#include "sync/engine_state.h"

#define SECOND_LOOK_NS (2 * SECOND_NS) /* between two reads that must agree */

enum stage {
	STAGE_ASK,
	STAGE_IN_ACCOUNT,
	STAGE_BY_EXTERNAL_ID,
	STAGE_BY_NAME,
	STAGE_PRINCIPAL,
	STAGE_SEEN,
	STAGE_COMMIT,
	STAGE_ANSWER,
	STAGE_END
};

struct work {
	struct task task;
	struct engine *engine;
	struct object *object;
	struct arena *arena;
	enum stage stage;
	enum lane lane;
	struct call call;
	struct store_commit commit;
	VEC(struct operation) ops; /* of this one call */
	VEC(unsigned) workspaces;  /* whose entitlements and roles are to be read */
	size_t workspace_at;
	uint64_t asked_id;
};

/* ---- worker.c ---- */
void work_prepare_call(struct work *work, unsigned target);
void work_delay(struct work *work, uint64_t ns); /* the object is left alone for so long */
void work_retry_later(struct work *work, const struct err *err); /* backs off, or quarantines */
void work_went_well(struct work *work);

/* ---- worker_read.c ---- */
void work_read_ask(struct work *work);
void work_find_answered(struct work *work);
void work_read_answered(struct work *work);
void work_seen_answered(struct work *work);

/* ---- worker_write.c ---- */
/* Chooses what can go now and has its intents committed. false: nothing can, and nothing changed. */
bool work_write_start(struct work *work);
void work_write_committed(struct work *work);
void work_write_answered(struct work *work);
void work_log_change(const struct work *work, const struct operation *op, const char *request_id);

#endif
