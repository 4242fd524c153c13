/** Random calls on huge pages: areas that hold some, touches over their ends, parts of them unmapped, and who may have them. */
import { HPAGE_BYTES } from '#kernel/mm/huge_split.ts';
import { one, someOf, type Makers } from './chance.ts';
import { PAGE } from './boot.ts';
import { someAddress } from './places.ts';

const RW = 'PROT_READ|PROT_WRITE';
const PRIVATE = 'MAP_PRIVATE|MAP_ANONYMOUS';

const MAKERS: Makers = [
  [6, (_m, pid, pick) => ({ pid, call: 'mmap', length: (1 + pick(2)) * HPAGE_BYTES, prot: RW, flags: PRIVATE })],
  [2, (_m, pid, pick) => ({ pid, call: 'mmap', length: (512 + pick(700)) * PAGE, prot: RW, flags: `${PRIVATE}|MAP_POPULATE` })],
  [
    4,
    (machine, pid, pick) => ({
      pid,
      call: 'munmap',
      addr: Math.floor(Math.max(0, someAddress(machine, pid, pick)) / PAGE) * PAGE,
      length: (1 + pick(one([3, 600], pick))) * PAGE,
    }),
  ],
  [
    6,
    (machine, pid, pick) => ({
      pid,
      call: one(['write', 'write', 'read'], pick),
      addr: someAddress(machine, pid, pick),
      length: 1 + pick(one([PAGE, 700 * PAGE], pick)),
    }),
  ],
  [
    5,
    (machine, pid, pick) => ({
      pid,
      call: 'madvise',
      addr: Math.floor(Math.max(0, someAddress(machine, pid, pick)) / PAGE) * PAGE,
      length: (1 + pick(one([3, 600, 1200], pick))) * PAGE,
      advice: one(['MADV_HUGEPAGE', 'MADV_HUGEPAGE', 'MADV_NOHUGEPAGE', 'MADV_DONTNEED', 'MADV_FREE', 'MADV_COLD'], pick),
    }),
  ],
  [
    3,
    (machine, pid, pick) => ({
      pid,
      call: 'mprotect',
      addr: Math.floor(Math.max(0, someAddress(machine, pid, pick)) / PAGE) * PAGE,
      length: (1 + pick(one([3, 600, 1200], pick))) * PAGE,
      prot: one([RW, RW, 'PROT_READ', 'PROT_NONE'], pick),
    }),
  ],
  [1, (_m, _pid, pick) => ({ pid: 0, call: 'sysctl', name: 'vm.thp_enabled', value: pick(3) })],
  [1, () => ({ pid: 0, call: 'sysctl', name: 'vm.thp_enabled', value: 0 })],
  [1, () => ({ pid: 0, call: 'cat', path: '/sys/kernel/mm/transparent_hugepage/enabled' })],
  [1, (machine, pid, pick) => ({ pid, call: 'pin_user_pages', addr: someAddress(machine, pid, pick), length: 1 + pick(4 * PAGE) })],
];

/** One of them. */
export const someHuge = someOf(MAKERS);
