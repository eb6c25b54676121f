/*
 * faults -- a script of what goes wrong: rules that match requests and say what happens to them.
 *
 * README.md describes the file. Any thread may ask; counting is exact.
 */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include "sim.h"
#include "stale.h"

#define FAULTS_FILE_MAX ((size_t)16 * 1024 * 1024)
#define FAULT_RULES_MAX 10000

enum fault_cut { CUT_NONE, CUT_BEFORE, CUT_AFTER };

struct fault {
	/* An answer in place of ours, if has_answer. */
	bool has_answer;
	bool after; /* ours is made first, with its effect, and thrown away */
	unsigned status;
	const char *content_type;
	char *body;
	struct {
		struct answer_header *items;
		size_t count, room;
	} headers;
	enum fault_cut cut;
	bool truncated; /* the body ends after truncate_at bytes, or at its half if that is 0 */
	size_t truncate_at;
	uint32_t delay_ms;
	uint32_t drip_bytes; /* so many bytes, then a pause; 0: all at once */
	uint32_t drip_ms;
	bool has_stale;
	struct stale_rule stale;
	bool drop_members;
	bool revoke_tokens;
};

struct faults;
/* path NULL: no faults. quirks of the file go into options. Errors: ERR_CONFIG with the place in the file. */
MUST_CHECK enum err_code faults_load(
		const char *path, struct options *options, struct faults **ret, struct err *err);
/* Reads the file again; the counts start anew. On failure the old rules stay. */
MUST_CHECK enum err_code faults_reload(
		struct faults *faults, struct options *options, struct err *err);
void faults_free(struct faults *faults);

/* The first rule that fires for this request, or NULL. Valid as long as faults. */
const struct fault *faults_pick(struct faults *faults, const struct request *request);

/* Fills answer with the fault's own. */
void fault_answer(const struct fault *fault, struct answer *answer);

#endif
