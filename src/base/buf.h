/*
 * buf -- text built piece by piece, with a limit and a sticky error that is asked for once at the
 * end.
 */
#ifndef L2D_BASE_BUF_H
#define L2D_BASE_BUF_H

#include "base/mem.h"

struct buf {
	char *ptr; /* always NUL-terminated once something was added; NULL before */
	size_t len;
	size_t room;
	size_t max;
	bool overflowed; /* something did not fit under max: the content is cut and not to be used
			  */
};

void buf_init(struct buf *buf, size_t max); /* max: greatest length in bytes without the NUL */
void buf_release(struct buf *buf);
/* Releases what held a secret, overwritten first. Growing leaves copies behind: reserve room before the secret goes in. */
void buf_wipe(struct buf *buf);
void buf_reserve(struct buf *buf, size_t more); /* room for more bytes, if max allows */
void buf_reset(struct buf *buf);                /* empties it, keeps the memory and the limit */
void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *fmt, ...) PRINTF_LIKE(2, 3);
char *buf_steal(struct buf *buf); /* the text ("" if nothing was added), caller's with mem_free; the
				     buf is empty after */
const char *buf_text(const struct buf *buf); /* "" if nothing was added; borrowed */

#endif
