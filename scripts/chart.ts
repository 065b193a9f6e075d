// Lines over a logarithmic axis, as an SVG file that needs nothing else.

export interface Line {
  readonly title: string;
  /** Second numbers must be positive. */
  readonly points: readonly (readonly [number, number])[];
}

export interface ChartOptions {
  /** How the horizontal axis goes. Default: logarithmic, for positive numbers. */
  readonly x?: 'logarithmic' | 'linear';
  /** Whether points are marked. Default: they are. */
  readonly marks?: boolean;
}

const WIDTH = 760;
const HEIGHT = 460;
const LEFT = 60;
const RIGHT = 250;
const TOP = 40;
const BOTTOM = 50;
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#56b4e9', '#e69f00', '#cc79a7'];
/** Lines that share a colour are drawn in other ways. */
const DASHES = ['', ' stroke-dasharray="6 3"', ' stroke-dasharray="2 2"', ' stroke-dasharray="8 2 2 2"'];

/** An axis: where numbers are on it, from 0 to 1, and what stands at it. */
interface Axis {
  at(value: number): number;
  readonly ticks: readonly { readonly at: number; readonly text: string }[];
}

/** Decades that enclose the values; of many, every second or third has a tick. */
function logarithmic(values: readonly number[]): Axis {
  const logs = values.map(Math.log10);
  const [from, to] = [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs))];
  const at = (log: number): number => (log - from) / (to - from);
  const step = Math.ceil((to - from) / 10);
  const exponents = Array.from({ length: to - from + 1 }, (_, i) => from + i).filter(
    (e) => (e - from) % step === 0,
  );
  const ticks = exponents.map((e) => ({
    at: at(e),
    text: `10<tspan dy="-5" font-size="9">${e}</tspan>`,
  }));
  return { at: (value) => at(Math.log10(value)), ticks };
}

/** About eight ticks at multiples of 1, 2 or 5 times a power of ten. */
function linear(values: readonly number[]): Axis {
  const [from, to] = [Math.min(...values), Math.max(...values)];
  const rough = (to - from) / 8;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((s) => s >= rough)!;
  const at = (value: number): number => (value - from) / (to - from);
  const ticks = [];
  for (let n = Math.ceil(from / step); n * step <= to; n++)
    ticks.push({ at: at(n * step), text: String(Number((n * step).toPrecision(6))) });
  return { at, ticks };
}

/** Lines over a logarithmic vertical axis. */
export function chart(
  title: string,
  xTitle: string,
  lines: readonly Line[],
  { x = 'logarithmic', marks = true }: ChartOptions = {},
): string {
  const points = lines.flatMap((l) => l.points);
  const across = (x === 'linear' ? linear : logarithmic)(points.map(([v]) => v));
  const upwards = logarithmic(points.map(([, v]) => v));
  const right = WIDTH - RIGHT;
  const bottom = HEIGHT - BOTTOM;
  const xOf = (part: number): number => LEFT + part * (right - LEFT);
  const yOf = (part: number): number => bottom - part * (bottom - TOP);
  const at = (n: number): string => n.toFixed(1);
  const parts: string[] = [];
  for (const tick of across.ticks) {
    const place = at(xOf(tick.at));
    parts.push(`<path d="M${place} ${TOP}V${bottom}" stroke="#ddd"/>`);
    parts.push(`<text x="${place}" y="${bottom + 20}" text-anchor="middle">${tick.text}</text>`);
  }
  for (const tick of upwards.ticks) {
    const y = yOf(tick.at);
    parts.push(`<path d="M${LEFT} ${at(y)}H${right}" stroke="#ddd"/>`);
    parts.push(`<text x="${LEFT - 8}" y="${at(y + 4)}" text-anchor="end">${tick.text}</text>`);
  }
  lines.forEach((line, i) => {
    const colour = COLOURS[i % COLOURS.length];
    const stroke = `stroke="${colour}" stroke-width="${marks ? 2 : 1.5}"${DASHES[Math.floor(i / COLOURS.length) % DASHES.length]}`;
    const places = line.points.map(([u, v]) => [xOf(across.at(u)), yOf(upwards.at(v))] as const);
    const path = places.map(([u, v], j) => `${j ? 'L' : 'M'}${at(u)} ${at(v)}`).join('');
    parts.push(`<path d="${path}" fill="none" ${stroke}/>`);
    for (const [u, v] of marks ? places : [])
      parts.push(`<circle cx="${at(u)}" cy="${at(v)}" r="3" fill="${colour}"/>`);
    const y = TOP + 14 + 20 * i;
    parts.push(`<path d="M${right + 16} ${y - 4}h20" ${stroke}/>`);
    parts.push(`<text x="${right + 42}" y="${y}">${line.title}</text>`);
  });
  parts.push(`<text x="${LEFT}" y="22" font-size="14">${title}</text>`);
  parts.push(`<text x="${(LEFT + right) / 2}" y="${HEIGHT - 10}" text-anchor="middle">${xTitle}</text>`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${title}</title>`,
    '<rect width="100%" height="100%" fill="white"/>',
    ...parts,
    '</svg>\n',
  ].join('\n');
}
