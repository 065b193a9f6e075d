// Files that must be whole or absent: written beside their place, flushed, then renamed, and the folder flushed too, so
// that a crash at any moment leaves the old content or the new one. Secrets are readable by their owner alone.

import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CryptorchError } from '../errors';
import { FILE_PART } from '../file-parts';

export const PUBLIC_MODE = 0o644;
export const SECRET_MODE = 0o600;
const SECRET_FOLDER_MODE = 0o700;

/** What the file system said, as an error that names the path. */
export function fileError(doing: string, path: string, cause: unknown): CryptorchError {
  return new CryptorchError('FILE', `Cannot ${doing} ${path}: ${(cause as Error).message}.`, { path }, cause);
}

/** Makes a folder with its parents; what is in it belongs to this user alone. */
export async function makeSecretFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: SECRET_FOLDER_MODE });
  } catch (error) {
    throw fileError('make the folder', path, error);
  }
}

/** Node reads files up to this size at once. */
const AT_ONCE = 2 ** 31 - 1;

/** All of a file, in parts where it is larger than `atOnce`. */
export async function readWhole(path: string, atOnce: number = AT_ONCE): Promise<Buffer> {
  return using(await open(path, 'r'), async (file) => {
    const { size } = await file.stat();
    if (size <= atOnce) return file.readFile();
    const bytes = Buffer.allocUnsafeSlow(size);
    for (let at = 0; at < size; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(FILE_PART, size - at), at);
      if (bytesRead === 0)
        throw new Error(`it became shorter while it was read, ${at} instead of ${size} bytes`);
      at += bytesRead;
    }
    return bytes;
  });
}

export async function readBytes(path: string): Promise<Buffer> {
  try {
    return await readWhole(path);
  } catch (error) {
    throw fileError('read', path, error);
  }
}

/** The content of a file, or undefined if there is none. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readWhole(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fileError('read', path, error);
  }
}

/** Replaces a file as a whole; on return it is on disk. */
export async function writeWhole(path: string, content: Uint8Array | string, mode: number): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await using(await open(temporary, 'wx', mode), async (file) => {
      await file.writeFile(content);
      await file.sync();
    });
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw fileError('write', path, error);
  }
}

/** Makes renames and new files in a folder durable. */
async function syncFolder(path: string): Promise<void> {
  await using(await open(path, 'r'), (folder) => folder.sync());
}

async function using<T>(file: FileHandle, use: (file: FileHandle) => Promise<T>): Promise<T> {
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}
