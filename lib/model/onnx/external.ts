// Data of tensors that lies in files beside the model (TensorProto.external_data).
//
// A model comes from outside, and so does the path that it names: a file is read only where it is a regular one inside
// the model's own folder, symbolic links followed. Where data lies and how much of it there must be is checked against
// the shape when the model is read; the elements themselves are read when something asks for them, so that a model
// whose weights do not fit into memory can still be compiled. Until then a file must not change: what was checked would
// no longer hold, and a program would mix the weights of two models. Its identity, size and times are compared at every
// read, on the descriptor that is read from.

import { createHash, type Hash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { isAbsolute, join, relative, sep, win32 } from 'node:path';
import { CryptorchError } from '../../errors';
import { FILE_PART } from '../../file-parts';
import { type TensorProto, TensorProto_DataLocation } from './onnx_pb';
import { invalidModel, quote } from './reader';

/** Part of a file that holds a tensor's elements. */
interface Region {
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
}

/** What tells whether a file is the one that it was, with the times to the nanosecond as far as the system keeps them. */
type State = readonly [dev: bigint, ino: bigint, size: bigint, mtimeNs: bigint, ctimeNs: bigint];

export function isExternal(proto: TensorProto): boolean {
  return proto.dataLocation === TensorProto_DataLocation.EXTERNAL || proto.externalData.length > 0;
}

/** The files beside a model, whose folder is not known where a model was given as bytes. */
export class ExternalFiles {
  /** Of every file when it was first opened. */
  private readonly states = new Map<string, State>();
  private readonly sums = new Map<string, string>();

  constructor(private readonly folder?: string) {}

  /**
   * Finds the `bytes` bytes of a tensor and returns what reads them, which throws FILE where the file has changed by
   * then; `what` names the tensor in errors.
   * @throws CryptorchError FILE, INVALID_MODEL; UNSUPPORTED_DATA where the model was given as bytes
   */
  open(proto: TensorProto, bytes: number, what: string): () => Uint8Array {
    const fields = new Map(proto.externalData.map(({ key, value }) => [key, value]));
    const location = fields.get('location') ?? '';
    const path = this.resolve(location, what);
    const size = this.use(path, what, (_, size) => size);
    const offset = natural(fields.get('offset') ?? '0', 'offset', what);
    if (offset > size) throw short(what, location, offset + bytes, size);
    const length =
      fields.get('length') === undefined ? size - offset : natural(fields.get('length')!, 'length', what);
    if (length !== bytes) {
      throw invalidModel(
        `${what} needs ${bytes} bytes for its shape [${proto.dims.join(', ')}], but ${length} are stored for it in ${quote(location)}. Export the model again.`,
        { tensor: proto.name, expected: bytes, found: length },
      );
    }
    if (offset + bytes > size) throw short(what, location, offset + bytes, size);
    const sum = fields.get('checksum');
    if (sum !== undefined) this.check(path, location, sum, what);
    return () => this.use(path, what, (file) => readRegion(file, { path, offset, bytes }, what));
  }

  private resolve(location: string, what: string): string {
    if (this.folder === undefined) {
      const message =
        `${what} keeps its data in another file, ${quote(location)}, and a model given as bytes has no folder: give the path of the ` +
        'model instead, or save it as one file with onnx.save(model, path, save_as_external_data=False).';
      throw new CryptorchError('UNSUPPORTED_DATA', message, { location });
    }
    const outside = (): CryptorchError =>
      invalidModel(
        `${what} keeps its data in ${quote(location)}; only files inside the model's folder are read. Put the file there (not as a link to elsewhere), and save the model with its name as location.`,
        { location },
      );
    const steps = location.split(/[\\/]/);
    const isNamed = location !== '' && !location.includes('\0');
    if (!isNamed || isAbsolute(location) || win32.isAbsolute(location) || steps.includes('..')) {
      throw outside();
    }
    const [root, path] = [real(this.folder, this.folder, what), real(this.folder, location, what)];
    const inside = relative(root, path);
    if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) throw outside();
    return path;
  }

  /** Opens a file, which must be the same for the first and the last time, and while it is used. */
  private use<T>(path: string, what: string, action: (file: number, size: number) => T): T {
    return withFile(path, what, (file) => {
      const first = this.states.get(path) ?? stateOf(file);
      this.states.set(path, first);
      const check = (): void => {
        if (!isSame(first, stateOf(file))) throw changed(path, what);
      };
      check();
      const result = action(file, Number(first[2]));
      check();
      return result;
    });
  }

  /** The checksum is the SHA-1 of the whole file. */
  private check(path: string, location: string, expected: string, what: string): void {
    const sum = this.sums.get(path) ?? this.use(path, what, (file) => sha1(file));
    this.sums.set(path, sum);
    if (sum === expected.toLowerCase()) return;
    throw invalidModel(
      `${what} keeps its data in ${quote(location)}, whose SHA-1 is ${sum} and not ${quote(expected)} as the model says. Copy both files again.`,
      { location },
    );
  }
}

function real(folder: string, location: string, what: string): string {
  try {
    return realpathSync(location === folder ? folder : join(folder, location));
  } catch (error) {
    const message = `${what} keeps its data in ${quote(location)}, which is not in the model's folder ${folder} (${(error as Error).message}). Put the file beside the model.`;
    throw new CryptorchError('FILE', message, { location, folder }, error);
  }
}

/**
 * The path is the real one, so no link is followed. Opening a special file could block, so it is opened without waiting
 * and refused by its descriptor. Where a system lacks a flag, it is undefined and counts as 0.
 */
function withFile<T>(path: string, what: string, use: (file: number) => T): T {
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if (!fstatSync(file).isFile()) throw new Error('it is no regular file');
    return use(file);
  } catch (error) {
    if (CryptorchError.is(error)) throw error;
    // A link in the place of the file.
    if ((error as NodeJS.ErrnoException).code === 'ELOOP') throw changed(path, what);
    const message = `Cannot read ${path}, which holds the data of ${what}: ${(error as Error).message}.`;
    throw new CryptorchError('FILE', message, { path }, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function stateOf(file: number): State {
  const { dev, ino, size, mtimeNs, ctimeNs } = fstatSync(file, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs];
}

function isSame(a: State, b: State): boolean {
  return a.every((value, i) => value === b[i]);
}

function changed(path: string, what: string): CryptorchError {
  const message = `${path}, which holds the data of ${what}, has changed since the model was read; compile again.`;
  return new CryptorchError('FILE', message, { path });
}

function natural(text: string, key: string, what: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw invalidModel(
    `${what} has the ${key} ${quote(text)} for its external data, which is no natural number. Export the model again.`,
  );
}

function short(what: string, location: string, needed: number, found: number): CryptorchError {
  return invalidModel(
    `${what} needs ${quote(location)} up to byte ${needed}, but the file ends at ${found}: it is truncated, or belongs to another model. Copy it again.`,
    { location, needed, found },
  );
}

function readRegion(file: number, { path, offset, bytes }: Region, what: string): Uint8Array {
  const data = new Uint8Array(bytes);
  for (let at = 0; at < bytes; ) {
    const read = readSync(file, data, at, Math.min(FILE_PART, bytes - at), offset + at);
    if (read === 0) throw changed(path, what);
    at += read;
  }
  return data;
}

function sha1(file: number): string {
  const hash: Hash = createHash('sha1');
  const chunk = new Uint8Array(2 ** 20);
  for (let at = 0; ; ) {
    const read = readSync(file, chunk, 0, chunk.length, at);
    if (read === 0) return hash.digest('hex');
    hash.update(chunk.subarray(0, read));
    at += read;
  }
}
