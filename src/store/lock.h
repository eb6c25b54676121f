/*
 * lock -- one writer: a lock on a file beside the store that holds the writer's process id.
 *
 * The lock is the kernel's and ends with its process, however that ends; the file stays and means
 * nothing by itself.
 */
#ifndef L2D_STORE_LOCK_H
#define L2D_STORE_LOCK_H

#include "base/mem.h"

/*
 * Takes the lock PATH.lock without waiting. *ret_fd: the caller's, lock_release.
 * Errors: ERR_CONFLICT (held; the text names the pid if it is known), ERR_STORE (the file cannot be
 * made).
 */
MUST_CHECK enum err_code lock_take(const char *store_path, int *ret_fd, struct err *err);
void lock_release(int fd); /* -1 is fine */

#endif
