/** Random calls under the rules of 2.6.32. */
import { testShape } from '../helpers/shapes.ts';

testShape({
  name: '2.6.32, migratetypes with a reserve',
  processes: 5,
  config: { frames: 1024, zones: { dma: 64, normal: 832, highmem: 128 }, pageblockOrder: 4, minFreeKbytes: 120, rules: '2.6.32' },
});
