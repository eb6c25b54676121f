#include "pat.h"

#include "base/clock.h"
#include "conf.h"
#include "asks.h"
#include "who.h"

bool pat_is_live(const struct sim *sim, const struct record *pat, int64_t now_ms)
{
	int64_t expiry = record_number(pat, "expiry_time");
	int64_t made = record_number(pat, "creation_time"), used = pat->used_ms;

	if (pat->revoked || pat->owner->deleted || (expiry > 0 && expiry <= now_ms))
		return false;
	return !sim->options.quirks[QUIRK_UNUSED_TOKENS_END] ||
			now_ms - (used > made ? used : made) < PAT_UNUSED_DAYS * MS_PER_DAY;
}

bool pat_is_enabled(const struct state *state, const struct workspace *workspace)
{
	return !conf_is(state, workspace, "enableTokensConfig", false);
}

bool pat_is_allowed(const struct state *state, const struct workspace *workspace,
		const struct principal *who)
{
	return !state->asks->may_use_tokens || who_is_admin(workspace, who) ||
			state->asks->may_use_tokens(state, workspace, who);
}

size_t pat_count(const struct sim *sim, const struct workspace *workspace,
		const struct principal *owner)
{
	int64_t now = clock_wall_ms();
	size_t count = 0;

	for (vec_each (record_list(sim->state, workspace, RECORD_TOKEN), pat))
		count += (*pat)->owner == owner && pat_is_live(sim, *pat, now);
	return count;
}

bool pat_was_made(const struct state *state, const struct workspace *workspace)
{
	for (vec_each (record_list(state, workspace, RECORD_TOKEN), pat)) {
		if (strcmp((*pat)->secret, workspace->token) != 0)
			return true;
	}
	return false;
}

void pat_adopt_own(struct state *state, struct workspace *workspace)
{
	struct record_make make = {
			.kind = RECORD_TOKEN,
			.place = workspace,
			.owner = state->self,
			.secret = workspace->token,
	};

	if (record_find_secret(state, RECORD_TOKEN, workspace->token))
		return;
	make.fields = json_pack("{s:s, s:I, s:I, s:I, s:s}", "comment", "dbx-sim", "creation_time",
			(json_int_t)clock_wall_ms(), "expiry_time", (json_int_t)-1, "created_by_id",
			(json_int_t)state->self->id, "created_by_username", state->self->name);
	(void)record_make(state, &make);
}

size_t tokens_revoke_without_right(struct state *state, struct workspace *workspace,
		bool (*has_right)(const struct state *state, const struct workspace *workspace,
				const struct principal *who))
{
	size_t count = 0;

	for (vec_each (record_list(state, workspace, RECORD_TOKEN), pat)) {
		if ((*pat)->revoked || who_is_admin(workspace, (*pat)->owner) ||
				has_right(state, workspace, (*pat)->owner))
			continue;
		record_revoke(*pat);
		count++;
	}
	return count;
}

void pat_end_all(struct sim *sim, struct workspace *workspace, struct principal *owner)
{
	for (vec_each (record_list(sim->state, workspace, RECORD_TOKEN), pat)) {
		if ((*pat)->owner == owner)
			record_revoke(*pat);
	}
}
