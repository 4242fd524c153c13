/** Random calls on the shapes with addresses of 64 bits. */
import { SHAPES, testShape } from '../helpers/shapes.ts';

for (const shape of SHAPES.slice(6)) testShape(shape);
