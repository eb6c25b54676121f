#include "databricks/object_internal.h"

static bool take_answers(struct fan *fan, struct err *err)
{
	for (unsigned i = 0; i < FAN_CALLS; i++) {
		struct call *call = &fan->calls[i];
		enum err_code code;
		char *item;

		if (!fan->items[i] || !call->done)
			continue;
		item = STEAL(fan->items[i]);
		code = fan->answer(fan, call, item, err);
		mem_free(item);
		if (code != ERR_NONE)
			return false;
		tape_free(STEAL(call->answer));
	}
	return true;
}

/* false: nothing is under way and nothing waits. */
static bool ask_more(struct fan *fan)
{
	bool busy = false;

	for (unsigned i = 0; i < FAN_CALLS; i++) {
		if (!fan->items[i] && fan->waiting.count) {
			fan->items[i] = fan->waiting.items[--fan->waiting.count];
			fan->ask(fan, &fan->calls[i], fan->items[i]);
		}
		busy = busy || fan->items[i];
	}
	return busy;
}

static void fan_run(struct task *task)
{
	struct fan *fan = (struct fan *)((char *)task - offsetof(struct fan, task));
	struct err err;

	if (!take_answers(fan, &err))
		fan->end(fan, &err);
	else if (!ask_more(fan))
		fan->end(fan, NULL);
}

void fan_init(struct fan *fan, struct databricks *databricks, unsigned target)
{
	*fan = (struct fan){.databricks = databricks};
	task_init(&fan->task, databricks_loop(databricks), fan_run);
	for (unsigned i = 0; i < FAN_CALLS; i++) {
		fan->calls[i].target = target;
		fan->calls[i].lane = LANE_BULK;
		fan->calls[i].wakes = &fan->task;
	}
}

void fan_add(struct fan *fan, char *item)
{
	*vec_add(&fan->waiting) = item;
	task_wake(&fan->task);
}

void fan_wake(struct fan *fan)
{
	task_wake(&fan->task);
}

void fan_release(struct fan *fan)
{
	for (unsigned i = 0; i < FAN_CALLS; i++) {
		call_release(&fan->calls[i]);
		mem_free(STEAL(fan->items[i]));
	}
	for (vec_each (&fan->waiting, item))
		mem_free(*item);
	vec_release(&fan->waiting);
	task_cancel(&fan->task);
}
