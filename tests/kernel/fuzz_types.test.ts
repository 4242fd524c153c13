/** Random calls on the other shapes; the shapes are spread over files so that these run side by side. */
import { expect, test } from 'vitest';
import { fuzz } from '../helpers/fuzz.ts';
import { seeds } from '../helpers/seeds.ts';
import { SHAPES } from '../helpers/shapes.ts';
import { testShape } from '../helpers/testShape.ts';

for (const shape of SHAPES.slice(4, 6)) testShape(shape);

test('the same seed plays the same machine', () => {
  const shape = SHAPES[1]!;
  const [seed] = seeds(1);
  const first = fuzz(shape, seed!, 2000, 2000);
  expect(first.failure).toBeNull();
  expect(fuzz(shape, seed!, 2000, 2000).hash).toBe(first.hash);
});
