import { has, t } from '../text/t.ts';

/** A sentence in which `[Q]` is drawn as a key. */
export function Rich({ text }: { text: string }) {
  return (
    <>
      {text.split(/\[([^\]]+)\]/).map((part, at) =>
        at % 2 === 1 ? (
          <kbd key={at} class="keycap">
            {part}
          </kbd>
        ) : (
          part
        ),
      )}
    </>
  );
}

/** A rule of the lobby; where it names keys, one in words for a thumb stands in its place on a phone. */
export function Rule({ name }: { name: string }) {
  const key = `lobby.rules.${name}`;
  const tap = `lobby.tap.${name}`;
  if (!has(tap)) return <Rich text={t(key)} />;
  return (
    <>
      <span class="by-key">
        <Rich text={t(key)} />
      </span>
      <span class="by-thumb">{t(tap)}</span>
    </>
  );
}
