// ZIP archives, as far as numpy's .npz files need them: stored and deflated entries, 32 and 64 bit sizes.
//
// Archives come from outside. The directory is walked inside its stated bounds, every entry's size is checked against
// a total before it is unpacked, inflating stops at the stated size, and checksums are compared. Format: PKWARE
// APPNOTE.TXT 6.3.

import { crc32, inflateRawSync } from 'node:zlib';

export interface ZipEntry {
  readonly name: string;
  /** Of a stored entry: part of the archive's own memory. */
  readonly data: Uint8Array;
}

const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;

const END_SIZE = 22;
const CENTRAL_SIZE = 46;
const LOCAL_SIZE = 30;
const UTF8_NAMES = 0x800;

/**
 * All entries of an archive, unpacked.
 * @param limit most bytes that all entries may have together
 * @throws Error (plain, saying what is wrong) for anything that is not a sound archive within the limit.
 */
export function readZip(file: Uint8Array, limit: number): ZipEntry[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const { count, offset, end } = directory(view);
  const entries: ZipEntry[] = [];
  let total = 0;
  let at = offset;
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_SIZE > end || view.getUint32(at, true) !== CENTRAL)
      throw new Error('its directory is damaged');
    const entry = centralEntry(file, view, at, end);
    at = entry.next;
    total += entry.size;
    if (total > limit) throw new Error(`it unpacks to more than ${limit} bytes`);
    entries.push({ name: entry.name, data: unpack(file, view, entry) });
  }
  return entries;
}

interface Entry {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly local: number;
  readonly next: number;
}

function directory(view: DataView): { count: number; offset: number; end: number } {
  // The end record is last, but a comment of up to 65535 bytes may follow it.
  let end = view.byteLength - END_SIZE;
  const lowest = Math.max(0, end - 0xffff);
  while (end >= lowest && view.getUint32(end, true) !== END) end--;
  if (end < lowest) throw new Error('it is no zip archive, or truncated');
  let count = view.getUint16(end + 10, true);
  let offset = view.getUint32(end + 16, true);
  if (end >= 20 && view.getUint32(end - 20, true) === LOCATOR64) {
    const at = big(view, end - 12);
    if (at + 56 > end || view.getUint32(at, true) !== END64) throw new Error('its directory is damaged');
    count = big(view, at + 32);
    offset = big(view, at + 48);
  }
  if (offset + count * CENTRAL_SIZE > end) throw new Error('its directory is damaged');
  return { count, offset, end };
}

function centralEntry(file: Uint8Array, view: DataView, at: number, end: number): Entry {
  const nameLength = view.getUint16(at + 28, true);
  const extraLength = view.getUint16(at + 30, true);
  const extra = at + CENTRAL_SIZE + nameLength;
  const next = extra + extraLength + view.getUint16(at + 32, true);
  if (next > end) throw new Error('its directory is damaged');
  let packed = view.getUint32(at + 20, true);
  let size = view.getUint32(at + 24, true);
  let local = view.getUint32(at + 42, true);
  // 64-bit sizes: extra field 1 holds, in this order, those of the three that are all ones.
  for (let e = extra; e + 4 <= extra + extraLength; e += 4 + view.getUint16(e + 2, true)) {
    if (view.getUint16(e, true) !== 1) continue;
    const stop = Math.min(e + 4 + view.getUint16(e + 2, true), extra + extraLength);
    let p = e + 4;
    const take = (value: number): number => {
      if (value !== 0xffffffff || p + 8 > stop) return value;
      p += 8;
      return big(view, p - 8);
    };
    size = take(size);
    packed = take(packed);
    local = take(local);
  }
  const name = Buffer.from(file.subarray(at + CENTRAL_SIZE, extra)).toString('utf8');
  const flags = view.getUint16(at + 8, true);
  return {
    name,
    flags,
    method: view.getUint16(at + 10, true),
    crc: view.getUint32(at + 16, true),
    packed,
    size,
    local,
    next,
  };
}

function unpack(file: Uint8Array, view: DataView, entry: Entry): Uint8Array {
  const { name, local, packed, size } = entry;
  if (entry.flags & 1) throw new Error(`entry ${JSON.stringify(name)} is encrypted`);
  if (local + LOCAL_SIZE > file.length || view.getUint32(local, true) !== LOCAL) {
    throw new Error(`entry ${JSON.stringify(name)} is not where the directory says`);
  }
  const start = local + LOCAL_SIZE + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  if (start + packed > file.length) throw new Error(`entry ${JSON.stringify(name)} is truncated`);
  const raw = file.subarray(start, start + packed);
  let data: Uint8Array;
  if (entry.method === 0) data = raw;
  else if (entry.method === 8) data = inflate(raw, size, name);
  else throw new Error(`entry ${JSON.stringify(name)} is compressed by unknown method ${entry.method}`);
  if (data.length !== size || crc32(data) !== entry.crc)
    throw new Error(`entry ${JSON.stringify(name)} is damaged`);
  return data;
}

function inflate(raw: Uint8Array, size: number, name: string): Uint8Array {
  try {
    return inflateRawSync(raw, { maxOutputLength: Math.max(size, 1) });
  } catch (cause) {
    throw new Error(`entry ${JSON.stringify(name)} is damaged`, { cause });
  }
}

/**
 * An archive of stored (uncompressed) entries, dated 1980-01-01 so that equal contents give equal files.
 * @throws Error where an archive beyond 4 GiB would be needed.
 */
export function writeZip(entries: readonly ZipEntry[]): Uint8Array {
  const chunks: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let offset = 0;
  for (const { name, data } of entries) {
    const label = Buffer.from(name, 'utf8');
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0); // version needed
    common.writeUInt16LE(UTF8_NAMES, 2);
    common.writeUInt16LE(0x21, 8); // date
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(label.length, 22);
    const head = Buffer.concat([u32(LOCAL), common, label]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([u32(CENTRAL), Buffer.from([20, 0]), common, tail, label]));
    chunks.push(head, data);
    offset += head.length + data.length;
    if (offset > 0xffffffff) throw new Error('more than 4 GiB do not fit in one archive');
  }
  const index = Buffer.concat(central);
  const end = Buffer.alloc(END_SIZE);
  end.writeUInt32LE(END, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(index.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...chunks, index, end]);
}

function u32(value: number): Uint8Array {
  const b = Buffer.alloc(4);
  b.writeUInt32LE(value);
  return b;
}

/** A 64-bit field; beyond 2^53 it is beyond any file. */
function big(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}
