#include "databricks/client_internal.h"

#include "base/clock.h"
#include "databricks/auth/profile.h"

#include "config.h"

static void pump_run(struct task *task);

/* ---- life of the whole ---- */

static enum err_code target_init(struct databricks *databricks, size_t index, struct err *err)
{
	struct target *target = &databricks->targets[index];
	struct signin_setup setup;

	target->settings = &databricks->settings->targets[index];
	if (credential_resolve(databricks->settings, index, &target->credential, err) != ERR_NONE)
		return err->code;
	for (unsigned i = 0; i < LANE_COUNT_; i++) {
		for (unsigned j = 0; j < FAMILY_COUNT_; j++)
			target->queues[i][j].tail = &target->queues[i][j].head;
	}
	target->user_agent = mem_printf("%s/%s auth/%s", PACKAGE_NAME, PACKAGE_VERSION,
			auth_type_name(target->credential.type));
	budget_init(&target->budget, &databricks->settings->limits, clock_monotonic_ns());
	setup = (struct signin_setup){.loop = databricks->loop,
			.http = databricks->http,
			.credential = &target->credential,
			.folder = databricks->settings->folder,
			.ca_file = target->settings->ca_file,
			.user_agent = target->user_agent,
			.budget = &databricks->sign_ins,
			.wakes = &databricks->pump};
	target->signin = signin_new(&setup);
	return ERR_NONE;
}

enum err_code databricks_new(struct loop *loop, const struct settings *settings,
		struct databricks **ret, struct err *err)
{
	struct databricks *databricks = mem_zalloc(sizeof(*databricks));
	enum err_code code = budget_check(&settings->limits, err);

	databricks->loop = loop;
	databricks->settings = settings;
	databricks->http = http_new(loop);
	budget_init(&databricks->sign_ins, &settings->limits, clock_monotonic_ns());
	task_init(&databricks->pump, loop, pump_run);
	databricks->timer = loop_timer_new(loop, &databricks->pump);
	databricks->targets = mem_array(settings->target_count, sizeof(*databricks->targets));
	for (size_t i = 0; i < settings->target_count && code == ERR_NONE; i++)
		code = target_init(databricks, i, err);
	if (code != ERR_NONE) {
		databricks_free(databricks);
		return code;
	}
	*ret = databricks;
	return ERR_NONE;
}

void databricks_free(struct databricks *databricks)
{
	if (!databricks)
		return;
	for (size_t i = 0; i < databricks->settings->target_count; i++) {
		struct target *target = &databricks->targets[i];

		signin_free(target->signin);
		credential_release(&target->credential);
		mem_free(target->user_agent);
	}
	mem_free(databricks->targets);
	loop_timer_free(databricks->timer);
	task_cancel(&databricks->pump);
	http_free(databricks->http);
	mem_free(databricks);
}

/* ---- what goes out when ---- */

/* Sends what the budget lets go of one queue; *next_ns: when it is worth asking again, if sooner. */
static void pump_queue(struct target *target, enum lane lane, enum family family, uint64_t *next_ns)
{
	struct queue *queue = &target->queues[lane][family];

	while (queue->head) {
		struct call_state *state = queue->head;
		const struct signin_headers *headers;
		uint64_t when;

		if (!budget_take(&target->budget, family, lane, clock_monotonic_ns(), &when)) {
			if (when < *next_ns)
				*next_ns = when;
			return;
		}
		call_dequeue(state);
		if (signin_get(target->signin, &headers, &state->serial, &state->parse_err) !=
				SIGNIN_READY) {
			/* Ended in this very turn: back into the queue for the sign-in that the next turn begins. */
			budget_done(&target->budget, family, true);
			call_enqueue(state, true);
			return;
		}
		call_transmit(state, headers);
	}
}

static void fail_waiting(struct target *target, const struct err *err)
{
	for (unsigned i = 0; i < LANE_COUNT_; i++) {
		for (unsigned j = 0; j < FAMILY_COUNT_; j++) {
			struct call_state *state;

			while ((state = target->queues[i][j].head)) {
				call_dequeue(state);
				call_fail(state, err);
			}
		}
	}
}

static void pump_target(struct target *target, uint64_t *next_ns)
{
	const struct signin_headers *headers;
	uint64_t serial;
	struct err err;

	switch (signin_get(target->signin, &headers, &serial, &err)) {
	case SIGNIN_WAIT:
		return;
	case SIGNIN_FAILED:
		fail_waiting(target, &err);
		return;
	case SIGNIN_READY:
		break;
	}
	for (unsigned i = 0; i < LANE_COUNT_; i++) {
		for (unsigned j = 0; j < FAMILY_COUNT_; j++)
			pump_queue(target, (enum lane)i, (enum family)j, next_ns);
	}
}

static void pump_run(struct task *task)
{
	struct databricks *databricks =
			(struct databricks *)((char *)task - offsetof(struct databricks, pump));
	uint64_t next_ns = BUDGET_NEVER, now;

	for (size_t i = 0; i < databricks->settings->target_count; i++) {
		if (databricks->targets[i].waiting)
			pump_target(&databricks->targets[i], &next_ns);
	}
	if (next_ns == BUDGET_NEVER) {
		loop_timer_stop(databricks->timer);
		return;
	}
	now = clock_monotonic_ns();
	loop_timer_start(databricks->timer,
			next_ns <= now ? 0 : (next_ns - now + NS_PER_MS - 1) / NS_PER_MS);
}

/* ---- what callers ask ---- */

bool databricks_is_account(const struct databricks *databricks, unsigned target)
{
	return databricks->settings->targets[target].is_account;
}

const char *databricks_account_id(const struct databricks *databricks)
{
	return databricks->settings->has_account ? databricks->targets[0].credential.account_id
						 : NULL;
}

const char *databricks_workspace_id(const struct databricks *databricks, unsigned target)
{
	return databricks->targets[target].credential.workspace_id;
}

struct loop *databricks_loop(const struct databricks *databricks)
{
	return databricks->loop;
}

void databricks_status(
		const struct databricks *databricks, unsigned index, struct target_status *ret)
{
	const struct target *target = &databricks->targets[index];

	*ret = (struct target_status){.sign_in = signin_state(target->signin),
			.sign_in_error = signin_error(target->signin),
			.auth_type = auth_type_name(target->credential.type),
			.host = target->credential.host,
			.calls = target->calls,
			.throttled = target->throttled,
			.failed = target->failed,
			.in_flight = target->in_flight,
			.waiting = target->waiting};
}

uint64_t databricks_calls(const struct databricks *databricks)
{
	return databricks->calls;
}
