/** The names of the design's table of calls (calls.md), which does not change: what goes beyond them stands in docs/calls-added.md. */

/** Each call's arguments and results. */
export const CALLS: Readonly<Record<string, string>> = {
  alloc_pages: 'order gfp pfn',
  free_pages: 'pfn order',
  alloc_bootmem: 'bytes pfn count',
  request_mem_region: 'phys size',
  cma_alloc: 'count align pfn',
  cma_release: 'pfn count',
  dma_alloc_coherent: 'size mask addr dma_addr',
  dma_free_coherent: 'addr size',
  kmalloc: 'size gfp addr',
  kzalloc: 'size gfp addr',
  kfree: 'addr',
  ksize: 'addr size',
  virt_to_phys: 'addr phys',
  phys_to_virt: 'phys addr',
  kmem_cache_create: 'name size align flags ctor cache',
  kmem_cache_alloc: 'cache gfp addr',
  kmem_cache_free: 'cache addr',
  kmem_cache_shrink: 'cache',
  kmem_cache_destroy: 'cache',
  mempool_create: 'min_nr cache order pool',
  mempool_alloc: 'pool gfp addr',
  mempool_free: 'pool addr',
  mempool_destroy: 'pool',
  vmalloc: 'size addr',
  vfree: 'addr',
  ioremap: 'phys size addr',
  iounmap: 'addr',
  kmap: 'pfn addr',
  kunmap: 'pfn',
  kmap_atomic: 'pfn addr',
  kunmap_atomic: 'addr',
  mmap: 'length prot flags fd offset addr',
  munmap: 'addr length',
  mprotect: 'addr length prot',
  mremap: 'addr old_length new_length flags',
  brk: 'addr',
  sbrk: 'increment addr',
  mlock: 'addr length',
  munlock: 'addr length',
  madvise: 'addr length advice',
  setrlimit: 'resource limit',
  read: 'addr length faults',
  write: 'addr length value faults',
  exec: 'addr faults',
  peek: 'addr length bytes',
  poke: 'addr bytes',
  spawn: 'pid',
  fork: 'pid',
  exit: 'code',
  kill: 'target sig',
  execve: 'path',
  shmget: 'key size shmflg shmid',
  shmat: 'shmid addr shmflg',
  shmdt: 'addr',
  shmctl: 'shmid cmd',
  malloc: 'size addr searched',
  calloc: 'nmemb size addr searched',
  realloc: 'addr size searched',
  free: 'addr',
  mallopt: 'param value',
  malloc_trim: 'pad',
  malloc_usable_size: 'addr size',
  htonl: 'value',
  open: 'path flags fd',
  pread: 'fd offset length',
  pwrite: 'fd offset length',
  fsync: 'fd',
  close: 'fd',
  transfer: 'fd offset count method copies switches',
  copy_to_user: 'addr length',
  copy_from_user: 'addr length',
  dma_transfer: 'channel addr count mode steps',
  pin_user_pages: 'addr length',
  unpin_user_pages: 'addr length',
  translate: 'addr access ring linear phys steps',
  load_segment: 'register selector',
  modify_ldt: 'entry base limit type dpl granularity present',
  sysctl: 'name value',
  swapon: '',
  swapoff: '',
  oom_score_adj: 'target value',
  oom_adj: 'target value',
  sysrq: 'key text',
  add_memory: 'count pfn',
  cat: 'path text',
  run: 'argv text',
};

/** What any answer may have. */
export const ANSWER = 'ok errno signal why cost';

/** The vocabularies. */
export const WORDS = `GFP_KERNEL GFP_ATOMIC GFP_NOWAIT GFP_NOIO GFP_NOFS GFP_USER GFP_HIGHUSER GFP_HIGHUSER_MOVABLE GFP_DMA GFP_DMA32
  __GFP_HIGHMEM __GFP_MOVABLE __GFP_RECLAIMABLE __GFP_ZERO __GFP_NOFAIL __GFP_NORETRY __GFP_RETRY_MAYFAIL __GFP_COMP
  SLAB_HWCACHE_ALIGN SLAB_RECLAIM_ACCOUNT SLAB_CACHE_DMA SLAB_POISON SLAB_RED_ZONE SLAB_NO_MERGE PROT_NONE PROT_READ PROT_WRITE PROT_EXEC
  MAP_PRIVATE MAP_SHARED MAP_ANONYMOUS MAP_FIXED MAP_FIXED_NOREPLACE MAP_NORESERVE MAP_POPULATE MAP_LOCKED MAP_GROWSDOWN MREMAP_MAYMOVE
  MADV_DONTNEED MADV_WILLNEED MADV_FREE MADV_COLD IPC_CREAT IPC_EXCL SHM_RDONLY IPC_RMID IPC_STAT read write exec
  RLIMIT_STACK RLIMIT_DATA RLIMIT_AS RLIMIT_MEMLOCK RLIMIT_NPROC M_MMAP_THRESHOLD M_TRIM_THRESHOLD M_TOP_PAD M_MMAP_MAX
  read+write mmap+write sendfile sendfile+gather splice
  vm.drop_caches vm.compact_memory vm.swappiness vm.overcommit_memory vm.overcommit_ratio vm.min_free_kbytes`;

export const SYSCTLS = 'vm.drop_caches vm.compact_memory vm.swappiness vm.overcommit_memory vm.overcommit_ratio vm.min_free_kbytes';

/** Keys of a machine, and those within its objects. */
export const KEYS = `frames maxFrames zones reserved arch pageOffset maxOrder pageblockOrder mobility cma mem minFreeKbytes swap disk slab
  vmalloc libc overcommit swappiness replacement tlb rules chargeKernel root costs seed`;
export const KEYS_WITHIN = `dma dma32 normal highmem levels offsetBits pteBytes validBit memory frames slots readahead files path bytes text data
  bss libs allocator cpus cacheLine debug start end fit order coalesce header align heap base size mode ratio policy entries asid`;

export const FILES = `/proc/meminfo /proc/buddyinfo /proc/pagetypeinfo /proc/zoneinfo /proc/slabinfo /proc/vmallocinfo /proc/vmstat /proc/swaps
  /proc/iomem /proc/kmsg`;
export const TASK_FILES = 'maps smaps status statm oom_score oom_score_adj oom_adj pagemap freelist';
export const PROGRAMS = 'free top ps vmstat pmap procrank slabtop dmesg';
