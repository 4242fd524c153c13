/*
 * The buddy allocator of the fidelity spec, section 5 (6.x rules, one list per order), as tight as C makes it easily:
 * what the kernel of this project is measured against. Same representation (arrays by frame, intrusive doubly linked
 * lists), same random numbers, same operations; the hash over all free lists proves that both did the same work.
 *
 *   twin FRAMES MAX_ORDER LIVE_MAX OPERATIONS SEED ROUNDS
 *
 * prints one line a round: nanoseconds of processor time, hash of the free lists, operations that found no block.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { FREE_HEAD = 2, USED_HEAD = 4, ORDERS = 16 };

static int32_t frames, max_order;
static uint8_t *flags, *order_of;
static int32_t *next_of, *prev_of;
static int32_t head[ORDERS], tail[ORDERS], nr_free[ORDERS];
static int64_t free_pages;

static void add_head(int32_t pfn, int order)
{
	int32_t first = head[order];
	flags[pfn] = FREE_HEAD;
	order_of[pfn] = order;
	prev_of[pfn] = -1;
	next_of[pfn] = first;
	if (first < 0)
		tail[order] = pfn;
	else
		prev_of[first] = pfn;
	head[order] = pfn;
	nr_free[order]++;
}

static void add_tail(int32_t pfn, int order)
{
	int32_t last = tail[order];
	flags[pfn] = FREE_HEAD;
	order_of[pfn] = order;
	next_of[pfn] = -1;
	prev_of[pfn] = last;
	if (last < 0)
		head[order] = pfn;
	else
		next_of[last] = pfn;
	tail[order] = pfn;
	nr_free[order]++;
}

static void unlink_block(int32_t pfn, int order)
{
	int32_t next = next_of[pfn], prev = prev_of[pfn];
	if (prev < 0)
		head[order] = next;
	else
		next_of[prev] = next;
	if (next < 0)
		tail[order] = prev;
	else
		prev_of[next] = prev;
	flags[pfn] = 0;
	nr_free[order]--;
}

static int is_free_block(int32_t pfn, int order)
{
	return pfn < frames && (flags[pfn] & FREE_HEAD) && order_of[pfn] == order;
}

static int32_t alloc_block(int order)
{
	for (int high = order; high <= max_order; high++) {
		int32_t pfn = head[high];
		if (pfn < 0)
			continue;
		unlink_block(pfn, high);
		while (high > order) {
			high--;
			add_head(pfn + (1 << high), high);
		}
		flags[pfn] = USED_HEAD;
		order_of[pfn] = order;
		free_pages -= 1 << order;
		return pfn;
	}
	return -1;
}

static void free_block(int32_t pfn, int order)
{
	flags[pfn] = 0;
	free_pages += 1 << order;
	while (order < max_order) {
		int32_t buddy = pfn ^ (1 << order);
		if (!is_free_block(buddy, order))
			break;
		unlink_block(buddy, order);
		pfn &= buddy;
		order++;
	}
	if (order < max_order - 1) {
		int32_t parent = pfn & ~(1 << order);
		if (is_free_block(parent ^ (2 << order), order + 1)) {
			add_tail(pfn, order);
			return;
		}
	}
	add_head(pfn, order);
}

static void boot(void)
{
	for (int order = 0; order < ORDERS; order++)
		head[order] = tail[order] = -1, nr_free[order] = 0;
	for (int32_t pfn = 0; pfn < frames; pfn++)
		flags[pfn] = order_of[pfn] = 0;
	free_pages = frames;
	for (int32_t pfn = 0; pfn < frames;) {
		int order = max_order;
		while ((pfn & ((1 << order) - 1)) || pfn + (1 << order) > frames)
			order--;
		add_tail(pfn, order);
		pfn += 1 << order;
	}
}

/* xorshift32 (Marsaglia): three shifts, so that neither side is measured by its random numbers */
static uint32_t rng;
static uint32_t random32(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 17;
	rng ^= rng << 5;
	return rng;
}

static uint32_t hash_lists(void)
{
	uint32_t hash = 0x811c9dc5u;
	for (int order = 0; order <= max_order; order++) {
		hash = (hash ^ (uint32_t)nr_free[order]) * 0x01000193u;
		for (int32_t pfn = head[order]; pfn >= 0; pfn = next_of[pfn])
			hash = (hash ^ (uint32_t)pfn) * 0x01000193u;
	}
	return hash;
}

int main(int argc, char **argv)
{
	if (argc != 7)
		return 2;
	frames = atoi(argv[1]);
	max_order = atoi(argv[2]);
	int32_t live_max = atoi(argv[3]);
	int64_t operations = atoll(argv[4]);
	uint32_t seed = (uint32_t)atoll(argv[5]);
	int rounds = atoi(argv[6]);
	flags = calloc(frames, 1);
	order_of = calloc(frames, 1);
	next_of = calloc(frames, sizeof(int32_t));
	prev_of = calloc(frames, sizeof(int32_t));
	int32_t *live = calloc(live_max, sizeof(int32_t));
	for (int round = 0; round < rounds; round++) {
		struct timespec start, end;
		int32_t count = 0;
		int64_t misses = 0;
		boot();
		rng = seed;
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
		for (int64_t n = 0; n < operations; n++) {
			uint32_t draw = random32();
			/* Fill all slots, then walk at random below that. */
			if (n < live_max || count == 0 || (count < live_max && (draw & 1))) {
				int32_t pfn = alloc_block(((draw >> 8 & 0xff) * 5) >> 8);
				if (pfn < 0)
					misses++;
				else
					live[count++] = pfn;
			} else {
				int32_t at = ((draw >> 16) * (uint32_t)count) >> 16;
				int32_t pfn = live[at];
				live[at] = live[--count];
				free_block(pfn, order_of[pfn]);
			}
		}
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
		printf("%lld %08x %lld\n", (long long)(end.tv_sec - start.tv_sec) * 1000000000 + (end.tv_nsec - start.tv_nsec),
		       hash_lists(), (long long)misses);
		fflush(stdout);
	}
	return 0;
}
