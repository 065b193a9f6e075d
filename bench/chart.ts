// Lines on logarithmic axes, as an SVG file that needs nothing else.

export interface Line {
  readonly title: string;
  readonly points: readonly (readonly [number, number])[];
}

const WIDTH = 760;
const HEIGHT = 460;
const LEFT = 60;
const RIGHT = 250;
const TOP = 40;
const BOTTOM = 50;
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#56b4e9', '#e69f00', '#cc79a7'];

/** Powers of ten that enclose the values. */
function decades(values: readonly number[]): [number, number] {
  const logs = values.map(Math.log10);
  return [Math.floor(Math.min(...logs)), Math.ceil(Math.max(...logs))];
}

function power(exponent: number): string {
  return `10<tspan dy="-5" font-size="9">${exponent}</tspan>`;
}

/** Values must be positive. */
export function chart(title: string, xTitle: string, lines: readonly Line[]): string {
  const points = lines.flatMap((l) => l.points);
  const [x0, x1] = decades(points.map(([x]) => x));
  const [y0, y1] = decades(points.map(([, y]) => y));
  const right = WIDTH - RIGHT;
  const bottom = HEIGHT - BOTTOM;
  const xOf = (log: number): number => LEFT + ((log - x0) / (x1 - x0)) * (right - LEFT);
  const yOf = (log: number): number => bottom - ((log - y0) / (y1 - y0)) * (bottom - TOP);
  const at = (n: number): string => n.toFixed(1);
  const parts: string[] = [];
  for (let e = x0; e <= x1; e++) {
    const x = at(xOf(e));
    parts.push(`<path d="M${x} ${TOP}V${bottom}" stroke="#ddd"/>`);
    parts.push(`<text x="${x}" y="${bottom + 20}" text-anchor="middle">${power(e)}</text>`);
  }
  for (let e = y0; e <= y1; e++) {
    const y = yOf(e);
    parts.push(`<path d="M${LEFT} ${at(y)}H${right}" stroke="#ddd"/>`);
    parts.push(`<text x="${LEFT - 8}" y="${at(y + 4)}" text-anchor="end">${power(e)}</text>`);
  }
  lines.forEach((line, i) => {
    const colour = COLOURS[i % COLOURS.length];
    const places = line.points.map(([x, y]) => [xOf(Math.log10(x)), yOf(Math.log10(y))] as const);
    const path = places.map(([x, y], j) => `${j ? 'L' : 'M'}${at(x)} ${at(y)}`).join('');
    parts.push(`<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`);
    for (const [x, y] of places) parts.push(`<circle cx="${at(x)}" cy="${at(y)}" r="3" fill="${colour}"/>`);
    const y = TOP + 14 + 20 * i;
    parts.push(`<path d="M${right + 16} ${y - 4}h20" stroke="${colour}" stroke-width="2"/>`);
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
