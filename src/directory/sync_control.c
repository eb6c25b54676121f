#include "directory/sync_control.h"

#include <ctype.h>
#include <ldap.h>

/* ---- entryUUID ---- */

static bool is_hyphen_place(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

void anchor_from_octets(struct span uuid, char ret[static SYNC_ANCHOR_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	size_t at = 0;

	for (size_t i = 0; i < SYNC_UUID_SIZE; i++) {
		unsigned char octet = (unsigned char)uuid.ptr[i];

		if (is_hyphen_place(at))
			ret[at++] = '-';
		ret[at++] = digits[octet >> 4];
		ret[at++] = digits[octet & 15];
	}
	ret[at] = '\0';
}

bool anchor_from_text(struct span text, char ret[static SYNC_ANCHOR_SIZE])
{
	if (text.len != SYNC_ANCHOR_SIZE - 1)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (is_hyphen_place(i) ? c != '-' : !isxdigit(c))
			return false;
	}
	for (size_t i = 0; i < text.len; i++)
		ret[i] = (char)tolower((unsigned char)text.ptr[i]);
	ret[text.len] = '\0';
	return true;
}

/* ---- cookies ---- */

/* One CSN: 20261123205121.007480Z#000000#000#000000 (d: digit, x: hex digit). */
static const char csn_form[] = "dddddddddddddd.ddddddZ#xxxxxx#xxx#xxxxxx";

static int two_digits(const char *digits)
{
	return (digits[0] - '0') * 10 + digits[1] - '0';
}

/* slapd counts a cookie of a day that never was as none, and does not say so. */
static bool is_time(const char *text)
{
	static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int century = two_digits(text);
	int year = two_digits(text + 2);
	int month = two_digits(text + 4);
	int day = two_digits(text + 6);
	bool leap = year ? year % 4 == 0 : century % 4 == 0;

	if (month < 1 || month > 12 || day < 1 || day > days[month - 1] ||
			(month == 2 && day == 29 && !leap))
		return false;
	return two_digits(text + 8) < 24 && two_digits(text + 10) < 60 &&
			two_digits(text + 12) <= 60;
}

static bool is_csn(struct span text)
{
	if (text.len != sizeof(csn_form) - 1)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (csn_form[i] == 'd' ? !isdigit(c)
						: csn_form[i] == 'x'
						? !isxdigit(c)
						: c != (unsigned char)csn_form[i])
			return false;
	}
	return is_time(text.ptr);
}

/* Cuts the part before the first separator off *rest. */
static struct span cut(struct span *rest, char separator)
{
	const char *end = rest->len ? memchr(rest->ptr, separator, rest->len) : NULL;
	struct span part = {rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len};
	size_t used = part.len + (end != NULL);

	rest->ptr += used;
	rest->len -= used;
	return part;
}

bool sync_cookie_is_plausible(struct span cookie)
{
	struct span csns = {0};

	if (!cookie.ptr || cookie.len > SYNC_COOKIE_MAX)
		return false;
	while (cookie.len) {
		struct span field = cut(&cookie, ',');

		if (field.len > 4 && memcmp(field.ptr, "csn=", 4) == 0)
			csns = (struct span){field.ptr + 4, field.len - 4};
	}
	if (!csns.len)
		return false;
	while (csns.len) {
		if (!is_csn(cut(&csns, ';')))
			return false;
	}
	return true;
}

enum err_code sync_request_encode(struct span cookie, struct buf *ret, struct err *err)
{
	BerElement *ber = ber_alloc_t(LBER_USE_DER);
	struct berval bv = {cookie.len, NULL};
	struct berval value;
	int written = -1;

	if (ber && cookie.ptr) {
		bv.bv_val = mem_strndup(cookie.ptr, cookie.len);
		written = ber_printf(ber, "{eOb}", LDAP_SYNC_REFRESH_AND_PERSIST, &bv, 0);
		mem_free(bv.bv_val);
	} else if (ber) {
		written = ber_printf(ber, "{eb}", LDAP_SYNC_REFRESH_AND_PERSIST, 0);
	}
	if (written >= 0 && ber_flatten2(ber, &value, 0) == 0)
		buf_add(ret, value.bv_val, value.bv_len);
	else
		written = -1;
	ber_free(ber, 1);
	return written < 0 ? err_set(err, ERR_BUG, 0, "the sync request control cannot be encoded")
			   : ERR_NONE;
}

/* ---- decoding ---- */

static void free_ber(BerElement **ber)
{
	ber_free(*ber, 1);
}

static enum err_code malformed(struct err *err, const char *what)
{
	return err_set(err, ERR_PROTO, LDAP_DECODING_ERROR,
			"the server sent a malformed %s (RFC 4533)", what);
}

/* A reader over a copy of value: what it hands out in place lives as long as the reader. NULL: empty. */
static BerElement *reader_new(struct span value)
{
	struct berval bv = {value.len, NULL};
	BerElement *ber;

	if (!value.len)
		return NULL;
	bv.bv_val = mem_strndup(value.ptr, value.len);
	ber = ber_init(&bv); /* copies */
	mem_free(bv.bv_val);
	return ber;
}

/* What comes next; false if that is cut off or malformed. *ret LBER_DEFAULT: nothing. */
static bool peek(BerElement *ber, ber_tag_t *ret)
{
	ber_len_t left = 0;
	ber_len_t len;

	*ret = ber_peek_tag(ber, &len);
	if (*ret != LBER_DEFAULT)
		return true;
	return ber_get_option(ber, LBER_OPT_REMAINING_BYTES, &left) == LBER_OPT_SUCCESS &&
			left == 0;
}

/* An optional cookie at this place. False: there is one, and it is malformed or too long. */
static bool read_cookie(BerElement *ber, struct arena *arena, struct span *ret)
{
	struct berval bv = {0};
	ber_tag_t tag;

	if (!peek(ber, &tag))
		return false;
	if (tag != LDAP_TAG_SYNC_COOKIE)
		return true;
	if (ber_scanf(ber, "m", &bv) == LBER_ERROR || bv.bv_len > SYNC_COOKIE_MAX)
		return false;
	*ret = arena_span(arena, (struct span){bv.bv_val, bv.bv_len});
	return true;
}

/* An optional BOOLEAN at this place; *ret stays if there is none. */
static bool read_flag(BerElement *ber, bool *ret)
{
	ber_int_t flag = 0;
	ber_tag_t tag;

	if (!peek(ber, &tag))
		return false;
	if (tag != LBER_BOOLEAN)
		return true;
	if (ber_scanf(ber, "b", &flag) == LBER_ERROR)
		return false;
	*ret = flag != 0; /* TRUE arrives as -1: its octet is 0xff, read with a sign */
	return true;
}

static const char *anchor_in(struct arena *arena, const struct berval *uuid)
{
	char text[SYNC_ANCHOR_SIZE];

	anchor_from_octets((struct span){uuid->bv_val, uuid->bv_len}, text);
	return arena_strndup(arena, text, sizeof(text) - 1);
}

enum err_code sync_state_decode(
		struct span value, struct arena *arena, struct sync_state *ret, struct err *err)
{
	AUTO(free_ber) BerElement *ber = reader_new(value);
	struct sync_state state = {0};
	struct berval uuid = {0};
	ber_int_t kind = -1;

	if (!ber || ber_scanf(ber, "{em", &kind, &uuid) == LBER_ERROR ||
			uuid.bv_len != SYNC_UUID_SIZE || kind < SYNC_PRESENT ||
			kind > SYNC_DELETE || !read_cookie(ber, arena, &state.cookie))
		return malformed(err, "sync state control");
	state.kind = (enum sync_state_kind)kind;
	state.anchor = anchor_in(arena, &uuid);
	*ret = state;
	return ERR_NONE;
}

enum err_code sync_done_decode(
		struct span value, struct arena *arena, struct sync_done *ret, struct err *err)
{
	AUTO(free_ber) BerElement *ber = reader_new(value);
	struct sync_done done = {0};
	ber_len_t len;

	if (!ber || ber_skip_tag(ber, &len) != LBER_SEQUENCE ||
			!read_cookie(ber, arena, &done.cookie) ||
			!read_flag(ber, &done.refresh_deletes))
		return malformed(err, "sync done control");
	*ret = done;
	return ERR_NONE;
}

static bool read_id_set(BerElement *ber, struct arena *arena, struct sync_info *ret)
{
	BerVarray ids = NULL;
	const char **anchors;
	size_t count = 0;
	bool fine;

	if (!read_cookie(ber, arena, &ret->cookie) || !read_flag(ber, &ret->refresh_deletes) ||
			ber_scanf(ber, "[W]", &ids) == LBER_ERROR)
		return false;
	while (ids && ids[count].bv_val && count <= SYNC_ID_SET_MAX &&
			ids[count].bv_len == SYNC_UUID_SIZE)
		count++;
	fine = !ids || (!ids[count].bv_val && count <= SYNC_ID_SET_MAX);
	if (fine) {
		anchors = arena_alloc(arena, (count ? count : 1) * sizeof(*anchors));
		for (size_t i = 0; i < count; i++)
			anchors[i] = anchor_in(arena, &ids[i]);
		ret->anchors = anchors;
		ret->anchor_count = count;
	}
	ber_bvarray_free(ids);
	return fine;
}

static bool read_phase_end(BerElement *ber, struct arena *arena, struct sync_info *ret)
{
	ret->refresh_done = true; /* DEFAULT TRUE */
	return read_cookie(ber, arena, &ret->cookie) && read_flag(ber, &ret->refresh_done);
}

static bool read_new_cookie(BerElement *ber, struct arena *arena, struct sync_info *ret)
{
	struct berval bv = {0};

	if (ber_scanf(ber, "m", &bv) == LBER_ERROR || bv.bv_len > SYNC_COOKIE_MAX)
		return false;
	ret->cookie = arena_span(arena, (struct span){bv.bv_val, bv.bv_len});
	return true;
}

enum err_code sync_info_decode(
		struct span value, struct arena *arena, struct sync_info *ret, struct err *err)
{
	AUTO(free_ber) BerElement *ber = reader_new(value);
	struct sync_info info = {0};
	ber_len_t len;
	ber_tag_t tag = ber ? ber_peek_tag(ber, &len) : LBER_ERROR;
	bool fine = false;

	/* All but the first are sequences: step inside. */
	if (ber && tag != LDAP_TAG_SYNC_NEW_COOKIE)
		(void)ber_skip_tag(ber, &len);
	if (tag == LDAP_TAG_SYNC_NEW_COOKIE) {
		info.kind = SYNC_INFO_NEW_COOKIE;
		fine = read_new_cookie(ber, arena, &info);
	} else if (tag == LDAP_TAG_SYNC_REFRESH_DELETE || tag == LDAP_TAG_SYNC_REFRESH_PRESENT) {
		info.kind = tag == LDAP_TAG_SYNC_REFRESH_DELETE ? SYNC_INFO_REFRESH_DELETE
								: SYNC_INFO_REFRESH_PRESENT;
		fine = read_phase_end(ber, arena, &info);
	} else if (tag == LDAP_TAG_SYNC_ID_SET) {
		info.kind = SYNC_INFO_ID_SET;
		fine = read_id_set(ber, arena, &info);
	}
	if (!fine)
		return malformed(err, "sync info message");
	*ret = info;
	return ERR_NONE;
}
