#include "fake_engine.h"

#include "base/text.h"

struct fake_engine fake;

struct engine {
	struct loop *loop;
	struct engine_options options;
	enum engine_phase phase;
	struct task step;
	bool stopped;
};

void fake_engine_reset(void)
{
	fake = (struct fake_engine){.plan = {.complete = true}};
}

static void wake(const struct engine *engine)
{
	if (engine->options.wakes)
		task_wake(engine->options.wakes);
}

static enum engine_phase next_phase(const struct engine *engine)
{
	if (fake.failure.code != ERR_NONE && engine->phase == ENGINE_READING_DATABRICKS)
		return ENGINE_FAILED;
	switch (engine->phase) {
	case ENGINE_STARTING:
		return ENGINE_READING_DIRECTORY;
	case ENGINE_READING_DIRECTORY:
		return ENGINE_READING_DATABRICKS;
	case ENGINE_READING_DATABRICKS:
		return engine->options.mode == ENGINE_RUN ? ENGINE_FOLLOWING : ENGINE_PLANNED;
	case ENGINE_APPLYING:
		return ENGINE_DONE;
	case ENGINE_PLANNED:
	case ENGINE_FOLLOWING:
	case ENGINE_DONE:
	case ENGINE_FAILED:
		break;
	}
	return engine->phase;
}

static void engine_step(struct task *task)
{
	struct engine *engine =
			(struct engine *)(void *)((char *)task - offsetof(struct engine, step));
	enum engine_phase next = next_phase(engine);

	if (engine->stopped || fake.stuck || next == engine->phase)
		return;
	engine->phase = next;
	wake(engine);
	task_wake(&engine->step);
}

enum err_code engine_new(struct loop *loop, const struct engine_options *options,
		struct engine **ret, struct err *err)
{
	struct engine *engine = mem_zalloc(sizeof(*engine));

	(void)err;
	if (fake.opened)
		fake.opened(options);
	engine->loop = loop;
	engine->options = *options;
	task_init(&engine->step, loop, engine_step);
	*ret = engine;
	return ERR_NONE;
}

void engine_start(struct engine *engine)
{
	fake.started++;
	task_wake(&engine->step);
}

void engine_stop(struct engine *engine, uint64_t timeout_ms)
{
	(void)timeout_ms;
	fake.stopped++;
	engine->stopped = true;
	wake(engine);
}

bool engine_is_stopped(const struct engine *engine)
{
	return engine->stopped;
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	fake.freed++;
	task_cancel(&engine->step);
	mem_free(engine);
}

enum engine_phase engine_phase(const struct engine *engine)
{
	return engine->phase;
}

const char *engine_phase_name(enum engine_phase phase)
{
	static const char *const names[] = {"starting", "reading directory", "reading Databricks",
			"planned", "applying", "following", "done", "failed"};

	return names[phase];
}

const struct err *engine_error(const struct engine *engine)
{
	(void)engine;
	return &fake.failure;
}

void engine_progress(const struct engine *engine, struct engine_progress *ret)
{
	(void)engine;
	*ret = fake.progress;
}

const struct plan *engine_plan(const struct engine *engine)
{
	(void)engine;
	return &fake.plan;
}

void engine_go(struct engine *engine, const struct operation *allowed, size_t allowed_count)
{
	(void)allowed;
	fake.went++;
	fake.allowed_count = allowed_count;
	engine->phase = ENGINE_APPLYING;
	task_wake(&engine->step);
}

json_t *engine_status(const struct engine *engine)
{
	AUTO(mem_freep) char *padding = mem_alloc(fake.padding + 1);

	memset(padding, 'x', fake.padding);
	padding[fake.padding] = '\0';
	return json_pack("{s:s, s:s}", "phase", engine_phase_name(engine->phase), "padding",
			padding);
}

json_t *engine_holds(const struct engine *engine)
{
	(void)engine;
	return json_pack("{s:[]}", "holds");
}

enum err_code engine_explain(
		const struct engine *engine, const char *who, json_t **ret, struct err *err)
{
	(void)engine;
	if (!fake.explain_state)
		return err_set(err, ERR_NOT_FOUND, 0, "nothing is known of \"%s\"", who);
	*ret = json_pack("{s:s, s:s, s:{s:s}}", "name", who, "state", fake.explain_state,
			"quarantine", "reason", "no mail");
	return ERR_NONE;
}

struct question {
	struct task task;
	struct engine *engine;
	char *object; /* NULL: about who, and perhaps other */
	char *who, *other;
	bool done;
};

static void question_answered(struct task *task)
{
	struct question *question =
			(struct question *)(void *)((char *)task - offsetof(struct question, task));

	question->done = true;
	wake(question->engine);
}

enum err_code engine_ask(struct engine *engine, const struct engine_question *asked,
		struct question **ret, struct err *err)
{
	struct question *question;

	if (!asked->object && !fake.explain_state)
		return err_set(err, ERR_NOT_FOUND, 0, "nothing is known of \"%s\"", asked->who);
	if (asked->object && !strchr(asked->object, '/') && !strchr(asked->object, ':'))
		return err_set(err, ERR_USAGE, 0, "\"%s\" is no type of object", asked->object);
	question = mem_zalloc(sizeof(*question));
	question->engine = engine;
	question->object = mem_strdup_or_null(asked->object);
	question->who = mem_strdup_or_null(asked->who);
	question->other = mem_strdup_or_null(asked->other);
	task_init(&question->task, engine->loop, question_answered);
	if (!fake.mute)
		task_wake(&question->task);
	*ret = question;
	return ERR_NONE;
}

bool question_is_done(const struct question *question)
{
	return question->done;
}

enum err_code question_answer(const struct question *question, json_t **ret, struct err *err)
{
	json_auto_t *a = NULL, *b = NULL;

	if (!question->object && !question->other)
		return engine_explain(question->engine, question->who, ret, err);
	if (!question->object) {
		if (engine_explain(question->engine, question->who, &a, err) != ERR_NONE ||
				engine_explain(question->engine, question->other, &b, err) !=
						ERR_NONE)
			return err->code;
		*ret = json_pack("{s:O, s:O}", "a", a, "b", b);
		return ERR_NONE;
	}
	if (strstr(question->object, "nothing"))
		return err_set(err, ERR_NOT_FOUND, 0, "there is no object \"%s\"",
				question->object);
	*ret = fake.answer ? json_deep_copy(fake.answer)
			   : json_pack("{s:s}", "object", question->object);
	return ERR_NONE;
}

void question_free(struct question *question)
{
	if (!question)
		return;
	task_cancel(&question->task);
	mem_free(question->object);
	mem_free(question->who);
	mem_free(question->other);
	mem_free(question);
}

static void remember(char *where, size_t size, const char *text)
{
	(void)snprintf(where, size, "%s", text);
}

/* selector: words with commas between, as the engine takes them. */
static bool selects(const char *selector, const char *id)
{
	size_t len = strlen(id);

	if (text_equal(selector, "all"))
		return true;
	for (const char *at = selector; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		if (strncmp(at, id, len) == 0 && (at[len] == ',' || at[len] == '\0'))
			return true;
	}
	return false;
}

static json_t *held_operation(const char *id)
{
	json_t *known = json_object_get(fake.operations, id);

	return known ? json_deep_copy(known) : json_pack("{s:s}", "id", id);
}

static enum err_code decide(const char *selector, bool dry, json_t **ret, struct err *err)
{
	json_auto_t *operations = json_array();

	remember(fake.last_selector, sizeof(fake.last_selector), selector);
	for (size_t i = 0; i < COUNT_OF(fake.held); i++) {
		if (!fake.held[i] || !selects(selector, fake.held[i]))
			continue;
		(void)json_array_append_new(operations, held_operation(fake.held[i]));
		if (!dry)
			fake.held[i] = NULL;
	}
	if (!json_array_size(operations))
		return err_set(err, ERR_NOT_FOUND, 0, "nothing is held by \"%s\"", selector);
	*ret = json_pack("{s:O}", "operations", operations);
	return ERR_NONE;
}

enum err_code engine_approve(struct engine *engine, const char *selector, bool dry, json_t **ret,
		struct err *err)
{
	(void)engine;
	fake.approved += !dry;
	return decide(selector, dry, ret, err);
}

enum err_code engine_reject(struct engine *engine, const char *selector, const char *reason,
		json_t **ret, struct err *err)
{
	(void)engine;
	fake.rejected++;
	remember(fake.last_reason, sizeof(fake.last_reason), reason);
	return decide(selector, false, ret, err);
}

enum err_code engine_retry(struct engine *engine, const char *who, json_t **ret, struct err *err)
{
	(void)engine;
	(void)err;
	fake.retried++;
	*ret = json_pack("{s:[{s:s, s:s}]}", "retried", "key", who, "name", who);
	return ERR_NONE;
}

enum err_code engine_sync(struct engine *engine, enum principal_kind kind, const char *name,
		json_t **ret, struct err *err)
{
	(void)engine;
	(void)kind;
	if (text_equal(name, "nobody"))
		return err_set(err, ERR_NOT_FOUND, 0, "nothing is known of \"%s\"", name);
	fake.synced++;
	remember(fake.last_name, sizeof(fake.last_name), name);
	*ret = json_pack("{s:s, s:s, s:[]}", "key", "corp/1", "name", name, "operations");
	return ERR_NONE;
}

void engine_want_tokens(struct engine *engine, const char *workspaces)
{
	(void)engine;
	(void)workspaces;
}

json_t *engine_tokens(const struct engine *engine, const char *workspaces)
{
	(void)engine;
	(void)workspaces;
	return json_pack("{s:[], s:[]}", "tokens", "unread");
}

json_t *engine_revocations(const struct engine *engine)
{
	(void)engine;
	return json_pack("{s:[]}", "waiting");
}

bool engine_revoke_token(
		struct engine *engine, const char *workspace, const char *id, bool even_guarded)
{
	(void)engine;
	(void)id;
	fake.revoked_guarded += even_guarded;
	if (text_equal(workspace, "nowhere"))
		return false;
	fake.revoked++;
	return true;
}

void engine_sweep_tokens(struct engine *engine, const char *workspaces)
{
	(void)engine;
	(void)workspaces;
	fake.swept++;
}

const struct operation *engine_token_operations(
		struct engine *engine, bool requested_only, size_t *ret_count)
{
	(void)engine;
	(void)requested_only;
	*ret_count = 0;
	return NULL;
}

bool engine_targets_changed(const struct engine *engine)
{
	(void)engine;
	return false;
}

void engine_give_targets(const struct engine *engine, struct config *config)
{
	(void)engine;
	(void)config;
}

void engine_reconcile(struct engine *engine)
{
	(void)engine;
	fake.reconciled++;
}
