// SPDX-License-Identifier: GPL-2.0-only
#include "workloads/inversion.h"

void phase_plan_init(struct phase_plan *plan, uint64_t seed, uint64_t n, unsigned int min_permille,
		     unsigned int max_permille)
{
	plan->random.state = seed;
	plan->min_permille = min_permille;
	plan->max_permille = max_permille;
	plan->left = n;
	plan->size = plan->next = 0;
}

static void draw_block(struct phase_plan *plan)
{
	uint64_t width = plan->max_permille - plan->min_permille;
	unsigned int n =
		plan->left && plan->left < PHASE_BLOCK ? (unsigned int)plan->left : PHASE_BLOCK;

	for (unsigned int i = 0; i < n; i++) {
		uint64_t from = width * i / n, to = width * (i + 1) / n;

		if (to == from)
			to++;
		plan->block[i] = plan->min_permille +
				 (unsigned int)(from + random_below(&plan->random, to - from));
	}
	for (unsigned int i = n; i > 1; i--) {
		unsigned int j = (unsigned int)random_below(&plan->random, i);
		unsigned int swapped = plan->block[i - 1];

		plan->block[i - 1] = plan->block[j];
		plan->block[j] = swapped;
	}
	plan->left -= plan->left < n ? plan->left : n;
	plan->size = n;
	plan->next = 0;
}

unsigned int phase_plan_next(struct phase_plan *plan)
{
	if (plan->next == plan->size)
		draw_block(plan);
	return plan->block[plan->next++];
}

int64_t inversion_remaining_ns(const struct episode_sample *sample)
{
	return (int64_t)(sample->owner_end_ns - sample->owner_arrival_ns);
}

bool is_lock_held(const struct episode_sample *sample)
{
	return sample->owner_arrival_ns > sample->owner_start_ns &&
	       sample->owner_arrival_ns < sample->owner_end_ns;
}

bool is_donor_blocked(const struct episode_sample *sample)
{
	return is_lock_held(sample) && sample->donor_switches > 0;
}

bool is_owner_asleep(const struct episode_sample *sample)
{
	return (sample->owner_state == 'S' || sample->owner_state == 'D') &&
	       sample->owner_wakeup_ns == sample->owner_arrival_ns;
}

bool inversion_factor_permille(uint64_t wait_ns, int64_t remaining_ns, uint64_t *out)
{
	if (remaining_ns <= 0)
		return false;
	*out = (uint64_t)((double)wait_ns * 1000 / (double)remaining_ns + 0.5);
	return true;
}

bool has_enough_contention(uint64_t contended, uint64_t samples)
{
	return samples && contended * 100 >= samples * 95;
}

bool is_proxying_as_expected(enum proxy_exec_state state, enum proxy_exec_request request,
			     uint64_t lent, uint64_t contended)
{
	bool is_seen = contended && lent * 2 >= contended;

	switch (state) {
	case PROXY_EXEC_UNKNOWN:
		if (request == PROXY_EXEC_ASKED_ON)
			return is_seen;
		return !lent || (is_seen && request == PROXY_EXEC_NOT_NAMED);
	case PROXY_EXEC_ON:
		return is_seen;
	default:
		return !lent;
	}
}

unsigned int nice_weight(int nice)
{
	/* Each step is about 1.25 times the next; nice 0 is 1024. */
	static const unsigned int weights[40] = {
		88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,
		9548,  7620,  6100,  4904,  3906,  3121,  2501,	 1991,	1586,  1277,
		1024,  820,   655,   526,   423,   335,	  272,	 215,	172,   137,
		110,   87,    70,    56,    45,	   36,	  29,	 23,	18,    15,
	};

	return weights[nice + 20];
}

double fair_share(unsigned int owner_weight, unsigned int hogs, unsigned int hog_weight)
{
	return (double)owner_weight / ((double)owner_weight + (double)hogs * hog_weight);
}

double unbounded_factor(double share)
{
	double factor = 1 / share / 4;

	return factor < 1.5 ? 1.5 : factor;
}

bool is_wait_bounded(uint64_t wait_ns, int64_t needed_ns, unsigned int locks, bool is_donor_fair)
{
	const uint64_t slack_ns = is_donor_fair ? UINT64_C(3000000) : UINT64_C(1000000);
	uint64_t least_ns = needed_ns > 0 ? (uint64_t)needed_ns : 0;

	return wait_ns <= 2 * least_ns + (locks + UINT64_C(1)) * slack_ns;
}
