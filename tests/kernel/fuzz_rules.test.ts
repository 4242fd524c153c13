/** Random calls under the rules of 2.6.32. */
import { OLD_RECLAIM, OLD_RULES } from '../helpers/shapes.ts';
import { testShape } from '../helpers/testShape.ts';

testShape(OLD_RULES);
testShape(OLD_RECLAIM);
