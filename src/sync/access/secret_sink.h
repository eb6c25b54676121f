/*
 * secret_sink -- a secret goes where a rule says: into a file, or to a program on its standard input.
 *
 * A file appears whole, by rename, readable by its owner alone. A program is run without a shell, in a process
 * group of its own, has SINK_TIME_MAX_MS, after which the group is killed, and must end with 0. The secret is copied, and wiped when it is delivered or not. Loop thread only.
 */
#ifndef L2D_SYNC_ACCESS_SECRET_SINK_H
#define L2D_SYNC_ACCESS_SECRET_SINK_H

#include "base/loop.h"
#include "base/secret.h"
#include "rules/access.h"

#define SINK_TIME_MAX_MS 30000
#define SINK_ARGUMENTS_MAX 64

struct sink_delivery;
/*
 * text: of sink_text. done runs once, later, never inside: err_or_null says why it could not be delivered (ERR_REFUSED).
 * The delivery is freed by then.
 */
struct sink_delivery *sink_deliver(struct loop *loop, enum sink_kind kind, const char *text,
		const struct secret *secret,
		void (*done)(void *context, const struct err *err_or_null), void *context);
/*
 * Whether a secret could go there as things are: the file's directory takes new files, the program may be run. For before
 * the secret is made: nothing is written or run. Errors: ERR_REFUSED.
 */
MUST_CHECK enum err_code sink_probe(enum sink_kind kind, const char *text, struct err *err);
/* The program has so many milliseconds from now on, if that is less. */
void sink_limit(struct sink_delivery *delivery, uint64_t ms);
/* Ends it without a callback; a program that runs is killed. NULL is fine. */
void sink_cancel(struct sink_delivery *delivery);

/* The file alone. Errors: ERR_REFUSED. */
MUST_CHECK enum err_code sink_write_file(
		const char *path, const struct secret *secret, struct err *err);

#endif
