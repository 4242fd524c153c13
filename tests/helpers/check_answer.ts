/** What must be true of any answer to a call. */
import type { Answer, Call, Machine } from '#kernel/machine.ts';
import { Broken } from './check_base.ts';

/** What must be true of any answer, and §19.8: an ordinary request leaves its zone above min and reserve. */
export function checkAnswer(machine: Machine, pid: number, request: Call, answer: Answer): void {
  const says = () => `pid ${pid} ${JSON.stringify(request)} → ${JSON.stringify(answer)}`;
  if (!Number.isInteger(answer.cost) || answer.cost < 0) throw new Broken(`a cost that is none: ${says()}`);
  if (answer.ok) {
    if (request.call === 'alloc_pages') checkWatermark(machine, request, answer.pfn!, says);
    return;
  }
  if ((answer.errno === undefined) === (answer.signal === undefined)) throw new Broken(`errno or signal, one of them: ${says()}`);
  if (answer.signal !== undefined && machine.tasks.has(pid)) throw new Broken(`killed, and still alive: ${says()}`);
  if (answer.errno === 'ESRCH' && answer.cost !== 0 && !('target' in request))
    throw new Broken(`a call by nobody costs nothing: ${says()}`);
  if (answer.errno === 'EINVAL' && answer.why.code === 'BAD_ARGUMENT' && answer.cost !== 0)
    throw new Broken(`a malformed call costs nothing: ${says()}`);
}

function checkWatermark(machine: Machine, request: Call, pfn: number, says: () => string): void {
  const gfp = String(request.gfp);
  if (gfp.includes('ATOMIC')) return;
  const { zones } = machine;
  const rank = { DMA: 0, DMA32: 1, Normal: 2, HighMem: 3 };
  // Without a zone DMA, GFP_DMA means Normal (include/linux/gfp.h, OPT_ZONE_DMA).
  const wanted = gfp.includes('GFP_DMA') && zones[0]!.name === 'DMA' ? 0 : gfp.includes('HIGHUSER') ? 3 : 2;
  const classZone = zones.findLastIndex((zone) => rank[zone.name] <= wanted);
  const zone = zones.find((each) => pfn >= each.start && pfn < each.end)!;
  if (zones.indexOf(zone) > classZone) throw new Broken(`from a zone above the one that was asked: ${says()}`);
  if (zone.free < zone.watermark.min + (zone.lowmemReserve[classZone] ?? 0))
    throw new Broken(`${zone.name} fell to ${zone.free}, under its mark: ${says()}`);
}
