/** Random calls on a large machine and on the shapes with addresses of 64 bits. */
import { SHAPES } from '../helpers/shapes.ts';
import { testShape } from '../helpers/testShape.ts';

for (const shape of SHAPES.slice(9)) testShape(shape);
