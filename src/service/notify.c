#include "service/notify.h"

#include "base/digest.h"
#include "base/text.h"

#include <inttypes.h>
#include <systemd/sd-daemon.h>

/* While the first load goes on, systemd's start time-out is pushed so far ahead with every step. */
#define EXTEND_USEC "300000000"

void notify_init(struct notify *notify)
{
	uint64_t usec = 0;

	*notify = (struct notify){0};
	if (sd_watchdog_enabled(0, &usec) > 0)
		notify->watchdog_ms = usec / 2000;
}

static uint64_t fingerprint_of(const struct engine *engine, struct engine_progress *ret)
{
	engine_progress(engine, ret);
	return digest_quick((struct span){(const char *)ret, sizeof(*ret)}) ^
			(uint64_t)engine_phase(engine);
}

static void say_status(struct notify *notify, const struct engine *engine,
		const struct engine_progress *progress)
{
	char status[sizeof(notify->status)];

	(void)snprintf(status, sizeof(status),
			"%s: %zu entries, %zu operations done, %zu left, %zu failed, %zu held, %zu "
			"quarantined",
			engine_phase_name(engine_phase(engine)), progress->entries,
			progress->operations_done, progress->operations_left,
			progress->operations_failed, progress->held, progress->quarantined);
	if (text_equal(status, notify->status))
		return;
	memcpy(notify->status, status, sizeof(status));
	(void)sd_notifyf(0, "STATUS=%s", status);
}

void notify_look(struct notify *notify, const struct engine *engine, uint64_t now_ns)
{
	struct engine_progress progress = {0};
	uint64_t fingerprint = fingerprint_of(engine, &progress);

	if (fingerprint == notify->fingerprint)
		return;
	notify->fingerprint = fingerprint;
	notify->moved_ns = now_ns;
	say_status(notify, engine, &progress);
	if (!notify->ready && engine_phase(engine) == ENGINE_FOLLOWING) {
		notify->ready = true;
		(void)sd_notify(0, "READY=1");
	} else if (!notify->ready) {
		(void)sd_notify(0, "EXTEND_TIMEOUT_USEC=" EXTEND_USEC);
	}
}

bool notify_feed(struct notify *notify, const struct engine *engine, uint64_t now_ns)
{
	struct engine_progress progress = {0};
	bool moved = fingerprint_of(engine, &progress) != notify->fingerprint;
	bool has_work = progress.operations_left > 0 ||
			engine_phase(engine) == ENGINE_READING_DATABRICKS;

	if (!moved && has_work && now_ns - notify->moved_ns > NOTIFY_STALL_MS * 1000000)
		return false;
	(void)sd_notify(0, "WATCHDOG=1");
	return true;
}

void notify_stopping(const struct notify *notify)
{
	(void)notify;
	(void)sd_notify(0, "STOPPING=1");
}
