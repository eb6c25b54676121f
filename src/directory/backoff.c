#include "directory/backoff.h"

#include "base/digest.h"

uint64_t backoff_delay_ms(const struct backoff *backoff, uint32_t random)
{
	uint64_t whole = backoff->first_ms;

	for (unsigned i = 1; i < backoff->failures && whole < backoff->max_ms; i++)
		whole *= 2;
	if (whole > backoff->max_ms)
		whole = backoff->max_ms;
	return whole / 2 + (whole - whole / 2) * random / UINT32_MAX;
}

uint64_t backoff_fail_ms(struct backoff *backoff)
{
	uint32_t random;

	digest_random(&random, sizeof(random));
	if (backoff->failures < UINT32_MAX)
		backoff->failures++;
	return backoff_delay_ms(backoff, random);
}
