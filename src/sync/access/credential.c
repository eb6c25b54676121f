/* credential -- the rows, what the store keeps of them, and their time. */
#include "sync/access/credential.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "sync/access/secret_sink.h"

#define MINUTE_NS (60 * SECOND_NS)
#define PLACE_DIGITS 16

static const char *const state_words[] = {[CREDENTIAL_MADE] = "made",
		[CREDENTIAL_DELIVERED] = "delivered",
		[CREDENTIAL_WITHDRAWN] = "withdrawn"};

struct credential_item *credential_of(struct item *item)
{
	return (struct credential_item *)item; /* item is the first member of its first member */
}

const struct credential_kind *credential_kind_of(const struct item *item)
{
	return (const struct credential_kind *)((const struct given_item *)item)->kind;
}

struct credential_row *credential_row(struct credential_item *set, const char *id)
{
	return (struct credential_row *)given_find(&set->given, id);
}

void credential_release_row(struct given_row *row)
{
	mem_free(((struct credential_row *)row)->mark);
	mem_free(((struct credential_row *)row)->place);
}

void credential_item_cancel(struct item *item)
{
	given_cancel(item);
	sink_cancel(STEAL(credential_of(item)->delivery));
}

void credential_item_release(struct item *item)
{
	credential_item_cancel(item);
	given_release(item);
}

void credential_mark_kind(struct access *access, const struct item_class *class)
{
	for (vec_each (&access->items, item)) {
		if ((*item)->class == class)
			item_mark(access, *item);
	}
}

/* ---- holdings ---- */

/* value: "STATE EXPIRES_MS MADE_MS ASKED_MS PLACE" */
void credential_hold(struct access *access, struct item *item, struct credential_row *row)
{
	AUTO(mem_freep)
	char *value = mem_printf("%s %lld %lld %lld %s", state_words[row->state],
			(long long)row->expires_ms, (long long)row->made_ms,
			(long long)row->asked_ms, row->place ? row->place : "");

	row->given.held = true;
	item_hold(access, item, row->given.id, value, NULL);
}

void credential_load(struct access *access, struct item *item, const struct store_holding *holding)
{
	struct credential_row *row =
			(struct credential_row *)given_make(given_of(item), holding->part);
	int64_t *numbers[] = {&row->expires_ms, &row->made_ms, &row->asked_ms};
	AUTO(mem_freep) char *value = mem_strdup(holding->value ? holding->value : "");
	char *place = NULL;
	const char *word = strtok_r(value, " ", &place);

	(void)access;
	row->given.held = row->given.there = row->active = true;
	for (unsigned state = 0; state < COUNT_OF(state_words); state++) {
		if (text_equal(word, state_words[state]))
			row->state = (enum credential_state)state;
	}
	for (size_t i = 0; word && i < COUNT_OF(numbers); i++) {
		word = strtok_r(NULL, " ", &place);
		if (word)
			(void)text_parse_int(word, 0, INT64_MAX, numbers[i]);
	}
	if (word)
		mem_replace_text(&row->place, strtok_r(NULL, " ", &place));
}

/* ---- where it goes ---- */

const char *credential_sink(const struct credential_terms *terms, struct arena *arena)
{
	return sink_text(terms->write_to, &terms->values, arena);
}

char *credential_place(const struct credential_terms *terms)
{
	AUTO(arena_freep) struct arena *arena = arena_new();
	const char *sink = credential_sink(terms, arena);
	char hex[DIGEST_HEX_SIZE];

	if (!sink)
		return NULL;
	sink = arena_printf(arena, "%d %s", (int)terms->write_to->kind, sink);
	digest_sha256_hex(span_of(sink), hex);
	return mem_strndup(hex, PLACE_DIGITS);
}

const char *credential_part(const struct operation *op, const char *name)
{
	for (size_t i = 0; i < op->part_count; i++) {
		if (text_equal(op->parts[i].name, name))
			return op->parts[i].after ? op->parts[i].after : op->parts[i].before;
	}
	return NULL;
}

/* ---- time ---- */

int64_t credential_due_ms(const struct access *access, const struct item *item)
{
	(void)access;
	return ((const struct credential_item *)item)->next_ms;
}

/* The wall clock may step: it is looked at again every minute at the latest. */
static void look_at(struct access *access, struct credential_item *set, int64_t now)
{
	uint64_t wait;

	if (!set->next_ms)
		return;
	if (set->next_ms <= now) {
		set->next_ms = 0;
		item_want_read(access, &set->given.item);
		return;
	}
	wait = (uint64_t)(set->next_ms - now) * 1000000;
	engine_tick_at(access->engine,
			clock_monotonic_ns() + (wait < MINUTE_NS ? wait : MINUTE_NS));
}

void credential_tick(struct access *access)
{
	int64_t now = clock_wall_ms();

	for (vec_each (&access->items, item)) {
		if ((*item)->class->resource == RESOURCE_SECRET ||
				(*item)->class->resource == RESOURCE_ON_BEHALF_TOKEN)
			look_at(access, credential_of(*item), now);
	}
}

/* ---- those whose answer was lost ---- */

/* The only one that bears the mark; NULL: none, or it is anybody's guess which. */
static struct credential_row *find_bearer(struct credential_item *set, const char *mark)
{
	const struct credential_kind *kind = credential_kind_of(&set->given.item);
	struct credential_row *found = NULL;

	for (vec_each (&set->given.rows, place)) {
		struct credential_row *row = (struct credential_row *)*place;

		if (!kind->bears(row, mark))
			continue;
		if (found && kind->guess) {
			log_event(LOG_WARNING,
					"cannot tell which one was made here; they are left alone",
					{"item", set->given.item.key},
					{"name", set->given.item.name}, {"what", row->given.id});
			return NULL;
		}
		if (!found || row->given.held)
			found = row;
	}
	return found;
}

/* It is ours from now on, and nobody has it. One that is held already was answered, then came a crash. */
static void claim(struct access *access, struct item *item, struct credential_row *row,
		const char *mark)
{
	mem_replace_text(&row->mark, mark);
	if (row->given.held)
		return;
	row->state = CREDENTIAL_WITHDRAWN;
	credential_hold(access, item, row);
	log_event(LOG_NOTICE, "one whose answer was lost is there, and will be removed",
			{"item", item->key}, {"name", item->name}, {"what", row->given.id});
}

static bool is_open_creation(const struct operation *op, const struct item *item)
{
	return op->kind == OP_CREATE_RESOURCE && op->resource == item->class->resource &&
			op->target == item->target && text_equal(op->object.key, item->key);
}

bool credential_taken(struct access *access, struct item *item)
{
	struct credential_item *set = credential_of(item);
	bool missing = false;

	set->read_ns = clock_monotonic_ns();
	for (vec_each (&access->engine->intents, intent)) {
		const struct operation *op = &(*intent)->op;
		const char *mark = is_open_creation(op, item) ? credential_part(op, "mark") : NULL;
		struct credential_row *row = mark ? find_bearer(set, mark) : NULL;

		if (row)
			claim(access, item, row, mark);
		missing = missing || (mark && !row);
	}
	if (missing && !set->looked) {
		set->looked = true;
		return false;
	}
	set->looked = false;
	return true;
}
