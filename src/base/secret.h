/*
 * secret -- passwords and tokens: read late from where a reference points, held little, wiped,
 * never printed.
 *
 * A reference is "file:PATH" (relative to the configuration file; refused if others can read it),
 * "env:NAME", or "credential:NAME" (systemd: a file in $CREDENTIALS_DIRECTORY). Trailing newlines
 * of a file are cut.
 */
#ifndef L2D_BASE_SECRET_H
#define L2D_BASE_SECRET_H

#include "base/mem.h"

#define SECRET_BYTES_MAX ((size_t)64 * 1024)

struct secret {
	char *text; /* NUL-terminated, locked in memory and left out of core dumps where the system
		       allows; NULL if empty */
	size_t len;
	size_t mapped;
};

/* Whether text has the form of a reference; only the form, nothing is read. */
bool secret_is_reference(const char *text);

/*
 * Reads what reference points to. folder: what relative file names are relative to (NULL: the
 * working directory). Errors: ERR_CONFIG (no reference, unreadable, readable by others, empty, too
 * long), with the command to run.
 */
MUST_CHECK enum err_code secret_read(
		const char *reference, const char *folder, struct secret *ret, struct err *err);
/* The same of what is no text (a PKCS#12 file): bytes as they are, NUL bytes and line ends too. */
MUST_CHECK enum err_code secret_read_bytes(
		const char *reference, const char *folder, struct secret *ret, struct err *err);
/*
 * Reads a token file that a platform mounts for its processes (Kubernetes, a CI system): whatever its mode is, since it is
 * not ours to change; white space around it is cut. Errors: ERR_CONFIG.
 */
MUST_CHECK enum err_code secret_read_mounted(const char *path, struct secret *ret, struct err *err);
void secret_set(struct secret *secret, struct span value); /* copies; wipes what was there */
void secret_release(struct secret *secret);                /* wipes; safe on a zeroed one */

#endif
