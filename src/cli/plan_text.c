#include "cli/plan_text.h"

#include "base/text.h"
#include "base/vec.h"

#include <inttypes.h>

#define WIDTH 100
#define NAMES_ON_THE_LINE 3
#define NOTES_SHOWN 50
#define PART_SHOWN 60 /* characters of a long text, such as the definition of a policy */

/* How a kind of operation reads: VERB [COUNT NOUN PREPOSITION] KIND "NAME". */
static const struct {
	const char *verb, *noun, *preposition;
} phrases[] = {
		[OP_CREATE] = {"create", NULL, NULL},
		[OP_ADOPT] = {"adopt", NULL, NULL},
		[OP_UPDATE] = {"change", NULL, NULL},
		[OP_DEACTIVATE] = {"deactivate", NULL, NULL},
		[OP_DELETE] = {"delete", NULL, NULL},
		[OP_FORGET] = {"forget", NULL, NULL},
		[OP_ADD_MEMBERS] = {"add", "member", "to"},
		[OP_REMOVE_MEMBERS] = {"remove", "member", "from"},
		[OP_ASSIGN] = {"assign", NULL, NULL},
		[OP_UNASSIGN] = {"unassign", NULL, NULL},
		[OP_ADD_ENTITLEMENTS] = {"add", "entitlement", "to"},
		[OP_REMOVE_ENTITLEMENTS] = {"remove", "entitlement", "from"},
		[OP_ADD_ROLES] = {"add", "role", "to"},
		[OP_REMOVE_ROLES] = {"remove", "role", "from"},
		[OP_SET_PERMISSIONS] = {"set", "permission", "on"},
		[OP_REMOVE_PERMISSIONS] = {"remove", "permission", "from"},
		[OP_CREATE_RESOURCE] = {"create", NULL, NULL},
		[OP_ADOPT_RESOURCE] = {"adopt", NULL, NULL},
		[OP_CHANGE_RESOURCE] = {"change", NULL, NULL},
		[OP_REMOVE_RESOURCE] = {"remove", NULL, NULL},
		[OP_FORGET_RESOURCE] = {"forget", NULL, NULL},
};
_Static_assert(COUNT_OF(phrases) == OP_KIND_COUNT_, "a phrase per kind");

static const char *const section_names[] = {"users", "groups", "service principals"};
_Static_assert(COUNT_OF(section_names) == PRINCIPAL_KIND_COUNT_, "a title per kind");
static const char *const resource_section_names[] = {
		[RESOURCE_NONE] = NULL,
		[RESOURCE_PERMISSIONS] = "permissions",
		[RESOURCE_RULE_SET] = "rule sets",
		[RESOURCE_CLUSTER_POLICY] = "cluster policies",
		[RESOURCE_IP_ACCESS_LIST] = "IP access lists",
		[RESOURCE_SETTING] = "settings",
		[RESOURCE_TOKEN] = "tokens",
		[RESOURCE_SECRET] = "secrets",
		[RESOURCE_FEDERATION_POLICY] = "federation policies",
		[RESOURCE_ON_BEHALF_TOKEN] = "tokens on behalf of service principals",
};
_Static_assert(COUNT_OF(resource_section_names) == RESOURCE_COUNT_, "a title per resource");

struct row {
	const struct operation *op;
	char *folded; /* name of the object, for sorting */
};

/* A run of rows that makes one line: the same change to the same object. */
struct line {
	const struct row *rows;
	size_t count;
	const struct operation *first;
};

struct printer {
	const struct canvas *canvas;
	const struct settings *settings;
	bool full;
	size_t shown[OP_KIND_COUNT_], left_out[OP_KIND_COUNT_]; /* in this section */
};

/* ---- sorting ---- */

static int compare_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare_rows(const void *left, const void *right)
{
	const struct row *a = left, *b = right;
	int order;

	if (a->op->target != b->op->target)
		return a->op->target < b->op->target ? -1 : 1;
	if (a->op->resource != b->op->resource)
		return a->op->resource < b->op->resource ? -1 : 1;
	if (a->op->principal != b->op->principal)
		return a->op->principal < b->op->principal ? -1 : 1;
	if (a->op->securable != b->op->securable)
		return a->op->securable < b->op->securable ? -1 : 1;
	order = strcmp(a->folded, b->folded);
	if (order == 0)
		order = compare_text(a->op->object.key, b->op->object.key);
	if (order != 0)
		return order;
	if (a->op->kind != b->op->kind)
		return a->op->kind < b->op->kind ? -1 : 1;
	if (a->op->adopts != b->op->adopts)
		return a->op->adopts ? -1 : 1;
	order = compare_text(a->op->held_by, b->op->held_by);
	if (order != 0)
		return order;
	return a->op < b->op ? -1 : a->op > b->op; /* as in the plan: qsort is not stable */
}

static struct row *sorted_rows(const struct operation *operations, size_t count)
{
	struct row *rows = mem_array(count ? count : 1, sizeof(*rows));

	for (size_t i = 0; i < count; i++) {
		rows[i].op = &operations[i];
		rows[i].folded = text_fold(span_of(
				operations[i].object.name ? operations[i].object.name : ""));
	}
	qsort(rows, count, sizeof(*rows), compare_rows);
	return rows;
}

static void free_rows(struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		mem_free(rows[i].folded);
	mem_free(rows);
}

static bool same_line(const struct operation *a, const struct operation *b)
{
	return phrases[a->kind].noun && a->kind == b->kind && a->adopts == b->adopts &&
			a->target == b->target && a->principal == b->principal &&
			a->resource == b->resource && a->securable == b->securable &&
			text_equal(a->object.key, b->object.key) &&
			text_equal(a->object.name, b->object.name) &&
			text_equal(a->held_by, b->held_by);
}

static bool same_section(const struct operation *a, const struct operation *b)
{
	return a->target == b->target && a->resource == b->resource && a->principal == b->principal;
}

static struct line line_at(const struct row *rows, size_t count, size_t at)
{
	struct line line = {.rows = rows + at, .count = 1, .first = rows[at].op};

	while (at + line.count < count && same_line(line.first, rows[at + line.count].op))
		line.count++;
	return line;
}

/* ---- one line ---- */

static enum paint paint_of(const struct operation *op)
{
	switch (operation_mark(op)) {
	case '+':
		return PAINT_ADD;
	case '-':
		return PAINT_REMOVE;
	case '=':
		return PAINT_ADOPT;
	default:
		return PAINT_CHANGE;
	}
}

static void print_quoted(FILE *file, const char *text)
{
	(void)fputc('"', file);
	print_foreign(file, text ? text : "");
	(void)fputc('"', file);
}

struct name_list { /* for vec_add */
	const char **items;
	size_t count, room;
};

static int compare_names(const void *left, const void *right)
{
	return compare_text(*(const char *const *)left, *(const char *const *)right);
}

/* `group etl: CAN_VIEW -> CAN_MANAGE` */
static const char *permission_text(const struct operation *op, size_t at, struct arena *arena)
{
	const char *former = op->values_before ? op->values_before[at] : NULL;
	int kind_length = (int)strcspn(op->members[at].key, "/");

	/* What is taken away goes back to what it was. */
	if (op->kind == OP_REMOVE_PERMISSIONS)
		return arena_printf(arena, "%.*s %s: %s%s%s", kind_length, op->members[at].key,
				op->members[at].name, op->values[at], former ? " -> " : "",
				former ? former : "");
	return arena_printf(arena, "%.*s %s: %s%s%s", kind_length, op->members[at].key,
			op->members[at].name, former ? former : "", former ? " -> " : "",
			op->values[at]);
}

static void collect_names(const struct line *line, struct name_list *names, struct arena *arena)
{
	for (size_t i = 0; i < line->count; i++) {
		const struct operation *op = line->rows[i].op;

		for (size_t j = 0; operation_sets_permissions(op) && j < op->member_count; j++)
			*vec_add(names) = permission_text(op, j, arena);
		if (operation_sets_permissions(op))
			continue;
		for (size_t j = 0; j < op->member_count; j++)
			*vec_add(names) = op->members[j].name ? op->members[j].name
							      : op->members[j].key;
		for (size_t j = 0; j < op->value_count; j++)
			*vec_add(names) = op->values[j];
	}
	if (names->count)
		qsort(names->items, names->count, sizeof(*names->items), compare_names);
}

static void print_names(
		struct printer *printer, const struct line *line, const struct name_list *names)
{
	FILE *file = printer->canvas->file;
	size_t shown = names->count, column = WIDTH;

	if (!printer->full && !line->first->is_removal && shown > PLAN_NAMES_SHOWN)
		shown = PLAN_NAMES_SHOWN;
	for (size_t i = 0; i < shown; i++) {
		AUTO(mem_freep) char *name = text_printable(span_of(names->items[i]));

		if (column + strlen(name) + 2 > WIDTH) {
			(void)fputs(i ? ",\n        " : "        ", file);
			column = 8;
		} else {
			(void)fputs(", ", file);
			column += 2;
		}
		(void)fputs(name, file);
		column += strlen(name);
	}
	if (shown < names->count)
		(void)fprintf(file, "\n        and %zu more (--full shows them)",
				names->count - shown);
	(void)fputc('\n', file);
}

/* The rule, and the entry if all that is on the line come from the same. */
static void print_why(struct printer *printer, const struct line *line)
{
	const struct why *why = &line->first->why;
	FILE *file = printer->canvas->file;
	bool same_entry = why->entry != NULL;

	for (size_t i = 1; i < line->count; i++)
		same_entry = same_entry && text_equal(line->rows[i].op->why.entry, why->entry);
	if (!why->file && !same_entry)
		return;
	(void)fprintf(file, "  %s# ", paint_on(printer->canvas, PAINT_DIM));
	if (why->file) {
		print_foreign(file, why->file);
		(void)fprintf(file, ":%u%s", why->line, same_entry ? ", " : "");
	}
	if (same_entry)
		print_foreign(file, why->entry);
	(void)fputs(paint_off(printer->canvas), file);
}

/* A name with underlines, as people would write it. */
static void print_spaced(FILE *file, const char *name)
{
	for (; *name; name++)
		(void)fputc(*name == '_' ? ' ' : *name, file);
	(void)fputc(' ', file);
}

static void print_subject(FILE *file, const struct operation *op, size_t names)
{
	const char *noun = phrases[op->kind].noun;

	(void)fprintf(file, "%s ", op->adopts ? "adopt" : phrases[op->kind].verb);
	if (noun)
		(void)fprintf(file, "%zu %s%s %s ", names, noun, names == 1 ? "" : "s",
				op->adopts ? "of" : phrases[op->kind].preposition);
	else if (op->adopts && op->kind == OP_ASSIGN)
		(void)fputs("assignment of ", file);
	print_spaced(file, operation_subject(op));
	print_quoted(file, op->object.name ? op->object.name : op->object.key);
}

static void print_level(FILE *file, const struct operation *op)
{
	for (size_t i = 0; i < op->value_count; i++) {
		(void)fputs(i ? ", " : ": ", file);
		if (op->values_before && op->values_before[i]) {
			print_foreign(file, op->values_before[i]);
			(void)fputs(" -> ", file);
		}
		print_foreign(file, op->values[i]);
	}
}

static void print_field(FILE *file, const struct field_change *change, bool is_new)
{
	(void)fprintf(file, "        %s ", field_name(change->field));
	if (!is_new) {
		if (change->before)
			print_quoted(file, change->before);
		else
			(void)fputs("(none)", file);
		(void)fputs(" -> ", file);
	}
	if (change->after)
		print_quoted(file, change->after);
	else
		(void)fputs("(none)", file);
	(void)fputc('\n', file);
}

static void print_part_text(FILE *file, const char *text)
{
	size_t length = strlen(text), shown = length < PART_SHOWN ? length : PART_SHOWN;
	AUTO(mem_freep) char *start = mem_strndup(text, shown);

	print_quoted(file, start);
	if (shown < length)
		(void)fprintf(file, "... (%zu characters)", length);
}

static void print_parts(FILE *file, const struct operation *op)
{
	for (size_t i = 0; i < op->part_count; i++) {
		const struct part_change *part = &op->parts[i];

		(void)fputs("        ", file);
		print_spaced(file, part->name);
		if (part->before)
			print_part_text(file, part->before);
		if (op->kind == OP_REMOVE_RESOURCE && part->before) {
			(void)fputc('\n', file);
			continue;
		}
		if (part->before || !part->after)
			(void)fputs(part->before ? " -> " : "(none)", file);
		if (part->after)
			print_part_text(file, part->after);
		else if (part->before)
			(void)fputs("(none)", file);
		(void)fputc('\n', file);
	}
}

static void print_fields(FILE *file, const struct operation *op)
{
	bool is_new = op->kind == OP_CREATE;

	for (size_t i = 0; i < op->field_count; i++) {
		if (!is_new || op->fields[i].field != principal_name_field(op->principal))
			print_field(file, &op->fields[i], is_new);
	}
	if (op->principal == PRINCIPAL_GROUP || op->resource != RESOURCE_NONE ||
			(op->kind != OP_UPDATE && op->kind != OP_ADOPT && !is_new))
		return;
	if (is_new && !op->active_after)
		(void)fputs("        active false\n", file);
	else if (!is_new && op->active_before != op->active_after)
		(void)fprintf(file, "        active %s -> %s\n",
				op->active_before ? "true" : "false",
				op->active_after ? "true" : "false");
}

static void print_line(struct printer *printer, const struct line *line)
{
	const struct operation *op = line->first;
	FILE *file = printer->canvas->file;
	struct arena *arena = arena_new();
	struct name_list names = {0};
	bool listed = phrases[op->kind].noun != NULL;

	collect_names(line, &names, arena);
	(void)fprintf(file, "    %s%c%s ", paint_on(printer->canvas, paint_of(op)),
			operation_mark(op), paint_off(printer->canvas));
	print_subject(file, op, names.count);
	if (!listed) {
		print_level(file, op);
	} else if (names.count <= NAMES_ON_THE_LINE) {
		for (size_t i = 0; i < names.count; i++) {
			(void)fputs(i ? ", " : ": ", file);
			print_foreign(file, names.items[i]);
		}
	}
	if (op->held_by) {
		(void)fprintf(file, "  %s[held ", paint_on(printer->canvas, PAINT_HELD));
		print_foreign(file, op->held_by);
		(void)fprintf(file, "]%s", paint_off(printer->canvas));
	}
	print_why(printer, line);
	(void)fputc('\n', file);
	if (listed && names.count > NAMES_ON_THE_LINE)
		print_names(printer, line, &names);
	print_fields(file, op);
	print_parts(file, op);
	if (op->note) {
		(void)fputs("        ", file);
		print_foreign(file, op->note);
		(void)fputc('\n', file);
	}
	vec_release(&names);
	arena_free(arena);
}

/* ---- sections ---- */

static void print_section_title(
		struct printer *printer, const struct operation *op, const struct operation *before)
{
	const struct canvas *canvas = printer->canvas;
	const struct target_settings *target = &printer->settings->targets[op->target];

	if (!before || before->target != op->target)
		(void)fprintf(canvas->file, "%s%s%s%s%s\n", before ? "\n" : "",
				paint_on(canvas, PAINT_BOLD),
				target->is_account ? "" : "workspace ", target->name,
				paint_off(canvas));
	(void)fprintf(canvas->file, "  %s%s%s\n", paint_on(canvas, PAINT_BOLD),
			op->resource == RESOURCE_NONE ? section_names[op->principal]
						      : resource_section_names[op->resource],
			paint_off(canvas));
}

static void end_section(struct printer *printer)
{
	for (unsigned kind = 0; kind < OP_KIND_COUNT_; kind++) {
		if (printer->left_out[kind])
			(void)fprintf(printer->canvas->file,
					"    ... and %zu more like this: %s%s%s (--full shows "
					"them)\n",
					printer->left_out[kind], phrases[kind].verb,
					phrases[kind].noun ? " " : "",
					phrases[kind].noun ? phrases[kind].noun : "");
		printer->left_out[kind] = printer->shown[kind] = 0;
	}
}

static bool is_cut(struct printer *printer, const struct operation *op)
{
	if (printer->full || operation_mark(op) == '-' || op->is_removal || op->held_by ||
			printer->shown[op->kind] < PLAN_LINES_SHOWN)
		return false;
	printer->left_out[op->kind]++;
	return true;
}

void operations_print(const struct canvas *canvas, const struct operation *operations, size_t count,
		const struct settings *settings, bool full)
{
	struct printer printer = {.canvas = canvas, .settings = settings, .full = full};
	struct row *rows = sorted_rows(operations, count);
	const struct operation *before = NULL;

	for (size_t at = 0; at < count;) {
		struct line line = line_at(rows, count, at);

		if (!before || !same_section(before, line.first)) {
			end_section(&printer);
			print_section_title(&printer, line.first, before);
		}
		if (!is_cut(&printer, line.first)) {
			print_line(&printer, &line);
			printer.shown[line.first->kind]++;
		}
		before = line.first;
		at += line.count;
	}
	end_section(&printer);
	free_rows(rows, count);
}

/* ---- the whole ---- */

static void print_notes(const struct canvas *canvas, const struct plan *plan, bool full)
{
	size_t shown = 0, left_out = 0;

	if (plan->note_count)
		(void)fprintf(canvas->file, "\n%sNotes%s\n", paint_on(canvas, PAINT_BOLD),
				paint_off(canvas));
	for (size_t i = 0; i < plan->note_count; i++) {
		const struct plan_note *note = &plan->notes[i];
		bool serious = note->kind == NOTE_INCOMPLETE || note->kind == NOTE_QUARANTINE;

		if (!full && !serious && shown >= NOTES_SHOWN) {
			left_out++;
			continue;
		}
		shown += !serious;
		(void)fprintf(canvas->file, "  %s%c%s ",
				serious ? paint_on(canvas, PAINT_REMOVE) : "", serious ? '!' : '*',
				serious ? paint_off(canvas) : "");
		print_foreign(canvas->file, note->text);
		(void)fputc('\n', canvas->file);
	}
	if (left_out)
		(void)fprintf(canvas->file, "  * and %zu more (--full shows them)\n", left_out);
}

void plan_print(const struct canvas *canvas, const struct plan *plan,
		const struct settings *settings, uint64_t calls, bool full)
{
	const struct plan_summary *summary = &plan->summary;
	FILE *file = canvas->file;

	operations_print(canvas, plan->operations, plan->count, settings, full);
	print_notes(canvas, plan, full);
	if (plan->count || plan->note_count)
		(void)fputc('\n', file);
	if (!plan->complete)
		(void)fputs("Not everything could be read. What was not read counts as there: no "
			    "removal follows from it.\n",
				file);
	else if (!plan->count)
		(void)fputs("Nothing to do: Databricks is as the directory and the rules want "
			    "it.\n",
				file);
	(void)fprintf(file,
			"%sPlan: %zu to add, %zu to change, %zu to remove, %zu to adopt, %zu "
			"held.%s %" PRIu64 " call%s made.\n",
			paint_on(canvas, PAINT_BOLD), summary->add, summary->change,
			summary->remove, summary->adopt, summary->held, paint_off(canvas), calls,
			calls == 1 ? "" : "s");
	if (summary->held)
		(void)fputs("Held removals wait for a person: ldap2dbx approve or reject, by the "
			    "id in brackets.\n",
				file);
}
