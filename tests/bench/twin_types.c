/*
 * Zones with migratetypes, in C: what the kernel of this project must do, list by list (fidelity spec, sections 4 and 5).
 * Written from the spec and from what Linux does, in another shape than the kernel: one array of lists a zone, a type kept
 * with each free block. The hash over all lists, tags and reserves shows that both did the same.
 *
 *   twin_types RULES DMA NORMAL HIGHMEM MAX_ORDER PAGEBLOCK_ORDER CMA_BASE CMA_COUNT MIN_FREE_KBYTES LIVE_MAX OPERATIONS SEED
 *
 * RULES is 6 (Linux 6.13) or 26 (2.6.32); MIN_FREE_KBYTES -1 is the kernel's formula. Prints eight hashes, one after each
 * eighth of the operations, each with the requests refused so far.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNMOVABLE, MOVABLE, RECLAIMABLE, KEPT, CMA, ISOLATE, TYPES };
enum { ORDERS = 11, ZONES = 3 };
enum { RIGHT_HIGH = 1, RIGHT_NOWAIT = 2, RIGHT_KEPT = 4, RIGHT_CMA = 8 };
enum { DMA, NORMAL, HIGHMEM };

struct block_list {
	int32_t first, last, length;
};

struct zone {
	int32_t start, end;
	int64_t free;
	struct block_list list[ORDERS][TYPES];
	int32_t count[ORDERS];
	int32_t min, low, high, boost, kept;
	int32_t reserve[ZONES];
	int has_cma;
};

static int old_rules, max_order, pageblock_order, zones;
static int32_t pageblock_pages;
static struct zone zone[ZONES];
static int name_of[ZONES];
static uint8_t *is_free, *order_of, *type_of_block, *moves, *tag;
static int32_t *next_of, *prev_of;

/* Lists */

static void link_block(struct zone *z, int32_t pfn, int order, int type, int to_tail)
{
	struct block_list *list = &z->list[order][type];

	is_free[pfn] = 1;
	order_of[pfn] = order;
	type_of_block[pfn] = type;
	next_of[pfn] = prev_of[pfn] = -1;
	if (list->length == 0) {
		list->first = list->last = pfn;
	} else if (to_tail) {
		prev_of[pfn] = list->last;
		list->last = next_of[list->last] = pfn;
	} else {
		next_of[pfn] = list->first;
		list->first = prev_of[list->first] = pfn;
	}
	list->length++;
	z->count[order]++;
}

static void unlink_block(struct zone *z, int32_t pfn)
{
	int order = order_of[pfn];
	struct block_list *list = &z->list[order][type_of_block[pfn]];

	if (prev_of[pfn] >= 0)
		next_of[prev_of[pfn]] = next_of[pfn];
	else
		list->first = next_of[pfn];
	if (next_of[pfn] >= 0)
		prev_of[next_of[pfn]] = prev_of[pfn];
	else
		list->last = prev_of[pfn];
	is_free[pfn] = 0;
	list->length--;
	z->count[order]--;
}

static int32_t first_of(struct zone *z, int order, int type)
{
	return z->list[order][type].length ? z->list[order][type].first : -1;
}

static int64_t pages_of_type(struct zone *z, int type)
{
	int64_t pages = 0;
	for (int order = 0; order <= max_order; order++)
		pages += (int64_t)z->list[order][type].length << order;
	return pages;
}

static int tag_of(int32_t pfn)
{
	return tag[pfn >> pageblock_order];
}

static void set_tags(int32_t pfn, int order, int type)
{
	int32_t blocks = order > pageblock_order ? 1 << (order - pageblock_order) : 1;
	memset(tag + (pfn >> pageblock_order), type, blocks);
}

/* Freeing */

static int is_ordinary(int type)
{
	return type == UNMOVABLE || type == MOVABLE || type == RECLAIMABLE;
}

static int is_free_block(struct zone *z, int32_t pfn, int order)
{
	return pfn >= z->start && pfn < z->end && is_free[pfn] && order_of[pfn] == order;
}

static void give_back(struct zone *z, int32_t pfn, int order, int to_tail)
{
	int type = tag_of(pfn);

	z->free += 1 << order;
	for (; order < max_order; order++) {
		int32_t buddy = pfn ^ (1 << order);
		if (!is_free_block(z, buddy, order))
			break;
		if (!old_rules && tag_of(buddy) != type) {
			if (!is_ordinary(type) || !is_ordinary(tag_of(buddy)))
				break;
		}
		unlink_block(z, buddy);
		if (!old_rules && tag_of(buddy) != type)
			set_tags(buddy, order, type);
		pfn &= ~(1 << order);
	}
	if (!old_rules && !to_tail && order < max_order - 1) {
		int32_t parent = pfn & ~(1 << order);
		to_tail = is_free_block(z, parent ^ (2 << order), order + 1);
	}
	link_block(z, pfn, order, type, to_tail);
}

/* Giving out */

static int32_t cut(struct zone *z, int32_t pfn, int order, int type)
{
	int high = order_of[pfn];

	unlink_block(z, pfn);
	while (high-- > order)
		link_block(z, pfn + (1 << high), high, type, 0);
	z->free -= 1 << order;
	return pfn;
}

static int32_t take_smallest(struct zone *z, int order, int type)
{
	for (int high = order; high <= max_order; high++) {
		int32_t pfn = first_of(z, high, type);
		if (pfn >= 0)
			return cut(z, pfn, order, type);
	}
	return -1;
}

/* Moves the free blocks of a pageblock to another type's lists; how many pages that were. */
static int32_t move_block(struct zone *z, int32_t start, int32_t end, int type, int to_tail)
{
	int32_t pages = 0;

	for (int32_t pfn = start; pfn < end;) {
		if (!is_free[pfn]) {
			pfn++;
			continue;
		}
		int order = order_of[pfn];
		unlink_block(z, pfn);
		link_block(z, pfn, order, type, to_tail);
		pages += 1 << order;
		pfn += 1 << order;
	}
	return pages;
}

static const int others[3][2] = {
	[UNMOVABLE] = { RECLAIMABLE, MOVABLE },
	[MOVABLE] = { RECLAIMABLE, UNMOVABLE },
	[RECLAIMABLE] = { UNMOVABLE, MOVABLE },
};

static int32_t foreign_block(struct zone *z, int order, int type)
{
	int32_t pfn = first_of(z, order, others[type][0]);
	return pfn >= 0 ? pfn : first_of(z, order, others[type][1]);
}

static int may_claim(int order, int type)
{
	return order >= pageblock_order / 2 || type != MOVABLE;
}

static int32_t steal(struct zone *z, int32_t pfn, int order, int type)
{
	int from = type_of_block[pfn], high = order_of[pfn];
	int32_t start = pfn & ~(pageblock_pages - 1), end = start + pageblock_pages;
	int32_t free = 0, movable = 0, alike = 0;

	if (high >= pageblock_order) {
		set_tags(pfn, high, type);
		return cut(z, pfn, order, type);
	}
	if (pageblock_pages * 4 <= z->end - z->start) {
		int32_t most = (int64_t)z->high * 15000 / 10000;
		if (most) {
			if (most < pageblock_pages)
				most = pageblock_pages;
			z->boost = z->boost + pageblock_pages < most ? z->boost + pageblock_pages : most;
		}
	}
	if (!may_claim(high, type) || start < z->start || end > z->end)
		return cut(z, pfn, order, from);
	for (int32_t at = start; at < end;) {
		if (is_free[at]) {
			free += 1 << order_of[at];
			at += 1 << order_of[at];
		} else {
			movable += moves[at++];
		}
	}
	if (type == MOVABLE)
		alike = movable;
	else if (from == MOVABLE)
		alike = pageblock_pages - free - movable;
	if (free + alike < pageblock_pages / 2)
		return cut(z, pfn, order, from);
	move_block(z, start, end, type, 1);
	set_tags(start, pageblock_order, type);
	return take_smallest(z, order, type);
}

static int32_t take_foreign(struct zone *z, int order, int type)
{
	for (int high = max_order; high >= order; high--) {
		int32_t pfn = foreign_block(z, high, type);
		if (pfn < 0)
			continue;
		if (may_claim(high, type) || high == order)
			return steal(z, pfn, order, type);
		for (high = order;; high++) {
			pfn = foreign_block(z, high, type);
			if (pfn >= 0)
				return steal(z, pfn, order, type);
		}
	}
	return -1;
}

static int32_t take_block(struct zone *z, int order, int type, int rights)
{
	int32_t pfn = -1;

	if (rights & RIGHT_KEPT)
		pfn = take_smallest(z, order, KEPT);
	if (pfn < 0 && rights & RIGHT_CMA && z->has_cma && pages_of_type(z, CMA) > z->free / 2)
		pfn = take_smallest(z, order, CMA);
	if (pfn < 0)
		pfn = take_smallest(z, order, type);
	if (pfn < 0 && rights & RIGHT_CMA)
		pfn = take_smallest(z, order, CMA);
	if (pfn < 0)
		pfn = take_foreign(z, order, type);
	if (pfn < 0 && rights & RIGHT_NOWAIT)
		pfn = take_smallest(z, order, KEPT);
	return pfn;
}

/* 2.6.32: free blocks of a claimed pageblock change lists even where the pageblock keeps its tag. */
static int32_t take_foreign_26(struct zone *z, int order, int type)
{
	for (int high = max_order; high >= order; high--) {
		int32_t pfn = foreign_block(z, high, type);
		if (pfn < 0)
			continue;
		int to = type_of_block[pfn];
		if (high >= pageblock_order / 2 || type == RECLAIMABLE) {
			int32_t start = pfn & ~(pageblock_pages - 1), end = start + pageblock_pages;
			int32_t moved = end > z->end ? 0 : move_block(z, start < z->start ? pfn : start, end, type, 0);
			if (moved >= pageblock_pages / 2)
				set_tags(start, pageblock_order, type);
			to = type;
		}
		if (high >= pageblock_order)
			set_tags(pfn, high, type);
		return cut(z, pfn, order, to);
	}
	return -1;
}

static int32_t take_block_26(struct zone *z, int order, int type)
{
	int32_t pfn = take_smallest(z, order, type);
	if (pfn < 0)
		pfn = take_foreign_26(z, order, type);
	return pfn >= 0 ? pfn : take_smallest(z, order, KEPT);
}

/* Watermarks */

static int above_mark(struct zone *z, int order, int64_t mark, int class, int rights)
{
	int64_t free = z->free - (1 << order) + 1;

	if (old_rules) {
		if (rights & RIGHT_HIGH)
			mark -= mark / 2;
		if (rights & RIGHT_NOWAIT)
			mark -= mark / 4;
		if (free <= mark + z->reserve[class])
			return 0;
		for (int o = 0; o < order; o++) {
			free -= (int64_t)z->count[o] << o;
			mark >>= 1;
			if (free <= mark)
				return 0;
		}
		return 1;
	}
	if (!(rights & (RIGHT_HIGH | RIGHT_NOWAIT | RIGHT_KEPT)))
		free -= pages_of_type(z, KEPT);
	if (!(rights & RIGHT_CMA))
		free -= pages_of_type(z, CMA);
	if (rights & RIGHT_HIGH) {
		mark -= mark / 2;
		if (rights & RIGHT_NOWAIT)
			mark -= mark / 4;
	}
	if (free <= mark + z->reserve[class])
		return 0;
	if (order == 0)
		return 1;
	for (int o = order; o <= max_order; o++) {
		for (int type = UNMOVABLE; type <= RECLAIMABLE; type++)
			if (z->list[o][type].length)
				return 1;
		if (rights & RIGHT_CMA && z->list[o][CMA].length)
			return 1;
		if (rights & RIGHT_KEPT && z->list[o][KEPT].length)
			return 1;
	}
	return 0;
}

static void keep_block(struct zone *z, int32_t pfn, int order)
{
	int32_t percent = (z->end - z->start) / 100;
	int32_t most = (percent + pageblock_pages - 1) / pageblock_pages * pageblock_pages;
	int32_t start = pfn & ~(pageblock_pages - 1), end = start + pageblock_pages;

	if (percent < pageblock_pages || z->kept >= most || !is_ordinary(tag_of(pfn)))
		return;
	if (order >= pageblock_order) {
		set_tags(pfn, order, KEPT);
		z->kept += 1 << order;
	} else if (start >= z->start && end <= z->end) {
		move_block(z, start, end, KEPT, 1);
		set_tags(start, pageblock_order, KEPT);
		z->kept += pageblock_pages;
	}
}

/* Gives a kept pageblock back to ordinary use, from the requested zone down. */
static void release_block(int class, int type, int force)
{
	for (int i = class; i >= 0; i--) {
		struct zone *z = &zone[i];
		if (!force && z->kept <= pageblock_pages)
			continue;
		for (int order = 0; order <= max_order; order++) {
			int32_t pfn = first_of(z, order, KEPT);
			if (pfn < 0)
				continue;
			int32_t size = order > pageblock_order ? 1 << order : pageblock_pages;
			z->kept -= size < z->kept ? size : z->kept;
			if (order < pageblock_order) {
				int32_t start = pfn & ~(pageblock_pages - 1);
				move_block(z, start, start + pageblock_pages, type, 1);
				set_tags(start, pageblock_order, type);
			} else {
				unlink_block(z, pfn);
				link_block(z, pfn, order, type, 1);
				set_tags(pfn, order, type);
			}
			return;
		}
	}
}

static int32_t walk_zones(int order, int type, int class, int rights, int slow)
{
	for (int i = class; i >= 0; i--) {
		struct zone *z = &zone[i];
		if (!above_mark(z, order, (slow ? z->min : z->low) + z->boost, class, rights))
			continue;
		int32_t pfn = old_rules ? take_block_26(z, order, type) : take_block(z, order, type, rights);
		if (pfn < 0)
			continue;
		order_of[pfn] = order;
		if (rights & RIGHT_KEPT)
			keep_block(z, pfn, order);
		return pfn;
	}
	return -1;
}

/* A request that cannot wait: `high` as GFP_ATOMIC, else as GFP_NOWAIT. */
static int32_t request(int order, int type, int class, int high)
{
	int lent = type == MOVABLE && !old_rules ? RIGHT_CMA : 0;
	int rights = lent | RIGHT_NOWAIT | (high ? RIGHT_HIGH : 0);
	if (!old_rules && high && order > 0)
		rights |= RIGHT_KEPT;
	int32_t pfn = walk_zones(order, type, class, lent, 0);
	return pfn >= 0 ? pfn : walk_zones(order, type, class, rights, 1);
}

/* Boot */

static int64_t root_of(int64_t n)
{
	int64_t root = 0;
	while ((root + 1) * (root + 1) <= n)
		root++;
	return root;
}

static void set_marks(int64_t kbytes)
{
	static const int ratio[ZONES] = { 256, 32, 0 };
	int64_t lowmem = 0;

	for (int i = 0; i < zones; i++)
		if (name_of[i] != HIGHMEM)
			lowmem += zone[i].end - zone[i].start;
	if (kbytes < 0) {
		int64_t most = old_rules ? 65536 : 262144;
		kbytes = root_of(lowmem * 4 * 16);
		kbytes = kbytes < 128 ? 128 : kbytes > most ? most : kbytes;
	}
	for (int i = 0; i < zones; i++) {
		struct zone *z = &zone[i];
		int64_t pages = z->end - z->start, share = (kbytes >> 2) * pages / (lowmem ? lowmem : 1), step = share >> 2, above = 0;
		z->min = share;
		if (name_of[i] == HIGHMEM)
			z->min = pages / 1024 < 32 ? 32 : pages / 1024 > 128 ? 128 : pages / 1024;
		if (!old_rules && step < pages * 10 / 10000)
			step = pages * 10 / 10000;
		z->low = z->min + step;
		z->high = old_rules ? z->min + (share >> 1) : z->min + 2 * step;
		if (kbytes == 0)
			z->min = z->low = z->high = 0;
		for (int j = i + 1; j < zones; j++) {
			above += zone[j].end - zone[j].start;
			z->reserve[j] = ratio[name_of[i]] ? above / ratio[name_of[i]] : 0;
		}
	}
}

static void fill(struct zone *z, int32_t start, int32_t end)
{
	for (int32_t pfn = start; pfn < end;) {
		int order = max_order;
		while ((pfn & ((1 << order) - 1)) || pfn + (1 << order) > end)
			order--;
		give_back(z, pfn, order, !old_rules);
		pfn += 1 << order;
	}
}

/* 2.6.32 keeps the first one or two pageblocks of a zone; larger free blocks are cut first. */
static void keep_first_blocks(struct zone *z)
{
	int blocks = (z->min + pageblock_pages - 1) / pageblock_pages;

	if (blocks > 2)
		blocks = 2;
	for (int32_t pfn = z->start; pfn < z->end && blocks > 0; pfn += pageblock_pages) {
		int32_t start = pfn & ~(pageblock_pages - 1), head = start;
		if (tag_of(pfn) != MOVABLE)
			continue;
		for (int order = 0; order <= max_order && !is_free[head]; order++)
			head = start & ~((1 << order) - 1);
		while (start >= z->start && is_free[head] && order_of[head] > pageblock_order && head + (1 << order_of[head]) > start) {
			int half = order_of[head] - 1, type = type_of_block[head];
			unlink_block(z, head);
			link_block(z, head + (1 << half), half, type, 0);
			link_block(z, head, half, type, 0);
			if (start >= head + (1 << half))
				head += 1 << half;
		}
		set_tags(start, pageblock_order, KEPT);
		if (start + pageblock_pages <= z->end)
			move_block(z, start < z->start ? pfn : start, start + pageblock_pages, KEPT, 0);
		blocks--;
	}
}

static uint32_t hash;
static void mix(int64_t value)
{
	hash = (hash ^ (uint32_t)value) * 0x01000193u;
}

static uint32_t hash_all(int32_t frames)
{
	hash = 0x811c9dc5u;
	for (int i = 0; i < zones; i++) {
		struct zone *z = &zone[i];
		mix(z->free), mix(z->min), mix(z->low), mix(z->high), mix(z->boost), mix(z->kept);
		for (int order = 0; order <= max_order; order++) {
			mix(z->count[order]);
			for (int type = 0; type < TYPES; type++) {
				mix(z->list[order][type].length);
				for (int32_t pfn = first_of(z, order, type), n = z->list[order][type].length; n > 0; n--, pfn = next_of[pfn])
					mix(pfn);
			}
		}
	}
	for (int32_t block = 0; block << pageblock_order < frames; block++)
		mix(tag[block]);
	return hash;
}

static uint32_t rng;
static uint32_t random32(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 17;
	rng ^= rng << 5;
	return rng;
}

static struct zone *zone_of(int32_t pfn)
{
	for (int i = 0;; i++)
		if (pfn < zone[i].end)
			return &zone[i];
}

/* What a draw asks for: most requests are of one page; types, zones and rights in turn. */
static int32_t draw_request(uint32_t draw, int *order)
{
	static const int orders[16] = { 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, -1, -1 };
	static const int types[16] = { 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 0, 0, 0, 1, 1 };
	int what = draw >> 11 & 15, class = zones - 1;

	*order = orders[draw >> 3 & 15];
	if (*order < 0)
		*order = (draw >> 16 & 0xff) % (max_order + 1);
	if (what == 13)
		class = 0;
	else if (what < 14 && name_of[class] == HIGHMEM)
		class--;
	return request(*order, types[what], class, what == 11 || what == 12 || what == 15);
}

int main(int argc, char **argv)
{
	int64_t arg[13] = { 0 };

	if (argc != 13)
		return 2;
	for (int i = 1; i < 13; i++)
		arg[i] = atoll(argv[i]);
	old_rules = arg[1] == 26;
	max_order = arg[5];
	pageblock_order = arg[6];
	pageblock_pages = 1 << pageblock_order;
	int32_t frames = arg[2] + arg[3] + arg[4], live_max = arg[10], cma = arg[7], cma_end = cma + arg[8];
	is_free = calloc(frames, 1), order_of = calloc(frames, 1), type_of_block = calloc(frames, 1), moves = calloc(frames, 1);
	next_of = calloc(frames, sizeof *next_of), prev_of = calloc(frames, sizeof *prev_of);
	tag = malloc((frames >> pageblock_order) + 1);
	memset(tag, MOVABLE, (frames >> pageblock_order) + 1);
	for (int32_t pfn = cma; pfn < cma_end; pfn += pageblock_pages)
		tag[pfn >> pageblock_order] = CMA;
	for (int32_t i = 0, start = 0; i < ZONES; start += arg[2 + i++]) {
		if (arg[2 + i] == 0)
			continue;
		struct zone *z = &zone[zones];
		name_of[zones++] = i;
		z->start = start;
		z->end = start + arg[2 + i];
		if (cma < cma_end && cma >= z->start && cma < z->end) {
			z->has_cma = 1;
			fill(z, z->start, cma), fill(z, cma, cma_end), fill(z, cma_end, z->end);
		} else {
			fill(z, z->start, z->end);
		}
	}
	set_marks(arg[9]);
	for (int i = 0; i < zones && old_rules; i++)
		keep_first_blocks(&zone[i]);

	int32_t *live = calloc(live_max, sizeof *live), count = 0;
	int64_t operations = arg[11], misses = 0;
	rng = (uint32_t)arg[12];
	for (int64_t n = 0; n < operations; n++) {
		uint32_t draw = random32();
		/* Fills for a while, empties for a while, and fills more. */
		uint32_t share = n >> 9 & 1 ? 3 : 6;
		if (count == 0 || (count < live_max && (draw & 7) < share)) {
			int order;
			int32_t pfn = draw_request(draw, &order);
			if (pfn < 0) {
				misses++;
			} else {
				live[count++] = pfn;
				moves[pfn] = order == 0 && (draw >> 11 & 15) >= 4 && (draw >> 11 & 15) <= 8;
			}
		} else {
			int32_t at = ((draw >> 16) * (uint32_t)count) >> 16, pfn = live[at];
			live[at] = live[--count];
			moves[pfn] = 0;
			give_back(zone_of(pfn), pfn, order_of[pfn], 0);
		}
		if ((n & 511) == 511)
			for (int i = 0; i < zones; i++)
				zone[i].boost = 0;
		if ((n & 1023) == 1023 && !old_rules)
			release_block(zones - 1, (draw >> 8 & 0xff) % 3, draw >> 20 & 1);
		if ((n + 1) % (operations / 8) == 0)
			printf("%08x %lld\n", hash_all(frames), (long long)misses);
	}
	return 0;
}
