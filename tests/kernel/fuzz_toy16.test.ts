/** Random calls on the machine of the notes, whose processes have 64 KiB of addresses. */
import { TOY16 } from '../helpers/shapes.ts';
import { testShape } from '../helpers/testShape.ts';

testShape(TOY16);
