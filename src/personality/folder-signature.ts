import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

/**
 * A text that changes whenever a file below one of the folders does, whichever way an editor saves: in
 * place, or by renaming. Asked for again and again instead of waiting for the kernel's notices, which do
 * not cross the mounts of Docker Desktop and network file systems.
 */
export async function folderSignature(folders: readonly string[]): Promise<string> {
  const parts: string[] = [];
  for (const folder of folders) {
    const names = await readdir(folder, { recursive: true }).catch(() => undefined);
    parts.push(`${folder}:${names === undefined ? 'missing' : 'there'}`);
    for (const name of (names ?? []).toSorted((a, b) => a.localeCompare(b))) {
      const file = path.join(folder, name);
      const found = await stat(file, { bigint: true }).catch(() => undefined);
      parts.push(`${file}:${found?.ino}:${found?.size}:${found?.mtimeNs}`);
    }
  }
  return parts.join('\n');
}
