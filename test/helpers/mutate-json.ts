// Small damage to data that came out of JSON: what a careless edit or a broken disk may leave behind.

type Data = null | boolean | number | string | Data[] | { [key: string]: Data };

/** A copy with one place changed, removed, doubled or moved; `random(n)` gives 0 to n - 1. */
export function mutateJson(data: unknown, random: (n: number) => number): unknown {
  const copy = structuredClone(data) as Data;
  const places: { holder: Data[] | { [key: string]: Data }; key: string | number }[] = [];
  const collect = (value: Data): void => {
    if (value === null || typeof value !== 'object') return;
    for (const key of Array.isArray(value) ? value.keys() : Object.keys(value)) {
      places.push({ holder: value, key });
      collect((value as { [key: string | number]: Data })[key]!);
    }
  };
  collect(copy);
  const { holder, key } = places[random(places.length)]!;
  const at = holder as { [key: string | number]: Data };
  const old = at[key]!;
  switch (random(6)) {
    case 0:
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else delete at[key];
      break;
    case 1:
      if (Array.isArray(holder)) holder.splice(Number(key), 0, structuredClone(old));
      else at[`${key}2`] = old;
      break;
    case 2:
      at[key] = [null, -1, 0.5, 2 ** 60, '', 'x', [], {}, true][random(9)]!;
      break;
    case 3:
      at[key] = structuredClone(at[places.filter((p) => p.holder === holder)[0]!.key]!);
      break;
    default:
      at[key] = changed(old, random);
  }
  return copy;
}

function changed(value: Data, random: (n: number) => number): Data {
  if (typeof value === 'number') return value + [1, -1, 7, 2 ** 31, -value][random(5)]!;
  if (typeof value === 'string') {
    const words = [
      'share',
      'public',
      'mask',
      'clear',
      'state',
      'run',
      'setup',
      'offline',
      'online',
      'ring',
      '1n',
    ];
    return words[random(words.length)]!;
  }
  if (Array.isArray(value)) return [...value].reverse();
  return typeof value === 'boolean' ? !value : null;
}
