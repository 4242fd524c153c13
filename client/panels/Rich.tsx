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
