#include "databricks/record.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* ---- fields ---- */

/* Where a field is read from and goes to. */
struct reading {
	const struct record_shape *shape;
	const struct record_field *field;
	const struct tape_value *value; /* not NULL */
	struct arena *arena;
	void *to;
	struct err *err;
};

static enum err_code broken(const struct reading *reading, const char *how)
{
	return err_set(reading->err, ERR_PROTO, 0, "%s: \"%s\" %s", reading->shape->what,
			reading->field->key, how);
}

static enum err_code copy_text(struct reading *reading, size_t max)
{
	if (!tape_is(reading->value, TAPE_TEXT))
		return broken(reading, "is no text");
	if (reading->value->len > max)
		return broken(reading, "is too long");
	*(const char **)reading->to =
			arena_strndup(reading->arena, reading->value->text, reading->value->len);
	return ERR_NONE;
}

static enum err_code copy_id(struct reading *reading)
{
	const struct tape_value *value = reading->value;
	int64_t number;

	if (tape_is(value, TAPE_TEXT) && value->len > 0)
		return copy_text(reading, RECORD_TEXT_MAX);
	if (!tape_integer(value, &number))
		return broken(reading, "is no id");
	*(const char **)reading->to = arena_strndup(reading->arena, value->text, value->len);
	return ERR_NONE;
}

static enum err_code copy_integer(struct reading *reading)
{
	const char *text = tape_text(reading->value);
	int64_t number;

	if (text ? !text_parse_int(text, INT64_MIN, INT64_MAX, &number)
		 : !tape_integer(reading->value, &number))
		return broken(reading, "is no whole number");
	*(int64_t *)reading->to = number;
	return ERR_NONE;
}

static enum err_code copy_bool(struct reading *reading)
{
	bool yes = tape_is(reading->value, TAPE_TRUE);

	if (!yes && !tape_is(reading->value, TAPE_FALSE))
		return broken(reading, "is neither true nor false");
	*(bool *)reading->to = yes;
	return ERR_NONE;
}

static enum err_code copy_time(struct reading *reading)
{
	const char *text = tape_text(reading->value);
	int64_t ms;

	if (!text || !record_parse_time(text, &ms))
		return broken(reading, "is no time");
	*(int64_t *)reading->to = ms;
	return ERR_NONE;
}

static enum err_code copy_word(struct reading *reading)
{
	const char *text = tape_text(reading->value);

	for (int i = 0; reading->field->words[i]; i++) {
		if (text_equal(text, reading->field->words[i])) {
			*(int *)reading->to = i;
			return ERR_NONE;
		}
	}
	return broken(reading, "is a word that this version does not know");
}

static enum err_code copy_json(struct reading *reading)
{
	enum err_code code = ERR_NONE;
	struct buf buf;

	buf_init(&buf, RECORD_DOCUMENT_MAX);
	tape_write(reading->value, &buf);
	if (buf.overflowed)
		code = broken(reading, "is too long");
	else
		*(const char **)reading->to =
				arena_strndup(reading->arena, buf_text(&buf), buf.len);
	buf_release(&buf);
	return code;
}

static enum err_code copy_texts(struct reading *reading)
{
	const struct tape_value *array = reading->value;
	const char **items;
	size_t count = 0;

	if (!tape_is(array, TAPE_ARRAY))
		return broken(reading, "is no list");
	items = arena_alloc(reading->arena, (tape_count(array) + 1) * sizeof(*items));
	for (const struct tape_value *item = tape_first(array); item;
			item = tape_next(array, item)) {
		if (!tape_is(item, TAPE_TEXT) || item->len > RECORD_TEXT_MAX)
			return broken(reading, "holds what is no text");
		items[count++] = arena_strndup(reading->arena, item->text, item->len);
	}
	*(struct texts *)reading->to = (struct texts){items, count};
	return ERR_NONE;
}

static enum err_code copy_pairs(struct reading *reading)
{
	const struct tape_value *object = reading->value;
	struct pair *items;
	size_t count = 0;

	if (!tape_is(object, TAPE_OBJECT))
		return broken(reading, "is no object");
	items = arena_alloc(reading->arena, (object->extent / 2 + 1) * sizeof(*items));
	for (const struct tape_value *key = tape_first_key(object); key;
			key = tape_next_key(object, key)) {
		const struct tape_value *value = tape_value_of(key);

		if (!tape_is(value, TAPE_TEXT) || value->len > RECORD_TEXT_MAX)
			return broken(reading, "holds what is no text");
		items[count].key = arena_strndup(reading->arena, key->text, key->len);
		items[count++].value = arena_strndup(reading->arena, value->text, value->len);
	}
	*(struct pairs *)reading->to = (struct pairs){items, count};
	return ERR_NONE;
}

static enum err_code copy_field(struct reading *reading)
{
	switch (reading->field->type) {
	case RECORD_TEXT:
		return copy_text(reading, RECORD_TEXT_MAX);
	case RECORD_DOCUMENT:
		return copy_text(reading, RECORD_DOCUMENT_MAX);
	case RECORD_ID:
		return copy_id(reading);
	case RECORD_INTEGER:
		return copy_integer(reading);
	case RECORD_BOOL:
		return copy_bool(reading);
	case RECORD_TIME:
		return copy_time(reading);
	case RECORD_WORD:
		return copy_word(reading);
	case RECORD_JSON:
		return copy_json(reading);
	case RECORD_TEXTS:
		return copy_texts(reading);
	case RECORD_PAIRS:
		return copy_pairs(reading);
	}
	return broken(reading, "is of no type");
}

/* The value behind a key that may lead through objects. */
static const struct tape_value *find(const struct tape_value *json, const char *key)
{
	char step[64];

	for (;;) {
		size_t len = strcspn(key, ".");

		if (!key[len])
			return tape_get(json, key);
		(void)snprintf(step, sizeof(step), "%.*s", (int)len, key);
		json = tape_get(json, step);
		key += len + 1;
	}
}

enum err_code record_read(const struct tape_value *json, const struct record_shape *shape,
		struct arena *arena, void *ret, struct err *err)
{
	char *record = arena_alloc(arena, shape->size);

	if (!tape_is(json, TAPE_OBJECT))
		return err_set(err, ERR_PROTO, 0, "%s: expected an object", shape->what);
	for (size_t i = 0; i < shape->count; i++) {
		const struct record_field *field = &shape->fields[i];
		struct reading reading = {shape, field, find(json, field->key), arena,
				record + field->offset, err};

		if (!reading.value && field->required)
			return broken(&reading, "is missing");
		if (reading.value && copy_field(&reading) != ERR_NONE)
			return err->code;
	}
	memcpy(ret, record, shape->size);
	return ERR_NONE;
}

enum err_code record_read_array(const struct tape_value *array, const struct record_shape *shape,
		struct arena *arena, void **ret, size_t *ret_count, struct err *err)
{
	size_t count = tape_count(array), at = 0;
	char *records;

	if (array && !tape_is(array, TAPE_ARRAY))
		return err_set(err, ERR_PROTO, 0, "%s: expected a list", shape->what);
	if (count > RECORD_COUNT_MAX)
		return err_set(err, ERR_LIMIT, 0, "%s: over %zu of them", shape->what,
				RECORD_COUNT_MAX);
	records = arena_alloc(arena, (count ? count : 1) * shape->size);
	for (const struct tape_value *item = tape_first(array); item;
			item = tape_next(array, item)) {
		if (record_read(item, shape, arena, records + at++ * shape->size, err) != ERR_NONE)
			return err->code;
	}
	*ret = records;
	*ret_count = count;
	return ERR_NONE;
}

/* ---- answers ---- */

static enum err_code check_call(const struct call *call, struct err *err)
{
	if (call->code != ERR_NONE)
		*err = call->err;
	return call->code;
}

enum err_code record_check_answer(const struct call *call, const char *what, struct err *err)
{
	if (check_call(call, err) != ERR_NONE)
		return err->code;
	if (!tape_is(tape_root(call->answer), TAPE_OBJECT))
		return err_set(err, ERR_PROTO, call->status, "%s: expected an object", what);
	return ERR_NONE;
}

enum err_code record_of_call(const struct call *call, const char *key_or_null,
		const struct record_shape *shape, struct arena *arena, void *ret, struct err *err)
{
	const struct tape_value *root = tape_root(call->answer);

	if (record_check_answer(call, shape->what, err) != ERR_NONE)
		return err->code;
	return record_read(
			key_or_null ? tape_get(root, key_or_null) : root, shape, arena, ret, err);
}

enum err_code records_of_call(const struct call *call, const char *key_or_null,
		const struct record_shape *shape, struct arena *arena, void **ret,
		size_t *ret_count, struct err *err)
{
	const struct tape_value *root = tape_root(call->answer);
	const char *token;

	if (check_call(call, err) != ERR_NONE)
		return err->code;
	if (!tape_is(root, key_or_null ? TAPE_OBJECT : TAPE_ARRAY))
		return err_set(err, ERR_PROTO, call->status, "%s: expected %s", shape->what,
				key_or_null ? "an object with a list" : "a list");
	token = tape_text(tape_get(root, "next_page_token"));
	if (token && *token)
		return err_set(err, ERR_INCOMPLETE, call->status,
				"%s: the list came in pages, which this version does not know",
				shape->what);
	return record_read_array(key_or_null ? tape_get(root, key_or_null) : root, shape, arena,
			ret, ret_count, err);
}

enum err_code record_take_secret(struct call *call, const char *key, const char *what,
		struct secret *ret, struct err *err)
{
	const struct tape_value *value = tape_get(tape_root(call->answer), key);
	bool usable = tape_is(value, TAPE_TEXT) && value->len > 0 && value->len < SECRET_BYTES_MAX;

	if (usable && ret)
		secret_set(ret, (struct span){value->text, value->len});
	tape_wipe(call->answer);
	tape_free(STEAL(call->answer));
	if (!usable)
		return err_set(err, ERR_PROTO, call->status, "%s: the answer has no \"%s\"", what,
				key);
	return ERR_NONE;
}

/* ---- times ---- */

/* Two digits up to max; -1: not there. */
static int two_digits(const char *at, int max)
{
	int number;

	if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
		return -1;
	number = (at[0] - '0') * 10 + (at[1] - '0');
	return number <= max ? number : -1;
}

/* ".678" or nothing, then "Z" or "+01:00", to the end. */
static bool parse_rest(const char *rest, int64_t *ret_ms)
{
	int hours, minutes, ms = 0, weight = 100;

	if (*rest == '.') {
		if (rest[1] < '0' || rest[1] > '9')
			return false;
		for (rest++; *rest >= '0' && *rest <= '9'; rest++, weight /= 10)
			ms += (*rest - '0') * weight;
	}
	*ret_ms = ms;
	if (text_equal(rest, "Z") || text_equal(rest, "z"))
		return true;
	if ((*rest != '+' && *rest != '-') || strlen(rest) != 6 || rest[3] != ':')
		return false;
	hours = two_digits(rest + 1, 23);
	minutes = two_digits(rest + 4, 59);
	if (hours < 0 || minutes < 0)
		return false;
	*ret_ms -= (*rest == '-' ? -1 : 1) * (hours * INT64_C(60) + minutes) * 60000;
	return true;
}

bool record_parse_time(const char *text, int64_t *ret)
{
	struct tm parts = {0};
	const char *rest = strlen(text) >= 20 && text[4] == '-'
			? strptime(text, "%Y-%m-%dT%H:%M:%S", &parts)
			: NULL;
	int64_t rest_ms;

	if (!rest || rest != text + 19 || !parse_rest(rest, &rest_ms))
		return false;
	*ret = (int64_t)timegm(&parts) * 1000 + rest_ms;
	return true;
}

/* ---- calls ---- */

char *record_path(const struct databricks *databricks, const struct call *call, const char *version,
		const char *fmt, ...)
{
	struct buf path;
	char *tail = NULL;
	va_list args;
	int len;

	buf_init(&path, SIZE_MAX / 2);
	buf_printf(&path, "/api/%s", version);
	if (databricks_is_account(databricks, call->target))
		buf_printf(&path, "/accounts/%s", databricks_account_id(databricks));
	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	tail = mem_alloc((size_t)len + 1);
	va_start(args, fmt);
	(void)vsnprintf(tail, (size_t)len + 1, fmt, args);
	va_end(args);
	buf_add_text(&path, tail);
	mem_free(tail);
	return buf_steal(&path);
}

void record_refuse(struct databricks *databricks, struct call *call, enum err_code code,
		const char *fmt, ...)
{
	char text[300];
	va_list args;
	struct err err;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	(void)err_set(&err, code, 0, "%s", text);
	call_finish_unsent(databricks, call, &err);
}
