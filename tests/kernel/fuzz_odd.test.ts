/** Random calls on two of the shapes; the shapes are spread over files so that these run side by side. */
import { SHAPES } from '../helpers/shapes.ts';
import { testShape } from '../helpers/testShape.ts';

for (const shape of SHAPES.slice(2, 4)) testShape(shape);
