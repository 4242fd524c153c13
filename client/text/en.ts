/** All texts of one language in one chunk: assets/lang/en/AREA.json becomes the area AREA. */
const files = import.meta.glob<Record<string, never>>('../../assets/lang/en/*.json', { eager: true, import: 'default' });

export const texts = Object.fromEntries(
  Object.entries(files).map(([path, area]) => [path.slice(path.lastIndexOf('/') + 1, -'.json'.length), area]),
);
