#include "databricks/budget.h"

#include "base/text.h"

#define NS_PER_S 1e9
#define FACTOR_MIN (1.0 / 16)
#define FACTOR_GROWTH (1.0 / 120) /* per second: from a half back to the whole in a minute */
#define SLOT_GROWTH_NS UINT64_C(60000000000) /* a slot that was taken away comes back after this */
#define SLACK 0.05 /* tokens above the burst, so that a late timer loses nothing */
#define ROUNDING 1e-6
#define PAUSE_FIRST_S 1U
#define PAUSE_GROWN_MAX_S 60U
#define WORKSPACE_SCIM_SLOTS 4U

/*
 * Published or known numbers, per account or workspace and for all programs together. Sources: vendor's "Resource
 * limits" page for the account's SCIM families, workspace SCIM reads, permissions and token management; UCX's own limits
 * for PATCH and DELETE of groups in a workspace; databricks-sdk-go issue 721 for 4 SCIM requests in flight per workspace.
 * For the others no number is published: they take the pace of their nearest kin at account level, lists of objects a
 * third of the 30 a second that once held for any call. In flight: enough for the rate at answers of a second or two.
 */
static const struct {
	const char *name;
	double count, window_s;
	unsigned slots;
	bool workspace_scim;
} published[] = {
		[FAMILY_ACCOUNT_SCIM_GET] = {"account_scim_get", 20, 1, 16, false},
		[FAMILY_ACCOUNT_SCIM_LIST] = {"account_scim_list", 4, 1, 5, false},
		[FAMILY_ACCOUNT_SCIM_PATCH] = {"account_scim_patch", 2, 1, 5, false},
		[FAMILY_ACCOUNT_SCIM_WRITE] = {"account_scim_write", 5, 1, 8, false},
		[FAMILY_WORKSPACE_SCIM_READ] = {"workspace_scim_read", 255, 60, 4, true},
		[FAMILY_WORKSPACE_SCIM_PATCH] = {"workspace_scim_patch", 10, 60, 4, true},
		[FAMILY_WORKSPACE_SCIM_POST] = {"workspace_scim_post", 5, 1, 4, true},
		[FAMILY_WORKSPACE_SCIM_DELETE] = {"workspace_scim_delete", 35, 60, 4, true},
		[FAMILY_WORKSPACE_SCIM_PEOPLE] = {"workspace_scim_people", 2, 1, 4, true},
		[FAMILY_ASSIGNMENT] = {"assignment", 2, 1, 5, false},
		[FAMILY_ACCOUNT_OTHER] = {"account_other", 5, 1, 4, false},
		/* Together not more than the 20 in flight that a workspace takes (ucx issue 401). */
		[FAMILY_PERMISSIONS_GET] = {"permissions_get", 100, 1, 12, false},
		[FAMILY_PERMISSIONS_WRITE] = {"permissions_write", 30, 1, 8, false},
		[FAMILY_OBJECT_LIST] = {"object_list", 10, 1, 4, false},
		/* The vendor warns of ten and more at a time; one is what it asks for. */
		[FAMILY_SQL_LIST] = {"sql_list", 5, 1, 1, false},
		[FAMILY_TOKEN] = {"token", 40, 1, 8, false},
		[FAMILY_CLUSTER_POLICY] = {"cluster_policy", 5, 1, 4, false},
		[FAMILY_IP_LIST] = {"ip_list", 5, 1, 4, false},
		[FAMILY_SETTING] = {"setting", 5, 1, 4, false},
		[FAMILY_RULE_SET] = {"rule_set", 5, 1, 4, false},
		[FAMILY_CREDENTIAL] = {"credential", 5, 1, 4, false},
		[FAMILY_OAUTH] = {"oauth", 2, 1, 2, false},
};
_Static_assert(COUNT_OF(published) == FAMILY_COUNT_, "a row per family");

const char *family_name(enum family family)
{
	return family < FAMILY_COUNT_ ? published[family].name : "unknown";
}

double budget_published_rate(const char *family)
{
	for (unsigned i = 0; i < FAMILY_COUNT_; i++) {
		if (text_equal(family, published[i].name))
			return published[i].count / published[i].window_s;
	}
	return 0;
}

static double larger(double a, double b)
{
	return a > b ? a : b;
}

static double smaller(double a, double b)
{
	return a < b ? a : b;
}

static void bucket_init(struct bucket *bucket, double rate, double burst, unsigned slots)
{
	bucket->rate = rate;
	burst = larger(burst, 1);
	bucket->reserve = rate > 0 ? burst / 5 : 0;
	bucket->capacity = larger(burst, 1 + bucket->reserve) + SLACK;
	bucket->level = burst;
	bucket->factor = 1;
	bucket->slots = bucket->slots_max = slots;
}

/*
 * Burst + rate * window = the published number, so the share decides both. A window of a minute would allow a burst of
 * a fifth of it, but nothing says that the servers count by the minute: it is kept to what 5 s allow.
 */
static void family_init(struct bucket *bucket, enum family family, unsigned share_percent)
{
	double count = published[family].count, window_s = published[family].window_s;
	double share = smaller(share_percent / 100.0, 1);
	double burst = smaller((1 - share) * count, 5 * count / window_s);

	bucket_init(bucket, share * count / window_s, burst, published[family].slots);
}

enum err_code budget_check(const struct limit_settings *limits, struct err *err)
{
	const char *names[FAMILY_COUNT_];

	for (unsigned i = 0; i < FAMILY_COUNT_; i++)
		names[i] = published[i].name;
	for (size_t i = 0; i < limits->override_count; i++) {
		const char *name = limits->overrides[i].family, *near;
		unsigned j = 0;

		while (j < FAMILY_COUNT_ && !text_equal(name, names[j]))
			j++;
		if (j < FAMILY_COUNT_)
			continue;
		near = text_did_you_mean(name, names, FAMILY_COUNT_);
		return err_set(err, ERR_CONFIG, 0,
				"line %u: limits: there is no family \"%.60s\"%s%s%s",
				limits->overrides[i].line, name, near ? "; did you mean \"" : "",
				near ? near : "", near ? "\"?" : "");
	}
	return ERR_NONE;
}

void budget_init(struct budget *budget, const struct limit_settings *limits, uint64_t now_ns)
{
	*budget = (struct budget){0};
	for (unsigned i = 0; i < FAMILY_COUNT_; i++) {
		struct bucket *bucket = &budget->buckets[i];

		if (limits->share_percent == 0)
			bucket_init(bucket, 0, 1, BUDGET_IN_FLIGHT_UNLIMITED);
		else
			family_init(bucket, (enum family)i, limits->share_percent);
		for (size_t j = 0; j < limits->override_count; j++) {
			const struct rate_override *override = &limits->overrides[j];

			if (text_equal(override->family, published[i].name) &&
					override->per_second > 0)
				bucket_init(bucket, override->per_second, override->per_second / 5,
						published[i].slots);
		}
		bucket->filled_ns = now_ns;
	}
	budget->scim_slots = limits->share_percent == 0 ? 0 : WORKSPACE_SCIM_SLOTS;
}

static void bucket_fill(struct bucket *bucket, uint64_t now_ns)
{
	double passed_s;

	if (bucket->slots < bucket->slots_max && now_ns > bucket->slots_since_ns + SLOT_GROWTH_NS) {
		bucket->slots++;
		bucket->slots_since_ns = now_ns;
	}
	if (now_ns <= bucket->filled_ns)
		return;
	passed_s = (double)(now_ns - bucket->filled_ns) / NS_PER_S;
	bucket->level = smaller(
			bucket->level + passed_s * bucket->rate * bucket->factor, bucket->capacity);
	bucket->factor = smaller(bucket->factor + passed_s * FACTOR_GROWTH, 1);
	bucket->filled_ns = now_ns;
}

/* Bulk leaves one slot in five free, but never none for itself. */
static bool slot_is_free(unsigned in_flight, unsigned slots, enum lane lane)
{
	unsigned left = slots > 1 ? (slots + 4) / 5 : 0;

	return in_flight < (lane == LANE_BULK ? slots - left : slots);
}

bool budget_take(struct budget *budget, enum family family, enum lane lane, uint64_t now_ns,
		uint64_t *ret_when_ns)
{
	struct bucket *bucket = &budget->buckets[family];
	bool scim = published[family].workspace_scim && budget->scim_slots > 0;
	double need = 1 + (lane == LANE_BULK ? bucket->reserve : 0);

	if (now_ns < bucket->paused_until_ns) {
		*ret_when_ns = bucket->paused_until_ns;
		return false;
	}
	bucket_fill(bucket, now_ns);
	if (!slot_is_free(bucket->in_flight, bucket->slots, lane) ||
			(scim && !slot_is_free(budget->scim_in_flight, budget->scim_slots, lane))) {
		*ret_when_ns = BUDGET_NEVER;
		return false;
	}
	if (bucket->rate > 0 && bucket->level < need - ROUNDING) {
		double wait_s = (need - bucket->level) / (bucket->rate * bucket->factor);

		*ret_when_ns = now_ns + (uint64_t)(wait_s * NS_PER_S) + 1;
		return false;
	}
	if (bucket->rate > 0)
		bucket->level -= 1;
	bucket->in_flight++;
	budget->scim_in_flight += scim;
	return true;
}

void budget_done(struct budget *budget, enum family family, bool went_well)
{
	struct bucket *bucket = &budget->buckets[family];

	bucket->in_flight--;
	budget->scim_in_flight -= published[family].workspace_scim && budget->scim_slots > 0;
	if (went_well)
		bucket->pauses = 0;
}

static void bucket_pause(struct bucket *bucket, uint64_t now_ns, uint32_t seconds, double jitter)
{
	uint64_t until;

	if (seconds > BUDGET_PAUSE_MAX_S)
		seconds = BUDGET_PAUSE_MAX_S;
	until = now_ns + (uint64_t)((seconds + jitter) * NS_PER_S);
	if (until > bucket->paused_until_ns)
		bucket->paused_until_ns = until;
	/* Nothing is saved up during a pause: the first calls after it come at the rate, not as a burst. */
	bucket->filled_ns = bucket->paused_until_ns;
	bucket->level = smaller(bucket->level, 1);
}

static void bucket_slow_down(struct bucket *bucket, uint64_t now_ns, bool concurrency)
{
	if (!concurrency) {
		bucket->factor = larger(bucket->factor / 2, FACTOR_MIN);
	} else if (bucket->slots > 1) {
		bucket->slots--;
		bucket->slots_since_ns = now_ns;
	}
}

void budget_throttled(struct budget *budget, enum family family, uint64_t now_ns,
		uint32_t retry_after_s, bool concurrency, double jitter)
{
	struct bucket *bucket = &budget->buckets[family];
	uint32_t seconds = retry_after_s;

	bucket_fill(bucket, now_ns);
	if (now_ns < bucket->paused_until_ns) {
		if (seconds)
			bucket_pause(bucket, now_ns, seconds, jitter);
		return;
	}
	if (!seconds) {
		seconds = PAUSE_FIRST_S << (bucket->pauses < 6 ? bucket->pauses : 6);
		seconds = seconds < PAUSE_GROWN_MAX_S ? seconds : PAUSE_GROWN_MAX_S;
	}
	bucket->pauses++;
	bucket_slow_down(bucket, now_ns, concurrency);
	bucket_pause(bucket, now_ns, seconds, jitter);
}

void budget_pause(struct budget *budget, enum family family, uint64_t now_ns,
		uint32_t retry_after_s, double jitter)
{
	if (retry_after_s)
		bucket_pause(&budget->buckets[family], now_ns, retry_after_s, jitter);
}
