/** Random calls on the shapes with swap; the shapes are spread over files so that these run side by side. */
import { SHAPES } from '../helpers/shapes.ts';
import { testShape } from '../helpers/testShape.ts';

for (const shape of SHAPES.slice(6, 9)) testShape(shape);
