// Plain text tables for a terminal: columns as wide as their widest cell, numbers to the right, words to the left.

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
  /** Longer cells lose their middle; unlimited where absent. */
  readonly limit?: number;
}

/** A row of cells, or 'rule' for a horizontal line. */
export type Row = readonly string[] | 'rule';

export function renderTable(columns: readonly Column[], rows: readonly Row[]): string {
  const cells = rows.map((row) =>
    row === 'rule' ? row : columns.map((c, i) => shorten(row[i] ?? '', c.limit)),
  );
  const widths = columns.map((column, i) =>
    Math.max(column.title.length, ...cells.map((row) => (row === 'rule' ? 0 : row[i]!.length))),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (columns[i]!.align === 'left' ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return [
    line(columns.map((c) => c.title)),
    rule,
    ...cells.map((row) => (row === 'rule' ? rule : line(row))),
  ].join('\n');
}

/** 1234567 -> 1,234,567; exact, because predicted and counted figures are compared digit by digit. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

export function milliseconds(seconds: number): string {
  return (seconds * 1000).toFixed(seconds < 0.0995 ? 2 : 0);
}

function shorten(text: string, limit: number = Number.POSITIVE_INFINITY): string {
  if (text.length <= limit) return text;
  const tail = Math.ceil((limit - 1) * 0.6);
  return `${text.slice(0, limit - 1 - tail)}…${text.slice(text.length - tail)}`;
}
