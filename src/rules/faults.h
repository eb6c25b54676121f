/*
 * faults -- what is wrong with the configuration, all of it at once: each with its place, sorted by it.
 *
 * Who reads keys and items one after the other notes a fault here and goes on with the next; without a collector the first
 * fault ends the reading. What refers to something that has a fault of its own is not looked at, so that no fault is told
 * that is only another's shadow.
 */
#ifndef L2D_RULES_FAULTS_H
#define L2D_RULES_FAULTS_H

#include "base/err.h"

#define FAULTS_MAX 1000 /* kept; more are counted */

struct faults;
struct faults *faults_new(void);
void faults_free(struct faults *faults); /* NULL is fine */
void faults_freep(struct faults **faults);

/*
 * Keeps what err says and returns true: go on. A fault that is known already (a section's, noted by the key within it) is
 * kept once. faults NULL: false, as the first fault is the end then.
 */
bool faults_note(struct faults *faults, const struct err *err);
size_t faults_count(const struct faults *faults); /* those noted, kept or not */
/* In the order of the files as they were read, by line and column; NULL: no more. Borrowed. */
const char *faults_at(struct faults *faults, size_t index);
/* Whether one stands in the file between these lines, the last one not included. */
bool faults_between(const struct faults *faults, const char *file, unsigned first, unsigned last);

#endif
