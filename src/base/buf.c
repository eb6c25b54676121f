#include "base/buf.h"

#include <stdarg.h>

void buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){.max = max};
}

void buf_release(struct buf *buf)
{
	mem_free(buf->ptr);
	buf_init(buf, buf->max);
}

void buf_wipe(struct buf *buf)
{
	if (buf->ptr)
		explicit_bzero(buf->ptr, buf->room);
	buf_release(buf);
}

void buf_reset(struct buf *buf)
{
	buf->len = 0;
	buf->overflowed = false;
	if (buf->ptr)
		buf->ptr[0] = '\0';
}

static bool make_room(struct buf *buf, size_t more)
{
	size_t need;

	if (buf->overflowed || more > buf->max - buf->len) {
		buf->overflowed = true;
		return false;
	}
	need = buf->len + more + 1;
	if (need > buf->room) {
		size_t room = buf->room ? buf->room * 2 : 64;

		buf->room = room > need ? room : need;
		buf->ptr = mem_resize(buf->ptr, buf->room, 1);
	}
	return true;
}

void buf_reserve(struct buf *buf, size_t more)
{
	(void)make_room(buf, more);
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
	if (!make_room(buf, len))
		return;
	if (len)
		memcpy(buf->ptr + buf->len, bytes, len);
	buf->len += len;
	buf->ptr[buf->len] = '\0';
}

void buf_add_text(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void buf_add_char(struct buf *buf, char c)
{
	buf_add(buf, &c, 1);
}

void buf_printf(struct buf *buf, const char *fmt, ...)
{
	va_list args, again;
	int len;

	va_start(args, fmt);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len >= 0 && make_room(buf, (size_t)len)) {
		(void)vsnprintf(buf->ptr + buf->len, (size_t)len + 1, fmt, again);
		buf->len += (size_t)len;
	}
	va_end(again);
}

char *buf_steal(struct buf *buf)
{
	char *text = buf->ptr ? buf->ptr : mem_strdup("");

	buf_init(buf, buf->max);
	return text;
}

const char *buf_text(const struct buf *buf)
{
	return buf->ptr ? buf->ptr : "";
}
